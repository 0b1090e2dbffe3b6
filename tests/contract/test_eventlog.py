"""What every event log promises; tests/integration/test_eventlog_kafka.py runs the same on a broker."""

import asyncio
import itertools
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from prometheus_client import REGISTRY

from libs.contracts.codec import Message
from libs.contracts.commands import CancelJob, StartJob
from libs.contracts.ids import JobId
from libs.contracts.topics import COMMANDS, FOLDER_SCANS, PROGRESS
from libs.eventlog.consume import Delivery, consume_each
from libs.eventlog.port import EventLog
from tests.contract.eventlog_groups import PATIENCE, Group, Taken, batcher, opened, taker

ROOT = Path(__file__).parents[2]
KEY = "one key"  # all in one partition, so in one order


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A log of its own for each test."""
    return f"sqlite:///{tmp_path}/log.db"


@pytest.fixture
def log(url: str) -> Iterator[EventLog]:
    opened_log = opened(url)
    yield opened_log
    opened_log.close()


def start_job(number: int) -> StartJob:
    return StartJob(job_id=JobId(str(number)))


def fill(log: EventLog, numbers: Sequence[int], key: str = KEY) -> None:
    log.append_all(COMMANDS, [(key, start_job(number)) for number in numbers])


def remaining(log: EventLog, count: int) -> list[int]:
    """What is delivered to the next worker of the group, which acknowledges nothing."""
    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)):
        taken.wait(count)
        marker = 1_000_000 + random.randrange(1_000_000)
        fill(log, [marker])
        while taken.jobs[-1] != str(marker):
            taken.wait(len(taken.deliveries) + 1)
    return [int(job) for job in taken.jobs if int(job) < 1_000_000]


def test_messages_of_a_key_are_taken_in_the_order_they_were_appended(log: EventLog):
    def append(key: str) -> None:
        for number in range(60):
            log.append(COMMANDS, key, start_job(number))

    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)), ThreadPoolExecutor(8) as threads:
        list(threads.map(append, [f"key{n}" for n in range(8)]))
        taken.wait(8 * 60)

    of_keys: dict[str, list[str]] = defaultdict(list)
    for delivery in taken.deliveries:
        of_keys[delivery.key].append(delivery.message.job_id)
    assert of_keys == {f"key{n}": [str(number) for number in range(60)] for n in range(8)}


def test_a_delivery_says_what_was_appended_where_and_when(log: EventLog):
    before = datetime.now(UTC)
    log.append(COMMANDS, "k", CancelJob(job_id=JobId("j1")))
    log.append(COMMANDS, "k", CancelJob(job_id=JobId("j2")))

    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)):
        first, second = taken.wait(2)

    assert (first.message, first.key, first.offset) == (CancelJob(job_id=JobId("j1")), "k", 0)
    assert (second.partition, second.offset) == (first.partition, 1)
    assert before - timedelta(milliseconds=1) <= first.at <= second.at <= datetime.now(UTC)


def test_an_append_wakes_its_consumers_at_once(log: EventLog):
    taken, waits = Taken(), list[float]()
    with Group(taker(log, COMMANDS, taken.add)):
        for number in range(30):
            started = time.perf_counter()
            log.append(COMMANDS, str(number), start_job(number))
            taken.wait(number + 1)
            waits.append(time.perf_counter() - started)

    assert median(waits) < 0.1


def test_what_is_done_is_not_delivered_again_and_what_is_not_done_is(log: EventLog):
    fill(log, range(10))
    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)):
        for delivery in taken.wait(10)[:4]:
            delivery.done()

    assert remaining(log, 6) == [4, 5, 6, 7, 8, 9]


def test_nothing_is_committed_past_an_unfinished_message_whatever_the_order(log: EventLog):
    fill(log, range(400))
    shuffled = random.Random(7)
    unfinished = 0
    for _ in range(8):
        taken = Taken()
        with Group(taker(log, COMMANDS, taken.add)):
            open_ones = list(taken.wait(400 - unfinished))
            assert open_ones[0].message.job_id == str(unfinished)
            held_back = shuffled.randrange(min(40, len(open_ones)))
            done = open_ones[:held_back] + open_ones[held_back + 1 :]
            shuffled.shuffle(done)
            with ThreadPoolExecutor(4) as threads:
                list(threads.map(Delivery.done, done))
        unfinished += held_back

    assert remaining(log, 400 - unfinished)[0] == unfinished


def test_thousands_of_messages_may_be_open_at_once(log: EventLog):
    log.append_all(COMMANDS, [(str(number), start_job(number)) for number in range(3000)])
    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)):
        taken.wait(3000)
        log.append(COMMANDS, "late", start_job(-1))
        assert taken.wait(3001)[-1].key == "late"


def test_each_group_gets_every_message(log: EventLog):
    scanner, copier = Taken(), Taken()
    with Group(
        taker(log, COMMANDS, scanner.add, service="scanner"), taker(log, COMMANDS, copier.add, service="copier")
    ):
        fill(log, range(20))
        scanner.wait(20)
        copier.wait(20)

    assert scanner.jobs == copier.jobs == [str(number) for number in range(20)]


def test_one_worker_consumes_several_topics(log: EventLog):
    commands, scans = Taken(), Taken()
    worker = taker(log, COMMANDS, commands.add)
    consume_each(worker.app, FOLDER_SCANS, scans.add)
    with Group(worker):
        log.append(FOLDER_SCANS, "a", start_job(1))
        log.append(COMMANDS, "a", start_job(2))
        commands.wait(1)
        scans.wait(1)

    assert (scans.jobs, commands.jobs) == (["1"], ["2"])


def test_a_batch_is_all_that_arrived_while_the_one_before_was_applied(log: EventLog):
    taken, applying, go_on = Taken(), threading.Event(), threading.Event()

    def apply(deliveries: Sequence[Delivery]) -> None:
        applying.set()
        assert go_on.wait(PATIENCE)
        taken.add(*deliveries)

    with Group(batcher(log, COMMANDS, apply)):
        fill(log, [0])
        assert applying.wait(PATIENCE)
        arrived = Taken()
        with Group(taker(log, COMMANDS, arrived.add, service="watcher")):
            fill(log, range(1, 501))
            arrived.wait(501)
        go_on.set()
        taken.wait(501)

    assert taken.batches[0] == 1
    assert max(taken.batches) > 100
    assert taken.jobs == [str(number) for number in range(501)]


def test_a_group_tells_how_far_it_is_behind(log: EventLog):
    taken, go_on = Taken(), threading.Event()
    labels = {"service": "aggregator", "topic": PROGRESS.name}

    def told(metric: str) -> float:
        return REGISTRY.get_sample_value(metric, labels) or 0.0

    def apply(deliveries: Sequence[Delivery]) -> None:
        taken.add(*deliveries)
        assert go_on.wait(PATIENCE)

    before = told("mailtide_events_total")
    with Group(batcher(log, PROGRESS, apply)):
        log.append(PROGRESS, KEY, start_job(0))
        taken.wait(1)
        log.append_all(PROGRESS, [(KEY, start_job(number)) for number in range(1, 11)])
        until(lambda: told("mailtide_consumer_lag_events") == 10)
        assert told("mailtide_events_open") == 1
        go_on.set()
        taken.wait(11)
        until(lambda: told("mailtide_consumer_lag_events") == told("mailtide_events_open") == 0)

    assert told("mailtide_events_total") - before == 11
    assert told("mailtide_event_age_seconds_count") >= 11


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_batch_is_larger_than_2000(log: EventLog):
    taken = Taken()

    def apply(deliveries: Sequence[Delivery]) -> None:
        time.sleep(0.3)  # a slow database
        taken.add(*deliveries)

    fill(log, range(3500))
    with Group(batcher(log, COMMANDS, apply)):
        taken.wait(3500)

    assert max(taken.batches) <= 2000
    assert taken.jobs == [str(number) for number in range(3500)]


def test_a_batch_whose_apply_raised_ends_the_worker_and_is_delivered_again(log: EventLog):
    fill(log, range(3))
    first = Taken()

    def apply(deliveries: Sequence[Delivery]) -> None:
        if any(delivery.message.job_id == "9" for delivery in deliveries):
            raise RuntimeError("the read model is gone")
        first.add(*deliveries)

    worker = batcher(log, COMMANDS, apply)
    with Group(worker) as group:
        first.wait(3)
        fill(log, [9, 10])
        group.run(worker.wait_until_dead())
        assert not worker.ready

    again = Taken()
    with Group(batcher(log, COMMANDS, lambda deliveries: again.add(*deliveries))):
        again.wait(2)
    assert again.jobs == ["9", "10"]


def test_an_agent_that_raises_ends_the_worker_and_commits_nothing_unfinished(log: EventLog):
    def take(delivery: Delivery) -> None:
        if delivery.message.job_id == "2":
            raise RuntimeError("no")
        if delivery.message.job_id == "0":
            delivery.done()

    worker = taker(log, COMMANDS, take)
    with Group(worker) as group:
        fill(log, range(5))
        group.run(worker.wait_until_dead())

    assert remaining(log, 4) == [1, 2, 3, 4]


def test_a_worker_is_ready_from_its_start_to_its_stop(log: EventLog):
    worker = taker(log, COMMANDS, lambda _: None)
    assert not worker.ready
    with Group(worker) as group:
        assert worker.ready
        group.run(worker.stop())
        assert not worker.ready
        group.run(worker.wait_until_dead())


def test_a_worker_whose_group_changes_again_while_it_starts_waits_for_its_part(log: EventLog):
    worker = taker(log, COMMANDS, lambda _: None)

    async def change(*_: Any, **__: Any) -> None:
        """What a consumer says when another one joins just then, and when the group has settled."""
        worker.app.give_back()
        asyncio.get_running_loop().call_later(1, worker.app.take_over)

    worker.app.on_partitions_assigned.connect(change)
    with Group(worker):
        assert worker.ready


def test_a_stop_lets_the_batch_under_way_end_and_commits_it(log: EventLog):
    fill(log, range(3))
    applying, taken = threading.Event(), Taken()

    def apply(deliveries: Sequence[Delivery]) -> None:
        applying.set()
        time.sleep(0.3)  # a slow database
        taken.add(*deliveries)

    with Group(batcher(log, COMMANDS, apply)):
        assert applying.wait(PATIENCE)
    done = len(taken.deliveries)
    assert done > 0

    again = Taken()
    with Group(batcher(log, COMMANDS, lambda deliveries: again.add(*deliveries))):
        fill(log, [3])
        again.wait(4 - done)
    assert again.jobs == [str(number) for number in range(done, 4)]


def test_a_stop_takes_no_longer_than_5_seconds_whatever_the_batch_under_way_does(log: EventLog):
    fill(log, [1])
    applying, go_on = threading.Event(), threading.Event()

    def apply(_: Sequence[Delivery]) -> None:
        applying.set()
        go_on.wait(PATIENCE)

    with Group(batcher(log, COMMANDS, apply)):
        assert applying.wait(PATIENCE)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 5.5
    go_on.set()


def test_workers_of_one_loop_start_and_stop_together_quickly(log: EventLog):
    started = time.monotonic()
    with Group(*(taker(log, COMMANDS, lambda _: None, service=name) for name in ("a", "b", "c"))):
        pass
    assert time.monotonic() - started < 5


def test_a_worker_may_be_made_before_its_loop_runs(log: EventLog):
    taken = Taken()
    worker = taker(log, COMMANDS, taken.add)
    fill(log, [1])

    async def main() -> None:
        await worker.start()
        await asyncio.to_thread(taken.wait, 1)
        await worker.stop()

    asyncio.run(main())


def test_a_follower_hears_what_is_appended_from_now_on_in_order(log: EventLog):
    heard, everything = list[Message](), threading.Event()

    def on_message(message: Message) -> None:
        heard.append(message)
        if message == start_job(19):
            everything.set()

    fill(log, range(10))
    log.follow(COMMANDS, on_message)
    log.append(PROGRESS, KEY, start_job(99))
    for number in range(10, 20):
        fill(log, [number])
    assert everything.wait(PATIENCE)

    assert heard == [start_job(number) for number in range(10, 20)]


def test_a_follower_that_raises_keeps_nobody_from_hearing(log: EventLog):
    heard, everything = list[Message](), threading.Event()

    def fail(_: Message) -> None:
        raise RuntimeError("no")

    def on_message(message: Message) -> None:
        heard.append(message)
        if len(heard) == 2:
            everything.set()

    log.follow(COMMANDS, fail)
    log.follow(COMMANDS, on_message)
    fill(log, [1, 2])
    assert everything.wait(PATIENCE)


def killed_after(lines: int, what: str, url: str) -> list[int]:
    """Run a child process until it printed so many numbers, kill -9 it, and answer all that it printed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.eventlog_child", what, url],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    printed = [int(line) for line in itertools.islice(child.stdout, lines)]
    child.kill()
    printed += [int(line) for line in child.stdout if line.endswith("\n")]
    child.wait()
    assert len(printed) >= lines
    return printed


