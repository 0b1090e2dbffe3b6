"""The broker, ClickHouse's front on chDB, one api and one aggregator, each a process of its own."""

import re
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from libs.readmodel.model import ReadModel, connect
from tests.bench.measure import cpu_seconds
from tests.distributed.cluster import SERVICES, Cluster, Service
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka

LAG = re.compile(
    r'^mailtide_consumer_lag_events\{service="aggregator",topic="mailtide.progress"\} (\S+)$', re.MULTILINE
)

READS = re.compile(r"^mailtide_snapshot_seconds_count (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stage:
    cluster: Cluster
    api: Service
    aggregator: Service
    model: ReadModel
    token: str

    def pids(self) -> Mapping[str, int]:
        stores = {"broker": self.cluster.kafka.pid, "ClickHouse": self.cluster.clickhouse.pid}
        return stores | {"aggregator": self.aggregator.pid, "api": self.api.pid}

    def lag(self) -> int:
        """Events that the aggregator has not taken."""
        return int(self._metric(self.aggregator, LAG))

    def reads(self) -> int:
        """How often the api has read the watched jobs."""
        return int(self._metric(self.api, READS))

    def _metric(self, service: Service, which: re.Pattern[str]) -> float:
        found = which.search(httpx2.get(f"{service.url}/metrics", timeout=30).text)
        assert found
        return float(found[1])

    @contextmanager
    def copiers(self, jobs: int, seconds: float) -> Generator[int]:
        """The process id of simulated copiers that report `jobs` jobs once a second."""
        command = [
            sys.executable,
            "-m",
            "tests.bench.pipeline.copiers",
            self.cluster.kafka.url,
            str(jobs),
            str(seconds),
        ]
        process = subprocess.Popen(command)
        try:
            yield process.pid
        finally:
            process.kill()
            process.wait()


@contextmanager
def stage() -> Generator[Stage]:
    with (
        TemporaryDirectory() as directory,
        Kafka() as kafka,
        Dovecot() as dovecot,
        staged(Cluster(Path(directory), kafka, dovecot)) as running,
    ):
        yield running


@contextmanager
def staged(cluster: Cluster) -> Generator[Stage]:
    """What of the cluster progress passes through: no scanner, no copier, one aggregator."""
    with cluster.clickhouse:
        cluster.kafka.empty()
        cluster.kafka.access(SERVICES)
        services = api, aggregator = cluster.of("api")[0], cluster.of("aggregator")[0]
        model = connect(cluster.clickhouse.url, 7)
        try:
            cluster.start(services)
            yield Stage(cluster, api, aggregator, model, cluster.operator_token)
        finally:
            for service in services:
                service.kill()
            model.close()


class Cpu:
    """How many cores each process takes, between two looks."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._begun = time.monotonic()
        self._before = {name: cpu_seconds(pid) for name, pid in pids.items()}

    def cores(self) -> dict[str, float]:
        seconds = time.monotonic() - self._begun
        return {name: (cpu_seconds(pid) - self._before[name]) / seconds for name, pid in self._pids.items()}
