"""What every adapter of the read model promises to the workers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import resources

import pytest

from libs.contracts.ids import AccountDigest, FolderId, JobId, PlanId
from libs.contracts.jobs import JobOptions, Limits
from libs.contracts.reasons import Reason
from libs.readmodel.database import Database, DatabaseUrlInvalid
from libs.readmodel.model import ReadModel, connect
from libs.readmodel.port import PlannedSum, ReadModelUnavailable
from libs.readmodel.rows import (
    AckRow,
    AdmissionRow,
    BehaviourRow,
    ClaimRow,
    Desired,
    DesiredRow,
    FailureRow,
    OutcomeRow,
    PlannedRow,
    PlanRow,
    PlanSource,
    QuotaRow,
    ThrottleRow,
    TombstoneRow,
    TotalsRow,
)
from libs.readmodel.tables import TABLES, Stamped
from tests.contract.jobs import admitted, at, folder, new_job, plan_id, request, requested

AWKWARD = "a'; DROP TABLE requests; -- {x:String} \\ \" \t\n\x00 FORMAT JSONEachRow é 漢 🙂"


def plan(job_id: JobId, folder_id: str = "1", number: int = 1, plan: str | None = None) -> PlanRow:
    return PlanRow(
        job_id=job_id,
        folder_id=FolderId(folder_id),
        plan_id=PlanId(plan) if plan else plan_id(folder_id, number),
        number=number,
        destination_wire=f"there{folder_id}",
        destination_uidvalidity=2**32 - 1,
        boundary=2**32,
        sources=(
            PlanSource(wire=f"wire{folder_id}", uidvalidity=7, uids="1:5,9"),
            PlanSource(wire="é", uidvalidity=1, uids=""),
        ),
        items=6,
        bytes=2**40,
        skipped_present=3,
        skipped_filtered=2,
        bytes_skipped=1,
    )


def ack(job_id: JobId, first_uid: int, **change: object) -> AckRow:
    row = AckRow(
        job_id=job_id,
        plan_id=plan_id("1"),
        source=0,
        first_uid=first_uid,
        source_uids=f"{first_uid}:{first_uid + 2}",
        destination_uidvalidity=9,
        destination_uids="4,6,5",
        items=3,
        bytes=300,
    )
    return replace(row, **change)


def failure(job_id: JobId, uid: int, **change: object) -> FailureRow:
    row = FailureRow(
        job_id=job_id,
        folder_id=FolderId("1"),
        plan_id=plan_id("1"),
        source=0,
        source_uidvalidity=7,
        uid=uid,
        outcome="failed",
        reason=Reason.OVER_QUOTA,
        server_text="[OVERQUOTA] full",
        bytes=12,
        happened_at=at(5),
    )
    return replace(row, **change)


def totals(job_id: JobId, completed: int, *, finished: bool = False) -> TotalsRow:
    return TotalsRow(
        job_id=job_id,
        plan_id=plan_id("1"),
        folder_id=FolderId("1"),
        worker="copier-1",
        completed=completed,
        skipped=0,
        failed=0,
        bytes_completed=completed * 100,
        finished=finished,
        stopped=False,
        reported_at=at(completed),
    )


def test_what_is_written_is_read_back_whatever_it_holds(store: ReadModel) -> None:
    job = new_job()
    asked = request(
        job,
        name=AWKWARD,
        options=JobOptions(include=[AWKWARD], folder_map={AWKWARD: "x"}, since=date(2020, 2, 29), concurrency=3),
        created_at=datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC),
    )
    named = folder(job, "1", source_names=(AWKWARD, "b"), source_wires=("&AOk-\xff", "b"), destination_name=AWKWARD)
    failed = failure(job, 1, server_text=AWKWARD)

    left = QuotaRow(job_id=job, bytes_free=2**40, messages_free=None)

    store.write(
        [asked, named, left, plan(job), ack(job, 1, destination_uidvalidity=None, destination_uids=""), failed],
        now=at(0),
    )

    assert store.request(job) == asked
    assert store.folders(job) == [named]
    assert store.plans(job) == [plan(job)]
    assert store.acks(job, plan_id("1")) == [ack(job, 1, destination_uidvalidity=None, destination_uids="")]
    assert store.failures(job, plan_id("1")) == [failed]
    assert store.quota(job) == left
    assert store.quota(new_job()) is None


def test_what_is_planned_is_summed_over_the_newest_plans(store: ReadModel) -> None:
    job = new_job()
    older, newer, other = plan(job, number=1), plan(job, number=2, plan="newer"), plan(job, "2")
    store.write([older, newer, other], now=at(0))

    expected = PlannedSum(items=newer.items + other.items, bytes=newer.bytes + other.bytes)
    assert store.planned(job) == expected
    assert store.planned(new_job()) == PlannedSum(items=0, bytes=0)


def test_a_server_text_that_is_no_unicode_is_stored_all_the_same(store: ReadModel) -> None:
    job = new_job()

    store.write([*requested(job), failure(job, 1, server_text="gr\udcfc\udcdfe")], now=at(0))

    assert store.failures(job, plan_id("1"))[0].server_text == "gr??e"


def test_an_unknown_job_has_no_request_and_is_over(store: ReadModel) -> None:
    assert store.request(new_job()) is None
    assert store.desired(new_job()).state == "over"
    assert store.plan(new_job(), FolderId("1")) is None
    assert store.folders(new_job()) == []


def test_nothing_of_a_deleted_job_is_written_or_seen_again(store: ReadModel, database: Database) -> None:
    job, other = new_job(), new_job()
    store.write([*admitted(job, "1"), *admitted(other, "1")], now=at(0))
    store.write([TombstoneRow(job_id=job, deleted_at=at(1))], now=at(1))

    store.write([ack(job, 1), failure(job, 1), ack(other, 1), *requested(job)], now=at(2))
    store.keep_sealed(job, "sealed", at(2))

    assert store.request(job) is None
    assert store.desired(job).state == "over"
    assert store.live_admission(AccountDigest(f"account of {job}")) is None
    assert store.acks(job, plan_id("1")) == []
    assert store.sealed(job) is None
    assert len(store.acks(other, plan_id("1"))) == 1


def test_a_claim_outlives_the_deletion_of_a_job(store: ReadModel) -> None:
    job = new_job()
    claim = ClaimRow(account_digest=AccountDigest(job), folder_digest="f", incarnation="i", open=True)
    store.write([TombstoneRow(job_id=job, deleted_at=at(0))], now=at(0))

    store.write([claim, ack(job, 1)], now=at(1))

    assert store.open_claims(AccountDigest(job)) == [claim]


def test_what_was_learned_of_an_account_outlives_a_job_and_the_newest_counts(store: ReadModel) -> None:
    account = AccountDigest(new_job())
    learned = BehaviourRow(account_digest=account, folder_digest="f", survives="bytes", filters=False)
    other = replace(learned, account_digest=AccountDigest(new_job()))
    store.write([learned, other, replace(learned, folder_digest="g")], now=at(0))

    store.write([replace(learned, survives="headers", filters=True)], now=at(1))

    assert {(one.folder_digest, one.survives, one.filters) for one in store.behaviours(account)} == {
        ("f", "headers", True),
        ("g", "bytes", False),
    }


def test_a_closed_claim_is_no_longer_open(store: ReadModel) -> None:
    account = AccountDigest(new_job())
    one = ClaimRow(account_digest=account, folder_digest="f", incarnation="one", open=True)
    two = replace(one, incarnation="two")
    other = replace(one, account_digest=AccountDigest(new_job()))
    store.write([one, two, other], now=at(0))

    store.write([replace(one, open=False)], now=at(1))

    assert store.open_claims(account) == [two]


@pytest.mark.parametrize("later", ["run", "pause"])
def test_a_cancellation_is_never_taken_back(store: ReadModel, later: str) -> None:
    job = new_job()
    store.write([*requested(job), DesiredRow(job_id=job, state="cancel", limits=Limits())], now=at(0))

    store.write([DesiredRow(job_id=job, state=later, limits=Limits(concurrency=5))], now=at(60))
    store.refresh([job], at(120))

    assert store.desired(job).state == "cancel"


def test_what_is_desired_changes_with_every_later_wish(store: ReadModel) -> None:
    job = new_job()
    store.write(requested(job), now=at(0))

    store.write([DesiredRow(job_id=job, state="pause", limits=Limits(concurrency=4))], now=at(1))
    paused = store.desired(job)
    store.write([DesiredRow(job_id=job, state="run", limits=Limits(bandwidth_limit_mbps=1.5))], now=at(2))

    assert paused == Desired(state="pause", limits=Limits(concurrency=4))
    assert store.desired(job) == Desired(state="run", limits=Limits(bandwidth_limit_mbps=1.5))


def test_without_a_wish_a_job_runs_with_the_limits_of_its_request(store: ReadModel) -> None:
    job = new_job()
    store.write([request(job, options=JobOptions(concurrency=7), accepted=False)], now=at(0))

    assert store.desired(job) == Desired(state="run", limits=Limits(concurrency=7))


def test_a_clock_that_goes_back_does_not_bring_an_old_version_back(store: ReadModel) -> None:
    job = new_job()
    store.write([DesiredRow(job_id=job, state="run", limits=Limits()), request(job)], now=at(100))

    store.write([DesiredRow(job_id=job, state="pause", limits=Limits())], now=at(50))

    assert store.desired(job).state == "pause"


def test_the_first_outcome_stands(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job), now=at(0))
    first = OutcomeRow(job_id=job, state="failed", side="source", reason=Reason.TIMED_OUT, finished_at=at(9))

    store.write([first], now=at(9))
    store.write([replace(first, state="cancelled", finished_at=at(5))], now=at(20))
    store.write([replace(first, state="completed", finished_at=at(30))], now=at(30), version=1)
    store.refresh([job], at(40))

    assert store.watching.views([job], at(50))[job].job.state == "failed"
    assert store.desired(job).state == "over"


def test_of_outcomes_that_are_written_at_once_one_stands(store: ReadModel, database: Database) -> None:
    job = new_job()
    store.write(admitted(job), now=at(0))
    kinds = ["completed", "cancelled", "failed", "completed_with_errors"]
    outcomes = [OutcomeRow(job_id=job, state=kind, side=None, reason=None, finished_at=at(9)) for kind in kinds]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda outcome: store.write([outcome], now=at(9)), outcomes))

    assert database.rows("SELECT count() AS n FROM outcomes WHERE job_id = {job:String}", job=job) == [{"n": 1}]


def test_final_totals_outrank_every_offset(store: ReadModel) -> None:
    job = new_job()
    store.write(admitted(job, "1"), now=at(0))
    planned = PlannedRow(
        job_id=job,
        folder_id=FolderId("1"),
        plan_id=plan_id("1"),
        number=1,
        items=9,
        bytes=9,
        skipped=0,
        bytes_skipped=0,
        planned_at=at(1),
    )
    store.write([planned], now=at(1), version=1)

    store.write([totals(job, 9, finished=True)], now=at(2), version=2)
    store.write([totals(job, 4)], now=at(3), version=10**12)

    assert store.standings([job])[job].completed == 9
    assert store.standings([job])[job].finished == 1


def live(store: ReadModel, account: AccountDigest) -> JobId | None:
    admission = store.live_admission(account)
    return admission.job_id if admission else None


def test_only_one_admitted_job_of_an_account_is_live(store: ReadModel) -> None:
    first, second = new_job(), new_job()
    account = AccountDigest(f"shared {first}")
    store.write([*requested(first, account_digest=account), *requested(second, account_digest=account)], now=at(0))

    assert store.live_admission(account) is None
    store.write([AdmissionRow(job_id=first, account_digest=account, admitted_at=at(1))], now=at(1))
    assert live(store, account) == first
    store.write([OutcomeRow(job_id=first, state="completed", side=None, reason=None, finished_at=at(2))], now=at(2))
    assert store.live_admission(account) is None
    store.write([AdmissionRow(job_id=second, account_digest=account, admitted_at=at(3))], now=at(3))
    assert live(store, account) == second
    store.write([TombstoneRow(job_id=second, deleted_at=at(4))], now=at(4))
    assert store.live_admission(account) is None


def test_what_a_server_asked_one_job_for_holds_for_every_job_of_the_account(store: ReadModel) -> None:
    first, second, unasked = new_job(), new_job(), new_job()
    account, other = AccountDigest(f"shared {first}"), AccountDigest(f"other {first}")
    store.write(
        [
            *requested(first, source_digest=account, account_digest=other),
            *requested(second, account_digest=account, source_digest=other),
            *requested(unasked, account_digest=account, source_digest=other),
        ],
        now=at(0),
    )
    shorter = ThrottleRow(job_id=first, side="source", reason=Reason.THROTTLED, until=at(90), server_text="slow")
    longer = ThrottleRow(job_id=second, side="destination", reason=Reason.BUSY, until=at(99), server_text="")
    silent = ThrottleRow(job_id=unasked, side="destination", reason=Reason.TIMED_OUT, until=at(200), server_text="")

    assert store.throttle(account, at(7)) is None
    store.write([shorter, silent], now=at(7))
    assert store.throttle(account, at(8)) == shorter
    store.write([longer], now=at(8))
    assert store.throttle(account, at(89)) == longer
    assert store.throttle(account, at(100)) is None
    assert store.throttle(other, at(8)) is None


def test_the_newest_plan_of_a_folder_has_the_highest_number_then_the_highest_id(store: ReadModel) -> None:
    job = new_job()

    store.write([plan(job, "10", 1), plan(job, "2", 2, "b"), plan(job, "2", 1, "z"), plan(job, "2", 2, "a")], now=at(0))

    assert store.plan(job, FolderId("2")) == plan(job, "2", 2, "b")
    assert store.plans(job) == [plan(job, "2", 2, "b"), plan(job, "10", 1)]


def test_acks_are_read_in_the_order_they_were_written(store: ReadModel) -> None:
    job = new_job()
    order = [7, 1, 4, 10]
    for second, first_uid in enumerate(order):
        store.write([ack(job, first_uid)], now=at(second))
    store.refresh([job], at(60))

    assert [each.first_uid for each in store.acks(job, plan_id("1"))] == order


def test_a_failure_that_is_taken_back_is_the_same_row(store: ReadModel) -> None:
    job = new_job()
    store.write([failure(job, 1), failure(job, 2)], now=at(0))

    store.write([failure(job, 1, outcome="recovered")], now=at(1))

    assert {row.uid: row.outcome for row in store.failures(job, plan_id("1"))} == {1: "recovered", 2: "failed"}


def test_threads_write_and_read_at_once(store: ReadModel) -> None:
    jobs = [new_job() for _ in range(8)]
    together = threading.Barrier(len(jobs))

    def run(job: JobId) -> int:
        together.wait()
        for second in range(5):
            store.write([*requested(job), ack(job, second * 10)], now=at(second))
        return len(store.acks(job, plan_id("1")))

    with ThreadPoolExecutor(len(jobs)) as threads:
        assert list(threads.map(run, jobs)) == [5] * len(jobs)


def test_the_schema_is_applied_once_and_expires_every_row(
    store: ReadModel, database: Database, clickhouse_url: str
) -> None:
    again = connect(clickhouse_url, retention_days=7)
    again.close()

    tables = {row["name"]: row["engine_full"] for row in database.rows(
        "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND name != 'migrations'"
    )}  # fmt: skip
    applied = [row["number"] for row in database.rows("SELECT number FROM migrations ORDER BY number")]
    files = resources.files("libs.readmodel").joinpath("migrations").iterdir()
    assert applied == sorted(int(file.name.partition("_")[0]) for file in files)
    assert set(tables) == {*TABLES.values(), "vault", "notifications", "projects", "agents"}
    for name, engine in tables.items():
        assert engine.startswith("ReplacingMergeTree(version)"), name
        ttl = f"TTL toDateTime(updated_at) + toIntervalDay({8 if name == 'tombstones' else 7})"
        assert (ttl in engine) == (name not in ("projects", "agents")), name  # which the operator keeps
        for setting in ("fsync_after_insert", "fsync_part_directory", "old_parts_lifetime", "cleanup_delay_period"):
            assert f"{setting} = 1" in engine, name


def test_a_removed_project_is_listed_no_more_and_may_come_back(store: ReadModel) -> None:
    store.put_project("Jetty", Limits(concurrency=3), at(0))
    store.remove_project("Jetty", at(1))
    assert "Jetty" not in store.projects()
    store.put_project("Jetty", Limits(concurrency=4), at(2))
    assert store.projects()["Jetty"].concurrency == 4


def test_the_keys_of_a_job_are_the_newest(store: ReadModel) -> None:
    job = new_job()
    store.write([request(job)], now=at(0))
    store.write([request(job, key_hash="new", view_key_hash="new view")], now=at(1))
    assert store.watching.keys([job, new_job()]) == {job: ("new", "new view")}


def test_a_row_that_does_not_fit_is_refused_without_telling_what_is_in_it(store: ReadModel) -> None:
    job = new_job()

    with pytest.raises(ReadModelUnavailable) as refused:
        store.write([ack(job, -5, source_uids="canary-9431")], now=at(0))

    raised: BaseException | None = refused.value
    assert "canary" not in str(raised)
    assert raised.__suppress_context__
    assert raised.__cause__ is None


def test_a_server_that_does_not_answer_is_unavailable_and_its_password_is_not_told() -> None:
    with pytest.raises(ReadModelUnavailable) as unavailable:
        connect("http://mailtide:canary-5512@127.0.0.1:1/mailtide", retention_days=7)

    assert "canary" not in repr(unavailable.value)


@pytest.mark.parametrize("url", ["", "chdb://relative/path", "chdb://", "sqlite:///x", "https://", "clickhouse://host"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid):
        Database(url)


def test_a_closed_read_model_is_unavailable(clickhouse_url: str, store: ReadModel) -> None:
    closed = connect(clickhouse_url, retention_days=7)
    closed.close()

    with pytest.raises(ReadModelUnavailable):
        closed.request(new_job())


def test_a_batch_of_any_size_is_a_few_inserts(store: ReadModel, database: Database) -> None:
    job = new_job()
    store.write_each([Stamped(ack(job, uid), uid, at(uid)) for uid in range(3000)])

    parts = database.rows(
        "SELECT uniqExact(_part) AS n FROM acks WHERE job_id = {job:String} SETTINGS max_threads = 1", job=job
    )
    assert parts == [{"n": 1}]
    assert len(store.acks(job, plan_id("1"))) == 3000


def test_a_refreshed_row_keeps_its_version_and_gets_a_later_time(store: ReadModel, database: Database) -> None:
    job = new_job()
    store.write(requested(job), now=at(0))
    query = "SELECT version, updated_at FROM requests FINAL WHERE job_id = {job:String}"
    [before] = database.rows(query, job=job)

    store.refresh([job], at(500))
    [after] = database.rows(query, job=job)
    database.execute("OPTIMIZE TABLE requests FINAL")
    [merged] = database.rows(query, job=job)

    assert before["updated_at"] == at(0)
    assert after == merged == {"version": before["version"], "updated_at": at(500)}
    assert after["updated_at"] - before["updated_at"] == timedelta(seconds=500)
