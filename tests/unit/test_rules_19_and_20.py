"""Rules 19 and 20 of COPYING: the audit, and the totals."""

from collections import Counter
from dataclasses import replace

import pytest

from libs.contracts.events import ProgressBatch
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused
from libs.mailbox.port import Message
from libs.readmodel.rows import AckRow
from tests.mail.model import mail
from tests.mail.trouble import Do, LostAfterCrlf, Operation
from tests.unit.world import WORLD, Counts, World, bodies, equal, reconciled

# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
EIGHT_BIT = mail("eight").replace(b"Subject: eight", b"Subject: \xe4ight")


def munged(message: Message) -> Message:
    """As Cyrus does it, and without a change of size."""
    head, blank, text = message.body.partition(b"\r\n\r\n")
    return replace(message, body=head.replace(b"\xe4", b"X") + blank + text.replace(b"\0", b"\x80"))


def test_rule_19_what_was_removed_at_the_destination_is_said_and_never_copied_again(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    world.destination.at("append", 5, Do(lambda: world.destination.expunge("INBOX", [2])))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter(one for one in bodies(5) if one != mail("m1"))
    assert (world.audits(job)["1"].removed, world.audits(job)["1"].verified) == (1, 4)  # type: ignore[index]
    assert [(row.uid, row.reason) for row in world.failures("noted")] == [(2, Reason.REMOVED_AT_DESTINATION)]
    assert world.counts(job).completed == 5


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_19_after_a_crash_what_was_delivered_and_then_removed_is_not_copied_again(
    make: WORLD, uidplus: bool
) -> None:
    world = make(multiappend=False, uidplus=uidplus)
    world.source.put("INBOX", *bodies(5))

    def crash() -> None:
        world.wait_for(lambda: sum(row.items for row in world.store.rows(AckRow)) == 4)
        world.destination.expunge("INBOX", [2])
        world.kill()

    world.destination.at("append", 5, Do(crash))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter(one for one in bodies(5) if one != mail("m1"))
    assert world.audits(job)["1"].removed == 1  # type: ignore[index]


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_19_a_message_that_is_not_what_was_sent_is_rewritten(make: WORLD, uidplus: bool) -> None:
    world = make(uidplus=uidplus)
    world.source.put("INBOX", *bodies(5))

    def rewrite() -> None:
        folder = world.destination.folders["INBOX"]
        old = folder.messages[3]
        folder.messages[3] = type(old)(old.uid, old.flags, old.internaldate, old.body.replace(b"This", b"That"))

    world.destination.at("committed", 1, Do(rewrite))

    job = world.run(verify="deep")

    audit = world.audits(job)["1"]  # type: ignore[index]
    found = (audit.verified, audit.rewritten, audit.removed)
    assert found == (4, 1, 0)


@pytest.mark.parametrize("fragile", [EIGHT_BIT, mail("nul") + b"\0"])
@pytest.mark.parametrize("changes", [True, False])
def test_rule_19_what_is_changed_without_a_change_of_size_is_rewritten(
    make: WORLD, fragile: bytes, changes: bool
) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3), fragile)
    if changes:
        world.destination.rewrites = munged

    job = world.run()

    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.level, audit.verified, audit.rewritten) == ("size", 4 - changes, int(changes))


def test_rule_19_a_server_that_tells_headers_otherwise_has_not_changed_the_message(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3), EIGHT_BIT)
    world.destination.headers = lambda header: header.replace(b"\xe4", b"?")

    job = world.run()

    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.verified, audit.rewritten) == (4, 0)


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_19_a_person_who_deletes_moves_and_flags_meanwhile_has_the_last_word(make: WORLD, uidplus: bool) -> None:
    world = make(multiappend=False, uidplus=uidplus)
    world.source.put("INBOX", *bodies(8))

    def move() -> None:
        moved = world.destination.folders["INBOX"].messages.pop(3)
        world.destination.put("Elsewhere", moved.body)

    def flag() -> None:
        messages = world.destination.folders["INBOX"].messages
        messages[4] = replace(messages[4], flags=("\\Flagged",))

    world.destination.at("append", 4, Do(lambda: world.destination.expunge("INBOX", [1, 2])))
    world.destination.at("append", 5, Do(move))
    world.destination.at("append", 6, Do(flag))
    world.destination.at("append", 7, LostAfterCrlf(0.05))

    job = world.run()

    assert world.destination.bodies("INBOX") == bodies(8)[3:]
    assert world.destination.folders["INBOX"].messages[4].flags == ("\\Flagged",)
    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.removed, audit.verified) == (3, 5)
    assert world.failures() == []


@pytest.mark.parametrize("stranger", [None, "append", "committed"])
@pytest.mark.parametrize("multiappend", [True, False])
@pytest.mark.parametrize("uidplus", [True, False])
@pytest.mark.parametrize("verify", ["standard", "deep"])
def test_rule_19_a_message_that_the_server_took_and_lost_is_never_verified(
    make: WORLD, multiappend: bool, uidplus: bool, verify: str, stranger: Operation | None
) -> None:
    """Though somebody else's, of the same size, comes before the append, or after it."""
    world = make(multiappend=multiappend, uidplus=uidplus)
    world.source.put("INBOX", *bodies(8))
    world.destination.drops = lambda message: message.body == mail("m6")
    if stranger:
        world.destination.at(stranger, 1 if multiappend else 3, Do(lambda: put_stranger(world)))

    job = world.run(verify=verify)

    assert_lost(world, job)


