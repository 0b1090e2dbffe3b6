"""The job view and its breakdown, made from numbers. Pure."""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from libs.contracts.jobs import DRY_RUN_TEXT, EXTERNAL_TEXT, RESTING_TEXT, STATE_TEXT, JobState, Limits
from libs.contracts.reasons import WHAT_TO_DO
from libs.contracts.schedule import Rate
from libs.contracts.views import Hold, JobView, RemainingSeconds, Snapshot
from libs.readmodel.breakdown import breakdown
from libs.readmodel.numbers import Head, Numbers, Sums, Throttle
from libs.readmodel.sums import sums

TOLD_WITHIN = timedelta(hours=1)
STALLED_AFTER = timedelta(seconds=60)


def snapshot(numbers: Numbers, *, now: datetime, retention: timedelta) -> Snapshot:
    job = view(numbers, sums(numbers), now=now, retention=retention)
    return Snapshot(job=job, breakdown=breakdown(numbers))


def view(numbers: Numbers, far: Sums, *, now: datetime, retention: timedelta) -> JobView:
    """`far` is how far the job is."""
    head, throttle = numbers.head, numbers.throttle
    rate = head.limits.rate(now)
    state = _state(numbers, far, now)
    expires_at = (head.finished_at or max(head.updated_at, far.last_report_at or head.updated_at)) + retention
    return JobView(
        job_id=head.job_id,
        kind=head.kind,
        run=head.run,
        mode=head.mode,
        name=head.name,
        project=head.project,
        state=state,
        state_text=_state_text(state, head, rate),
        failed_side=head.side if state is JobState.FAILED else None,
        failed_reason=head.reason if state is JobState.FAILED else None,
        failed_server_text=_failed_server_text(numbers) if state is JobState.FAILED else None,
        worker=far.worker,
        source_host=head.source_host,
        destination_host=head.destination_host,
        created_at=head.created_at,
        started_at=head.admitted_at,
        finished_at=head.finished_at,
        expires_at=expires_at,
        last_report_at=far.last_report_at,
        folders_total=head.folders,
        folders_planned=far.parts,
        items_total=far.items_total if far.counted else None,
        items_completed=far.items_completed,
        items_skipped=far.items_skipped,
        items_failed=far.items_failed,
        items_remaining=far.items_remaining if far.counted else None,
        items_verified=far.items_verified,
        verify_level=far.verify_level,
        bytes_total=far.bytes_total if far.bytes_counted else None,
        bytes_completed=far.bytes_completed,
        progress_percent=_percent(far) if far.counted else None,
        speed_bytes_per_second=_speed(numbers, far, now),
        remaining_seconds=_remaining(numbers, far, now)
        if far.bytes_counted and state is JobState.RUNNING and not rate.closed
        else None,
        throttled_until=throttle.until if throttle else None,
        throttled_side=throttle.side if throttle else None,
        throttle_server_text=throttle.text if throttle else None,
        throttle_text=_throttle_text(throttle),
        limit_text=_limit_text(head.limits, rate),
        limits=head.limits,
        rate=rate,
        warnings=[notice.text for notice in numbers.notices],
        notices=list(numbers.notices),
        holds=_holds(head, numbers.named or any(failure.text for failure in numbers.failures), expires_at),
    )


def _state(numbers: Numbers, far: Sums, now: datetime) -> JobState:
    head = numbers.head
    if head.outcome is not None:
        return head.outcome
    if head.desired == "cancel":
        return JobState.CANCELLING
    if head.desired == "pause":
        return JobState.PAUSED
    if head.admitted_at is None:
        return JobState.QUEUED
    if numbers.throttle is not None:
        return JobState.THROTTLED
    silent = now - max(far.last_report_at or head.admitted_at, head.admitted_at) > STALLED_AFTER
    if silent and not (head.limits.rate(now).closed or head.limits.rate(now - STALLED_AFTER).closed):
        return JobState.STALLED  # workers that wait for their time have nothing to report
    at_work = head.kind == "external" or (far.parts and head.mode != "dry_run")
    return JobState.RUNNING if at_work else JobState.SCANNING


