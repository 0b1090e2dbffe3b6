"""Servers that are busy, that break at first contact, that refuse a message or a folder; and a pause meanwhile."""

import time

import pytest

from libs.contracts.events import WorkItemParked
from libs.contracts.reasons import Reason
from tests.mail.model import MailboxModel, mail
from tests.mail.trouble import Busy, Do, Lost, Operation
from tests.unit.world import WORLD, bodies, equal, reconciled

# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def test_a_message_the_source_does_not_hand_out_fails_alone(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.source.unreadable.add(mail("m2"))

    world.run()

    assert world.destination.bodies("INBOX") == [one for one in bodies(6) if one != mail("m2")]
    assert [row.reason for row in world.failures()] == [Reason.MESSAGE_UNREADABLE]
    reconciled(world)


def test_busy_servers_are_waited_for_and_the_people_are_told(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.destination.at("append", 1, Busy(0.05))
    world.source.at("fetch", 1, Busy(0.05))

    world.run()

    equal(world)


@pytest.mark.parametrize(("side", "operation"), [("source", "fetch"), ("destination", "append")])
def test_pauses_that_servers_ask_for_use_up_no_attempts(make: WORLD, side: str, operation: Operation) -> None:
    """Three refusals in a row end a folder, five losses a message: these are neither."""
    world = make()
    world.source.put("INBOX", *bodies(6))
    account: MailboxModel = getattr(world, side)
    for number in range(1, 12):
        account.at(operation, number, Busy())

    job = world.run()

    assert account.operations[operation] == 12
    assert (world.failures(), world.counts(job).completed) == ([], 6)
    equal(world)


def test_a_connection_that_breaks_at_first_contact_is_made_again_for_a_moment(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.source.at("folders", 1, Lost())

    job = world.run()

    assert world.scan_failures(job) == []
    equal(world)


def test_a_server_that_breaks_every_connection_at_first_contact_ends_the_job_soon(make: WORLD) -> None:
    world = make()
    for number in range(1, 9):
        world.source.at("folders", number, Lost())
    begun = time.monotonic()

    job = world.run()

    assert [(one.side, one.reason) for one in world.scan_failures(job)] == [("source", Reason.CONNECTION_LOST)]
    assert 2 < time.monotonic() - begun < 10
    assert 2 <= world.source.operations["folders"] <= 4


def test_a_pause_is_heard_though_clickhouse_does_not_answer_at_first_and_the_job_goes_on_from_there(
    make: WORLD,
) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    job = world.request()

    def pause() -> None:
        world.store.unreadable = 1
        world.desire(job, "pause")
        item = world.process.copier._running(job)[0]
        world.wait_for(lambda: item.hold._why == "pause")

    world.destination.at("append", 3, Do(pause))
    world.start()
    world.wait_for(lambda: any(isinstance(one, WorkItemParked) for one in world.progress(job)))

    assert world.destination.bodies("INBOX") == bodies(2)
    assert world.counts(job).completed == 2

    world.desire(job, "run")
    world.finish(job)
    equal(world)
    reconciled(world)


def test_a_folder_that_can_not_be_made_fails_message_by_message(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(3))
    world.destination.uncreatable.add("Sent")

    job = world.run()

    assert [row.reason for row in world.failures()] == [Reason.FOLDER_REFUSED] * 3
    assert world.counts(job).failed == 3


def test_a_folder_that_can_not_be_made_is_not_planned_again_after_a_crash(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(3))
    world.destination.uncreatable.add("Sent")
    world.destination.at("create", 2, Do(world.kill))

    job = world.run()

    assert [row.reason for row in world.failures()] == [Reason.FOLDER_REFUSED] * 3
    assert {plan.number for plan in world.store.plans(job)} == {1}
