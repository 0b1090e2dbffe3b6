"""The rules of COPYING for servers that refuse, rewrite, merge, filter and lose; each by its number."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import ceil, log2

import pytest

from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused, AppendUnconfirmed
from libs.mailbox.port import Message
from libs.readmodel.rows import BehaviourRow, NoticeRow, WarningRow
from tests.mail.model import Do, Lost, LostAfterCrlf, mail
from tests.unit.world import LATE_SECONDS, WORLD, World, after_planning, bodies, equal, reconciled

# ---- poison


def refusing(text: str, *, syntax: bool = True, closed: bool = False, code: str = "") -> AppendRefused:
    return AppendRefused(Reason.MESSAGE_REFUSED, text, syntax=syntax, connection_closed=closed, code=code)


@pytest.mark.parametrize("size", [2, 3, 8, 100, 500])
@pytest.mark.parametrize("closed", [False, True])
def test_rule_10_one_refused_message_costs_at_most_2_log2_of_the_batch_more_commands(
    make: WORLD, size: int, closed: bool
) -> None:
    for poison in sorted({0, 1, size // 2, size - 1}):
        world = make()
        world.source.put("INBOX", *bodies(size))
        refusal = AppendRefused(Reason.MESSAGE_REFUSED, "NO virus", connection_closed=closed)
        world.destination.refused[mail(f"m{poison}")] = refusal

        world.run()

        assert world.destination.bodies("INBOX") == [one for one in bodies(size) if one != mail(f"m{poison}")]
        assert world.destination.operations["append"] - 1 <= 2 * ceil(log2(size))
        assert [(row.uid, row.server_text) for row in world.failures()] == [(poison + 1, "NO virus")]
        reconciled(world)


@pytest.mark.parametrize(
    ("text", "code", "syntax", "taken"),
    [
        ("Invalid keyword $Phish", "", False, ("\\Seen", "work")),
        ("Error in IMAP command APPEND: Invalid flag list", "", True, ("\\Seen",)),
        ("Error in IMAP command", "", True, ("\\Seen",)),
        ("too large a number of them", "LIMIT", False, ("\\Seen",)),
    ],
)
def test_rule_10_a_message_with_a_flag_that_is_refused_is_delivered_without_it_and_that_is_said(
    make: WORLD, text: str, code: str, syntax: bool, taken: tuple[str, ...]
) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.source.put("INBOX", mail("marked"), flags=["\\Seen", "work", "$Phish"])
    world.source.put("INBOX", mail("last"))
    world.destination.refuses = lambda message: (
        refusing(text, syntax=syntax, code=code) if "$Phish" in message.flags else None
    )

    job = world.run()

    assert world.destination.bodies("INBOX") == [*bodies(3), mail("marked"), mail("last")]
    assert world.destination.folders["INBOX"].messages[4].flags == taken
    assert world.failures() == []
    (noted,) = world.failures("noted")
    assert (noted.uid, noted.reason) == (4, Reason.FLAGS_DROPPED)
    assert "$Phish" in noted.server_text
    assert text in noted.server_text
    assert world.counts(job).completed == 5


def test_rule_10_a_message_whose_date_is_refused_is_delivered_without_it_and_that_is_said(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.source.put("INBOX", mail("old"), internaldate="31-Dec-0001 00:00:00 +0000")
    world.destination.refuses = lambda message: (
        refusing("Invalid internal date", closed=True) if "0001" in message.internaldate else None
    )

    world.run()

    assert world.destination.folders["INBOX"].messages[4].internaldate == ""
    assert [(row.uid, row.reason) for row in world.failures("noted")] == [(4, Reason.DATE_DROPPED)]
    assert world.failures() == []


def test_rule_10_what_is_refused_with_everything_left_out_is_listed_with_the_first_refusal(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", mail("a"), mail("b"), flags=["\\Seen", "work"])
    asked: list[Message] = []

    def refuse(message: Message) -> AppendRefused | None:
        asked.append(message)
        return refusing(f"BAD number {len(asked)}") if message.body == mail("a") else None

    world.destination.refuses = refuse

    world.run()

    assert [(row.uid, row.server_text) for row in world.failures()] == [(1, "BAD number 2")]
    alone = [(one.flags, bool(one.internaldate)) for one in asked if one.body == mail("a")][1:]
    assert alone == [(("\\Seen", "work"), True), (("\\Seen",), True), (("\\Seen",), False)]
    assert world.destination.bodies("INBOX") == [mail("b")]
    reconciled(world)


def test_rule_10_a_server_that_ends_the_connection_instead_of_refusing_does_not_stop_the_folder(make: WORLD) -> None:
    world = make(late=0.02)
    world.source.put("INBOX", *bodies(9))

    def hang_up(message: Message) -> None:
        if message.body == mail("m6"):
            for session in world.destination.sessions:
                session.reset()
            raise AppendUnconfirmed(Reason.CONNECTION_LOST)

    world.destination.refuses = hang_up

    world.run(seconds=60)

    assert world.destination.bodies("INBOX") == [one for one in bodies(9) if one != mail("m6")]
    assert [(row.uid, row.reason) for row in world.failures()] == [(7, Reason.MESSAGE_REFUSED)]
    reconciled(world)


def test_rule_10_connections_lost_now_and_then_refuse_nothing(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    for number in (2, 3, 5, 6, 7):
        world.destination.at("append", number, Lost())
    world.destination.at("append", 9, LostAfterCrlf(None))

    world.run()

    assert world.failures() == []
    equal(world)


# ---- merging


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


# ---- what a server says of UIDs


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


# ---- rewriting

EIGHT_BIT = mail("eight").replace(b"Subject: eight", b"Subject: \xe4ight")


def munged(message: Message) -> Message:
    """As Cyrus does it, and without a change of size."""
    head, blank, text = message.body.partition(b"\r\n\r\n")
    return replace(message, body=head.replace(b"\xe4", b"X") + blank + text.replace(b"\0", b"\x80"))


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


def rewriting(level: str) -> Callable[[Message], Message]:
    """A server that changes messages so that this is the strongest thing that survives."""

    def rewrite(message: Message) -> Message:
        head, _, text = message.body.partition(b"\r\n\r\n")
        match level:
            case "size":
                body = head + b"\r\n\r\n" + text[::-1]
            case "headers":
                body = b"X-Scanned: yes\r\n" + message.body
            case "message_id":
                body = b"X-Scanned: yes\r\n" + message.body.replace(b"Subject: ", b"Subject: [list] ")
            case _:
                lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Message-ID")]
                body = b"\r\n".join(lines) + b"\r\n\r\n" + text
        return replace(message, body=body, internaldate="01-Jan-2026 00:00:00 +0000")

    return rewrite


LEVELS = ["size", "headers", "message_id", "none"]


def subjects(world: World, wire: str = "INBOX") -> list[bytes]:
    """The names that `mail` gave, in the order of UIDs."""
    found = [body.partition(b"Subject: ")[2].partition(b"\r\n")[0] for body in world.destination.bodies(wire)]
    return [one.removeprefix(b"[list] ") for one in found]


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


# ---- filters


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


# ---- a person at the destination


def test_rule_13_what_a_person_deleted_while_it_was_in_doubt_does_not_come_back(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    world.destination.at("append", 4, LostAfterCrlf(0.0))
    connections = world.destination.operations["connect"]
    # It has landed; before anybody looks for it, it is deleted.
    world.destination.at("connect", 3, Do(lambda: world.destination.expunge("INBOX", [4])))

    job = world.run()

    assert connections == 0
    assert world.destination.bodies("INBOX") == [one for one in bodies(6) if one != mail("m3")]
    assert [(row.uid, row.reason) for row in world.failures()] == [(4, Reason.UNCONFIRMED)]
    assert world.counts(job).completed == 5


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


# ---- audit


@pytest.mark.parametrize("multiappend", [True, False])
@pytest.mark.parametrize("uidplus", [True, False])
@pytest.mark.parametrize("verify", ["standard", "deep"])
def test_rule_19_a_message_that_the_server_took_and_lost_is_never_verified(
    make: WORLD, multiappend: bool, uidplus: bool, verify: str
) -> None:
    world = make(multiappend=multiappend, uidplus=uidplus)
    world.source.put("INBOX", *bodies(8))
    world.destination.drops = lambda message: message.body == mail("m6")

    job = world.run(verify=verify)

    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.removed, audit.verified) == (1, 7)
    assert world.destination.bodies("INBOX") == [one for one in bodies(8) if one != mail("m6")]
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


# ---- folders that come and go


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
