"""The job view, from numbers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.ids import FolderId, JobId
from libs.contracts.jobs import RESTING_TEXT, STATE_TEXT, JobState, Limits
from libs.contracts.reasons import WHAT_TO_DO, Reason
from libs.contracts.views import JobView
from libs.readmodel.jobview import snapshot
from libs.readmodel.numbers import FolderProgress, Head, Numbers, Recent, Throttle

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RETENTION = timedelta(days=7)
HEAD = Head(
    job_id=JobId("j"),
    kind="mailbox",
    name=None,
    project=None,
    source_host="a.example",
    destination_host="b.example",
    created_at=NOW - timedelta(minutes=5),
    updated_at=NOW - timedelta(minutes=5),
    desired="run",
    limits=Limits(),
    admitted_at=NOW - timedelta(seconds=100),
    folders=1,
    listed_at=NOW - timedelta(seconds=90),
    outcome=None,
    side=None,
    reason=None,
    finished_at=None,
    held=True,
    to_be_told=False,
)
FOLDER = FolderProgress(
    folder_id=FolderId("1"),
    planned_at=NOW - timedelta(seconds=80),
    planned_items=1000,
    planned_skipped=0,
    bytes_total=100_000,
    completed=500,
    skipped=0,
    failed=0,
    bytes_completed=50_000,
    finished=False,
    stopped=False,
    worker="copier-1",
    reported_at=NOW - timedelta(seconds=1),
    verified=0,
    level=None,
)


def see(head: dict[str, Any] | None = None, folder: dict[str, Any] | None = None, **numbers: Any) -> JobView:
    progress = [replace(FOLDER, **(folder or {}))]
    made = Numbers(head=replace(HEAD, **(head or {})), progress=numbers.pop("progress", progress), **numbers)
    return snapshot(made, now=NOW, retention=RETENTION).job


@pytest.mark.parametrize(
    ("completed", "total", "percent"),
    [
        (0, 3, 0.0),
        (1, 3, 33.3),
        (2, 3, 66.6),
        (9999, 10_000, 99.9),
        (99_999, 100_000, 99.9),
        (7, 7, 100.0),
        (0, 0, 100.0),
    ],
)
def test_percent_is_rounded_down(completed: int, total: int, percent: float) -> None:
    assert see(folder={"planned_items": total, "completed": completed}).progress_percent == percent


@given(
    folders=st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 9), st.integers(0, 50), st.integers(0, 9), st.integers(0, 9)),
        max_size=5,
    ),
    listed=st.integers(0, 5),
)
def test_whatever_is_reported_the_numbers_reconcile(folders: list[tuple[int, int, int, int, int]], listed: int) -> None:
    progress = [
        replace(
            FOLDER,
            folder_id=FolderId(str(n)),
            planned_items=items,
            planned_skipped=skipped,
            completed=completed,
            skipped=skipped + gone,
            failed=failed,
        )
        for n, (items, skipped, completed, gone, failed) in enumerate(folders)
    ]

    view = see({"folders": listed}, progress=progress)

    assert (view.items_total is None) == (len(progress) < listed)
    if view.items_total is not None and view.items_remaining is not None:
        done = view.items_completed + view.items_skipped + view.items_failed
        assert done + view.items_remaining == view.items_total
        assert view.items_remaining >= 0
        assert (view.progress_percent == 100) == (view.items_remaining == 0)


UNLISTED: dict[str, Any] = {"listed_at": None, "folders": None}
SLOW = Throttle(side="destination", until=NOW + timedelta(seconds=9), text="")
SILENT = {"reported_at": NOW - timedelta(seconds=61), "planned_at": NOW - timedelta(seconds=80)}


@pytest.mark.parametrize(
    ("head", "folder", "numbers", "state"),
    [
        ({}, {}, {}, JobState.RUNNING),
        ({}, {}, {"progress": []}, JobState.STALLED),  # listed 90 s ago, and nothing since
        ({"seen_at": NOW - timedelta(seconds=59)}, {}, {"progress": []}, JobState.SCANNING),
        (UNLISTED | {"admitted_at": NOW - timedelta(seconds=60)}, {}, {"progress": []}, JobState.SCANNING),
        (UNLISTED, {}, {"progress": []}, JobState.STALLED),  # admitted 100 s ago
        (UNLISTED | {"seen_at": NOW}, {}, {"progress": []}, JobState.SCANNING),
        ({"listed_at": NOW}, {}, {"progress": []}, JobState.SCANNING),
        ({"admitted_at": None}, {}, {"progress": []}, JobState.QUEUED),
        ({}, SILENT, {}, JobState.STALLED),
        ({}, SILENT | {"reported_at": NOW - timedelta(seconds=60)}, {}, JobState.RUNNING),
        ({}, SILENT, {"throttle": SLOW}, JobState.THROTTLED),
        ({"desired": "pause"}, SILENT, {"throttle": SLOW}, JobState.PAUSED),
        ({"desired": "cancel"}, SILENT, {"throttle": SLOW}, JobState.CANCELLING),
        ({"desired": "cancel", "outcome": JobState.CANCELLED, "finished_at": NOW}, SILENT, {}, JobState.CANCELLED),
        ({"desired": None}, {}, {}, JobState.RUNNING),
    ],
)
def test_the_state_of_a_job(
    head: dict[str, Any], folder: dict[str, Any], numbers: dict[str, Any], state: JobState
) -> None:
    view = see(head, folder, **numbers)

    assert view.state is state
    assert view.state_text == STATE_TEXT[state]


def closed(begin: str, end: str, otherwise: float | None = 2.5) -> Limits:
    window = {"days": ["sun"], "from": begin, "to": end, "mbps": 0}  # NOW is 13:00 on a Sunday in Berlin
    return Limits.model_validate({"schedule": [window], "timezone": "Europe/Berlin", "bandwidth_limit_mbps": otherwise})


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(), None),
        (Limits(bandwidth_limit_mbps=2.5), "Limited to 2.5 Mbit/s."),
        (closed("12:00", "18:00"), "Nothing is copied until Sun 18:00 (Europe/Berlin)."),
        (closed("22:00", "06:00"), "Limited to 2.5 Mbit/s until Sun 22:00 (Europe/Berlin)."),
        (closed("22:00", "06:00", otherwise=None), "No limit until Sun 22:00 (Europe/Berlin)."),
    ],
)  # fmt: skip
def test_the_limit_that_holds_is_told_and_until_when(limits: Limits, text: str | None) -> None:
    assert see({"limits": limits}).limit_text == text


def test_workers_that_wait_for_their_time_are_not_called_silent() -> None:
    waiting, open_again, long_ago = (
        see({"limits": closed("12:00", end)}, SILENT) for end in ("18:00", "13:00", "12:30")
    )

    assert (waiting.state, waiting.state_text) == (JobState.RUNNING, RESTING_TEXT)
    assert (open_again.state, long_ago.state) == (JobState.RUNNING, JobState.STALLED)


@pytest.mark.parametrize(("side", "word"), [("source", "source"), ("destination", "destination"), (None, "")])
def test_a_failure_says_which_side_and_what_to_do(side: str | None, word: str) -> None:
    text = see({"outcome": JobState.FAILED, "side": side, "reason": Reason.HOST_UNKNOWN, "finished_at": NOW}).state_text

    assert word in text
    assert text.endswith(WHAT_TO_DO[Reason.HOST_UNKNOWN])


def test_an_address_is_held_until_the_mail_is_sent_and_an_hour_after_the_end_at_most() -> None:
    def until(**head: Any) -> list[datetime | None]:
        return [hold.until for hold in see({"to_be_told": True} | head).holds if hold.what == "addresses"]

    assert until() == [None]
    assert until(outcome=JobState.FAILED, finished_at=NOW) == [NOW + timedelta(hours=1)]
    assert until(to_be_told=False) == []


def recent(**change: Any) -> Recent:
    since = NOW.timestamp()
    numbers = {"bytes_10": 5000, "items_10": 5, "since_10": since - 9.5, "bytes_60": 60_000, "since_60": since - 60}
    return Recent(**(numbers | change))


def test_time_left_lies_between_what_the_last_minute_and_the_whole_run_promise() -> None:
    view = see(recent=recent())  # 1,000 bytes a second in the last minute, 500 over 100 seconds; 50,000 bytes left

    assert view.remaining_seconds is not None
    assert (view.remaining_seconds.low, view.remaining_seconds.high) == (50, 100)
    assert view.speed_bytes_per_second == 5000 / 9.5


def test_a_first_report_is_no_dizzy_speed() -> None:
    assert see(recent=recent(since_10=NOW.timestamp() - 0.01)).speed_bytes_per_second == 5000


def test_nothing_is_promised_while_nothing_is_known() -> None:
    assert see(recent=None, folder={"bytes_completed": 0}).remaining_seconds is None
    assert see(recent=recent(items_10=0, bytes_10=0)).speed_bytes_per_second is None
    assert see({"desired": "pause"}, recent=recent()).remaining_seconds is None
    assert see({"limits": closed("12:00", "18:00")}, recent=recent()).remaining_seconds is None
    assert see({"folders": 2}, recent=recent()).remaining_seconds is None


def test_after_the_end_the_speed_is_that_of_the_whole_run() -> None:
    ended = see({"outcome": JobState.COMPLETED, "finished_at": NOW - timedelta(seconds=50)}, recent=recent())

    assert ended.speed_bytes_per_second == 1000
    assert ended.expires_at == NOW - timedelta(seconds=50) + RETENTION


def test_expiry_counts_from_the_last_change() -> None:
    assert see().expires_at == NOW - timedelta(seconds=1) + RETENTION
    assert see({"listed_at": None}, progress=[]).expires_at == HEAD.updated_at + RETENTION