def _state_text(state: JobState, head: Head, rate: Rate) -> str:
    if head.mode == "dry_run" and state in DRY_RUN_TEXT:
        return DRY_RUN_TEXT[state]
    if head.kind == "external" and state in EXTERNAL_TEXT:
        return EXTERNAL_TEXT[state]
    if rate.closed and state in (JobState.RUNNING, JobState.SCANNING):
        return RESTING_TEXT
    if state is not JobState.FAILED or head.reason is None:
        return STATE_TEXT[state]
    side = {"source": "The source account: ", "destination": "The destination account: ", None: ""}[head.side]
    return f"{STATE_TEXT[state]} {side}{WHAT_TO_DO[head.reason]}"


def _failed_server_text(numbers: Numbers) -> str | None:
    return next((failure.text for failure in numbers.failures if failure.side == numbers.head.side), None)


def _percent(far: Sums) -> float:
    """Rounded down to 0.1: 100 only when nothing remains. An empty mailbox is done once it was counted."""
    done = far.items_total - far.items_remaining
    return done * 1000 // far.items_total / 10 if far.items_total else 100.0


def _speed(numbers: Numbers, far: Sums, now: datetime) -> float | None:
    """Bytes a second over the last 10 s, None when nothing was copied in them; after the end that of the last run."""
    head, recent = numbers.head, numbers.recent
    if head.finished_at is not None:
        return _average(head, far.bytes_completed, head.finished_at)
    if far.speed and far.last_report_at is not None and now - far.last_report_at <= STALLED_AFTER:
        return far.speed
    if recent is None or not recent.items_10:
        return None
    return recent.bytes_10 / _seconds_since(recent.since_10, 10, now)


def _remaining(numbers: Numbers, far: Sums, now: datetime) -> RemainingSeconds | None:
    """Between what the last minute and what the whole run promise."""
    recent = numbers.recent
    bytes_left = far.bytes_total - far.bytes_completed
    speeds = [_average(numbers.head, far.bytes_completed, now)]
    if recent is not None:
        speeds.append(recent.bytes_60 / _seconds_since(recent.since_60, 60, now))
    seconds = [math.ceil(max(0, bytes_left) / speed) for speed in speeds if speed]
    return RemainingSeconds(low=min(seconds), high=max(seconds)) if seconds else None


def _average(head: Head, bytes_completed: int, until: datetime) -> float | None:
    copied = bytes_completed - head.bytes_before
    if head.admitted_at is None or copied <= 0:
        return None
    return copied / max(1.0, (until - head.admitted_at).total_seconds())


def _seconds_since(since: float, window: int, now: datetime) -> float:
    return min(float(window), max(1.0, now.timestamp() - since))


def _throttle_text(throttle: Throttle | None) -> str | None:
    if throttle is None:
        return None
    if not throttle.text:
        return f"The {throttle.side} server is busy, or can't be reached at the moment."
    return f"The {throttle.side} server asked for a pause: {throttle.text}"


def _limit_text(limits: Limits, rate: Rate) -> str | None:
    if rate.mbps is None and rate.until is None:
        return None
    zone = limits.timezone or "UTC"
    until = f" until {rate.until.astimezone(ZoneInfo(zone)):%a %H:%M} ({zone})" if rate.until else ""
    if rate.mbps is None:
        return f"No limit{until}."
    return f"Nothing is copied{until}." if rate.closed else f"Limited to {rate.mbps:g} Mbit/s{until}."


def _holds(head: Head, named: bool, expires_at: datetime) -> list[Hold]:
    holds: list[Hold] = []
    if head.held:
        holds.append(Hold(what="credentials", why="To log in to both accounts while the job runs; sealed.", until=None))
    if head.to_be_told:
        until = head.finished_at + TOLD_WITHIN if head.finished_at else None
        holds.append(Hold(what="addresses", why="To tell you when it is done; sealed.", until=until))
    if named:
        holds.append(Hold(what="names", why="To show folders and what the servers said.", until=expires_at))
    holds.append(Hold(what="results", why="To show what was copied and what was not.", until=expires_at))
    return holds
