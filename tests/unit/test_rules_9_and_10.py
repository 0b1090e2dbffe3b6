"""Rules 9 and 10 of COPYING: what others write meanwhile, and what the destination refuses."""

from collections import Counter
from math import ceil, log2

import pytest

from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused, AppendUnconfirmed
from libs.mailbox.port import Message
from tests.mail.model import mail
from tests.mail.trouble import Do, Lost, LostAfterCrlf
from tests.unit.world import WORLD, after_planning, bodies, equal, reconciled


def refusing(text: str, *, syntax: bool = True, closed: bool = False, code: str = "") -> AppendRefused:
    return AppendRefused(Reason.MESSAGE_REFUSED, text, syntax=syntax, connection_closed=closed, code=code)


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_9_what_somebody_wrote_before_our_first_append_is_not_written_again(make: WORLD, uidplus: bool) -> None:
    world = make(uidplus=uidplus)
    world.source.put("INBOX", *bodies(5))
    after_planning(world, lambda: world.destination.put("INBOX", mail("m3"), mail("theirs")))

    world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter([*bodies(5), mail("theirs")])
    reconciled(world)


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_9_what_somebody_writes_between_our_appends_is_noticed_before_the_next_one(
    make: WORLD, uidplus: bool
) -> None:
    world = make(uidplus=uidplus, multiappend=False)
    world.source.put("INBOX", *bodies(8))
    foreign = [mail("m5"), mail("theirs"), mail("m6")]
    world.destination.at("append", 3, Do(lambda: world.destination.put("INBOX", *foreign) and None))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter([*bodies(8), mail("theirs")])
    assert world.counts(job).completed == 8


@pytest.mark.parametrize("answer", [(False, "NO"), (True, "BAD")])
def test_rule_10_a_refused_message_is_isolated_and_the_order_is_kept(make: WORLD, answer: tuple[bool, str]) -> None:
    closed, text = answer
    world = make()
    world.source.put("INBOX", *bodies(11))
    for name in ("m3", "m10"):
        world.destination.refused[mail(name)] = AppendRefused(Reason.MESSAGE_REFUSED, text, connection_closed=closed)

    job = world.run()

    assert world.destination.bodies("INBOX") == [one for one in bodies(11) if one not in (mail("m3"), mail("m10"))]
    assert [(row.uid, row.reason, row.server_text) for row in world.failures()] == [
        (4, Reason.MESSAGE_REFUSED, text),
        (11, Reason.MESSAGE_REFUSED, text),
    ]
    assert world.counts(job).failed == 2
    reconciled(world)


def test_rule_10_without_multiappend_each_answer_decides_its_own_message(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(4))
    world.destination.refused[mail("m1")] = AppendRefused(Reason.MESSAGE_TOO_LARGE, "NO [TOOBIG]")

    world.run()

    assert world.destination.bodies("INBOX") == [mail("m0"), mail("m2"), mail("m3")]
    assert [row.reason for row in world.failures()] == [Reason.MESSAGE_TOO_LARGE]
    reconciled(world)


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
    assert "$Phish" in noted.left_out
    assert noted.server_text == text
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
    (noted,) = world.failures("noted")
    assert (noted.uid, noted.reason, noted.left_out) == (4, Reason.DATE_DROPPED, ("INTERNALDATE",))
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
