"""What is deleted leaves no bytes behind, what expires goes by itself, and nothing old comes back."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from libs.contracts.events import AgentReported, Delta, EntityReport, SignOfLife
from libs.contracts.ids import AgentId, FolderId, JobId
from libs.contracts.jobs import Limits
from libs.contracts.reasons import Reason
from libs.readmodel.database import Database
from libs.readmodel.model import ReadModel
from libs.readmodel.rows import (
    AgentFailureRow,
    AgentJobRow,
    DesiredRow,
    EntityRow,
    NoticeRow,
    OutcomeRow,
    QuotaRow,
    ScanFailureRow,
    TombstoneRow,
    WarningRow,
)
from libs.readmodel.tables import OF_A_JOB, Stamped
from libs.readmodel.upkeep import Reported
from services.aggregator.reports import Report, counted
from services.aggregator.rows import rows
from tests.contract.jobs import admitted, at, bytes_in, folder, listed, new_job, planned, progress, request, wait_until

DAY = timedelta(days=1)


def canary() -> str:
    """What no compression can hide."""
    return "canary-" + secrets.token_hex(16)


def in_files(directory: Path, text: str) -> bool:
    return text.encode() in bytes_in(directory)


def write_everywhere(store: ReadModel, job: JobId, text: str, now: datetime) -> None:
    store.write([*admitted(job, "2"), request(job, name=text), folder(job, "1", source_names=(text,))], now=now)
    failed = ScanFailureRow(job_id=job, side="source", reason=Reason.BUSY, server_text=text)
    notice = NoticeRow(job_id=job, folder_id=FolderId("1"), kind="rewrites", text=text)
    left = QuotaRow(job_id=job, bytes_free=1, messages_free=None)
    store.write([failed, WarningRow(job_id=job, number=1, text=text), notice, left], now=now)
    store.keep_sealed(job, text, now)
    store.keep_notification(job, text, now)
    events = [listed(job, 1), SignOfLife(job_id=job), planned(job, items=3), progress(job, completed=2)]
    store.write_each([Stamped(row, n, now) for n, event in enumerate(events) for row in rows(event, n, at(n))])
    agent = AgentJobRow(job_id=job, agent_id=AgentId("a"), items_announced=None, bytes_announced=None)
    failure = AgentFailureRow(
        job_id=job, batch_id="b", number=0, item=text, reason=Reason.ITEM_FAILED, text=text, happened_at=now
    )
    store.write([agent, EntityRow(job_id=job, entity_id="e", name=text), failure], now=now)
    report = AgentReported(
        job_id=job,
        agent_id=AgentId("a"),
        batch_id="b",
        completed=0,
        failed=0,
        skipped=0,
        bytes_completed=0,
        delta=Delta(items=0, bytes=0, seconds=0),
        entities=(EntityReport(entity_id="e", imported=1, skipped=0, errored=0),),
    )
    store.write_each(counted([Report(report, 9, now)], Reported())[0])


def test_an_erased_job_is_in_no_table_and_in_no_file(
    store: ReadModel, database: Database, clickhouse_files: Path
) -> None:
    job, kept, text, other = new_job(), new_job(), canary(), canary()
    write_everywhere(store, job, text, at(0))
    write_everywhere(store, kept, other, at(0))
    wait_until(lambda: in_files(clickhouse_files, text))

    store.erase([job])

    wait_until(lambda: not in_files(clickhouse_files, text))
    counts = {table: _rows_of(database, table, job) for table in OF_A_JOB}
    assert set(counts.values()) == {0}
    wait_until(lambda: in_files(clickhouse_files, other))
    assert store.watching.views([kept], at(10))[kept].job.items_completed == 2
    assert store.sealed(kept) == other


def test_what_a_merge_or_a_refresh_replaced_is_erased_too(
    store: ReadModel, database: Database, clickhouse_files: Path
) -> None:
    job, text = new_job(), canary()
    write_everywhere(store, job, text, at(0))
    store.refresh([job], at(5))
    store.write([folder(job, "1", source_names=("another",))], now=at(6))
    database.execute("OPTIMIZE TABLE folders FINAL")

    store.erase([job])

    wait_until(lambda: not in_files(clickhouse_files, text))


def test_late_rows_of_a_deleted_job_are_found(store: ReadModel, database: Database) -> None:
    job = new_job()
    late = {"job_id": job, "number": 1, "text": "late", "updated_at": "2026-01-01 00:00:00", "version": 1}
    store.write([TombstoneRow(job_id=job, deleted_at=at(0))], now=datetime.now(UTC))
    assert job not in store.leftovers(deleted_before=at(1))

    database.insert("warnings", [late | {"updated_at": datetime.now(UTC).isoformat()}])

    assert job in store.leftovers(deleted_before=at(1))
    assert job not in store.leftovers(deleted_before=at(0))
    store.erase([job])
    assert job not in store.leftovers(deleted_before=at(1))


def test_a_row_expires_seven_days_after_its_last_change(store: ReadModel, database: Database) -> None:
    now = datetime.now(UTC)
    old, fresh = new_job(), new_job()
    write_everywhere(store, old, "old", now - 7 * DAY - timedelta(minutes=1))
    write_everywhere(store, fresh, "fresh", now - 7 * DAY + timedelta(hours=1))

    assert store.request(old) is None  # before any merge
    assert store.desired(old).state == "over"
    assert list(store.watching.views([old, fresh], now)) == [fresh]
    for table in OF_A_JOB:
        database.execute(f"OPTIMIZE TABLE {table} FINAL")
        assert _rows_of(database, table, old) == 0, table
        assert table in ("acks", "plans", "failures", "audits", "throttles", "outcomes") or _rows_of(
            database, table, fresh
        ), table


def test_a_live_job_that_is_refreshed_outlives_its_age_but_its_batches_do_not(
    store: ReadModel, database: Database
) -> None:
    now = datetime.now(UTC)
    job = new_job()
    write_everywhere(store, job, "long", now - 7 * DAY + timedelta(hours=1))

    assert job in store.stale(now)
    store.refresh([job], now)

    assert job not in store.stale(now)
    for table in OF_A_JOB:
        database.execute(f"OPTIMIZE TABLE {table} FINAL")
    ages = {
        table: [row["updated_at"] for row in database.rows(_UPDATED.format(table=table), job=job)] for table in OF_A_JOB
    }
    assert {table for table, times in ages.items() if times and times != [now] * len(times)} == {"batches"}
    assert store.sealed(job) == "long"
    assert store.watching.views([job], now)[job].job.items_completed == 2


def test_expiry_of_the_newest_version_brings_no_older_one_back(store: ReadModel, database: Database) -> None:
    """Every version has the TTL of its own time; an old one has always expired before the newest."""
    now = datetime.now(UTC)
    job = new_job()
    for days in (10, 9, 8):
        text = f"{days} days ago"
        store.write([WarningRow(job_id=job, number=1, text=text), request(job, name=text)], now=now - days * DAY)

    for table in ("warnings", "requests"):
        database.execute(f"OPTIMIZE TABLE {table} FINAL")
        assert _rows_of(database, table, job) == 0
    assert store.request(job) is None


def test_a_refresh_does_not_bring_a_value_back_that_was_changed_meanwhile(store: ReadModel, database: Database) -> None:
    job = new_job()
    store.write(admitted(job), now=at(0))

    store.write([DesiredRow(job_id=job, state="pause", limits=Limits())], now=at(50))
    store.refresh([job], at(10))  # one that had begun before
    database.execute("OPTIMIZE TABLE desired FINAL")

    assert store.desired(job).state == "pause"


def test_an_outcome_is_unsettled_until_it_is_refreshed(store: ReadModel) -> None:
    job = new_job()
    outcome = OutcomeRow(job_id=job, state="completed", side=None, reason=None, finished_at=at(5))
    store.write(admitted(job), now=at(0))
    store.write([outcome], now=at(5))

    assert outcome in store.unsettled()
    store.refresh([job], at(4))  # even by a clock that goes behind
    assert outcome not in store.unsettled()


_UPDATED = "SELECT updated_at FROM {table} FINAL WHERE job_id = {{job:String}}"


def _rows_of(database: Database, table: str, job: JobId) -> int:
    [row] = database.rows(f"SELECT count() AS n FROM {table} WHERE job_id = {{job:String}}", job=job)
    return row["n"]
