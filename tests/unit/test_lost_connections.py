"""Messages at which a server ends the connection: nothing else waits for them, and they are tried at the end again."""

import pytest

from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendUnconfirmed
from libs.mailbox.port import Message
from tests.mail.model import mail
from tests.unit.world import WORLD, World, bodies, equal, reconciled


def hanging_up(world: World, body: bytes, times: float) -> None:
    """The destination ends the connection so often when it is sent this message."""
    left = times

    def hang_up(message: Message) -> None:
        nonlocal left
        if message.body == body and left > 0:
            left -= 1
            for session in world.destination.sessions:
                session.reset()
            raise AppendUnconfirmed(Reason.CONNECTION_LOST)

    world.destination.refuses = hang_up


def test_rule_10_a_message_lost_five_times_is_tried_once_more_at_the_end_of_its_folder(make: WORLD) -> None:
    world = make(late=0.02, multiappend=False)
    world.source.put("INBOX", *bodies(5))
    hanging_up(world, mail("m1"), 5)

    world.run(seconds=60)

    assert world.failures() == []
    assert world.destination.bodies("INBOX") == [mail(f"m{number}") for number in (0, 2, 3, 4, 1)]
    equal(world)


def test_rule_10_a_message_lost_six_times_is_listed(make: WORLD) -> None:
    world = make(late=0.02, multiappend=False)
    world.source.put("INBOX", *bodies(3))
    hanging_up(world, mail("m1"), 6)

    world.run(seconds=60)

    assert [(row.uid, row.reason) for row in world.failures()] == [(2, Reason.MESSAGE_REFUSED)]
    assert world.destination.bodies("INBOX") == [mail("m0"), mail("m2")]
    reconciled(world)


@pytest.mark.parametrize(("held", "fatal"), [([], [2, 5]), (["m3", "another"], [2])])
def test_messages_at_which_the_source_ends_the_connection_fail_alone(
    make: WORLD, held: list[str], fatal: list[int]
) -> None:
    """With mail at the destination their headers are asked for too, when the folder is planned."""
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.destination.put("INBOX", *map(mail, held))
    for uid in fatal:
        world.source.hang_up_at(mail(f"m{uid - 1}"))

    job = world.run(seconds=60)

    assert sorted((row.uid, row.reason) for row in world.failures()) == [
        (uid, Reason.MESSAGE_UNREADABLE) for uid in fatal
    ]
    readable = [f"m{number}" for number in range(6) if number + 1 not in fatal]
    assert sorted(world.destination.bodies("INBOX")) == sorted(map(mail, {*readable, *held}))
    assert world.counts(job).skipped == ("m3" in held)
    reconciled(world)


def test_a_message_at_the_destination_that_ends_the_connection_does_not_keep_mail_from_it(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.destination.put("INBOX", mail("m0"), mail("broken"), mail("m1"))
    world.destination.hang_up_at(mail("broken"))

    world.run(seconds=60)

    assert world.destination.bodies("INBOX") == [mail("m0"), mail("broken"), mail("m1"), mail("m2")]
    assert world.failures() == []
