"""Rule 18 of COPYING: folders and messages that become others, and what servers say of UIDs."""

from collections import Counter

import pytest

from libs.contracts.reasons import Reason
from libs.readmodel.rows import NoticeRow, WarningRow
from tests.mail.model import mail
from tests.mail.trouble import Do, Lost, LostAfterCrlf
from tests.unit.rewriting import rewriting, subjects
from tests.unit.world import WORLD, after_planning, bodies, equal, reconciled


@pytest.mark.parametrize("number", [2, 3])
def test_rule_18_a_destination_folder_made_anew_is_planned_and_matched_again(make: WORLD, number: int) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    world.destination.at("append", number, Do(lambda: world.destination.renumber("INBOX")))

    job = world.run()

    equal(world)
    assert [plan.number for plan in world.store.plans(job)] == [2]
    reconciled(world)


def test_rule_18_a_destination_folder_deleted_before_the_first_append_is_planned_again(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(5))
    world.destination.put("Sent", mail("theirs"))
    after_planning(world, lambda: world.destination.remove_folder("Sent"))

    job = world.run()

    assert world.failures() == []
    assert world.destination.bodies("Sent") == bodies(5)
    assert world.counts(job).completed == 5


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_18_a_destination_folder_deleted_between_appends_is_planned_again(make: WORLD, uidplus: bool) -> None:
    world = make(multiappend=False, uidplus=uidplus)
    world.source.put("Sent", *bodies(5))
    world.destination.at("append", 3, Do(lambda: world.destination.remove_folder("Sent")))

    world.run()

    equal(world)


def test_rule_18_a_folder_deleted_in_doubt_is_planned_again(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(5))
    world.destination.at("append", 1, LostAfterCrlf(None))
    world.destination.at("connect", 3, Do(lambda: world.destination.remove_folder("Sent")))

    world.run()

    equal(world)
    reconciled(world)


def test_rule_18_a_source_folder_made_anew_is_planned_and_matched_again(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(8))
    world.source.expunge("INBOX", [1, 2])

    def renumber() -> None:
        world.source.renumber("INBOX")
        for session in world.source.sessions:
            session.reset()

    world.destination.at("append", 3, Do(renumber))
    world.destination.at("append", 4, Lost())

    job = world.run()

    equal(world)
    reconciled(world)
    assert world.counts(job).total == 6


def test_rule_18_messages_gone_at_the_source_are_skipped_and_new_ones_are_outside_the_plan(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))

    def change() -> None:
        world.source.expunge("INBOX", [2, 6])
        world.source.put("INBOX", mail("new"))

    after_planning(world, change)

    job = world.run()

    assert world.destination.bodies("INBOX") == [mail("m0"), mail("m2"), mail("m3"), mail("m4")]
    assert [(row.outcome, row.uid) for row in world.failures("gone")] == [("gone", 2), ("gone", 6)]
    assert (world.counts(job).completed, world.counts(job).skipped) == (4, 2)


@pytest.mark.parametrize("uidplus", [True, False])
@pytest.mark.parametrize("lie", [None, 1, 1_000_000])
def test_rule_18_a_server_whose_uidnext_is_absent_or_wrong_gets_everything_once(
    make: WORLD, uidplus: bool, lie: int | None
) -> None:
    world = make(uidplus=uidplus, multiappend=False)
    world.source.put("INBOX", *bodies(8))
    world.destination.uidnext = lambda _: lie
    foreign = [mail("m5"), mail("theirs")]
    world.destination.at("append", 3, Do(lambda: world.destination.put("INBOX", *foreign) and None))
    world.destination.at("append", 7, LostAfterCrlf(0.05))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter([*bodies(8), mail("theirs")])
    assert world.counts(job).completed == 8
    assert world.failures("noted") == []


@pytest.mark.parametrize("change", ["remove", "rename"])
@pytest.mark.parametrize("moment", ["planned", "read"])
@pytest.mark.parametrize("verify", ["standard", "deep"])
def test_rule_18_the_messages_of_a_source_folder_that_is_gone_are_skipped_and_that_is_said(
    make: WORLD, change: str, verify: str, moment: str
) -> None:
    world = make(multiappend=False)
    world.source.put("Sent", *bodies(8))

    def vanish() -> None:
        folder = world.source.folders.pop("Sent")
        if change == "rename":
            world.source.folders["Other"] = folder

    if moment == "planned":
        after_planning(world, vanish, "Sent")
    else:
        world.source.at("fetch", 1, Do(vanish))

    job = world.run(verify=verify)

    assert world.counts(job).total == 8
    assert (world.counts(job).skipped, world.counts(job).failed) == (8, 0)
    assert {row.reason for row in world.failures("gone")} == {Reason.FOLDER_GONE}
    assert "Sent" in " ".join(row.text for row in [*world.store.rows(NoticeRow), *world.store.rows(WarningRow)])
    reconciled(world)


@pytest.mark.parametrize("fault", [None, 0, 0.05])
def test_rule_18_a_folder_renumbered_by_its_first_message_is_the_same(make: WORLD, fault: float | None) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(4))
    world.destination.rewrites = rewriting("headers")  # planned anew, the first one would not be known again
    world.destination.renumbers_empty = True
    if fault is not None:
        world.destination.at("append", 1, LostAfterCrlf(fault))

    job = world.run()

    assert [plan.number for plan in world.store.plans(job)] == [1]
    assert subjects(world) == [b"m0", b"m1", b"m2", b"m3"]
    assert world.counts(job).completed == 4


def test_rule_18_a_source_folder_that_is_gone_before_it_is_planned_is_said(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(3))
    after_planning(world, lambda: world.source.remove_folder("Sent"), "INBOX")

    job = world.run()

    assert world.counts(job).total == 0
    assert ["“Sent”" in row.text for row in world.store.rows(NoticeRow) if row.text] == [True]


def test_rule_18_what_was_copied_of_a_source_folder_before_it_vanished_counts(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("Sent", *bodies(6))
    world.destination.at("append", 3, LostAfterCrlf(0.05))
    world.destination.at("connect", 3, Do(lambda: world.source.remove_folder("Sent")))

    job = world.run()

    assert (world.counts(job).completed + world.counts(job).skipped, world.counts(job).total) == (6, 6)
    assert world.destination.bodies("Sent") == bodies(3)


def test_rule_18_a_source_folder_that_is_gone_when_it_is_planned_again_stays_in_the_total(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("Sent", *bodies(6))

    def change() -> None:
        world.destination.renumber("Sent")
        world.source.remove_folder("Sent")

    world.destination.at("append", 3, Do(change))

    job = world.run()

    assert world.counts(job).total == 6
    reconciled(world)
