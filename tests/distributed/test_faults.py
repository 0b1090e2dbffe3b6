"""A fault of each kind while jobs run: nothing is lost, nothing doubled, work goes on within session timeout + 15 s.

ClickHouse is its HTTP interface on chDB: what a ClickHouse server does when it fails is not seen here.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.instance import new_user, wait_for
from tests.distributed import mix
from tests.distributed.cluster import MESSAGES, SESSION_SECONDS, SLOW_MBPS, Cluster, Move, Service, goes_on

pytestmark = pytest.mark.timeout(280)

AT_ONCE = 4  # jobs during a fault


@pytest.fixture
def moves(cluster: Cluster) -> Iterator[list[Move]]:
    """Jobs under way. After the fault they complete, and every process is ready."""
    begun = [Move(cluster, *cluster.accounts(MESSAGES), SLOW_MBPS) for _ in range(AT_ONCE)]
    for move in begun:
        move.wait(lambda view: view["items_completed"] > 0, 60)
    yield begun
    for move in begun:
        move.hurry()
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
    pairs = [cluster.accounts(MESSAGES) for _ in range(AT_ONCE)]
    moves = [Move(cluster, *pair, 50) for pair in pairs]
    service = cluster.of("scanner")[0]
    service.kill()
    cluster.start([service])
    for move in moves:
        move.arrives()


@pytest.mark.parametrize(("kind", "count"), [("copier", 2), ("aggregator", 1), ("api", 1)])
def test_processes_are_killed(cluster: Cluster, moves: list[Move], kind: str, count: int) -> None:
    killed(cluster, moves, cluster.of(kind)[:count])


def test_copiers_are_scaled_down_to_one_and_up_again(cluster: Cluster, moves: list[Move]) -> None:
    more = cluster.of("copier")[1:]
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


def test_every_service_is_restarted_in_turn_and_no_request_fails_that_is_tried_again(
    cluster: Cluster, moves: list[Move]
) -> None:
    for kind in ("scanner", "copier", "aggregator", "api"):
        for service in cluster.of(kind):
            service.stop()
            service.begin()
            moves[0].hurry()  # a request, answered in the end
            wait_for(service.is_ready, 60, f"{service.name} is back")


def test_faults_at_random_several_at_once(cluster: Cluster) -> None:
    """What `make soak` does for longer."""
    seed = random.randrange(1 << 32)
    print(f"mix {seed}")
    mix.mix(cluster, random.Random(seed))
