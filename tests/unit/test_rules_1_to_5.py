"""Rules 1 to 5 of COPYING: what a plan is, and what the destination holds already."""

from collections import Counter

import pytest

from libs.contracts import topics
from libs.contracts.commands import CopyFolder, PrepareJob, ScanFolder
from libs.contracts.events import FolderPlanned
from libs.contracts.reasons import Reason
from libs.readmodel.rows import AdmissionRow, PlanRow
from tests.mail.model import mail
from tests.mail.trouble import Do
from tests.unit.fakes import utc_now
from tests.unit.world import WORLD, World, bodies, equal, reconciled

# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def test_rule_1_source_folders_with_one_destination_name_share_one_plan(make: WORLD) -> None:
    world = make()
    world.source.put("Kunden/Größe", *bodies(3), mail("both"))
    world.source.put("kunden/gro\u0308ße", mail("both"), mail("both"), *bodies(2, "n"))

    job = world.run()

    (plan,) = [plan for plan in world.store.plans(job) if plan.destination_wire != "INBOX"]
    assert len(plan.sources) == 2
    folder = world.store.folders(job)[1].destination_wire
    assert Counter(world.destination.bodies(folder)) == Counter([*bodies(3), *bodies(2, "n")] + [mail("both")] * 3)
    reconciled(world)


def test_rule_1_an_account_is_not_copied_into_itself(make: WORLD) -> None:
    world = make()
    world.models["destination.example"] = world.source
    world.source.put("INBOX", *bodies(3))

    job = world.run()

    assert [one.reason for one in world.scan_failures(job)] == [Reason.SAME_ACCOUNT]
    assert world.source.bodies("INBOX") == bodies(3)


def alias(world: World, wire: str = "Letters", *bodies: bytes, other: str = "Alias/Letters") -> None:
    """A folder of the destination that has two names."""
    world.destination.also_personal = frozenset({"Alias/"})
    world.destination.put(wire, *bodies)
    world.destination.folders[other] = world.destination.folders[wire]


@pytest.mark.parametrize("objectid", [True, False])
@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_1_names_of_one_mailbox_share_a_plan_and_what_lies_in_both_source_folders_arrives_twice(
    make: WORLD, objectid: bool, uidplus: bool
) -> None:
    world = make(objectid=objectid, uidplus=uidplus)
    alias(world, "Letters", mail("there"))
    world.source.put("Letters", *bodies(3))
    world.source.put("Alias/Letters", *bodies(3), mail("there"))
    world.source.put("Other", mail("o"))

    job = world.run()

    expected = Counter([*bodies(3), *bodies(3), mail("there")])
    assert Counter(world.destination.bodies("Letters")) == expected
    assert world.destination.bodies("Other") == [mail("o")]
    assert len(world.store.plans(job)) == 3
    reconciled(world)


@pytest.mark.parametrize("objectid", [True, False])
def test_rule_1_an_empty_mailbox_with_two_names_is_one_where_its_id_says_so(make: WORLD, objectid: bool) -> None:
    world = make(objectid=objectid)
    alias(world)
    world.source.put("Letters", *bodies(3))
    world.source.put("Alias/Letters", *bodies(3, "n"))

    job = world.run()

    assert Counter(world.destination.bodies("Letters")) == Counter([*bodies(3), *bodies(3, "n")])
    assert len(world.store.plans(job)) == (2 if objectid else 3)  # and INBOX


@pytest.mark.parametrize("before", ["{} before", "before"])
def test_rule_1_two_mailboxes_with_the_same_numbers_are_two(make: WORLD, before: str) -> None:
    world = make()
    for wire in ("One", "Two"):
        world.source.put(wire, mail(wire))
        world.destination.put(wire, mail(before.format(wire)))
    world.destination.folders["Two"].uidvalidity = world.destination.folders["One"].uidvalidity

    world.run()

    assert [world.destination.bodies(wire)[1:] for wire in ("One", "Two")] == [[mail("One")], [mail("Two")]]


def test_rule_1_a_fresh_destination_is_not_asked_for_it(make: WORLD) -> None:
    world = make()
    for number in range(5):
        world.source.put(f"Folder {number}", mail(number))

    world.run()

    assert world.destination.operations["status"] == 0


