"""An external agent's job on the tables: from its reports to the job view, to its end, and to nothing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from libs.contracts.codec import Message
from libs.contracts.commands import CancelJob
from libs.contracts.events import AgentReported, Delta, EntityReport, JobCompletedWithErrors, JobStarted
from libs.contracts.ids import AccountDigest, AgentId, JobId, new_agent_id
from libs.contracts.jobs import JobState, Limits
from libs.contracts.reasons import Reason
from libs.contracts.topics import Topic
from libs.contracts.views import Snapshot
from libs.eventlog.port import LogUnavailable
from libs.readmodel.agents import Agent, Order
from libs.readmodel.database import Database, Ids
from libs.readmodel.model import ReadModel
from libs.readmodel.queries import TABLES_WITH
from libs.readmodel.rows import (
    AgentFailureRow,
    AgentJobRow,
    AgentTotalsRow,
    DesiredRow,
    EntityRow,
    RequestRow,
    TombstoneRow,
)
from libs.readmodel.tables import Stamped, stored
from libs.vault.clickhouse import ClickHouseVault
from services.aggregator.aggregator import Aggregator
from tests.contract.jobs import Log, deliveries, new_job, request


class World:
    """An agent, a job of it, an aggregator, and a clock that goes on by a second with every report."""

    def __init__(self, store: ReadModel, log: Log) -> None:
        self.store, self.log = store, log
        self.now = self.begun = datetime.now(UTC)
        self.agent_id, self.job = new_agent_id(), new_job()
        store.put_agent(Agent(self.agent_id, "Files", self.now), f"hash of {self.agent_id}", self.now)
        job = AgentJobRow(job_id=self.job, agent_id=self.agent_id, items_announced=10, bytes_announced=None)
        store.write(
            [
                job,
                EntityRow(job_id=self.job, entity_id="e1", name="Contacts"),
                DesiredRow(job_id=self.job, state="run", limits=Limits()),
                self.request(),
            ],
            now=self.now,
        )
        self._offset = 0
        self.restart()

    def request(self) -> RequestRow:
        return request(
            self.job, kind="external", source_host=None, destination_host=None, account_digest=AccountDigest("")
        )

    def restart(self) -> None:
        vault = ClickHouseVault(self.store, [Fernet.generate_key().decode()])
        self.aggregator = Aggregator(self.store, vault, self.log, lambda: self.now)

    def report(self, batch: str, **change: Any) -> AgentReported:
        numbers: dict[str, Any] = {"completed": 1, "failed": 0, "skipped": 0, "bytes_completed": 100}
        delta = Delta(items=1, bytes=100, seconds=0)
        return AgentReported(job_id=self.job, agent_id=self.agent_id, batch_id=batch, delta=delta, **numbers | change)

    def applies(self, *messages: Message, again_from: int | None = None) -> None:
        """`again_from`: the log delivers from this offset on, as after a crash."""
        offset = self._offset if again_from is None else again_from
        batch = deliveries(*messages, offset=offset, when=lambda each: self.begun + timedelta(seconds=each))
        self._offset = max(self._offset, offset + len(messages))
        self.now = max(self.now, self.begun + timedelta(seconds=self._offset))
        self.aggregator.apply_progress(batch)

    def is_silent(self, seconds: int) -> None:
        self._offset += seconds

    def see(self) -> Snapshot:
        return self.store.watching.views([self.job], self.now)[self.job]

    def desire(self, state: Any) -> None:
        self.store.write([DesiredRow(job_id=self.job, state=state, limits=Limits())], now=self.now)


@pytest.fixture
def world(store: ReadModel, log: Log) -> Iterator[World]:
    world = World(store, log)
    yield world
    store.erase([world.job])


def test_a_job_waits_for_its_agent_and_begins_with_its_first_report(world: World) -> None:
    before = world.see()
    assert (before.job.kind, before.job.state, before.job.worker) == ("external", JobState.QUEUED, "Files")
    assert (before.job.items_total, before.job.items_remaining, before.job.started_at) == (10, 10, None)
    assert [(row.kind, row.name, row.state) for row in before.breakdown] == [("entity", "Contacts", "waiting")]

    entities = (EntityReport(entity_id="e1", imported=3, skipped=2, errored=1),)
    world.applies(world.report("a", completed=3, skipped=2, failed=1, entities=entities))

    job, (row,) = world.see().job, world.see().breakdown
    assert (job.state, job.items_completed, job.items_skipped, job.items_failed) == (JobState.RUNNING, 3, 2, 1)
    assert (job.items_remaining, job.progress_percent, job.bytes_completed, job.bytes_total) == (4, 60.0, 100, None)
    assert (row.state, row.items_completed, row.items_skipped, row.items_failed) == ("copying", 3, 2, 1)
    assert world.log.of(world.job) == [JobStarted(job_id=world.job)]
    history = world.store.watching.batches(world.job, after=None, limit=9, resolution_seconds=60)
    assert sum(batch.items for batch in history) == 3


def test_repeats_and_a_log_that_is_delivered_again_change_no_number(world: World) -> None:
    log = [world.report("a", completed=2), world.report("b"), world.report("a", completed=2), world.report("c")]
    world.applies(*log)
    world.restart()
    world.applies(*log[1:], again_from=1)
    world.applies(world.report("b"), world.report("d"))

    assert world.see().job.items_completed == 5


def test_a_process_that_dies_between_two_tables_loses_nothing_and_doubles_nothing(world: World) -> None:
    class Dies(Exception):
        pass

    class Dying:
        """The store of a process that ends before the totals are written."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def write_each(self, rows: Sequence[Stamped]) -> None:
            world.store.write_each([each for each in rows if not isinstance(each.row, AgentTotalsRow)])
            raise Dies

    entities = (EntityReport(entity_id="e1", imported=1, skipped=0, errored=0),)
    log = [world.report("a", entities=entities), world.report("b", entities=entities)]
    world.aggregator._store = Dying()  # type: ignore[assignment]
    with pytest.raises(Dies):
        world.applies(*log)
    world.restart()
    world.applies(*log, world.report("b", entities=entities), again_from=0)

    assert world.see().job.items_completed == 2
    assert world.see().breakdown[0].items_completed == 2
    history = world.store.watching.batches(world.job, after=None, limit=9, resolution_seconds=60)
    assert sum(batch.items for batch in history) == 2


