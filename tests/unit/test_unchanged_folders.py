"""A second job does not list what has not changed since the first; whatever has changed is listed."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from libs.contracts.ids import JobId
from libs.mailbox.port import Message
from tests.mail.model import MailboxModel, mail
from tests.mail.trouble import Do
from tests.unit.world import World

BODIES = [mail(number) for number in range(6)]


@pytest.fixture
def world() -> Iterator[World]:
    made = World(destination=MailboxModel())
    made.source.put("INBOX", *BODIES)
    made.destination.put("INBOX", BODIES[0], mail("theirs"))
    yield made
    made.close()


def first(world: World, **options: object) -> None:
    world.end(world.run(**options))


def again(world: World, name: str = "again", **options: object) -> tuple[JobId, Counter[str]]:
    """A further job, and what it asked of both servers."""
    before = world.source.operations + world.destination.operations
    job = world.request(name, **options)
    world.finish(job)
    world.end(job)
    return job, world.source.operations + world.destination.operations - before


def test_nothing_is_listed_where_nothing_has_changed_and_the_counts_are_the_same(world: World) -> None:
    first(world)

    job, asked = again(world)
    third, asked_third = again(world, "third")

    assert asked["listing"] == asked_third["listing"] == 0
    assert asked["fetch"] == asked["append"] == 0
    for one in (job, third):
        assert (world.counts(one).total, world.counts(one).skipped) == (6, 6)
    assert Counter(world.destination.bodies("INBOX")) == Counter([*BODIES, mail("theirs")])


CHANGES: dict[str, Callable[[World], object]] = {
    "new mail at the source": lambda world: world.source.put("INBOX", mail("new")),
    "new mail at the destination": lambda world: world.destination.put("INBOX", mail("other")),
    "mail deleted at the destination": lambda world: world.destination.expunge("INBOX", [2]),
    "mail deleted at the source": lambda world: world.source.expunge("INBOX", [3]),
    "one came and one went at the source": lambda world: (
        world.source.put("INBOX", mail("new")),
        world.source.expunge("INBOX", [1]),
    ),
    "the source made anew": lambda world: world.source.renumber("INBOX"),
    "the destination made anew": lambda world: world.destination.renumber("INBOX"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_listed_and_copied_as_ever(world: World, change: str) -> None:
    first(world)
    CHANGES[change](world)
    theirs = Counter(world.destination.bodies("INBOX"))

    again(world)

    source, there = Counter(world.source.bodies("INBOX")), Counter(world.destination.bodies("INBOX"))
    assert there == theirs | source


def test_what_the_user_deleted_at_the_destination_comes_back_with_a_new_job_only_as_it_ever_did(world: World) -> None:
    first(world)
    (uid,) = (uid for uid, one in world.destination.folders["INBOX"].messages.items() if one.body == BODIES[4])
    world.destination.expunge("INBOX", [uid])

    again(world)

    assert Counter(world.destination.bodies("INBOX")) == Counter([*BODIES, mail("theirs")])


@pytest.mark.parametrize("options", [{"max_item_bytes": 10}, {"verify": "deep"}, {"since": "2024-01-01"}])
def test_a_job_that_asks_for_something_else_lists(world: World, options: dict[str, object]) -> None:
    first(world)

    _, asked = again(world, **options)

    assert asked["listing"] >= 2


def test_mail_of_others_that_came_while_it_was_copied_is_no_part_of_what_is_remembered(world: World) -> None:
    world.destination.at("append", 1, _put(world, mail("other")))
    first(world)
    world.destination.expunge("INBOX", [2])

    _, asked = again(world)

    assert asked["listing"] >= 2


def test_a_folder_in_which_a_message_was_not_verified_is_listed(world: World) -> None:
    """It was acknowledged, and the audit found it changed."""

    def change_one(message: Message) -> Message:
        return replace(message, body=message.body + b"!") if message.body == BODIES[5] else message

    world.destination.rewrites = change_one
    first(world)

    _, asked = again(world)

    assert asked["listing"] >= 2


def test_a_plan_that_was_not_carried_out_is_not_remembered(world: World) -> None:
    world.source.unreadable.add(BODIES[3])
    first(world)
    world.source.unreadable.clear()

    again(world)

    assert Counter(world.destination.bodies("INBOX")) == Counter([*BODIES, mail("theirs")])


def _put(world: World, body: bytes) -> Do:
    return Do(lambda: world.destination.put("INBOX", body) and None)
