"""Progress events of 1,000 jobs from a real broker through aggregators into ClickHouse.

ClickHouse is its HTTP interface on chDB (tests/servers/clickhouse_front.py), on the same machine as everything else:
what is measured is what a process of ours needs, and no more than a lower bound of what a ClickHouse server would take.
"""

import tempfile
import time
from datetime import timedelta
from pathlib import Path

from libs.contracts.events import Delta, ProgressBatch
from libs.contracts.ids import FolderId, JobId, PlanId
from libs.contracts.topics import PROGRESS
from libs.eventlog import open_log
from libs.readmodel.database import Database
from tests.acceptance.instance import wait_for
from tests.bench.measure import cpu_seconds
from tests.distributed.cluster import SERVICES, Cluster, Service
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka

JOBS, EVENTS = 1_000, 60_000
SECONDS = 120.0
STORED = "SELECT count() AS n FROM batches"


def fill(kafka: Kafka, run: str) -> float:
    """Events a second that one process appends, 1,000 at a time."""
    log = open_log(kafka.url, timedelta(days=7))
    begun = time.monotonic()
    for start in range(0, EVENTS, JOBS):
        log.append_all(PROGRESS, [(job, batch(job, start)) for job in (JobId(f"{run}{n}") for n in range(JOBS))])
    seconds = time.monotonic() - begun
    log.close()
    return EVENTS / seconds


def batch(job: JobId, start: int) -> ProgressBatch:
    done = start // JOBS + 1
    return ProgressBatch(
        job_id=job,
        folder_id=FolderId("1"),
        plan_id=PlanId("0" * 28),
        worker="copier-00000000",
        completed=done,
        skipped=0,
        failed=0,
        bytes_completed=done * 5_000,
        delta=Delta(items=1, bytes=5_000, seconds=1),
        run=1,
    )


def drained(database: Database, services: list[Service], before: int) -> tuple[float, float]:
    """Events a second from the first that is stored to the last, and the CPU seconds of all aggregators."""
    for service in services:
        service.begin()
    wait_for(lambda: database.rows(STORED)[0]["n"] > before, SECONDS, "the first event is stored")
    first, begun = database.rows(STORED)[0]["n"], time.monotonic()
    wait_for(lambda: database.rows(STORED)[0]["n"] >= before + EVENTS, SECONDS, "all events are stored")
    rate = (before + EVENTS - first) / (time.monotonic() - begun)
    cpu = sum(cpu_seconds(service.pid) for service in services)
    for service in services:
        service.stop()
    return rate, cpu


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Kafka() as kafka, Dovecot() as dovecot:
        cluster = Cluster(Path(directory), kafka, dovecot)
        aggregators = cluster.of("aggregator")
        with cluster.clickhouse:
            kafka.empty()
            kafka.access(SERVICES)
            print(f"appended by one process: {fill(kafka, 'a'):,.0f} events/s", flush=True)
            aggregators[0].begin()  # makes the tables
            wait_for(aggregators[0].is_ready, 60, "an aggregator is ready")
            aggregators[0].kill()
            kafka.empty()
            database = Database(cluster.clickhouse.url)
            for count in (1, 2):
                fill(kafka, f"{count}-")
                before = database.rows(STORED)[0]["n"]
                rate, cpu = drained(database, aggregators[:count], before)
                print(f"{count} aggregator: {rate:,.0f} events/s into ClickHouse, {cpu:.1f} s of CPU", flush=True)
            database.close()
