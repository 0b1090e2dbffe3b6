"""Jobs over several processes of each kind, on a real broker, with a fault of each kind while they run.

ClickHouse is its HTTP interface on chDB: what a ClickHouse server does when it fails is not seen here.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from kafka import KafkaConsumer, TopicPartition

from libs.contracts.accounts import Account
from libs.contracts.topics import ALL
from tests.acceptance.instance import new_user, wait_for
from tests.distributed.cluster import SESSION_SECONDS, SLOW_MBPS, Cluster, Move, Service, goes_on
from tests.mail.corpus import Corpus, Mail, internaldate
from tests.mail.seed import append, seed
from tests.servers.dovecot import Dovecot

pytestmark = pytest.mark.timeout(280)

AT_ONCE = 4  # jobs during a fault
MESSAGES = 60  # of each, about 2.5 KB
FOLDER, SUBJECT, MESSAGE_ID, HOST = "Kanarienordner", "Kanarienbetreff", "kanarie-4711@mail.example", "localhost"


def accounts(dovecot: Dovecot, messages: int = MESSAGES, host: str = Dovecot.host) -> tuple[Account, Account]:
    user = new_user()
    source, destination = dovecot.account(f"kanarie-{user}", host=host), dovecot.account(f"neu-{user}", host=host)
    seed(source, Corpus(messages=messages, median_bytes=2_000, sigma=0.6))
    head = f"From: a@mail.example\r\nSubject: {SUBJECT}\r\nMessage-ID: <{MESSAGE_ID}>\r\n\r\nhello\r\n"
    append(source, [Mail(FOLDER, head.encode(), ("\\Seen",), internaldate(datetime(2020, 1, 2, tzinfo=UTC)))])
    return source, destination


@pytest.fixture
def moves(cluster: Cluster) -> Iterator[list[Move]]:
    """Jobs under way. After the fault they complete, and every process is ready."""
    begun = [Move(cluster, *accounts(cluster.dovecot), SLOW_MBPS) for _ in range(AT_ONCE)]
    for move in begun:
        move.wait(lambda view: view["items_completed"] > 0, 60)
    yield begun
    for move in begun:
        move.hurry()
    for move in begun:
        move.arrives()
    wait_for(cluster.is_ready, 60, "every process is ready")


def test_eight_jobs_at_once_complete_and_are_equal(cluster: Cluster) -> None:
    pairs = [accounts(cluster.dovecot, 120, HOST) for _ in range(8)]
    moves = [Move(cluster, *pair, 50) for pair in pairs]
    for move in moves:
        move.arrives(180)


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
    pairs = [accounts(cluster.dovecot) for _ in range(AT_ONCE)]
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


def test_no_canary_is_in_what_the_broker_keeps_and_no_topic_is_fausts(cluster: Cluster) -> None:
    canaries = [FOLDER, SUBJECT, MESSAGE_ID, HOST, "kanarie-", Dovecot.password]
    broker: Any = KafkaConsumer
    client = broker(bootstrap_servers=[cluster.kafka.server], auto_offset_reset="earliest")
    admin = cluster.kafka.admin()
    assert set(admin.list_topics()) == {topic.name for topic in ALL} | {"__consumer_offsets"}
    admin.close()
    partitions = [TopicPartition(topic.name, number) for topic in ALL for number in range(topic.partitions)]
    client.assign(partitions)
    client.seek_to_beginning()
    left, read = sum(client.end_offsets(partitions).values()), 0
    while read < left:
        for records in client.poll(timeout_ms=2000).values():
            for record in records:
                read += 1
                told = b"\n".join([record.key, record.value, *(value for _, value in record.headers)]).decode()
                assert [one for one in canaries if one in told] == [], record.topic
    client.close()
    assert read > 100
    for file in (cluster.kafka.directory / "log").rglob("*"):
        if file.is_file():
            kept = file.read_bytes()
            assert [one for one in canaries if one != HOST and one.encode() in kept] == [], file.name
    assert httpx2.get(f"{cluster.of('api')[0].url}/livez").status_code == 200
