"""The aggregator on the tables: outcomes, what follows from them, and what heals after a crash."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from libs.contracts import topics
from libs.contracts.accounts import Account
from libs.contracts.codec import Message
from libs.contracts.commands import CancelJob, DeleteJob, StartJob
from libs.contracts.events import (
    JobCancelled,
    JobCompleted,
    JobCompletedWithErrors,
    JobDeleted,
    JobFailed,
    JobStarted,
    ScanFailed,
)
from libs.contracts.ids import AccountDigest, JobId
from libs.contracts.jobs import JobSecrets, JobState, Limits
from libs.contracts.reasons import Reason
from libs.contracts.topics import Topic
from libs.eventlog.port import LogUnavailable
from libs.readmodel.database import Database, Ids
from libs.readmodel.model import ReadModel
from libs.readmodel.queries import TABLES_WITH
from libs.readmodel.rows import DesiredRow, TombstoneRow, WarningRow
from libs.readmodel.tables import Stamped, stored
from libs.vault.clickhouse import ClickHouseVault
from libs.vault.port import SecretsDestroyed
from services.aggregator.aggregator import Aggregator
from tests.contract.jobs import (
    Log,
    admitted,
    deliveries,
    finished,
    listed,
    new_job,
    planned,
    progress,
    requested,
)

SECRETS = JobSecrets(
    source=Account(host="a.example", username="u", password=SecretStr("p")),
    destination=Account(host="b.example", username="u", password=SecretStr("p")),
)
KEYS = [Fernet.generate_key().decode()]


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **duration: float) -> datetime:
        self.now += timedelta(**duration)
        return self.now


class World:
    """An aggregator, and everything it works with."""

    def __init__(self, store: ReadModel, log: Log) -> None:
        self.store, self.log, self.clock = store, log, Clock()
        self.vault = ClickHouseVault(store, KEYS)
        self._offset = 0
        self.restart()

    def restart(self) -> None:
        """Another process takes over; nothing is known but what is stored."""
        self.aggregator = Aggregator(self.store, self.vault, self.log, self.clock)

    def job(self, *folders: str, admit: bool = True, account: str | None = None) -> JobId:
        job = new_job()
        self.vault.store(job, SECRETS)
        digest = account or f"account of {job}"
        rows = (
            admitted(job, *folders, account=digest) if admit else requested(job, account_digest=AccountDigest(digest))
        )
        self.store.write(rows, now=self.clock())
        return job

    def progress(self, *events: Message) -> bool:
        return self._deliver(self.aggregator.apply_progress, events)

    def command(self, *commands: Message) -> bool:
        return self._deliver(self.aggregator.apply_commands, commands)

    def _deliver(self, apply: Any, messages: Sequence[Message]) -> bool:
        batch = deliveries(*messages, offset=self._offset, when=lambda _: self.clock())
        self._offset += len(messages)
        return apply(batch)

    def desire(self, job: JobId, state: Any) -> None:
        self.store.write([DesiredRow(job_id=job, state=state, limits=Limits())], now=self.clock())

    def delete(self, job: JobId) -> None:
        self.store.write([TombstoneRow(job_id=job, deleted_at=self.clock())], now=self.clock())

    def state(self, job: JobId) -> JobState | None:
        view = self.store.watching.views([job], self.clock()).get(job)
        return view.job.state if view else None

    def holds_secrets(self, job: JobId) -> bool:
        return self.store.sealed(job) is not None


@pytest.fixture
def world(store: ReadModel, log: Log) -> World:
    return World(store, log)


def test_a_job_completes_once_and_its_credentials_are_destroyed(world: World) -> None:
    job = world.job("1", "2")

    assert not world.progress(listed(job, 2), planned(job, "1", items=3), planned(job, "2", items=0))
    assert not world.progress(progress(job, "1", completed=2), finished(job, "2", completed=0))
    assert world.progress(finished(job, "1", completed=3))
    assert world.state(job) is JobState.COMPLETED
    world.aggregator.sweep()
    world.aggregator.sweep()

    started, *ended = world.log.of(job)
    assert started == JobStarted(job_id=job)
    assert ended == [JobCompleted(job_id=job, completed=3, skipped=0, bytes_completed=300)]
    with pytest.raises(SecretsDestroyed):
        world.vault.open(job)


def test_a_job_with_failures_completes_with_errors(world: World) -> None:
    job = world.job("1")

    world.progress(listed(job, 1), planned(job, items=3, skipped=1), finished(job, completed=2, failed=1))
    world.aggregator.sweep()

    assert world.state(job) is JobState.COMPLETED_WITH_ERRORS
    told = JobCompletedWithErrors(job_id=job, completed=2, skipped=1, failed=1, bytes_completed=200)
    assert told in world.log.of(job)


def test_an_empty_mailbox_is_complete_when_it_is_listed(world: World) -> None:
    job = world.job()

    assert world.progress(listed(job, 0))

    assert world.state(job) is JobState.COMPLETED
    assert world.store.watching.views([job], world.clock())[job].job.progress_percent == 100


def test_a_job_that_is_planned_again_ends_with_its_newest_plan(world: World) -> None:
    job = world.job("1")

    world.progress(listed(job, 1), planned(job, items=3), planned(job, items=2, skipped=1, number=2))
    assert not world.progress(finished(job, completed=3))  # of the plan that was given up
    assert world.progress(finished(job, completed=2, number=2))


def test_a_failed_scan_ends_the_job_at_once_and_for_good(world: World) -> None:
    job = world.job("1")
    failed = ScanFailed(job_id=job, side="source", reason=Reason.LOGIN_REFUSED)

    assert world.progress(failed)
    world.progress(ScanFailed(job_id=job, side="destination", reason=Reason.TIMED_OUT))
    world.progress(listed(job, 1), planned(job, items=1), finished(job, completed=1))
    world.aggregator.sweep()

    assert world.state(job) is JobState.FAILED
    ends = [message for message in world.log.of(job) if not isinstance(message, JobStarted)]
    assert ends == [JobFailed(job_id=job, side="source", reason=Reason.LOGIN_REFUSED)]
    assert not world.holds_secrets(job)


def test_a_job_in_the_queue_is_cancelled_at_once(world: World) -> None:
    job = world.job(admit=False)
    world.desire(job, "cancel")

    assert world.command(CancelJob(job_id=job))
    world.aggregator.sweep()

    assert world.state(job) is JobState.CANCELLED
    assert JobCancelled(job_id=job) in world.log.of(job)
    assert not world.holds_secrets(job)


def test_a_running_job_is_cancelled_when_its_workers_have_stopped(world: World) -> None:
    job = world.job("1", "2")
    world.progress(listed(job, 2), planned(job, "1", items=3), planned(job, "2", items=3))
    world.desire(job, "cancel")

    assert not world.command(CancelJob(job_id=job))
    assert not world.progress(finished(job, "1", completed=1, stopped=True))
    assert world.state(job) is JobState.CANCELLING
    assert world.progress(finished(job, "2", completed=0, stopped=True))
    assert world.state(job) is JobState.CANCELLED


def test_a_cancellation_does_not_wait_longer_than_ten_seconds(world: World) -> None:
    job = world.job("1")
    world.progress(listed(job, 1), planned(job, items=3))
    world.desire(job, "cancel")
    world.command(CancelJob(job_id=job))

    world.clock.passes(seconds=9)
    world.aggregator.sweep()
    assert world.state(job) is JobState.CANCELLING
    world.clock.passes(seconds=2)
    world.aggregator.sweep()

    assert world.state(job) is JobState.CANCELLED
    assert not world.holds_secrets(job)


def test_the_oldest_waiting_job_gets_its_turn_when_one_ends(world: World) -> None:
    account = f"shared by {new_job()}"
    first = world.job("1", account=account)
    second, third = (world.job(admit=False, account=account) for _ in range(2))
    second, third = sorted((second, third))  # made in the same instant: by id
    world.aggregator.sweep()
    assert StartJob(job_id=second) not in world.log.of(second)

    world.progress(listed(first, 1), planned(first, items=1), finished(first, completed=1))
    world.aggregator.sweep()
    world.clock.passes(seconds=31)
    world.aggregator.sweep()

    assert world.log.of(second) == [StartJob(job_id=second)]
    assert world.log.of(third) == []
    world.clock.passes(seconds=31)
    world.aggregator.sweep()
    assert world.log.of(second) == [StartJob(job_id=second)] * 2  # the scanner has not taken it for a minute


def test_the_next_job_gets_its_turn_when_one_is_deleted_or_cancelled_in_the_queue(world: World) -> None:
    account = f"shared by {new_job()}"
    first = world.job("1", account=account)
    second = world.job(admit=False, account=account)
    world.delete(first)

    world.command(DeleteJob(job_id=first))

    assert world.log.of(second) == [StartJob(job_id=second)]


def test_a_new_request_is_left_to_the_start_it_has_in_the_log(world: World, store: ReadModel) -> None:
    job = new_job()
    store.write(requested(job, created_at=world.clock()), now=world.clock())

    world.aggregator.sweep()
    assert world.log.of(job) == []
    world.clock.passes(seconds=41)
    world.aggregator.sweep()

    assert world.log.of(job) == [StartJob(job_id=job)]


def test_a_deleted_job_is_erased_and_erased_again_when_its_workers_have_stopped(
    world: World, database: Database
) -> None:
    job = world.job("1")
    world.progress(listed(job, 1), planned(job, items=3), progress(job, completed=1))
    world.delete(job)

    world.command(DeleteJob(job_id=job))
    assert world.log.of(job)[-1] == JobDeleted(job_id=job)
    assert not world.holds_secrets(job)
    assert not rows_of(database, job)
    late = WarningRow(job_id=job, number=1, text="late")
    database.insert("warnings", [_stored(late, world.clock())])  # a worker that had checked before the deletion
    world.restart()
    world.aggregator.sweep()
    assert rows_of(database, job)
    world.clock.passes(seconds=31)
    world.aggregator.sweep()

    assert not rows_of(database, job)


def test_a_deletion_whose_command_was_lost_is_carried_out(world: World, database: Database) -> None:
    job = world.job("1")
    world.delete(job)
    world.clock.passes(seconds=16)

    world.aggregator.sweep()

    assert not rows_of(database, job)
    assert not world.holds_secrets(job)
    assert JobDeleted(job_id=job) in world.log.of(job)


def test_a_request_nobody_accepted_is_erased_after_a_minute(world: World, database: Database) -> None:
    job = new_job()
    world.vault.store(job, SECRETS)
    world.store.write(requested(job, accepted=False, created_at=world.clock()), now=world.clock())

    world.aggregator.sweep()
    assert rows_of(database, job)
    world.clock.passes(seconds=61)
    world.aggregator.sweep()
    assert (topics.COMMANDS.name, DeleteJob(job_id=job)) in world.log.appended  # workers stop too
    world.command(DeleteJob(job_id=job))

    assert not rows_of(database, job)
    assert not world.holds_secrets(job)


def test_credentials_without_a_request_are_destroyed_after_a_minute(world: World) -> None:
    job = new_job()
    world.vault.store(job, SECRETS)
    world.aggregator.sweep()
    assert world.holds_secrets(job)

    world.clock.passes(seconds=70)
    world.aggregator.sweep()

    assert not world.holds_secrets(job)


def test_credentials_that_came_back_after_the_end_are_destroyed(world: World) -> None:
    job = world.job()
    world.progress(listed(job, 0))
    world.aggregator.sweep()
    world.vault.store(job, SECRETS)

    world.clock.passes(seconds=31)
    world.aggregator.sweep()

    assert not world.holds_secrets(job)


def test_a_live_job_is_refreshed_once_a_day(world: World, store: ReadModel) -> None:
    job = world.job("1")
    world.progress(listed(job, 1), planned(job, items=3), progress(job, completed=2))

    for _ in range(3):
        world.clock.passes(hours=25)
        world.aggregator.sweep()

    assert job not in store.stale(world.clock() + timedelta(hours=24))
    assert world.holds_secrets(job)
    view = store.watching.views([job], world.clock())[job].job
    assert view.items_completed == 2
    assert view.last_report_at is not None
    assert view.last_report_at < world.clock() - timedelta(days=3)  # a refresh is no report


class Crash(Exception):
    pass


class CrashingLog(Log):
    """Ends the process at one of its appends, before or after it is durable."""

    def __init__(self, topic: Topic, *, after: bool) -> None:
        super().__init__()
        self._topic, self._after = topic, after

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        if topic != self._topic:
            super().append_all(topic, messages)
            return
        if self._after:
            super().append_all(topic, messages)
        raise Crash


class CrashingVault(ClickHouseVault):
    def destroy(self, job_id: JobId, *, run: int = 1) -> None:
        raise Crash


@pytest.mark.parametrize(
    "where", ["before the event", "after the event", "before the vault", "before the turn", "after the turn"]
)
def test_whatever_follows_from_an_end_is_done_though_the_process_was_killed_on_the_way(
    world: World, store: ReadModel, where: str
) -> None:
    account = f"shared by {new_job()}"
    job, waiting = world.job("1", account=account), world.job(admit=False, account=account)
    log, vault = Log(), world.vault
    match where:
        case "before the event" | "after the event":
            log = CrashingLog(topics.JOB_EVENTS, after=where.startswith("after"))
        case "before the vault":
            vault = CrashingVault(store, KEYS)
        case _:
            log = CrashingLog(topics.COMMANDS, after=where.startswith("after"))
    world.aggregator.apply_progress(deliveries(listed(job, 1), planned(job, items=1), finished(job, completed=1)))
    crashing = Aggregator(store, vault, log, world.clock)
    with pytest.raises(Crash):
        crashing.sweep()
    world.log.appended += log.appended

    world.restart()
    world.aggregator.sweep()

    told = JobCompleted(job_id=job, completed=1, skipped=0, bytes_completed=100)
    assert told in world.log.of(job)
    assert not world.holds_secrets(job)
    assert StartJob(job_id=waiting) in world.log.of(waiting)
    assert job not in [outcome.job_id for outcome in store.unsettled()]


def test_a_batch_that_was_applied_and_not_acknowledged_is_applied_again(world: World) -> None:
    job = world.job("1")
    batch = deliveries(listed(job, 1), planned(job, items=4), progress(job, completed=1), progress(job, completed=3))
    world.aggregator.apply_progress(batch)
    before = world.store.watching.views([job], world.clock())[job]

    world.restart()
    world.aggregator.apply_progress(batch)
    world.aggregator.apply_progress(batch[1:3])

    assert world.store.watching.views([job], world.clock())[job] == before


def test_a_log_that_is_away_leaves_the_batch_to_be_applied_again(world: World, store: ReadModel) -> None:
    class Away(Log):
        def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
            raise LogUnavailable

    job = world.job("1")
    batch = deliveries(listed(job, 1), planned(job, items=0), finished(job, completed=0))

    with pytest.raises(LogUnavailable):
        Aggregator(store, world.vault, Away(), world.clock).apply_progress(batch)
    world.aggregator.apply_progress(batch)
    world.aggregator.sweep()

    assert [type(message) for message in world.log.of(job)] == [JobStarted, JobCompleted]


def test_events_of_a_job_that_is_gone_write_nothing(world: World, database: Database) -> None:
    job = world.job("1")
    world.delete(job)
    world.command(DeleteJob(job_id=job))

    world.progress(listed(job, 1), planned(job, items=1), progress(job, completed=1), finished(job, completed=1))

    assert not rows_of(database, job)
    assert world.state(job) is None


def rows_of(database: Database, job: JobId) -> list[str]:
    return [row["name"] for row in database.rows(TABLES_WITH, jobs=Ids([job]))]


def _stored(row: WarningRow, now: datetime) -> dict[str, Any]:
    return stored(Stamped(row, 1, now))


def test_a_live_job_outlives_the_shortest_retention(log: Log, database: Database) -> None:
    world = World(ReadModel(database, retention_days=1), log)
    begun = world.clock.passes(hours=-20)
    job = world.job("1")
    world.progress(listed(job, 1), planned(job, items=3))

    for _ in range(2):
        world.clock.passes(hours=9)
        world.aggregator.sweep()

    assert world.holds_secrets(job)
    view = world.store.watching.views([job], world.clock())[job].job
    assert view.expires_at > begun + timedelta(hours=36)
