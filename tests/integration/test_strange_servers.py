"""Whole jobs of scanner and copier against servers that refuse, rewrite, merge, filter, lose and lie, over sockets."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from math import log2

import pytest

from libs.contracts.accounts import Account
from libs.contracts.reasons import Reason
from libs.contracts.uidset import MAX_UID
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.errors import AppendRefused
from libs.mailbox.port import Message, Session
from libs.readmodel.rows import BehaviourRow, NoticeRow
from tests.integration.conftest import LOOPBACK
from tests.mail.corpus import AWKWARD, ZONES
from tests.mail.model import DATE, MailboxModel, mail
from tests.mail.trouble import Do, LostAfterCrlf
from tests.servers.model_server import ModelServer
from tests.unit.world import World, bodies, equal, reconciled

LONG = 60.0  # seconds of doubt that no test could wait out
LATE = 0.5
NUL = mail("nul") + b"one\0two\r\n"


class ServedWorld(World):
    """Both accounts are behind sockets, and reached by real connections."""

    def __init__(self, stack: ExitStack, *, late: float, **destination: object) -> None:
        super().__init__(destination=MailboxModel(**destination), late=late)  # type: ignore[arg-type]
        self.servers = {host: stack.enter_context(ModelServer(model)) for host, model in self.models.items()}

    def account(self, host: str) -> Account:
        return self.servers[host].account(username=f"joe-{host.partition('.')[0]}")

    def connect(self, account: Account) -> Session:
        policy = ConnectPolicy(allow_networks=[LOOPBACK], allow_ports=[account.port], allow_plain=True)
        return connect(account, policy)


Make = Callable[..., ServedWorld]


@pytest.fixture
def make() -> Iterator[Make]:
    with ExitStack() as stack:
        made: list[World] = []

        def world(*, late: float = LATE, **destination: object) -> ServedWorld:
            made.append(ServedWorld(stack, late=late, **destination))
            return made[-1]  # type: ignore[return-value]

        yield world
        for one in made:
            one.close()


def bad(text: str) -> AppendRefused:
    return AppendRefused(Reason.MESSAGE_REFUSED, text, syntax=True, connection_closed=True)


POISON = {
    "flag": Message(0, ("\\Seen", "$Phish"), DATE, mail("flag")),
    "date": Message(0, (), "31-Dec-0001 00:00:00 +0000", mail("date")),
    "nul": Message(0, (), DATE, NUL),
    "large": Message(0, (), DATE, mail("large")),
    "virus": Message(0, (), DATE, mail("virus")),
    "empty": Message(0, (), DATE, b""),
}


def refuse(message: Message) -> AppendRefused | None:
    if "$Phish" in message.flags:
        return bad("Invalid keyword $Phish")
    if "0001" in message.internaldate:
        return bad("Invalid internal date")
    if b"\0" in message.body:
        return bad("NUL bytes are not allowed")
    if message.body == mail("large"):
        return AppendRefused(Reason.MESSAGE_REFUSED, "Message is too large", code="TOOBIG")
    if message.body == mail("virus"):
        return AppendRefused(Reason.MESSAGE_REFUSED, "Eicar-Test-Signature found")
    return None if message.body else AppendRefused(Reason.MESSAGE_REFUSED, "Empty literal")


@pytest.mark.parametrize("multiappend", [True, False])
def test_rule_10_every_kind_of_poison_is_isolated_without_a_doubt_and_listed_with_the_servers_words(
    make: Make, multiappend: bool
) -> None:
    world = make(late=LONG, multiappend=multiappend)
    world.destination.refuses = refuse
    world.source.put("INBOX", *bodies(3))
    world.source.put("INBOX", mail("flag"), flags=["\\Seen", "$Phish"])
    world.source.put("INBOX", mail("date"), internaldate="31-Dec-0001 00:00:00 +0000")
    world.source.put("INBOX", mail("large"), *bodies(3, "n"), NUL, mail("virus"), b"", *bodies(3, "o"))

    world.run(seconds=45)

    expected = [*bodies(3), mail("flag"), mail("date"), *bodies(3, "n"), *bodies(3, "o")]
    assert world.destination.bodies("INBOX") == expected
    assert [(row.uid, row.reason, row.server_text) for row in world.failures()] == [
        (6, Reason.MESSAGE_TOO_LARGE, "Message is too large"),
        (10, Reason.MESSAGE_REFUSED, "NUL bytes are not allowed"),
        (11, Reason.MESSAGE_REFUSED, "Eicar-Test-Signature found"),
        (12, Reason.MESSAGE_REFUSED, "Empty literal"),
    ]
    assert [(row.uid, row.reason, row.left_out) for row in world.failures("noted")] == [
        (4, Reason.FLAGS_DROPPED, ("$Phish",)),
        (5, Reason.DATE_DROPPED, ("INTERNALDATE",)),
    ]
    reconciled(world)


def test_rule_1_names_of_one_mailbox_share_a_plan(make: Make) -> None:
    world = make(objectid=True)
    world.destination.put("Letters", mail("there"))
    world.destination.folders["Alias"] = world.destination.folders["Letters"]
    for wire in ("Letters", "Alias", *(f"Folder {number}" for number in range(60))):
        world.source.put(wire, *bodies(2))
        if wire.startswith("Folder"):
            world.destination.put(wire, mail("there"))

    job = world.run(seconds=45)

    assert Counter(world.destination.bodies("Letters")) == Counter([*bodies(2), *bodies(2), mail("there")])
    assert world.destination.bodies("Folder 59") == [mail("there"), *bodies(2)]
    assert len(world.store.plans(job)) == 62  # and INBOX


def test_a_source_without_quota_tells_the_sizes_of_its_folders(make: Make) -> None:
    world = make()
    world.source.tells_sizes = True
    world.source.put("INBOX", mail("a", size=1_000))
    world.source.put("Sent", mail("b", size=1_000))

    session = world.connect(world.account("source.example"))
    told = session.statuses(["INBOX", "nothing", "no\rname", "Sent"], size=True)
    session.close()

    assert {wire: status.bytes for wire, status in told.items()} == {
        wire: len(world.source.bodies(wire)[0]) for wire in ("INBOX", "Sent")
    }


@pytest.mark.parametrize("left", [0, 2])
@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_2_above_the_last_uid_there_can_be_nothing_is_asked_for(make: Make, left: int, uidplus: bool) -> None:
    world = make(uidplus=uidplus, multiappend=False)
    world.source.folders["INBOX"].uidnext = MAX_UID - 2
    world.source.put("INBOX", *bodies(3))
    world.destination.folders["INBOX"].uidnext = MAX_UID - left
    world.destination.put("INBOX", mail("before"))

    world.run()

    assert world.destination.bodies("INBOX") == [mail("before"), *bodies(left)]
    assert [(row.uid, row.server_text) for row in world.failures()] == [
        (uid, "no UID is left") for uid in range(MAX_UID - 2 + left, MAX_UID + 1)
    ]
    reconciled(world)


@pytest.mark.parametrize("size", [8, 64, 400])
@pytest.mark.parametrize("kind", POISON)
def test_rule_10_one_poison_costs_at_most_2_log2_of_the_batch_more_appends_and_a_login_where_the_server_hangs_up(
    make: Make, size: int, kind: str
) -> None:
    def heard(*, refuses: Callable[[Message], AppendRefused | None]) -> tuple[Counter[str], int, int]:
        world, one = make(late=LONG), POISON[kind]
        world.destination.refuses = refuses
        world.source.put("INBOX", *bodies(size // 2))
        world.source.put("INBOX", one.body, flags=one.flags, internaldate=one.internaldate)
        world.source.put("INBOX", *bodies(size - size // 2 - 1, "n"))
        counts = world.counts(world.run(seconds=45))
        return world.servers["destination.example"].heard, counts.completed, counts.failed

    hung_up: list[Message] = []

    def refusing(message: Message) -> AppendRefused | None:
        refused = refuse(message)
        if refused and refused.connection_closed:
            hung_up.append(message)
        return refused

    clean, _, _ = heard(refuses=lambda _: None)
    commands, *counts = heard(refuses=refusing)

    more = commands - clean
    assert counts == ([size, 0] if kind in ("flag", "date") else [size - 1, 1])
    assert 0 < more.pop("APPEND") <= 2 * log2(size)
    assert bool(hung_up) == (kind in ("flag", "date", "nul"))
    assert more == Counter({"CAPABILITY": len(hung_up), "LOGIN": len(hung_up)})


def test_every_byte_flag_and_date_with_its_zone_arrives_as_it_is_where_the_server_keeps_them(make: Make) -> None:
    """Real servers show a date in a zone of their own, and hold no bare LF: what is sent to them shows here."""
    world = make()
    for number, body in enumerate(AWKWARD.values()):
        flags, zone = [("\\Seen", "$Forwarded"), ("\\Draft", "\\Flagged"), ()][number % 3], ZONES[number % len(ZONES)]
        world.source.put("INBOX", body, flags=flags, internaldate=f" 7-Jul-2021 02:44:25 {zone}")

    job = world.run()

    equal(world)
    assert world.destination.bodies("INBOX") == list(AWKWARD.values())
    assert world.audits(job)["1"].verified == len(AWKWARD)  # type: ignore[index]


def rewrite(message: Message) -> Message:
    body = b"X-Scanned: yes\r\n" + message.body + b"-- \r\nscanned\r\n"
    return replace(message, body=body, internaldate="01-Jan-2026 00:00:00 +0000")


def strip_message_id(message: Message) -> Message:
    lines = [line for line in message.body.split(b"\r\n") if not line.startswith(b"Message-ID")]
    return replace(message, body=b"\r\n".join(lines))


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_15_mail_that_is_rewritten_is_recognised_in_plan_doubt_and_audit(make: Make, uidplus: bool) -> None:
    world = make(uidplus=uidplus, multiappend=False)
    world.destination.rewrites = rewrite
    world.source.put("INBOX", *bodies(6))
    world.destination.at("append", 4, LostAfterCrlf(0.1))

    first = world.run(job_id="first")
    world.end(first)
    second = world.run(job_id="second")

    assert world.destination.bodies("INBOX") == [rewrite(Message(0, (), "", one)).body for one in bodies(6)]
    assert [row.survives for row in world.store.rows(BehaviourRow)] == ["headers"]
    assert {row.kind for row in world.store.rows(NoticeRow)} == {"rewrites", "dates"}
    audit = world.audits(first)["1"]  # type: ignore[index]
    assert (audit.level, audit.verified, audit.rewritten) == ("identity", 6, 0)
    assert (world.counts(second).skipped, world.counts(second).total) == (6, 6)


def test_rule_15_without_message_ids_what_is_in_doubt_is_listed_and_not_sent_again(make: Make) -> None:
    world = make(multiappend=False)
    world.destination.rewrites = strip_message_id
    world.source.put("INBOX", *bodies(6))
    world.destination.at("append", 4, LostAfterCrlf(0.1))

    world.run()

    assert len(world.destination.bodies("INBOX")) == 6
    assert [(row.uid, row.reason) for row in world.failures()] == [(4, Reason.UNCONFIRMED)]
    reconciled(world)


@pytest.mark.parametrize("multiappend", [True, False])
def test_rule_16_merged_mail_is_answered_with_an_old_uid_and_counts(make: Make, multiappend: bool) -> None:
    world = make(multiappend=multiappend)
    world.destination.merges = True
    world.source.put("INBOX", mail("a"), mail("twin"), mail("b"), mail("twin"), mail("a"))

    job = world.run()

    assert world.destination.bodies("INBOX") == [mail("a"), mail("twin"), mail("b")]
    assert [(row.uid, row.reason) for row in world.failures("noted")] == [(4, Reason.MERGED), (5, Reason.MERGED)]
    assert world.counts(job).completed == 5


def test_rule_17_a_filter_that_moves_mail_away_is_told_of(make: Make) -> None:
    world = make(multiappend=False)
    world.destination.filters = lambda _: True
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 3, LostAfterCrlf(0.1))

    world.run()

    assert Counter(world.destination.bodies("Filtered")) == Counter(bodies(4))
    assert [(row.uid, row.reason) for row in world.failures()] == [(3, Reason.UNCONFIRMED)]
    assert [row.kind for row in world.store.rows(NoticeRow)] == ["filters"]


@pytest.mark.parametrize("uidplus", [True, False])
@pytest.mark.parametrize("lie", [None, 1])
def test_rule_18_uidnext_may_be_absent_or_wrong_and_uidvalidity_may_change(
    make: Make, uidplus: bool, lie: int | None
) -> None:
    world = make(uidplus=uidplus, multiappend=False)
    world.destination.uidnext = lambda _: lie
    world.source.put("INBOX", *bodies(6))
    world.destination.at("append", 4, Do(lambda: world.destination.renumber("INBOX")))

    job = world.run()

    equal(world)
    assert [plan.number for plan in world.store.plans(job)] == [2]
    reconciled(world)


def test_rule_18_nil_bodies_are_listed_and_sizes_that_lie_change_nothing(make: Make) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.source.nil_bodies.add(mail("m2"))
    world.source.sizes = lambda size: size + 3

    job = world.run()

    assert world.destination.bodies("INBOX") == [one for one in bodies(6) if one != mail("m2")]
    assert [(row.uid, row.reason) for row in world.failures()] == [(3, Reason.MESSAGE_UNREADABLE)]
    assert world.audits(job)["1"].verified == 5  # type: ignore[index]


def test_rule_19_a_message_that_was_answered_with_ok_and_dropped_is_found_out(make: Make) -> None:
    world = make()
    world.destination.drops = lambda message: message.body == mail("m2")
    world.source.put("INBOX", *bodies(5))

    job = world.run()

    audit = world.audits(job)["1"]  # type: ignore[index]
    assert (audit.removed, audit.verified) == (1, 4)
    assert [(row.uid, row.reason) for row in world.failures("noted")] == [(3, Reason.REMOVED_AT_DESTINATION)]
