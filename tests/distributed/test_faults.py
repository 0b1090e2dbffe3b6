"""A fault of each kind while jobs run: nothing is lost, nothing doubled, work goes on within session timeout + 15 s.

ClickHouse is its HTTP interface on chDB: what a ClickHouse server does when it fails is not seen here.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.contracts.topics import PROGRESS
from libs.eventlog import open_log
from libs.eventlog.port import EventLog
from libs.readmodel.model import connect
from tests.acceptance.instance import new_user, wait_for
from tests.bench.pipeline import live_jobs as simulated
from tests.bench.pipeline.copiers import batch
from tests.bench.pipeline.live_jobs import LiveJob, live_jobs, write
from tests.distributed import mix
from tests.distributed.cluster import SESSION_SECONDS, Cluster, Service
from tests.distributed.moves import FAST_MBPS, SLOW_MBPS, Move, goes_on

pytestmark = pytest.mark.timeout(280)

AT_ONCE = 4  # jobs during a fault
HANGING_SECONDS = 3.0  # an insert; what is acknowledged is committed within half a second
SIMULATED = 12  # jobs whose copiers are simulated, so that each aggregator has some
COPIED_BEFORE = (simulated.FOLDERS - 1) * simulated.MESSAGES  # of each of them


@pytest.fixture
def moves(cluster: Cluster) -> Iterator[list[Move]]:
    """Jobs under way, which outlive the fault. Then they complete, and every process is ready."""
    begun = [Move(cluster, *cluster.long_accounts(), SLOW_MBPS) for _ in range(AT_ONCE)]
    for move in begun:
        move.wait(lambda view: view["items_completed"] > 0, 60)
    yield begun
    for move in begun:
        move.hurry()  # refused when it has ended
    for move in begun:
        move.arrives()
    wait_for(cluster.is_ready, 60, "every process is ready")


def killed(cluster: Cluster, moves: list[Move], services: list[Service]) -> None:
    """Others do their work until they are back."""
    at = time.monotonic()
    for service in services:
        service.kill()
    if services[0].kind != "api":
        goes_on(moves, at)
    cluster.start(services)
    goes_on(moves, time.monotonic())


def test_scanners_are_killed_while_jobs_begin(cluster: Cluster) -> None:
    """The other one begins what it was about to scan, and what is requested after."""
    pairs = [cluster.long_accounts() for _ in range(AT_ONCE)]
    service = cluster.of("scanner")[0]
    moves = [Move(cluster, *pair, SLOW_MBPS) for pair in pairs[:2]]
    service.kill()
    at = time.monotonic()
    moves += [Move(cluster, *pair, SLOW_MBPS) for pair in pairs[2:]]
    goes_on(moves, at)
    cluster.start([service])
    for move in moves:
        move.hurry()
    for move in moves:
        move.arrives()


@pytest.mark.parametrize(("kind", "count"), [("copier", 2), ("api", 1)])
def test_processes_are_killed(cluster: Cluster, moves: list[Move], kind: str, count: int) -> None:
    killed(cluster, moves, cluster.of(kind)[:count])


def test_an_aggregator_is_killed_that_counts_one_of_the_jobs(cluster: Cluster, moves: list[Move]) -> None:
    killed(cluster, moves, [cluster.owner("aggregator", PROGRESS, moves[0].job.job_id)])


def test_copiers_are_scaled_from_one_to_three_and_back(cluster: Cluster, moves: list[Move]) -> None:
    more = cluster.of("copier")[1:]
    for _ in range(2):
        for service in more:
            service.stop()
        goes_on(moves, time.monotonic())
        cluster.start(more)
        goes_on(moves, time.monotonic())


def test_frozen_copiers_find_their_work_taken_over_when_they_wake(cluster: Cluster, moves: list[Move]) -> None:
    zombies = cluster.of("copier")[:2]
    at = time.monotonic()
    for service in zombies:
        service.freeze()
    try:
        goes_on(moves, at)
        wait_for(lambda: time.monotonic() > at + SESSION_SECONDS + 4, 30, "their session is over")
    finally:
        for service in zombies:
            service.thaw()
    goes_on(moves, time.monotonic())


def away(cluster: Cluster, stop: Callable[[], object], start: Callable[[], object], seconds: float = 20) -> None:
    """Something everybody needs is away: requests are refused for now, processes live on."""
    stop()
    begun = time.monotonic()
    try:
        answer = cluster.http.post("/api/jobs", json=form(cluster))
        assert answer.status_code == 503, answer.text
        assert time.monotonic() - begun < 15
        assert all(service.is_alive() for service in cluster.services)
        wait_for(lambda: time.monotonic() - begun > seconds, seconds + 5, "it was away for a while")
        assert all(service.is_alive() for service in cluster.services)
    finally:
        start()


def form(cluster: Cluster) -> dict[str, Any]:
    account = {"host": "127.0.0.1", "port": cluster.dovecot.imaps_port, "password": "x"}
    return {"source": account | {"username": "a"}, "destination": account | {"username": new_user()}}


def test_the_broker_is_away_for_20_seconds(cluster: Cluster, moves: list[Move]) -> None:
    away(cluster, cluster.kafka.stop, cluster.kafka.start)
    goes_on(moves, time.monotonic())


def test_clickhouse_is_away_for_20_seconds(cluster: Cluster, moves: list[Move]) -> None:
    away(cluster, cluster.clickhouse.kill, cluster.clickhouse.start)
    goes_on(moves, time.monotonic())


def test_aggregators_are_killed_while_what_they_took_is_not_stored(cluster: Cluster) -> None:
    """ClickHouse answers no insert and is lost with those that were under way; no later event makes up for these."""
    jobs, aggregators = live_jobs(SIMULATED), cluster.of("aggregator")
    model = connect(cluster.clickhouse.url, 7)
    write(model, jobs, datetime.now(UTC))
    model.close()
    log = open_log(cluster.kafka.url, timedelta(days=7))
    reported(log, jobs, 1)
    wait_for(lambda: counted(cluster, jobs) == {1}, 60, "the first reports are counted")

    cluster.clickhouse.freeze()
    reported(log, jobs, 2)
    at = time.monotonic()
    wait_for(lambda: time.monotonic() > at + HANGING_SECONDS, 30, "the second ones hang, and commits have been made")
    for service in aggregators:
        service.kill()
    cluster.clickhouse.kill()
    cluster.clickhouse.start()
    cluster.start(aggregators)

    wait_for(lambda: counted(cluster, jobs) == {2}, 60, "the second reports are counted")
    reported(log, jobs, 3)
    wait_for(lambda: counted(cluster, jobs) == {3}, 60, "so are the third ones")
    log.close()
    for job in jobs:
        cluster.ask("DELETE", f"/api/jobs/{job.key}")


def reported(log: EventLog, jobs: Sequence[LiveJob], completed: int) -> None:
    """As copiers would, one more message each."""
    log.append_all(PROGRESS, [(job.job_id, batch(job, due=0, completed=completed)) for job in jobs])


def counted(cluster: Cluster, jobs: Sequence[LiveJob]) -> set[int]:
    """How many messages these jobs have copied since they were written: in the history, which the views agree with."""
    found: set[int] = set()
    for job in jobs:
        rows = cluster.ask("GET", f"/api/jobs/{job.key}/batches?resolution_seconds=86400").json()
        view = cluster.ask("GET", f"/api/jobs/{job.key}").json()
        history = sum(row["items"] for row in rows)
        assert view["items_completed"] - COPIED_BEFORE >= history
        found |= {history, view["items_completed"] - COPIED_BEFORE}
    return found


def test_every_service_is_restarted_in_turn_and_no_request_fails_that_is_tried_again(
    cluster: Cluster, moves: list[Move]
) -> None:
    pairs = [cluster.accounts(5) for _ in cluster.services]
    begun: list[Move] = []
    for service in cluster.services:
        service.stop()
        service.begin()
        for move in moves:
            move.limit(SLOW_MBPS / 2)  # refused when it has ended
        begun.append(Move(cluster, *pairs[len(begun)], FAST_MBPS))
        wait_for(service.is_ready, 60, f"{service.name} is back")
    for move in begun:
        move.arrives()


def test_faults_at_random_several_at_once(cluster: Cluster) -> None:
    """What `make soak` does for longer."""
    seed = random.randrange(1 << 32)
    print(f"mix {seed}")
    mix.mix(cluster, random.Random(seed))
