"""Rules 6 to 8 of COPYING: one writer, the commit gate, claims and acks."""

import threading
import time

import pytest

from libs.contracts import topics, uidset
from libs.contracts.commands import CopyFolder
from libs.contracts.events import WorkItemFinished
from libs.readmodel.rows import AckRow, ClaimRow
from tests.mail.trouble import Do, LostAfterCrlf
from tests.unit.world import LATE_SECONDS, WORLD, bodies, equal, reconciled

# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class LeaseOfTests:
    """A lease that ends when a test wants it."""

    lost = False

    def __init__(self) -> None:
        self.held = True
        self.taken_over = time.monotonic()

    def holds(self) -> bool:
        return self.held


def test_rule_6_a_repeated_item_waits_for_its_old_thread(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))

    def repeat() -> None:
        item = next(one for one in world.log.read(topics.WORK_ITEMS) if isinstance(one, CopyFolder))
        world.log.append(topics.WORK_ITEMS, item.account_digest, item)

    world.destination.at("append", 2, Do(repeat))

    world.run()
    world.wait_for(lambda: len(world.done[topics.WORK_ITEMS.name]) == 2)

    assert len(world.destination.append_sizes) == 6
    equal(world)


def test_rule_6_the_next_job_of_an_account_waits_for_an_append_of_a_deleted_one(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    past_the_gate, answer = threading.Event(), threading.Event()

    def hang() -> None:
        past_the_gate.set()
        answer.wait(10)

    world.destination.at("committing", 1, Do(hang))
    first = world.request("first")
    world.start()
    past_the_gate.wait(10)

    world.delete(first)
    second = world.request("second")
    planned = lambda: bool(world.store.plans(second))  # noqa: E731
    world.wait_for(planned)
    time.sleep(0.1)  # time to do wrong in
    assert world.destination.append_sizes == []
    answer.set()
    world.finish(second)

    assert world.destination.append_sizes == [3]
    equal(world)


def test_rule_7_a_job_cancelled_between_the_last_byte_and_the_crlf_commits_nothing_more(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    job = world.request()
    noticed = threading.Event()

    def cancel() -> None:
        world.desire(job, "cancel")
        item = world.process.copier._running(job)[0]
        world.wait_for(lambda: item.hold._why == "cancel")
        noticed.set()

    world.destination.at("append", 3, Do(cancel))
    world.finish(job)

    assert noticed.is_set()
    assert world.destination.bodies("INBOX") == bodies(2)
    (finished,) = [one for one in world.progress(job) if isinstance(one, WorkItemFinished)]
    assert (finished.completed, finished.stopped) == (2, True)
    assert not any(row.open for row in world.store.rows(ClaimRow))


def test_rule_7_a_lease_that_ended_between_the_last_byte_and_the_crlf_commits_nothing(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    lease = LeaseOfTests()
    world.lease = lambda _partition: lease
    world.destination.at("append", 3, Do(lambda: setattr(lease, "held", False)))
    job = world.request()
    frozen = world.start()
    world.wait_for(lambda: not lease.held and not frozen.copier._running(job))

    assert world.destination.bodies("INBOX") == bodies(2)
    assert not world.is_finished(job)
    assert world.done[topics.WORK_ITEMS.name] == set()

    world.lease = None
    world.start()
    world.finish(job)
    equal(world)
    reconciled(world)


def test_rule_7_a_process_killed_before_its_crlf_commits_nothing(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(5))
    world.destination.at("append", 1, Do(world.kill))

    world.run()

    assert world.destination.append_sizes == [5]
    equal(world)


def test_rule_8_of_a_claim_found_the_doubt_begins_when_the_partition_was_taken_over(make: WORLD) -> None:
    """Not when the process was started: it may have run for hours."""
    world = make()
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(LATE_SECONDS * 2))
    job = world.request()
    world.start()
    world.wait_for(lambda: bool(world.destination.append_sizes))
    world.kill()
    lease = LeaseOfTests()
    lease.taken_over += LATE_SECONDS * 1.5
    world.lease = lambda _partition: lease

    world.finish(job)

    assert world.destination.append_sizes == [4]
    equal(world)


def test_rule_8_a_claim_is_open_before_the_first_append_and_closed_by_a_clean_end(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    claimed: list[bool] = []
    world.destination.at("append", 1, Do(lambda: claimed.extend(row.open for row in world.store.rows(ClaimRow))))

    world.run()

    assert claimed == [True]
    assert [row.open for row in world.store.rows(ClaimRow)] == [False]


def test_rule_8_acks_are_stored_before_the_end_is_reported(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    stored: list[int] = []

    def look() -> None:
        if any(isinstance(one, WorkItemFinished) for one in world.log.read(topics.PROGRESS)):
            stored.append(sum(row.items for row in world.store.rows(AckRow)))

    for number in range(1, 12):
        world.at("appended to the log", number, look)
    world.run()
    world.wait_for(lambda: bool(stored))

    assert stored[0] == 3


def test_rule_8_acks_are_stored_within_a_second(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(3))
    let_go = threading.Event()
    world.destination.at("append", 3, Do(lambda: let_go.wait(10) and None))
    job = world.request()
    world.start()

    world.wait_for(lambda: sum(row.items for row in world.store.rows(AckRow)) == 2, seconds=2)
    let_go.set()
    world.finish(job)

    assert [uidset.count(row.source_uids) for row in world.store.rows(AckRow)] == [1, 1, 1]
