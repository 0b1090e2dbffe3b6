"""The aggregator's agent on a real log and real tables."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.fernet import Fernet

from libs.contracts import topics
from libs.contracts.events import JobCompleted
from libs.eventlog.consume import Delivery
from libs.eventlog.sqlite import SqliteEventLog
from libs.eventlog.worker import Worker
from libs.readmodel.model import ReadModel
from libs.readmodel.port import ReadModelUnavailable
from libs.vault.clickhouse import ClickHouseVault
from services.aggregator.agent import AggregatorAgent
from services.aggregator.aggregator import Aggregator
from tests.contract.eventlog_groups import PATIENCE, Group
from tests.contract.jobs import admitted, finished, listed, new_job, planned, progress


class OnceAway(Aggregator):
    """ClickHouse is away when the first batch comes."""

    refused = 0

    def apply_progress(self, deliveries: Sequence[Delivery]) -> bool:
        if not self.refused:
            self.refused = len(deliveries)
            raise ReadModelUnavailable
        return super().apply_progress(deliveries)


def test_events_in_the_log_become_the_end_of_a_job_though_clickhouse_was_away(store: ReadModel, tmp_path: Path) -> None:
    log = SqliteEventLog(tmp_path / "log.db", timedelta(days=7))
    vault = ClickHouseVault(store, [Fernet.generate_key().decode()])
    aggregator = OnceAway(store, vault, log, lambda: datetime.now(UTC))
    agent, worker, job = AggregatorAgent(aggregator), Worker("aggregator", log), new_job()
    completed = threading.Event()
    told: list[object] = []

    def hear(message: object) -> None:
        told.append(message)
        if isinstance(message, JobCompleted) and message.job_id == job:
            completed.set()

    log.follow(topics.JOB_EVENTS, hear)
    store.write(admitted(job, "1"), now=datetime.now(UTC))
    agent.attach(worker)
    with Group(worker):
        agent.start()
        events = [listed(job, 1), planned(job, items=2), progress(job, completed=1), finished(job, completed=2)]
        log.append_all(topics.PROGRESS, [(job, event) for event in events])
        assert completed.wait(PATIENCE), told
        agent.close()
    log.close()

    assert aggregator.refused
    assert store.watching.views([job], datetime.now(UTC))[job].job.items_completed == 2
