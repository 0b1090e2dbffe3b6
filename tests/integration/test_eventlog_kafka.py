"""What every event log promises, on Apache Kafka; and what only Kafka does."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from libs.contracts.commands import CancelJob, StartJob
from libs.contracts.ids import JobId
from libs.contracts.topics import ALL, COMMANDS, PROGRESS, WORK_ITEMS, Topic
from libs.eventlog import open_log
from libs.eventlog.brokers import Brokers
from libs.eventlog.consume import Delivery, consume_each
from libs.eventlog.kafka_topics import make_topics
from libs.eventlog.membership import Member, boot_seconds
from libs.eventlog.port import EventLog, LogRefused, LogUnavailable, TopicsMissing
from libs.eventlog.worker import Worker
from tests.contract.eventlog_groups import PATIENCE, WEEK, Group, Taken, opened, taker
from tests.contract.test_eventlog import *  # noqa: F403 - the suite; `url` below is another log
from tests.contract.test_eventlog import fill, start_job
from tests.servers.kafka import Kafka


@pytest.fixture
def url(kafka: Kafka) -> str:
    kafka.empty()
    return kafka.url


@pytest.fixture
def second(url: str) -> Iterator[EventLog]:
    """The log as another process has it."""
    log = opened(url)
    yield log
    log.close()


def eventually(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def spread(log: EventLog, numbers: range) -> None:
    log.append_all(WORK_ITEMS, [(str(number), start_job(number)) for number in numbers])


def partitions(worker: Worker) -> Counter[str]:
    return Counter(tp.topic for tp in worker.app.consumer.assignment())


# Groups.


def test_of_two_workers_each_has_the_same_partitions_of_both_its_topics(log: EventLog, second: EventLog):
    workers = [taker(one, COMMANDS, lambda _: None) for one in (log, second)]
    for worker in workers:
        consume_each(worker.app, PROGRESS, lambda _: None)
    with Group(workers[0]), Group(workers[1]):
        eventually(lambda: all(partitions(worker) == {COMMANDS.name: 6, PROGRESS.name: 6} for worker in workers))
        for worker in workers:
            numbers = {topic: set[int]() for topic in (COMMANDS.name, PROGRESS.name)}
            for tp in worker.app.consumer.assignment():
                numbers[tp.topic].add(tp.partition)
            assert numbers[COMMANDS.name] == numbers[PROGRESS.name]


def test_nothing_is_lost_and_what_is_done_stays_done_while_workers_come_and_go(log: EventLog, second: EventLog):
    """One worker holds a message of every partition and is done with all after it: those come again, the rest does not
    get lost. Faust alone commits past the first when a message is acknowledged during the rebalance."""
    done, held = Counter[str](), list[Delivery]()
    lock, let_go = threading.Lock(), threading.Event()

    def take(delivery: Delivery) -> None:
        with lock:
            if delivery.offset == 0 and not let_go.is_set():
                held.append(delivery)
                return
            done[delivery.message.job_id] += 1
        delivery.done()

    spread(log, range(600))
    with Group(taker(log, WORK_ITEMS, take)):
        eventually(lambda: done.total() >= 600 - 12)
        for _ in range(2):
            with Group(taker(second, WORK_ITEMS, take)):
                for delivery in list(held):
                    delivery.done()  # too late: they were given to somebody else
                eventually(lambda: len(held) >= 12)
            held.clear()
        let_go.set()
    seen = Taken()
    with Group(taker(log, WORK_ITEMS, seen.add)):
        spread(log, range(600, 624))
        eventually(lambda: {*done, *seen.jobs} >= {str(number) for number in range(624)})


def test_a_worker_that_is_stopped_tells_those_who_work_before_others_get_their_partitions(
    log: EventLog, second: EventLog
):
    told, ended, taken_elsewhere = list[set[int]](), threading.Event(), list[bool]()
    worker = taker(log, WORK_ITEMS, lambda _: None)

    def stop_working(revoked: set[tuple[str, int]]) -> None:
        told.append({partition for _, partition in revoked})
        time.sleep(1)  # an append that is past its gate
        ended.set()

    worker.on_revoked(stop_working)
    spread(log, range(60))
    with Group(worker), Group(taker(second, WORK_ITEMS, lambda _: taken_elsewhere.append(ended.is_set()))):
        eventually(lambda: len(taken_elsewhere) > 0)

    assert told[0] == set(range(12))
    assert all(taken_elsewhere)


def test_a_partition_is_held_from_its_assignment_to_its_revocation_and_heartbeats_go_on(log: EventLog):
    before = boot_seconds()
    worker = taker(log, WORK_ITEMS, lambda _: None)
    membership = worker.app.membership
    with Group(worker):
        held = membership.hold(WORK_ITEMS.name, 3)
        first = held.last_heartbeat()
        assert first is not None
        assert before <= first <= boot_seconds()
        eventually(lambda: (held.last_heartbeat() or 0) > first)
        assert held.taken_over <= time.monotonic()
        assert membership.hold(WORK_ITEMS.name, 99).last_heartbeat() is None
        membership.revoke()
        assert held.last_heartbeat() is None


def test_a_member_too_many_is_ready_and_has_nothing(log: EventLog):
    workers = [taker(log, WORK_ITEMS, lambda _: None) for _ in range(WORK_ITEMS.partitions + 1)]
    with Group(*workers):
        eventually(lambda: all(worker.ready for worker in workers))
        eventually(lambda: sorted(partitions(worker).total() for worker in workers) == [0] + [1] * 12)
        assert all(worker.ready for worker in workers)


def test_a_named_member_that_comes_back_in_time_disturbs_nobody(kafka: Kafka, url: str):
    logs = [open_log(url, WEEK, Member(session_timeout=20, instance=f"copier-{number}")) for number in range(2)]
    other, revoked = taker(logs[0], WORK_ITEMS, lambda _: None), list[object]()
    with Group(other):
        with Group(taker(logs[1], WORK_ITEMS, lambda _: None)):
            eventually(lambda: other.ready and partitions(other).total() == 6)
        other.on_revoked(revoked.append)
        again = taker(logs[1], WORK_ITEMS, lambda _: None)
        with Group(again):
            eventually(lambda: partitions(again).total() == 6)
            assert partitions(other).total() == 6
        assert revoked == []
    for log in logs:
        log.close()


# The broker.


def test_no_topic_appears_but_ours_and_kafkas_own(kafka: Kafka, log: EventLog):
    with Group(taker(log, COMMANDS, Delivery.done)):
        fill(log, range(10))
    admin = kafka.admin()
    assert set(admin.list_topics()) == {topic.name for topic in ALL} | {"__consumer_offsets"}
    admin.close()


def test_topics_that_are_right_are_left_and_others_are_named(kafka: Kafka, url: str):
    brokers = Brokers(servers=[kafka.server])
    assert make_topics(brokers, WEEK, replicas=1) == [(topic.name, []) for topic in ALL]
    assert make_topics(brokers, timedelta(days=8), replicas=1)[0] == (
        COMMANDS.name,
        ["retention.ms is 604800000, not 691200000"],
    )
    assert make_topics(brokers, WEEK, replicas=3)[0] == (
        COMMANDS.name,
        ["1 copies of a partition, not 3", "min.insync.replicas is 1, not 2"],
    )
    admin = kafka.admin()
    admin.delete_topics([COMMANDS.name])
    eventually(lambda: COMMANDS.name not in admin.list_topics())
    with pytest.raises(TopicsMissing, match=r"mailtide\.commands.*mailtide admin topics"):
        opened(url)
    with pytest.raises(LogRefused, match="fewer than 3 brokers"):
        make_topics(brokers, WEEK, replicas=3)
    admin.create_topics({COMMANDS.name: {"num_partitions": 3, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    wrong = dict(make_topics(brokers, WEEK, replicas=1))[COMMANDS.name]
    assert wrong[0] == "3 partitions, not 12"
    with pytest.raises(LogRefused, match=r"mailtide\.commands must have 12 partitions"):
        opened(url)


def test_what_is_older_than_the_retention_of_its_topic_is_deleted_and_nothing_else(kafka: Kafka, url: str):
    admin = kafka.admin()
    admin.delete_topics([COMMANDS.name])
    eventually(lambda: COMMANDS.name not in admin.list_topics())
    admin.close()
    made = dict(make_topics(Brokers(servers=[kafka.server]), timedelta(seconds=1), replicas=1))
    assert made[COMMANDS.name] == []
    log = opened(url)
    fill(log, range(10))
    spread(log, range(10))
    log.close()
    client: Any = KafkaConsumer(bootstrap_servers=[kafka.server])

    def came_and_kept(topic: Topic) -> tuple[int, int]:
        places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        came = sum(client.end_offsets(places).values())
        return came, came - sum(client.beginning_offsets(places).values())

    eventually(lambda: came_and_kept(COMMANDS) == (10, 0))
    assert came_and_kept(WORK_ITEMS) == (10, 10)
    client.close()


def test_a_log_without_a_broker_is_refused_in_seconds():
    begun = time.monotonic()
    with pytest.raises(LogUnavailable):
        open_log("kafka://127.0.0.1:1", WEEK)
    assert time.monotonic() - begun < 15


@pytest.mark.timeout(120)
def test_a_broker_that_is_away_is_said_in_5_seconds_and_everything_goes_on_when_it_is_back(kafka: Kafka, log: EventLog):
    taken, heard = Taken(), list[object]()
    worker = taker(log, COMMANDS, lambda delivery: (taken.add(delivery), delivery.done()))
    with Group(worker):
        log.follow(COMMANDS, heard.append)
        fill(log, range(10))
        taken.wait(10)
        kafka.stop()
        begun = time.monotonic()
        with pytest.raises(LogUnavailable):
            log.append(COMMANDS, "k", CancelJob(job_id=JobId("unconfirmed")))
        assert time.monotonic() - begun < 7
        eventually(lambda: not worker.ready, 30)  # nobody has heard of it for a session
        kafka.start()

        numbers = count(10)

        def appended() -> bool:
            try:
                log.append(COMMANDS, "k", StartJob(job_id=JobId(str(next(numbers)))))
            except LogUnavailable:
                return False
            return True

        eventually(appended, 30)
        last = str(next(numbers) - 1)
        eventually(lambda: last in taken.jobs, 30)
        eventually(lambda: any(message == StartJob(job_id=JobId(last)) for message in heard), 30)
        eventually(lambda: worker.ready, 30)
