"""From events to the job view, through the tables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.contracts.accounts import Side
from libs.contracts.events import FolderAudited, Progress, ScanFailed, SignOfLife
from libs.contracts.ids import FolderId, JobId, PlanId, key_hash
from libs.contracts.jobs import JobOptions, JobState, Limits
from libs.contracts.notices import DatesLost, FoldersJoined, Notice, OtherNotice
from libs.contracts.reasons import WHAT_TO_DO, Reason
from libs.contracts.views import Snapshot
from libs.readmodel.model import ReadModel
from libs.readmodel.notifications import Due
from libs.readmodel.rows import (
    DesiredRow,
    FailureRow,
    NoticeRow,
    OutcomeRow,
    PlanRow,
    PlanSource,
    ScanFailureRow,
    ThrottleRow,
    TombstoneRow,
    WarningRow,
)
from libs.readmodel.tables import Stamped
from services.aggregator.rows import rows
from tests.contract.jobs import (
    admitted,
    at,
    finished,
    folder,
    listed,
    new_job,
    plan_id,
    planned,
    progress,
    request,
    requested,
)


def apply(store: ReadModel, *events: tuple[int, Progress]) -> None:
    """Each event at its offset, a second after the one before."""
    store.write_each(
        [Stamped(row, offset, at(offset)) for offset, event in events for row in rows(event, offset, at(offset))]
    )


def see(store: ReadModel, job: JobId, seconds: float = 20) -> Snapshot:
    return store.watching.views([job], at(seconds))[job]


def running(job: JobId) -> list[tuple[int, Progress]]:
    return [
        (1, listed(job, 1)),
        (2, planned(job, items=10, skipped=2)),
        (3, progress(job, completed=3)),
        (4, progress(job, completed=7)),
        (4, progress(job, completed=7)),
    ]


def ended(job: JobId) -> list[tuple[int, Progress]]:
    return [*running(job)[1:4], (5, finished(job, completed=9, failed=1)), (1, listed(job, 1))]


@pytest.mark.parametrize(("events", "expected"), [(running, (7, 0, 2, 3)), (ended, (9, 1, 2, 0))])
def test_order_and_repeats_of_delivery_do_not_change_the_job_view(
    store: ReadModel, events: Callable[[JobId], list[tuple[int, Progress]]], expected: tuple[int, ...]
) -> None:
    orders = [(job := new_job(), list(permutations(events(job)))[n]) for n in range(120)]
    store.write([row for job, _ in orders for row in admitted(job, "1")], now=at(0))

    for turn in range(5):  # the first delivery of every order, then the second, …
        apply(store, *[order[turn] for _, order in orders])

    views = [view.job for view in store.watching.views([job for job, _ in orders], at(20)).values()]
    assert len(views) == 120
    assert {(v.items_completed, v.items_failed, v.items_skipped, v.items_remaining) for v in views} == {expected}
    assert len({view.model_dump_json(exclude={"job_id"}) for view in views}) == 1


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, str, int]]:
    """(kind, folder, …): what one job's workers tell, in the order of the topic."""
    folders = draw(st.integers(1, 3))
    queues: list[list[tuple[str, int, int, int]]] = []
    for number in range(1, folders + 1):
        items, skipped = draw(st.integers(0, 20)), draw(st.integers(0, 5))
        queue = [("planned", number, items, skipped)]
        done = 0
        for _ in range(draw(st.integers(0, 4))):
            done = draw(st.integers(done, items))
            queue.append(("progress", number, done, draw(st.integers(0, items - done)) if done == items else 0))
        queue.append(("finished", number, items, draw(st.integers(0, items - done))))
        queues.append(queue)
    order: list[tuple[str, int, int, int]] = [("listed", folders, 0, 0)]
    while any(queues):
        order.append(draw(st.sampled_from([queue for queue in queues if queue])).pop(0))
    return order


