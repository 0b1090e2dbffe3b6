"""Messages that are never held in memory as a whole: read from the source while they are appended."""

from collections.abc import Iterator

import pytest

from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused
from libs.mailbox.port import LARGE
from tests.mail.model import MailboxModel, mail
from tests.mail.trouble import Lost
from tests.unit.world import World

BODIES = [mail("first"), mail("large", size=LARGE), mail("middle"), mail("larger", size=LARGE + 3), mail("last")]


@pytest.fixture
def world() -> Iterator[World]:
    made = World(destination=MailboxModel())
    made.source.put("INBOX", *BODIES)
    yield made
    made.close()


def test_they_arrive_equal_and_in_their_place(world: World) -> None:
    world.run(verify="deep")

    assert world.destination.bodies("INBOX") == BODIES
    assert world.source.operations["piece"] >= 2 * LARGE // (1 << 20)


@pytest.mark.parametrize("piece", [1, 4, 9])
def test_a_source_that_breaks_in_the_middle_of_one_is_read_again_from_the_beginning(world: World, piece: int) -> None:
    world.source.at("piece", piece, Lost())

    world.run()

    assert world.destination.bodies("INBOX") == BODIES


def test_a_refused_one_leaves_the_others_whole(world: World) -> None:
    world.destination.refused[BODIES[1]] = AppendRefused(Reason.MESSAGE_REFUSED, "NO too large")

    job = world.run()

    assert world.destination.bodies("INBOX") == [body for body in BODIES if body != BODIES[1]]
    assert [one.uid for one in world.failures()] == [2]
    assert world.counts(job).failed == 1


def test_one_that_the_source_does_not_hand_out_fails_alone(world: World) -> None:
    world.source.unreadable.add(BODIES[1])

    job = world.run()

    assert world.destination.bodies("INBOX") == [body for body in BODIES if body != BODIES[1]]
    assert [(one.uid, one.reason) for one in world.failures()] == [(2, Reason.MESSAGE_UNREADABLE)]
    assert world.counts(job).settled == 5