@pytest.mark.parametrize("number", range(1, 9))
def test_rule_19_a_stranger_that_comes_unseen_does_not_answer_for_a_message_that_was_lost(
    make: WORLD, number: int
) -> None:
    """Without UIDPLUS, whenever the folder is opened: also after the last look at what others have written."""
    world = make(uidplus=False)
    world.source.put("INBOX", *bodies(8))
    world.destination.drops = lambda message: message.body == mail("m6")
    world.destination.at("committed", 1, Do(lambda: world.destination.at("examine", number, Do(come))))
    came: list[bool] = []

    def come() -> None:
        came.append(True)
        put_stranger(world)

    job = world.run()

    assert_lost(world, job)
    assert came or number > 3


def put_stranger(world: World) -> None:
    assert len(mail("zz")) == len(mail("m6"))
    world.destination.put("INBOX", mail("zz"))


def assert_lost(world: World, job: JobId) -> None:
    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.removed, audit.verified) == (1, 7)
    assert [(row.uid, row.reason) for row in world.failures("noted")] == [(7, Reason.REMOVED_AT_DESTINATION)]
    there = [one for one in world.destination.bodies("INBOX") if one != mail("zz")]
    assert there == [one for one in bodies(8) if one != mail("m6")]
    reconciled(world)


def test_rule_19_what_was_sent_in_vain_and_again_is_recovered(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(None))

    job = world.run()

    assert (world.audits(job)["1"].recovered, world.audits(job)["1"].verified) == (4, 4)  # type: ignore[index]
    equal(world)


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_19_a_copy_that_landed_after_all_patience_is_surplus(make: WORLD, uidplus: bool) -> None:
    world = make(uidplus=uidplus, multiappend=False)
    world.source.put("INBOX", *bodies(4))

    def late() -> None:
        world.destination.put("INBOX", mail("m0"))

    world.destination.at("append", 4, Do(late))

    job = world.run()

    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.surplus, audit.verified, audit.removed) == (1, 4, 0)
    assert [(row.uid, row.reason) for row in world.failures("noted")] == [(1, Reason.SURPLUS)]


def test_rule_19_what_the_source_no_longer_shows_is_not_verified_by_its_bytes(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    world.destination.at("append", 5, Do(lambda: world.source.expunge("INBOX", [2])))

    job = world.run(verify="deep")

    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.verified, audit.rewritten, audit.removed) == (4, 0, 0)


def snapshots_of(world: World, job: JobId) -> list[Counts]:
    events = world.progress(job)
    return [world.counts(job, events[:number]) for number in range(1, len(events) + 1)]


def test_rule_20_totals_are_those_of_the_newest_plan(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    world.destination.refused[mail("m1")] = AppendRefused(Reason.MESSAGE_REFUSED, "NO")
    renumbered: list[Counts] = []

    def renumber() -> None:
        world.wait_for(lambda: world.counts(job).settled == 4)
        renumbered.append(world.counts(job))
        world.destination.renumber("INBOX")

    world.destination.at("append", 5, Do(renumber))
    world.destination.at("append", 7, Do(world.kill))

    job = world.request()
    world.finish(job)

    assert [plan.number for plan in world.plans(job).values()] == [2]
    assert renumbered == [Counts(total=6, completed=3, skipped=0, failed=1)]
    # What the first plan delivered the second one finds, and what it failed at counts once.
    assert snapshots_of(world, job)[-1] == Counts(total=6, completed=1, skipped=4, failed=1)
    assert all(one.settled <= one.total for one in snapshots_of(world, job))
    assert [row.uid for row in world.failures()] == [2]


def test_rule_20_totals_never_fall(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    world.destination.refused[mail("m1")] = AppendRefused(Reason.MESSAGE_REFUSED, "NO")
    world.destination.at("append", 4, LostAfterCrlf(0.05))
    world.destination.at("append", 6, Do(world.kill))

    job = world.run()

    snapshots = snapshots_of(world, job)
    assert [one.settled for one in snapshots] == sorted(one.settled for one in snapshots)
    assert all(one.settled <= one.total for one in snapshots)
    assert (snapshots[-1].completed, snapshots[-1].failed) == (5, 1)


def test_rule_20_reported_totals_are_stored_ones(make: WORLD) -> None:
    """What was reported before a crash is known after it."""
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    job = world.request()
    world.start()
    world.destination.at(
        "append",
        4,
        Do(lambda: world.wait_for(lambda: any(isinstance(one, ProgressBatch) for one in world.progress(job)))),
    )
    world.destination.at("append", 5, Do(world.kill))
    world.wait_for(lambda: world.process.dead)

    reported = world.counts(job).completed

    assert 0 < reported <= sum(row.items for row in world.store.rows(AckRow))
    world.finish(job)
    equal(world)