@given(history=histories(), data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_snapshot_reconciles_and_percent_never_falls(
    store: ReadModel, history: list[tuple[str, int, int, int]], data: st.DataObject
) -> None:
    job = new_job()
    written_by_others = admitted(job, *[str(n) for n in range(1, history[0][1] + 1)])
    events = list(enumerate(_events(job, history)))
    store.write(written_by_others[:1], now=at(0))
    late = data.draw(st.integers(0, len(events)))  # the scanner's rows come before or after the events
    percent, position = 0.0, 0
    while position < len(events):
        begin = data.draw(st.integers(0, position))  # delivered again from an earlier offset
        end = data.draw(st.integers(position + 1, len(events)))
        if position <= late:
            store.write(written_by_others, now=at(0))
        apply(store, *events[begin:end])
        view = see(store, job)
        _reconciles(view)
        if view.job.progress_percent is not None:
            assert view.job.progress_percent >= percent
            percent = view.job.progress_percent
        position = end
    assert percent == 100.0


def _events(job: JobId, history: list[tuple[str, int, int, int]]) -> list[Progress]:
    events: list[Progress] = []
    for kind, number, some, others in history:
        match kind:
            case "listed":
                events.append(listed(job, number))
            case "planned":
                events.append(planned(job, str(number), items=some, skipped=others))
            case "progress":
                events.append(progress(job, str(number), completed=some, failed=others))
            case _:
                events.append(finished(job, str(number), completed=some - others, failed=others))
    return events


def _reconciles(view: Snapshot) -> None:
    job, folders = view.job, view.breakdown
    assert (job.items_total is None) == (job.items_remaining is None) == (job.progress_percent is None)
    if job.items_total is not None:
        done = job.items_completed + job.items_failed + job.items_skipped
        assert job.items_remaining is not None
        assert done + job.items_remaining == job.items_total
        assert (job.progress_percent == 100) == (job.items_remaining == 0)
        assert job.items_total == sum(row.items_total or 0 for row in folders)
    for row in folders:
        if row.items_total is not None:
            assert (
                row.items_completed + row.items_failed + row.items_skipped + (row.items_remaining or 0)
                == row.items_total
            )
    assert job.items_completed == sum(row.items_completed for row in folders)


def test_totals_are_unknown_until_every_folder_is_planned(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1", "2"), now=at(0))
    apply(store, (1, listed(job, 2)), (2, planned(job, "1", items=5)), (3, progress(job, "1", completed=2)))

    view = see(store, job).job

    assert (view.folders_total, view.folders_planned) == (2, 1)
    assert (view.items_total, view.items_remaining, view.bytes_total, view.progress_percent) == (None,) * 4
    assert view.items_completed == 2
    assert view.remaining_seconds is None


def test_only_the_newest_plan_of_a_folder_counts(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1"), now=at(0))
    apply(
        store,
        (1, listed(job, 1)),
        (2, planned(job, items=10)),
        (3, progress(job, completed=4)),
        (4, planned(job, items=6, skipped=4, number=2)),
        (5, progress(job, completed=1, number=2)),
        (6, progress(job, completed=5)),  # of the plan that was given up
    )

    view = see(store, job).job

    assert (view.items_total, view.items_completed, view.items_skipped, view.items_remaining) == (10, 1, 4, 5)


def test_an_audit_tells_how_much_was_verified_and_by_the_weakest_level(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1", "2"), now=at(0))

    def audit(folder_id: str, level: str, verified: int) -> Progress:
        return FolderAudited(
            job_id=job, folder_id=FolderId(folder_id), plan_id=plan_id(folder_id), level=level, verified=verified,
            rewritten=0, removed=0, recovered=0, surplus=0,
        )  # fmt: skip

    apply(
        store,
        (1, listed(job, 2)),
        (2, planned(job, "1", items=3)),
        (3, planned(job, "2", items=4)),
        (4, audit("1", "bytes", 3)),
        (5, audit("2", "identity", 4)),
    )

    view = see(store, job)

    assert (view.job.items_verified, view.job.verify_level) == (7, "identity")
    assert [row.items_verified for row in view.breakdown] == [3, 4]
    assert store.standings([job])[job].differing == 0


def test_what_an_audit_found_to_differ_counts_under_the_newest_plan(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1"), now=at(0))

    def audit(plan: str, **found: int) -> Progress:
        counts = {"verified": 1, "rewritten": 0, "removed": 0, "recovered": 9, "surplus": 0} | found
        return FolderAudited(job_id=job, folder_id=FolderId("1"), plan_id=PlanId(plan), level="size", **counts)

    old, new = planned(job, "1", items=9), replace(planned(job, "1", items=9), plan_id=PlanId("new"), number=2)
    apply(store, (1, old), (2, audit(old.plan_id, removed=5)), (3, new), (4, audit("new", removed=1, rewritten=2)))
    assert store.standings([job])[job].differing == 3

    apply(store, (5, audit("new", surplus=4)))
    assert store.standings([job])[job].differing == 4


def test_states_of_a_job_follow_each_other(store: ReadModel) -> None:
    job = new_job()

    def state(seconds: float = 20) -> JobState:
        return see(store, job, seconds).job.state

    def desire(wish: str) -> None:
        store.write([DesiredRow(job_id=job, state=wish, limits=Limits())], now=at(6))

    store.write(requested(job), now=at(0))
    assert state() is JobState.QUEUED
    store.write(admitted(job, "1")[2:], now=at(1))
    assert state() is JobState.SCANNING
    apply(store, (1, listed(job, 1)), (2, planned(job, items=5)))
    assert state() is JobState.RUNNING
    assert state(63) is JobState.STALLED
    desire("pause")
    assert state(63) is JobState.PAUSED
    desire("run")
    throttle = ThrottleRow(job_id=job, side="source", reason=Reason.THROTTLED, until=at(90), server_text="[LIMIT] slow")
    store.write([throttle], now=at(7))
    assert state(63) is JobState.THROTTLED
    assert see(store, job).job.throttle_text == "The source server asked for a pause: [LIMIT] slow"
    assert state(91) is JobState.STALLED
    desire("cancel")
    assert state() is JobState.CANCELLING
    store.write([OutcomeRow(job_id=job, state="cancelled", side=None, reason=None, finished_at=at(9))], now=at(9))
    assert state() is JobState.CANCELLED
    store.write([TombstoneRow(job_id=job, deleted_at=at(10))], now=at(10))
    assert store.watching.views([job], at(20)) == {}


@pytest.mark.parametrize("order", list(permutations(range(1, 4))))
def test_the_newest_sign_of_life_is_a_report_in_whatever_order_signs_come_and_repeat(
    store: ReadModel, order: tuple[int, ...]
) -> None:
    job = new_job()
    store.write(admitted(job, "1"), now=at(0))
    assert see(store, job, 62).job.state is JobState.STALLED

    apply(store, *[(20 * n, SignOfLife(job_id=job)) for n in (*order, *order)])

    view = see(store, job, 62).job
    assert (view.state, view.last_report_at) == (JobState.SCANNING, at(60))
    assert store.watching.jobs([job], at(62)) == {job: view}


def test_a_failed_job_says_which_side_and_what_to_do(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1"), now=at(0))
    text = ScanFailureRow(
        job_id=job, side="destination", reason=Reason.LOGIN_REFUSED, server_text="no", folder_id=FolderId("1")
    )
    store.write([text], now=at(2))
    apply(store, (3, ScanFailed(job_id=job, side="destination", reason=Reason.LOGIN_REFUSED, folder_id=FolderId("1"))))

    view = see(store, job)

    assert view.job.state is JobState.FAILED
    assert "destination" in view.job.state_text
    assert WHAT_TO_DO[Reason.LOGIN_REFUSED] in view.job.state_text
    assert view.job.failed_server_text == "no"
    assert [row.state for row in view.breakdown] == ["failed"]
    assert view.job.finished_at == at(3)
    assert view.job.expires_at == at(3) + timedelta(days=7)
    assert store.watching.jobs([job], at(20)) == {job: view.job}


def test_what_a_server_said_of_the_job_is_shown_as_long_as_it_has_failed(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job), now=at(0))
    texts = [
        ScanFailureRow(job_id=job, side=side, reason=Reason.LOGIN_REFUSED, server_text=f"no {side}")
        for side in get_args(Side)
    ]
    store.write(texts, now=at(2))
    assert see(store, job).job.failed_server_text is None
    apply(store, (3, ScanFailed(job_id=job, side="source", reason=Reason.LOGIN_REFUSED)))
    assert see(store, job).job.failed_server_text == "no source"
    assert "names" in {hold.what for hold in see(store, job).job.holds}  # what servers said, too

    store.write([request(job, run=2)], now=at(5))

    assert see(store, job).job.failed_server_text is None


def test_speed_is_that_of_the_last_seconds_none_when_idle_and_the_average_after_the_end(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1"), now=at(0))  # admitted at 1
    apply(store, (1, listed(job, 1)), (2, planned(job, items=100)))
    apply(store, *[(n, progress(job, completed=(n - 2) * 2, new=2)) for n in range(3, 23)])
    store.write_each([Stamped(r, 22, at(22)) for r in rows(progress(job, completed=40, new=2), 22, at(22))])  # again

    running, idle = see(store, job, 22).job, see(store, job, 40).job
    apply(store, (50, finished(job, completed=100)))
    store.write([OutcomeRow(job_id=job, state="completed", side=None, reason=None, finished_at=at(51))], now=at(51))
    ended = see(store, job, 60).job

    assert running.speed_bytes_per_second == 200
    assert running.remaining_seconds is not None
    assert running.remaining_seconds.low == 30  # 6,000 bytes at 200 a second
    assert running.remaining_seconds.high == 32  # at 4,000 bytes in 21 seconds
    assert idle.speed_bytes_per_second is None
    assert ended.speed_bytes_per_second == 10_000 / 50
    assert ended.remaining_seconds is None


def test_a_view_says_what_is_still_held_and_until_when(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1"), now=at(0))
    store.keep_sealed(job, "sealed", at(0))
    during = see(store, job).job.holds
    store.write([OutcomeRow(job_id=job, state="completed", side=None, reason=None, finished_at=at(9))], now=at(9))
    store.erase_sealed(job)
    after = see(store, job).job.holds

    assert (during[0].what, during[0].until) == ("credentials", None)
    assert [hold.what for hold in during] == ["credentials", "names", "results"]
    assert [(hold.what, hold.until) for hold in after] == [
        ("names", at(9) + timedelta(days=7)),
        ("results", at(9) + timedelta(days=7)),
    ]


def test_a_dry_run_is_scanning_until_it_is_completed_and_says_what_remains(store: ReadModel) -> None:
    job = new_job()
    asked = request(job, options=JobOptions(mode="dry_run"))
    store.write([asked, *admitted(job, "1")[1:]], now=at(0))
    apply(store, (1, listed(job, 1)), (2, planned(job, "1", items=5, skipped=2)))
    during = see(store, job).job
    apply(store, (3, finished(job, "1", completed=0, failed=1)))
    notice = NoticeRow(job_id=job, folder_id=FolderId("1"), kind="size", text="")
    store.write([OutcomeRow(job_id=job, state="completed", side=None, reason=None, finished_at=at(9))], now=at(9))
    store.write([notice], now=at(9))
    view = see(store, job)

    assert (during.mode, during.state) == ("dry_run", "scanning")
    assert (view.job.state, view.job.items_remaining, view.job.items_failed, view.job.items_skipped) == (
        "completed",
        4,
        1,
        2,
    )
    assert view.job.progress_percent != 100
    assert view.job.warnings == []
    assert "dry run" in view.job.state_text
    assert [row.state for row in view.breakdown] == ["planned"]


def test_what_is_good_to_know_is_in_the_view_with_its_kind_and_values_and_as_a_sentence(store: ReadModel) -> None:
    job = new_job()
    of_the_scanner: Notice = FoldersJoined(folder="Größe", sources=("GRÖSSE", "größe“ \\ '"), more=3)
    of_the_copier: Notice = DatesLost()
    store.write([*admitted(job, "1", "2"), WarningRow.of(job, 1, of_the_scanner)], now=at(0))
    told = [NoticeRow.of(job, FolderId(one), "dates", of_the_copier) for one in ("1", "2")]
    taken_back = NoticeRow.of(job, FolderId("1"), "name", None)
    before_there_were_kinds = WarningRow(job_id=job, number=2, text="Mind the gap")
    store.write([*told, before_there_were_kinds, taken_back], now=at(1))
    store.refresh([job], at(5))

    view = see(store, job).job

    assert view.notices == [of_the_scanner, OtherNotice(sentence="Mind the gap"), of_the_copier]
    assert view.warnings == [notice.text for notice in view.notices]
    assert Snapshot.model_validate_json(see(store, job).model_dump_json()).job == view


def test_the_breakdown_names_folders_and_orders_them(store: ReadModel) -> None:
    job = new_job()
    both = folder(job, "2", source_names=("Sent", "Gesendet"), source_wires=("a", "b"), destination_name="Sent")
    store.write([*admitted(job, "10", "1"), both], now=at(0))
    warning = WarningRow(job_id=job, number=2, text="second")
    store.write([warning, WarningRow(job_id=job, number=1, text="first")], now=at(0))
    notices = [NoticeRow(job_id=job, folder_id=FolderId(one), kind="k", text="of folders") for one in ("1", "2")]
    store.write(notices, now=at(0))
    apply(store, (1, listed(job, 3)), (2, planned(job, "2", items=1)), (3, progress(job, "2", completed=0)))
    apply(store, (4, planned(job, "10", items=1)), (5, finished(job, "10", completed=1)))

    view = see(store, job)

    assert [(row.name, row.destination_name, row.state) for row in view.breakdown] == [
        ("Folder 1", "There 1", "waiting"),
        ("Sent, Gesendet", "Sent", "copying"),
        ("Folder 10", "There 10", "done"),
    ]
    assert view.job.warnings == ["first", "second", "of folders"]
    assert (view.job.worker, view.job.last_report_at) == ("copier-1", at(5))


def test_a_bandwidth_limit_is_told(store: ReadModel) -> None:
    job = new_job()
    store.write([request(job, options=JobOptions(bandwidth_limit_mbps=2.5))], now=at(0))

    assert see(store, job).job.limit_text == "Limited to 2.5 Mbit/s."


def test_many_jobs_are_seen_at_once_and_those_that_are_not_there_are_left_out(store: ReadModel) -> None:
    jobs = [new_job() for _ in range(3)]
    for count, job in enumerate(jobs):
        store.write(admitted(job, "1"), now=at(0))
        apply(store, (1, listed(job, 1)), (2, planned(job, items=10)), (3, progress(job, completed=count)))
    unaccepted = new_job()
    store.write(requested(unaccepted, accepted=False), now=at(0))

    views = store.watching.views([*jobs, unaccepted, new_job()], at(20))

    assert {job: view.job.items_completed for job, view in views.items()} == dict(zip(jobs, range(3), strict=True))
    assert store.watching.views([], at(20)) == {}


def test_a_project_keeps_what_was_put_last(store: ReadModel) -> None:
    store.put_project("Zoo", Limits(), at(0))
    store.put_project("Harbour", Limits(concurrency=5), at(1))
    limits = Limits.model_validate({"schedule": [{"days": ["mon"], "from": "22:00", "to": "06:00", "mbps": 0}]})
    store.put_project("Harbour", limits, at(2))

    assert list(store.projects().items()) == [("Harbour", limits), ("Zoo", Limits())]


def test_a_key_finds_its_job_and_says_which_key_it_is(store: ReadModel) -> None:
    job = new_job()
    store.write(requested(job), now=at(0))

    assert store.watching.find(key_hash(f"key of {job}")) == (job, "key")
    assert store.watching.find(key_hash(f"view key of {job}")) == (job, "view_key")
    assert store.watching.find(key_hash("another")) is None
    store.write([TombstoneRow(job_id=job, deleted_at=at(1))], now=at(1))
    assert store.watching.find(key_hash(f"key of {job}")) is None


def test_an_old_key_no_longer_opens_a_job(store: ReadModel) -> None:
    job = new_job()
    store.write(requested(job), now=at(0))

    store.write([request(job, key_hash=key_hash(f"new key of {job}"))], now=at(1))

    assert store.watching.find(key_hash(f"key of {job}")) is None
    assert store.watching.find(key_hash(f"new key of {job}")) == (job, "key")


def test_active_jobs_are_those_that_were_accepted_and_have_not_ended(store: ReadModel) -> None:
    first, second, ended, unaccepted = (new_job() for _ in range(4))
    for job in (first, second, ended):
        store.write(requested(job, created_at=at(1 if job == first else 2)), now=at(2))
    store.write(requested(unaccepted, accepted=False), now=at(2))
    store.write([OutcomeRow(job_id=ended, state="completed", side=None, reason=None, finished_at=at(3))], now=at(3))

    active = store.watching.live()

    assert [job for job in active if job in (first, second, ended, unaccepted)] == [first, second]


def test_finished_jobs_are_those_that_ended_since_the_last_one_first(store: ReadModel) -> None:
    early, first, second, live, deleted = (new_job() for _ in range(5))
    for job, ended_at in ((early, 3), (first, 5), (second, 6), (live, None), (deleted, 7)):
        store.write(requested(job), now=at(2))
        if ended_at is not None:
            outcome = OutcomeRow(job_id=job, state="cancelled", side=None, reason=None, finished_at=at(ended_at))
            store.write([outcome], now=at(ended_at))
    store.write([TombstoneRow(job_id=deleted, deleted_at=at(8))], now=at(8))

    finished = store.watching.finished(at(4))

    assert [job for job in finished if job in (early, first, second, live, deleted)] == [second, first]


def test_batches_are_sums_of_intervals_in_time_order(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1", "2"), now=at(0))
    for offset in [*range(10, 20), 12, 15]:
        apply(store, (offset, progress(job, completed=offset, new=offset)))
    apply(store, (20, progress(job, completed=20, new=0)))  # a sign of life is no history

    def items(width: int, after: float | None = None, limit: int = 100) -> list[tuple[float, int]]:
        found = store.watching.batches(
            job, after=None if after is None else at(after), limit=limit, resolution_seconds=width
        )
        assert all(row.bytes == row.items * 100 and row.seconds <= width for row in found)
        return [((row.at - at(0)).total_seconds(), row.items) for row in found]

    assert items(1) == [(n, n) for n in range(10, 20)]
    assert items(5) == [(10, 60), (15, 85)]
    assert items(1, after=15, limit=2) == [(15, 15), (16, 16)]
    assert items(5, after=11) == [(15, 85)]


def test_who_reads_batches_on_gets_what_came_into_the_last_interval_meanwhile(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1", "2"), now=at(0))

    def items(after: datetime | None) -> dict[datetime, int]:
        found = store.watching.batches(job, after=after, limit=100, resolution_seconds=5)
        return {row.at: row.items for row in found}

    apply(store, (11, progress(job, completed=7, new=7)))
    seen = items(None)
    apply(store, (13, progress(job, completed=9, new=2)), (16, progress(job, completed=10, new=1)))
    seen |= items(max(seen))

    assert seen == {at(10): 9, at(15): 1}


def test_failures_are_told_with_the_folder_the_text_and_what_to_do(store: ReadModel) -> None:
    job = new_job()
    both = folder(job, "1", source_wires=("a", "b"), source_names=("Eins", "Zwei"))
    store.write([*admitted(job), both, folder(job, "2")], now=at(0))
    source = PlanSource(wire="b", uidvalidity=1, uids="1")
    plan = PlanRow(
        job_id=job, folder_id=FolderId("1"), plan_id=plan_id("1"), number=1, destination_wire="x",
        destination_uidvalidity=1, boundary=1, sources=(source,), items=1, bytes=1, skipped_present=0,
        skipped_filtered=0, bytes_skipped=0,
    )  # fmt: skip

    def failure(uid: int, second: float, outcome: str, folder_id: str = "1", plan: str | None = None) -> FailureRow:
        return FailureRow(
            job_id=job, folder_id=FolderId(folder_id), plan_id=PlanId(plan or plan_id(folder_id)), source=0,
            source_uidvalidity=1, uid=uid, outcome=outcome, reason=Reason.MESSAGE_TOO_LARGE, server_text="[TOOBIG]",
            bytes=5, happened_at=at(second),
        )  # fmt: skip

    rows = [failure(1, 5, "failed"), failure(2, 4, "failed"), failure(3, 3, "gone"), failure(4, 2, "recovered")]
    rows.append(replace(failure(5, 6, "noted"), left_out=("$Label1", "INTERNALDATE")))
    store.write([plan, *rows, failure(9, 1, "failed", "2"), failure(8, 9, "failed", "1", "an older plan")], now=at(5))
    apply(store, (1, planned(job, "1", items=9)))

    found = store.watching.failures(job)

    assert [(row.at, row.folder, row.uid, row.outcome) for row in found] == [
        (at(1), "Folder 2", 9, "failed"),
        (at(4), "Zwei", 2, "failed"),
        (at(5), "Zwei", 1, "failed"),
        (at(6), "Zwei", 5, "noted"),
    ]
    assert [row.left_out for row in found] == [[], [], [], ["$Label1", "INTERNALDATE"]]
    assert {(row.server_text, row.what_to_do) for row in found} == {("[TOOBIG]", WHAT_TO_DO[Reason.MESSAGE_TOO_LARGE])}


def test_whom_to_tell_is_due_at_the_end_and_gone_when_it_is_erased(store: ReadModel) -> None:
    ended, live, nobody, deleted = (new_job() for _ in range(4))
    for job in (ended, live, nobody, deleted):
        store.write(requested(job), now=at(0))
        if job != nobody:
            store.keep_notification(job, f"sealed of {job}", at(0))
        if job != live:
            store.write([OutcomeRow(job_id=job, state="failed", side=None, reason=None, finished_at=at(3))], now=at(3))
    store.write([TombstoneRow(job_id=deleted, deleted_at=at(4))], now=at(4))
    ours = (ended, live, nobody, deleted)

    assert [due for due in store.due_notifications() if due.job_id in ours] == [Due(ended, at(3))]
    assert store.notification(ended) == f"sealed of {ended}"
    assert [hold.until for hold in see(store, ended).job.holds if hold.what == "addresses"] == [at(3 + 3600)]
    store.erase_notification(ended)
    store.write([request(ended, run=2)], now=at(4))
    store.keep_notification(ended, "anew", at(4))
    assert [due for due in store.due_notifications() if due.job_id in ours] == []  # its new run has not ended
    again = OutcomeRow(job_id=ended, run=2, state="completed", side=None, reason=None, finished_at=at(5))
    store.write([again], now=at(5))
    assert [due for due in store.due_notifications() if due.job_id in ours] == [Due(ended, at(5))]
    store.erase_notification(ended)
    store.keep_notification(deleted, "late", at(5))
    assert (store.notification(ended), [due for due in store.due_notifications() if due.job_id in ours]) == (None, [])
    assert [hold for hold in see(store, ended).job.holds if hold.what == "addresses"] == []


def test_jobs_without_their_breakdowns_are_those_of_the_snapshots(store: ReadModel) -> None:
    copying, retried, done, empty = new_job(), new_job(), new_job(), new_job()
    for job in (copying, retried, done):
        store.write(admitted(job, "1", "2", "3"), now=at(0))
        apply(store, (1, listed(job, 3)), (2, planned(job, items=10, skipped=2)), (3, planned(job, "2", items=5)))
        apply(store, (4, progress(job, completed=7, failed=1, skipped=1)), (5, progress(job, "2", completed=9)))
    store.write(requested(empty), now=at(0))
    apply(store, (6, planned(done, "3", items=4)), (7, finished(done, "1", completed=9, failed=1)))
    store.write([request(retried, run=2)], now=at(8))  # what failed before is to be tried again
    apply(store, (9, replace(finished(done, "3", completed=4), run=1)))
    audit = FolderAudited(
        job_id=done,
        folder_id=FolderId("1"),
        plan_id=plan_id("1"),
        level="identity",
        verified=9,
        rewritten=0,
        removed=0,
        recovered=0,
        surplus=0,
    )
    apply(store, (10, audit))
    outcome = OutcomeRow(job_id=done, state="completed_with_errors", side=None, reason=None, finished_at=at(11))
    store.write([outcome], now=at(11))
    throttle = ThrottleRow(job_id=copying, side="source", reason=Reason.BUSY, until=at(99), server_text="Wait")
    store.write([throttle, WarningRow(job_id=copying, number=1, text="Mind the gap")], now=at(12))

    everything = [*store.watching.live(), *store.watching.finished(at(-9_999_999))]
    assert {copying, retried, done, empty} <= set(everything)
    seen = store.watching.views(everything, at(20))
    assert store.watching.jobs([*everything, new_job()], at(20)) == {job: each.job for job, each in seen.items()}
    assert seen[retried].job.items_failed == 0
    assert seen[done].job.items_verified == 9
    assert store.watching.jobs([], at(20)) == {}