def test_a_job_that_could_not_be_announced_as_begun_is_announced_later(world: World) -> None:
    append = world.log.append_all

    def refuses(topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        raise LogUnavailable

    world.log.append_all = refuses  # type: ignore[method-assign]
    with pytest.raises(LogUnavailable):
        world.applies(world.report("a"))
    world.log.append_all = append  # type: ignore[method-assign]
    world.applies(world.report("a"), again_from=0)

    assert world.log.of(world.job) == [JobStarted(job_id=world.job)]
    assert world.see().job.items_completed == 1


def test_the_agent_ends_its_job_and_nothing_counts_after_it(world: World) -> None:
    world.applies(world.report("a", failed=1), world.report("b", completed=3, state="completed"), world.report("c"))
    world.aggregator.sweep()

    job = world.see().job
    assert (job.state, job.items_completed, job.items_failed) == (JobState.COMPLETED_WITH_ERRORS, 4, 1)
    assert (job.items_total, job.items_remaining, job.progress_percent) == (5, 0, 100.0)  # not the ten it expected
    assert world.see().breakdown[0].state == "waiting"
    ended = JobCompletedWithErrors(job_id=world.job, completed=4, skipped=0, failed=1, bytes_completed=200)
    assert world.log.of(world.job)[1:] == [ended]
    assert world.job in world.store.watching.finished(world.now - timedelta(hours=1))


def test_an_agent_that_gives_up_says_so(world: World) -> None:
    world.applies(world.report("a", state="failed"))
    job = world.see().job
    assert (job.state, job.failed_reason, job.failed_side) == (JobState.FAILED, Reason.AGENT_FAILED, None)
    assert "Its agent gave up" in job.state_text


def test_an_agent_that_dies_leaves_its_job_stalled_and_may_come_back(world: World) -> None:
    world.applies(world.report("a"))
    world.now += timedelta(seconds=61)
    assert world.see().job.state is JobState.STALLED
    world.is_silent(62)
    world.applies(world.report("b"))
    assert world.see().job.state is JobState.RUNNING


def test_a_cancelled_job_ends_when_its_agent_confirms_it(world: World) -> None:
    world.applies(world.report("a"))
    world.desire("cancel")
    world.aggregator.apply_commands(deliveries(CancelJob(job_id=world.job)))
    assert world.see().job.state is JobState.CANCELLING

    world.applies(world.report("b", state="cancelled"))
    assert world.see().job.state is JobState.CANCELLED


def test_a_cancelled_job_whose_agent_is_silent_ends_without_it(world: World) -> None:
    world.applies(world.report("a"))
    world.desire("cancel")
    world.now += timedelta(seconds=58)
    world.aggregator.sweep()
    assert world.see().job.state is JobState.CANCELLING
    world.now += timedelta(seconds=2)
    world.aggregator.sweep()
    assert world.see().job.state is JobState.CANCELLED


def test_a_cancelled_job_that_no_agent_has_begun_ends_at_once(world: World) -> None:
    world.desire("cancel")
    world.aggregator.apply_commands(deliveries(CancelJob(job_id=world.job)))
    assert world.see().job.state is JobState.CANCELLED


def test_failures_are_listed_with_the_agents_own_words(world: World) -> None:
    failure = AgentFailureRow(
        job_id=world.job,
        batch_id="a",
        number=0,
        item="anna.vcf",
        reason=Reason.ITEM_FAILED,
        text="No name in it",
        happened_at=world.now,
    )
    world.store.write([failure], now=world.now)
    world.store.write([failure], now=world.now)  # a repeat
    (row,) = world.store.watching.failures(world.job)
    assert (row.item, row.server_text, row.folder, row.uid) == ("anna.vcf", "No name in it", "", 0)


def test_an_agent_is_known_by_its_token_until_it_is_removed(world: World) -> None:
    hashed = f"hash of {world.agent_id}"
    assert world.store.agent_by_token(hashed) == world.agent_id
    assert world.store.agent_of(world.job) == world.agent_id
    (agent,) = [each for each in world.store.agents() if each.agent_id == world.agent_id]

    world.store.remove_agent(agent, world.now)

    assert world.store.agent_by_token(hashed) is None
    assert world.store.agent_by_token("") is None
    assert world.agent_id not in [each.agent_id for each in world.store.agents()]
    assert world.see().job.worker == world.agent_id  # its name went with it


def test_the_content_of_a_batch_is_that_of_the_report_that_counts(world: World) -> None:
    assert world.store.content_of(world.job, "a") is None
    world.applies(world.report("a", content="first"), world.report("a", content="second"))
    assert world.store.content_of(world.job, "a") == "first"


def test_orders_are_of_the_agents_live_jobs_and_of_the_deleted_ones(world: World) -> None:
    def orders() -> list[Order]:
        return world.store.orders([world.agent_id, AgentId("nobody")])[world.agent_id]

    assert orders() == [Order(world.job, "run", Limits())]
    world.desire("pause")
    assert orders() == [Order(world.job, "pause", Limits())]

    deleted = TombstoneRow(job_id=world.job, deleted_at=world.now, agent_id=world.agent_id)
    world.store.write([deleted], now=world.now)
    world.store.erase([world.job])
    assert orders() == [Order(world.job, "delete", Limits())]


def test_an_ended_job_is_no_order(world: World) -> None:
    world.applies(world.report("a", state="completed"))
    assert world.store.orders([world.agent_id])[world.agent_id] == []


def test_only_a_job_that_was_reported_of_is_kept_longer(world: World) -> None:
    other = World(world.store, world.log)
    world.applies(world.report("a"))
    stale = world.store.stale(world.now + timedelta(days=1, seconds=1))
    assert world.job not in stale  # its report is older than that, too
    stale = world.store.stale(world.begun + timedelta(days=1, seconds=-1))
    assert {world.job, other.job}.isdisjoint(stale)  # they were refreshed since

    old = world.begun - timedelta(days=2)
    for each in (world, other):  # their rows are two days old, the report is of now
        each.store.erase([each.job])
        each.store.write([each.request()], now=old)
    world.applies(world.report("z"))
    stale = world.store.stale(world.begun)
    assert (world.job in stale, other.job in stale) == (True, False)
    world.store.erase([other.job])


def test_nothing_is_left_of_a_deleted_job(world: World, database: Database) -> None:
    entities = (EntityReport(entity_id="e1", imported=3, skipped=2, errored=1),)
    world.applies(world.report("a", entities=entities))
    world.store.write([TombstoneRow(job_id=world.job, deleted_at=world.now)], now=world.now)
    world.store.erase([world.job])
    assert _tables(database, world.job) == set()

    row = AgentJobRow(job_id=world.job, agent_id=world.agent_id, items_announced=None, bytes_announced=None)
    database.insert("agent_jobs", [stored(Stamped(row, 1, world.now))])  # by a writer that had not stopped
    world.applies(world.report("b"))
    assert _tables(database, world.job) == {"agent_jobs"}
    world.now += timedelta(seconds=31)
    world.aggregator.sweep()
    assert _tables(database, world.job) == set()


def _tables(database: Database, job: JobId) -> set[str]:
    return {row["name"] for row in database.rows(TABLES_WITH, jobs=Ids([job]))}
