"""Planning while servers end connections: what can't be read, and what only seemed so (COPYING rule 4)."""

import threading

import pytest

from libs.contracts.accounts import Side
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason
from libs.mailbox.errors import ConnectionLost, MailboxBusy
from libs.mailbox.pool import SessionPool
from libs.mailbox.sides import SideFailed
from libs.runtime.control import Control
from services.scanner.accounts import Accounts, Both
from services.scanner.suspects import LOSSES, Suspects
from tests.mail.model import MailboxModel, mail
from tests.unit.world import WORLD, bodies, equal, reconciled


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("times", [1, 2, LOSSES, LOSSES + 1])
def test_rule_4_connections_that_break_at_one_place_of_a_listing_double_nothing(
    make: WORLD, side: str, times: int
) -> None:
    """However often it was by chance: both sides hold the message after which the listing ended."""
    world = make()
    world.source.put("INBOX", *bodies(5))
    world.destination.put("INBOX", *bodies(4))
    getattr(world, side).fatal_headers[mail("m2")] = times

    job = world.run(seconds=60)

    assert world.destination.bodies("INBOX") == bodies(5)
    assert world.failures() == []
    assert (world.counts(job).skipped, world.counts(job).completed) == (4, 1)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_rule_4_messages_whose_headers_are_never_read_are_compared_by_their_bytes(make: WORLD, side: str) -> None:
    world = make()
    twin = mail("twin")
    world.source.put("INBOX", *bodies(3), twin, twin, twin, mail("none"))
    world.destination.put("INBOX", mail("m1"), twin, mail("m0"), twin)
    for body in (mail("m1"), twin, mail("none")):
        getattr(world, side).fatal_headers[body] = float("inf")

    job = world.run(seconds=60)

    equal(world)
    assert world.failures() == []
    assert (world.counts(job).skipped, world.counts(job).completed) == (4, 3)


def test_rule_4_what_may_be_a_message_of_the_destination_that_ends_the_connection_is_listed_and_not_sent(
    make: WORLD,
) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4), mail("of another size"))
    world.destination.put("INBOX", mail("m2"), mail("m1"))
    world.destination.hang_up_at(mail("m1"))

    job = world.run(seconds=60)

    # All of its size and date: one of them may be it, nobody knows which. No server has said anything.
    assert [(row.uid, row.reason, row.server_text) for row in world.failures()] == [(1, Reason.UNCONFIRMED, "")]
    assert sorted(world.destination.bodies("INBOX")) == sorted([*bodies(4)[1:], mail("m1"), mail("of another size")])
    assert world.counts(job).failed == 1
    reconciled(world)


def test_rule_4_what_can_not_be_read_at_the_source_is_listed_where_the_destination_may_hold_it(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.destination.put("INBOX", mail("m0"), mail("m1"))
    world.source.hang_up_at(mail("m1"))

    world.run(seconds=60)

    assert [(row.uid, row.reason) for row in world.failures()] == [(2, Reason.UNCONFIRMED)]
    assert world.destination.bodies("INBOX") == [mail("m0"), mail("m1"), mail("m2")]
    reconciled(world)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_rule_4_bytes_that_were_read_before_a_connection_broke_are_not_read_again(make: WORLD, side: str) -> None:
    world = make()
    world.source.put("INBOX", *bodies(9))
    world.destination.put("INBOX", *bodies(9))
    model: MailboxModel = getattr(world, side)
    for number in (2, 4, 7):
        model.fatal_texts[mail(f"m{number}")] = 1

    job = world.run(seconds=60, verify="deep")

    assert (world.counts(job).skipped, world.counts(job).total) == (9, 9)
    assert world.failures() == []
    assert model.fetched == set(range(1, 10))
    assert model.handed_out == 9


@pytest.mark.parametrize("side", ["source", "destination"])
def test_rule_4_of_equal_classes_and_in_a_deep_job_a_message_that_ends_the_connection_holds_up_nothing(
    make: WORLD, side: str
) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.destination.put("INBOX", *bodies(5))
    getattr(world, side).fatal_texts[mail("m3")] = float("inf")

    world.run(seconds=60, verify="deep")

    assert world.destination.bodies("INBOX") == bodies(6)
    assert [(row.uid, row.reason) for row in world.failures()] == [(4, Reason.UNCONFIRMED)]
    reconciled(world)


def test_an_attempt_that_learned_something_is_not_counted_against_patience(make: WORLD) -> None:
    """So more messages may end the connection than patience would last for."""
    world = make()
    job, learned = world.request(), 0

    def told(job_id: JobId, side: Side, error: MailboxBusy) -> None: ...

    accounts = Accounts(
        pool=SessionPool(world.connect),
        vault=world.vault,
        control=Control(world.log, world.store),
        stopping=threading.Event(),
        lost=lambda: False,
        on_throttled=told,
        patience_seconds=0.5,
    )

    def learn(_both: Both) -> str:
        nonlocal learned
        learned += 1
        if learned == 12:
            return "done"
        raise SideFailed("source", ConnectionLost(Reason.CONNECTION_LOST))

    assert accounts.run(job, 1, learn, progress=lambda: learned) == "done"
    learned = 0
    with pytest.raises(SideFailed):
        accounts.run(job, 1, learn)
    assert learned == 1


def test_only_what_ends_the_connection_alone_and_again_and_again_is_found() -> None:
    suspects, asked = Suspects(), list[int]()

    def end(uid: int) -> None:
        asked.append(uid)
        raise ConnectionLost(Reason.CONNECTION_LOST)

    suspects.suspect(7)
    suspects.suspect(9)
    for _ in range(LOSSES):
        with pytest.raises(ConnectionLost):
            suspects.ask_alone(end)
    assert (suspects.found, asked) == ({7}, [7] * LOSSES)

    suspects.ask_alone(asked.append)
    assert (suspects.found, asked[-1]) == ({7}, 9)

    suspects.suspect(9)
    with pytest.raises(ConnectionLost):
        suspects.ask_alone(end)
    assert suspects.found == {7, 9}  # where there is one, another is believed sooner