def test_rule_2_the_plan_answers_for_all_uids_below_the_highest_listed_and_the_tail_for_the_others(
    make: WORLD,
) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.destination.put("INBOX", *bodies(2), mail("x"), mail("y"), mail("z"))
    world.destination.expunge("INBOX", [4, 5])  # UIDNEXT is 6, the highest UID is 3
    # Somebody writes what we are about to copy, after the destination was listed.
    world.source.at("listing", 1, Do(lambda: world.destination.put("INBOX", mail("m4")) and None))

    job = world.run()

    assert world.store.plans(job)[0].boundary == 4
    assert Counter(world.destination.bodies("INBOX")) == Counter([*bodies(6), mail("x")])
    reconciled(world)


def test_rule_3_a_plan_is_stored_before_it_is_announced_and_announced_again_word_for_word(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(5))
    job = world.request()
    process = world.start()
    world.wait_for(lambda: bool(world.store.plans(job)))
    process.kill()
    (plan,) = world.store.plans(job)

    world.source.put("INBOX", mail("later"))
    world.finish(job)

    announced = [one for one in world.progress(job) if isinstance(one, FolderPlanned)]
    assert {one.plan_id for one in announced} == {plan.plan_id}
    assert world.store.rows(PlanRow) == [plan]
    assert world.destination.bodies("INBOX") == bodies(5)


@pytest.mark.parametrize("moment", ["write", "written", "append to the log", "appended to the log"])
def test_rule_3_a_process_killed_around_any_write_or_append_leaves_nothing_undone_and_nothing_doubled(
    make: WORLD, moment: str
) -> None:
    for number in range(1, 12):
        world = make()
        world.source.put("INBOX", *bodies(4))
        world.source.put("Sent", *bodies(2), mail("m0"))
        world.at(moment, number, world.kill)

        world.run()

        equal(world)
        reconciled(world)


def test_rule_3_of_two_plans_with_one_number_the_newest_counts_and_items_of_the_other_are_skipped(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(5))
    job = world.request()
    world.finish(job)
    (first,) = world.store.plans(job)
    zombie = PlanRow(**{**{name: getattr(first, name) for name in first.__slots__}, "plan_id": "f" * 28})
    world.store.write([zombie], now=utc_now())
    world.restart()
    again = next(one for one in world.log.read(topics.WORK_ITEMS) if isinstance(one, CopyFolder))
    appends = world.destination.operations["append"]
    scan = ScanFolder(job_id=job, account_digest=again.account_digest, folder_id=first.folder_id, number=1)

    world.log.append(topics.WORK_ITEMS, again.account_digest, again)
    world.log.append(topics.FOLDER_SCANS, again.account_digest, scan)
    world.wait_for(lambda: world.is_finished(job) and zombie.plan_id in world.totals(job))
    world.finish(job)

    assert world.destination.operations["append"] == appends
    equal(world)
    assert world.counts(job).completed == world.counts(job).total == 5


def test_rule_4_what_the_destination_holds_is_counted_not_only_recognised(make: WORLD) -> None:
    world = make()
    twin, bare = mail("twin"), mail("bare", message_id=False)
    world.source.put("INBOX", *bodies(3), twin, twin, twin, bare, bare)
    world.destination.put("INBOX", mail("theirs"), twin, bare, mail("m1"))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter(
        [*bodies(3), twin, twin, twin, bare, bare, mail("theirs")]
    )
    assert world.counts(job).skipped == 3
    reconciled(world)


@pytest.mark.parametrize("verify", ["standard", "deep"])
def test_rule_4_messages_that_differ_in_their_bytes_alone_are_told_apart(make: WORLD, verify: str) -> None:
    world = make()
    one, other = mail("same") + b"1", mail("same") + b"2"
    world.source.put("INBOX", one, other)
    world.destination.put("INBOX", other)

    world.run(verify=verify)

    equal(world)


def test_rule_5_a_later_job_waits_and_then_copies_nothing(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))
    first = world.request("first")
    world.finish(first)
    second = world.request("second")
    prepared = lambda: [m for m in world.log.read(topics.FOLDER_SCANS) if isinstance(m, PrepareJob)]  # noqa: E731
    world.wait_for(lambda: len(prepared()) == 2 and len(world.done[topics.FOLDER_SCANS.name]) == 3)
    assert [row.job_id for row in world.store.rows(AdmissionRow)] == [first]
    assert world.progress(second) == []

    world.end(first)
    world.finish(world.request("second"))

    assert world.counts(second).skipped == world.counts(second).total == 4
    equal(world)
