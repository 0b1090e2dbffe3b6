"""A partition that is revoked: its copier stops at a message boundary, acknowledges nothing, and others go on."""

import threading
import time

from libs.contracts import topics
from libs.readmodel.rows import AckRow, ClaimRow
from services.copier.copier import GIVE_BACK_SECONDS
from tests.mail.trouble import Do
from tests.unit.world import WORLD, World, bodies, equal, reconciled


class Revocable:
    """The lease of a member of a group."""

    def __init__(self) -> None:
        self.lost = False
        self.taken_over = time.monotonic()

    def holds(self) -> bool:
        return not self.lost


def revoked(world: World, lease: Revocable) -> threading.Thread:
    """As the log does it: the lease is lost first, then the copier is asked, in a thread."""
    lease.lost = True
    asking = threading.Thread(target=world.process.copier.give_back, daemon=True)
    asking.start()
    return asking


def revoked_at(world: World, operation: str, number: int) -> tuple[Revocable, list[threading.Thread]]:
    lease, asked = Revocable(), list[threading.Thread]()
    world.lease = lambda _partition: lease
    world.destination.at(operation, number, Do(lambda: asked.append(revoked(world, lease))))  # type: ignore[arg-type]
    return lease, asked


def go_on(world: World, job: str) -> None:
    """The next owner: the first one's process lives, and has nothing more to do with it."""
    world.lease = None
    world.start()
    world.finish(job)  # type: ignore[arg-type]


def test_rule_14_an_append_before_its_gate_is_reset_and_the_next_owner_goes_on(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    _, asked = revoked_at(world, "append", 3)
    job = world.request()
    world.start()
    world.wait_for(lambda: bool(asked) and not asked[0].is_alive())

    assert world.destination.bodies("INBOX") == bodies(2)
    assert sum(row.items for row in world.store.rows(AckRow)) == 2
    assert not any(row.open for row in world.store.rows(ClaimRow)), "nobody has to wait for what was never sent"
    assert world.done[topics.WORK_ITEMS.name] == set()

    go_on(world, job)
    equal(world)
    reconciled(world)


def test_rule_14_an_append_past_its_gate_is_awaited_and_its_ack_is_stored(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    answered = threading.Event()
    _, asked = revoked_at(world, "committing", 3)
    world.destination.at("committed", 3, Do(lambda: answered.wait(10) and None))
    job = world.request()
    world.start()
    world.wait_for(lambda: bool(asked))
    assert asked[0].is_alive(), "others would get the account while an append may still land"

    answered.set()
    asked[0].join(10)

    assert sum(row.items for row in world.store.rows(AckRow)) == 3
    assert world.done[topics.WORK_ITEMS.name] == set()
    go_on(world, job)
    assert world.destination.append_sizes == [1] * 5
    equal(world)


def test_rule_14_an_append_that_is_not_answered_within_45_seconds_is_reset_and_looked_for_by_the_next_owner(
    make: WORLD,
) -> None:
    world, lease = make(multiappend=False), Revocable()
    world.lease = lambda _partition: lease
    world.source.put("INBOX", *bodies(5))
    past_its_gate = threading.Event()

    def silent() -> None:
        living = [session for session in world.destination.sessions if not session.over]
        past_its_gate.set()
        world.wait_for(lambda: any(session.over for session in living))

    world.destination.at("committed", 3, Do(silent))
    job = world.request()
    world.start()
    assert past_its_gate.wait(10)
    lease.lost, begun = True, time.monotonic()

    world.process.copier.give_back(0.3)

    assert 0.3 <= time.monotonic() - begun < 5
    assert GIVE_BACK_SECONDS == 45, "this is how long it is without being told otherwise"
    world.wait_for(lambda: not world.process.copier._jobs)
    assert sum(row.items for row in world.store.rows(AckRow)) == 2
    assert any(row.open for row in world.store.rows(ClaimRow)), "the next owner has to look what became of it"
    go_on(world, job)
    assert world.destination.append_sizes == [1] * 5
    equal(world)


def test_rule_14_what_waits_for_its_turn_is_not_begun_and_not_acknowledged(make: WORLD) -> None:
    world = make(multiappend=False)
    for name in ("INBOX", *(f"folder{number}" for number in range(6))):
        world.source.put(name, *bodies(3, name))
    _, asked = revoked_at(world, "append", 1)
    job = world.request()
    world.start()
    world.wait_for(lambda: bool(asked) and not asked[0].is_alive())
    world.wait_for(lambda: not world.process.copier._jobs)

    assert world.destination.contents().total() == 0
    assert world.done[topics.WORK_ITEMS.name] == set()
    go_on(world, job)
    equal(world)
    reconciled(world)
