"""The job view and its breakdown, made from numbers. Pure."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from libs.contracts.ids import FolderId
from libs.contracts.jobs import DRY_RUN_TEXT, RESTING_TEXT, STATE_TEXT, JobState, Limits
from libs.contracts.reasons import WHAT_TO_DO
from libs.contracts.schedule import Rate
from libs.contracts.views import BreakdownRow, Hold, JobView, RemainingSeconds, Snapshot
from libs.readmodel.numbers import FolderNames, FolderProgress, Head, Numbers, Throttle, VerifyLevel

TOLD_WITHIN = timedelta(hours=1)
FolderState = Literal["waiting", "planned", "copying", "done", "failed"]
STALLED_AFTER = timedelta(seconds=60)
VERIFY_LEVELS: tuple[VerifyLevel, ...] = ("size", "identity", "bytes")  # weakest first


def snapshot(numbers: Numbers, *, now: datetime, retention: timedelta) -> Snapshot:
    head, progress = numbers.head, [_as_of_now(folder, numbers.head) for folder in numbers.progress]
    counted = head.folders is not None and len(progress) >= head.folders
    total = sum(folder.items_total for folder in progress)
    done = sum(folder.done for folder in progress)
    bytes_total = sum(folder.bytes_total for folder in progress)
    bytes_completed = sum(folder.bytes_completed for folder in progress)
    last_report_at = _last_report(numbers)
    rate = head.limits.rate(now)
    state = _state(numbers, last_report_at, now)
    expires_at = (head.finished_at or max(head.updated_at, last_report_at or head.updated_at)) + retention
    audited = {folder.level for folder in progress if folder.verified}
    view = JobView(
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
        worker=_worker(progress),
        source_host=head.source_host,
        destination_host=head.destination_host,
        created_at=head.created_at,
        started_at=head.admitted_at,
        finished_at=head.finished_at,
        expires_at=expires_at,
        last_report_at=last_report_at,
        folders_total=head.folders,
        folders_planned=len(progress),
        items_total=total if counted else None,
        items_completed=sum(folder.completed for folder in progress),
        items_skipped=sum(folder.skipped for folder in progress),
        items_failed=sum(folder.failed for folder in progress),
        items_remaining=total - done if counted else None,
        items_verified=sum(folder.verified for folder in progress),
        verify_level=next((level for level in VERIFY_LEVELS if level in audited), None),
        bytes_total=bytes_total if counted else None,
        bytes_completed=bytes_completed,
        progress_percent=_percent(done, total) if counted else None,
        speed_bytes_per_second=_speed(numbers, bytes_completed, now),
        remaining_seconds=_remaining(numbers, bytes_total - bytes_completed, bytes_completed, now)
        if counted and state is JobState.RUNNING and not rate.closed
        else None,
        throttled_until=numbers.throttle.until if numbers.throttle else None,
        throttled_side=numbers.throttle.side if numbers.throttle else None,
        throttle_server_text=numbers.throttle.text if numbers.throttle else None,
        throttle_text=_throttle_text(numbers.throttle),
        limit_text=_limit_text(head.limits, rate),
        limits=head.limits,
        rate=rate,
        warnings=list(numbers.warnings),
        holds=_holds(head, bool(numbers.names), expires_at),
    )
    return Snapshot(job=view, breakdown=_breakdown(numbers, progress))


def _as_of_now(folder: FolderProgress, head: Head) -> FolderProgress:
    """What failed in an earlier run is to be tried again as long as this one lives."""
    return replace(folder, failed=0) if head.outcome is None and folder.run < head.run else folder


def _state(numbers: Numbers, last_report_at: datetime | None, now: datetime) -> JobState:
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
    silent = (
        head.listed_at is not None
        and last_report_at is not None
        and now - max(last_report_at, head.admitted_at) > STALLED_AFTER
    )
    if silent and not (head.limits.rate(now).closed or head.limits.rate(now - STALLED_AFTER).closed):
        return JobState.STALLED  # workers that wait for their time have nothing to report
    copying = numbers.progress and head.mode != "dry_run"
    return JobState.RUNNING if copying else JobState.SCANNING


def _state_text(state: JobState, head: Head, rate: Rate) -> str:
    if head.mode == "dry_run" and state in DRY_RUN_TEXT:
        return DRY_RUN_TEXT[state]
    if rate.closed and state in (JobState.RUNNING, JobState.SCANNING):
        return RESTING_TEXT
    if state is not JobState.FAILED or head.reason is None:
        return STATE_TEXT[state]
    side = {"source": "The source account: ", "destination": "The destination account: ", None: ""}[head.side]
    return f"{STATE_TEXT[state]} {side}{WHAT_TO_DO[head.reason]}"


def _last_report(numbers: Numbers) -> datetime | None:
    times = [numbers.head.listed_at]
    for folder in numbers.progress:
        times += (folder.planned_at, folder.reported_at)
    return max((time for time in times if time is not None), default=None)


def _worker(progress: Sequence[FolderProgress]) -> str | None:
    """Who reported last; a folder that was just planned has no worker yet."""
    reported = [folder for folder in progress if folder.worker]
    return max(reported, key=_reported_at).worker if reported else None


def _reported_at(folder: FolderProgress) -> datetime:
    return folder.reported_at or folder.planned_at


def _percent(done: int, total: int) -> float:
    """Rounded down to 0.1: 100 only when nothing remains. An empty mailbox is done once it was counted."""
    return done * 1000 // total / 10 if total else 100.0


def _speed(numbers: Numbers, bytes_completed: int, now: datetime) -> float | None:
    """Bytes a second over the last 10 s, None when nothing was copied in them; after the end that of the last run."""
    head, recent = numbers.head, numbers.recent
    if head.finished_at is not None:
        return _average(head, bytes_completed, head.finished_at)
    if recent is None or not recent.items_10:
        return None
    return recent.bytes_10 / _seconds_since(recent.since_10, 10, now)


def _remaining(numbers: Numbers, bytes_left: int, bytes_completed: int, now: datetime) -> RemainingSeconds | None:
    """Between what the last minute and what the whole run promise."""
    recent = numbers.recent
    speeds = [_average(numbers.head, bytes_completed, now)]
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


def _breakdown(numbers: Numbers, known: Sequence[FolderProgress]) -> list[BreakdownRow]:
    names = {folder.folder_id: folder for folder in numbers.names}
    progress = {folder.folder_id: folder for folder in known}
    order = sorted(names.keys() | progress.keys(), key=lambda folder_id: (len(folder_id), folder_id))
    return [
        _folder(names.get(each), progress.get(each), _state_of(numbers, each, progress.get(each))) for each in order
    ]


def _folder(names: FolderNames | None, progress: FolderProgress | None, state: FolderState) -> BreakdownRow:
    return BreakdownRow(
        kind="folder",
        name=", ".join(names.source_names) if names else "",
        destination_name=names.destination_name if names else None,
        state=state,
        items_total=progress.items_total if progress else None,
        items_completed=progress.completed if progress else 0,
        items_skipped=progress.skipped if progress else 0,
        items_failed=progress.failed if progress else 0,
        items_remaining=progress.items_total - progress.done if progress else None,
        items_verified=progress.verified if progress else 0,
        bytes_total=progress.bytes_total if progress else None,
        bytes_completed=progress.bytes_completed if progress else 0,
    )


def _state_of(numbers: Numbers, folder_id: FolderId, progress: FolderProgress | None) -> FolderState:
    if folder_id in numbers.failed_folders:
        return "failed"
    if progress is None:
        return "waiting"
    if numbers.head.mode == "dry_run":
        return "planned"
    if progress.finished and not progress.stopped:
        return "done"
    return "planned" if progress.reported_at is None else "copying"