def test_what_an_append_confirmed_survives_a_kill(url: str):
    confirmed = killed_after(200, "append", url)

    log = opened(url)
    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)):
        taken.wait(len(confirmed))
    log.close()
    assert set(confirmed) <= {int(job) for job in taken.jobs}


def test_a_kill_loses_no_message(url: str):
    log = opened(url)
    log.append_all(COMMANDS, [(f"key{number % 7}", start_job(number)) for number in range(700)])
    log.close()
    done = killed_after(200, "consume", url)

    log = opened(url)
    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)):
        while {*done, *map(int, taken.jobs)} != set(range(700)):
            taken.wait(len(taken.deliveries) + 1)
    log.close()


def test_messages_appended_together_come_in_their_order(log: EventLog):
    fill(log, range(1500))
    assert remaining(log, 1500) == list(range(1500))


@pytest.mark.parametrize("count", [1, 5])
def test_a_message_may_be_done_any_number_of_times(log: EventLog, count: int):
    fill(log, range(3))
    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)):
        for delivery in taken.wait(3)[:2]:
            for _ in range(count):
                delivery.done()

    assert remaining(log, 1) == [2]


def test_done_is_harmless_after_the_worker_stopped(log: EventLog):
    fill(log, [1])
    taken = Taken()
    with Group(taker(log, COMMANDS, taken.add)):
        delivery = taken.wait(1)[0]
    delivery.done()

    assert remaining(log, 1) == [1]
