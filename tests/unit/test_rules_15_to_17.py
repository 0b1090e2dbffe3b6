"""Rules 15 to 17 of COPYING: servers that rewrite, merge and move away."""

from collections import Counter

import pytest

from libs.contracts.reasons import Reason
from libs.readmodel.rows import BehaviourRow, NoticeRow
from tests.mail.model import mail
from tests.mail.trouble import Do, LostAfterCrlf
from tests.unit.rewriting import rewriting, subjects
from tests.unit.world import LATE_SECONDS, WORLD, bodies, equal, reconciled

# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
LEVELS = ["size", "headers", "message_id", "none"]


@pytest.mark.parametrize("uidplus", [True, False])
@pytest.mark.parametrize("level", LEVELS)
def test_rule_15_what_survives_is_found_out_told_and_remembered(make: WORLD, level: str, uidplus: bool) -> None:
    world = make(uidplus=uidplus)
    world.source.put("INBOX", *bodies(5))
    world.destination.rewrites = rewriting(level)

    job = world.run()

    assert {row.survives for row in world.store.rows(BehaviourRow)} == {level}
    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.verified, audit.rewritten, audit.removed) == (0 if level == "none" else 5, 0, 0)
    assert audit.level == ("size" if level == "size" else "identity")
    assert {row.kind for row in world.store.rows(NoticeRow)} == {"rewrites", "dates"}
    assert world.counts(job).completed == 5


@pytest.mark.parametrize("level", ["size", "headers", "message_id"])
@pytest.mark.parametrize("verify", ["standard", "deep"])
def test_rule_15_a_second_job_recognises_what_was_rewritten_and_copies_only_what_is_new(
    make: WORLD, level: str, verify: str
) -> None:
    world = make()
    twin = mail("twin")
    world.source.put("INBOX", *bodies(4), twin, twin)
    world.destination.rewrites = rewriting(level)
    world.end(world.run(job_id="first"))
    world.source.put("INBOX", mail("new"), twin)

    second = world.run(job_id="second", verify=verify)

    assert subjects(world) == [b"m0", b"m1", b"m2", b"m3", b"twin", b"twin", b"new", b"twin"]
    assert (world.counts(second).completed, world.counts(second).skipped) == (2, 6)


@pytest.mark.parametrize("uidplus", [True, False])
@pytest.mark.parametrize("level", ["size", "headers", "message_id"])
@pytest.mark.parametrize("number", [1, 4])
def test_rule_15_a_doubt_is_settled_by_what_survives(make: WORLD, level: str, number: int, uidplus: bool) -> None:
    world = make(multiappend=False, uidplus=uidplus)
    world.source.put("INBOX", *bodies(6))
    world.destination.rewrites = rewriting(level)
    world.destination.at("append", number, LostAfterCrlf(LATE_SECONDS * 0.5))

    job = world.run()

    assert subjects(world) == [b"m0", b"m1", b"m2", b"m3", b"m4", b"m5"]
    assert world.counts(job).completed == 6


@pytest.mark.parametrize("uidplus", [True, False])
@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("number", [1, 4])
def test_rule_15_where_not_even_the_message_id_survives_what_may_have_landed_is_unconfirmed_and_never_resent(
    make: WORLD, uidplus: bool, landed: bool, number: int
) -> None:
    world = make(multiappend=False, uidplus=uidplus)
    world.source.put("INBOX", *bodies(6))
    world.destination.rewrites = rewriting("none")
    world.destination.at("append", number, LostAfterCrlf(0.05 if landed else None))

    job = world.run()

    assert subjects(world) == [b"m0", b"m1", b"m2", b"m3", b"m4", b"m5"]
    unconfirmed = [(row.uid, row.reason) for row in world.failures()]
    assert unconfirmed == ([(number, Reason.UNCONFIRMED)] if landed else [])
    assert world.counts(job).completed == 5 + (not landed)
    reconciled(world)


def test_rule_15_after_a_crash_no_more_is_unconfirmed_than_may_have_landed(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(8))
    world.destination.rewrites = rewriting("none")
    world.destination.at("append", 5, Do(lambda: world.destination.at("committed", 1, Do(world.kill))))

    job = world.run()

    assert subjects(world) == [b"m0", b"m1", b"m2", b"m3", b"m4", b"m5", b"m6", b"m7"]
    assert [(row.uid, row.reason) for row in world.failures()] == [(5, Reason.UNCONFIRMED)]
    assert world.counts(job).completed == 7


