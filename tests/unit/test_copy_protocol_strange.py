"""The rules of COPYING for servers that refuse, rewrite, merge, filter and lose; each by its number."""

from collections import Counter
from math import ceil, log2

import pytest

from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused, AppendUnconfirmed
from libs.mailbox.port import Message
from tests.mail.model import Do, Lost, LostAfterCrlf, mail
from tests.unit.world import WORLD, bodies, equal, reconciled

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