def test_rule_15_a_second_job_where_nothing_survives_copies_nothing_into_a_folder_that_holds_mail(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.destination.rewrites = rewriting("none")
    world.end(world.run(job_id="first"))
    world.source.put("Sent", mail("s"))
    world.destination.put("INBOX", mail("theirs"))

    second = world.run(job_id="second")

    assert subjects(world) == [b"m0", b"m1", b"m2", b"theirs"]
    assert subjects(world, "Sent") == [b"s"]
    assert (world.counts(second).failed, world.counts(second).completed) == (3, 1)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_rule_15_a_server_that_tells_wrong_sizes_is_seen_through(make: WORLD, side: str) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    getattr(world, side).sizes = lambda size: size + 7
    world.destination.at("append", 3, LostAfterCrlf(0.05))
    first = world.run(job_id="first")
    world.end(first)

    second = world.run(job_id="second")

    equal(world)
    assert (world.audits(first)["1"].verified, world.audits(first)["1"].rewritten) == (5, 0)  # type: ignore[index]
    assert (world.counts(second).skipped, world.counts(second).total) == (5, 5)


def test_rule_15_a_source_that_tells_wrong_sizes_is_seen_through_where_nothing_was_in_doubt(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(5))
    world.source.sizes = lambda size: size + 7
    world.end(world.run(job_id="first"))

    second = world.run(job_id="second")

    equal(world)
    assert (world.counts(second).skipped, world.counts(second).total) == (5, 5)


def test_rule_15_one_wrong_size_is_no_reason_to_call_a_message_changed(make: WORLD) -> None:
    world = make()
    large = mail("large", size=5_000)
    world.source.put("INBOX", *bodies(5), large)
    world.destination.sizes = lambda size: size + (size == len(large))

    job = world.run()

    assert (world.audits(job)["1"].verified, world.audits(job)["1"].rewritten) == (6, 0)  # type: ignore[index]


def test_rule_15_one_sample_of_an_account_is_all_that_is_fetched_back(make: WORLD) -> None:
    world = make()
    for wire in ("INBOX", "Sent", "Drafts"):
        world.source.put(wire, *bodies(20, wire))

    world.run(concurrency=1)

    assert world.destination.operations["fetch"] == 1
    equal(world)


@pytest.mark.parametrize("multiappend", [True, False])
def test_rule_16_a_server_that_keeps_equal_mail_once_has_it_all_and_says_what_it_merged(
    make: WORLD, multiappend: bool
) -> None:
    world = make(multiappend=multiappend)
    twin = mail("twin")
    world.source.put("INBOX", mail("a"), twin, mail("b"), twin, twin, mail("c"))
    world.destination.merges = True

    job = world.run()

    assert world.destination.bodies("INBOX") == [mail("a"), twin, mail("b"), mail("c")]
    assert [(row.uid, row.reason) for row in world.failures("noted")] == [(4, Reason.MERGED), (5, Reason.MERGED)]
    assert (world.counts(job).completed, world.audits(job)["1"].verified) == (6, 6)  # type: ignore[index]
    reconciled(world)


def test_rule_16_what_is_merged_with_mail_from_before_the_plan_counts_as_delivered(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.destination.put("INBOX", mail("theirs"))
    world.destination.merges = True
    # Somebody else delivers one of ours while we copy: the server answers with its UID.
    world.destination.at("append", 1, Do(lambda: world.destination.put("INBOX", mail("m1")) and None))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter([*bodies(3), mail("theirs")])
    assert world.counts(job).completed == 3
    reconciled(world)


def test_rule_16_a_second_job_into_a_server_that_merges_adds_nothing(make: WORLD) -> None:
    world = make()
    twin = mail("twin")
    world.source.put("INBOX", twin, twin, mail("a"))
    world.destination.merges = True
    first = world.run(job_id="first")
    world.end(first)

    second = world.run(job_id="second")

    assert world.destination.bodies("INBOX") == [twin, mail("a")]
    assert world.counts(second).settled == world.counts(second).total == 3


def test_rule_17_mail_that_is_moved_away_at_once_is_warned_of_and_not_copied_again(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(4))
    world.destination.filters = lambda message: message.body == mail("m0")

    job = world.run()

    assert world.destination.bodies("INBOX") == bodies(4)[1:]
    assert world.destination.bodies("Filtered") == [mail("m0")]
    (notice,) = world.store.rows(NoticeRow)
    assert notice.kind == "filters"
    assert "INBOX" in notice.text
    assert (world.audits(job)["1"].removed, world.counts(job).completed) == (1, 4)  # type: ignore[index]


@pytest.mark.parametrize("landed", [True, False])
def test_rule_17_a_doubt_in_a_folder_with_a_filter_is_unconfirmed(make: WORLD, landed: bool) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    world.destination.filters = lambda _: True
    world.destination.at("append", 4, LostAfterCrlf(0.0 if landed else None))

    world.run()

    assert world.destination.bodies("Filtered") == [one for one in bodies(6) if landed or one != mail("m3")]
    assert [(row.uid, row.reason) for row in world.failures()] == [(4, Reason.UNCONFIRMED)]
    reconciled(world)
