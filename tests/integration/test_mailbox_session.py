"""The session port on a real Dovecot."""

import threading
import time
from collections.abc import Sequence
from datetime import datetime

import pytest

from libs.mailbox.errors import AppendRefused, ConnectionLost, FolderGone
from libs.mailbox.names import encode_name
from libs.mailbox.port import Message, Session
from tests.integration.conftest import Open
from tests.servers.dovecot import Dovecot

DATE = "17-Jul-1996 02:44:25 -0700"
BODIES = [
    b"Subject: plain\r\n\r\nhello\r\n",
    b"Subject: no end",
    b"\r\n",
    b"x",
    b"Subject: bare CR\r\n\r\none\rtwo\r\n",
    b"Subject: 8 bit\r\n\r\n" + bytes(range(1, 10)) + bytes(range(128, 256)),
    b"Subject: looks like IMAP\r\n\r\n* BYE\r\nM1 OK {3}\r\n+ go\r\n)\r\n",
    b"Subject: a block\r\n\r\n" + (b"y" * 78 + b"\r\n") * 4000,
    b"Subject: several MB\r\n\r\n" + (b"z" * 76 + b"\r\n") * 60_000,
]


def go() -> None:
    """A gate that lets everything through."""


def message(body: bytes = BODIES[0], *, flags: Sequence[str] = (), date: str = DATE) -> Message:
    return Message(uid=1, flags=tuple(flags), internaldate=date, body=body)


def moment(internaldate: str) -> datetime:
    return datetime.strptime(internaldate, "%d-%b-%Y %H:%M:%S %z")


def bodies(session: Session, wire: str = "INBOX") -> list[bytes]:
    session.examine(wire)
    return [found.body for found in session.fetch("1:*")]


@pytest.mark.parametrize("security", ["tls", "starttls", "plain"])
def test_messages_come_back_byte_for_byte(dovecot: Dovecot, opened: Open, security: str) -> None:
    session = opened(dovecot.account(f"bytes-{security}", security=security))  # type: ignore[arg-type]

    appended = session.append("INBOX", [message(body) for body in BODIES], go)

    assert appended.uids == tuple(range(1, len(BODIES) + 1))
    selected = session.examine("INBOX")
    assert (selected.exists, selected.uidvalidity) == (len(BODIES), appended.uidvalidity)
    assert selected.uidnext == len(BODIES) + 1
    assert [found.body for found in session.fetch("1:*")] == BODIES
    assert [found.size for found in session.listing(identity=False)] == [len(body) for body in BODIES]


def test_odd_line_ends_are_not_touched(opened: Open, dovecot_installed: None) -> None:
    """By us: Dovecot itself makes CRLF of a bare LF, and of CR CRLF without this setting."""
    with Dovecot(settings="mail_save_crlf = yes") as server:
        session = opened(server.account("joe"), server)
        odd = b"Subject: odd\r\n\r\none\rtwo\r\r\n\r\r\nend\r"

        session.append("INBOX", [message(odd), message(odd + b"\n")], go)

        assert bodies(session) == [odd, odd + b"\n"]


def test_flags_keywords_and_the_moment_of_arrival_are_kept(dovecot: Dovecot, opened: Open) -> None:
    session = opened(dovecot.account("flags"))
    flags = [("\\Seen", "\\Flagged", "$Forwarded", "NonJunk"), (), ("\\Deleted", "\\Draft", "\\Answered", "a[b")]
    dates = [DATE, " 1-Feb-2003 04:05:06 +0530", "31-Dec-1999 23:59:59 +0000"]

    session.append("INBOX", [message(flags=flag, date=date) for flag, date in zip(flags, dates, strict=True)], go)

    session.examine("INBOX")
    found = list(session.fetch("1:*"))
    assert [set(one.flags) for one in found] == [set(flag) for flag in flags]
    assert [moment(one.internaldate) for one in found] == [moment(date) for date in dates]
    assert {uid: set(of) for uid, of in session.flags("1:*").items()} == {
        uid: set(flag) for uid, flag in enumerate(flags, 1)
    }
    assert [one.internaldate for one in session.listing(identity=False)] == [one.internaldate for one in found]


def test_a_message_without_date_and_a_day_without_padding_are_taken(dovecot: Dovecot, opened: Open) -> None:
    session = opened(dovecot.account("dates"))

    session.append("INBOX", [message(date=""), message(date="1-Feb-2003 04:05:06 +0000")], go)

    session.examine("INBOX")
    _, second = session.listing(identity=False)
    assert moment(second.internaldate) == moment("01-Feb-2003 04:05:06 +0000")


@pytest.mark.parametrize(
    "name",
    ["Entwürfe", "日本語/メール", 'say "hi"', "back\\slash", "A & B", "100% *real*", "a/b/c/d", "😀", "(x) {5}", "x~"],
)
def test_folders_of_any_name_are_made_listed_and_filled(dovecot: Dovecot, opened: Open, name: str) -> None:
    session = opened(dovecot.account("names"))
    wire = encode_name(name)

    session.create(wire)
    session.create(wire)
    session.subscribe(wire)
    session.append(wire, [message()], go)

    found = {folder.wire: folder for folder in session.folders()}[wire]
    assert (found.name, found.delimiter, found.selectable, found.subscribed) == (name, "/", True, True)
    assert session.status(wire).messages == 1
    assert bodies(session, wire) == [BODIES[0]]


def test_special_use_parents_and_namespace_are_told(opened: Open, dovecot_installed: None) -> None:
    with Dovecot(separator=".", prefix="INBOX.") as server:
        session = opened(server.account("joe"), server)
        session.create("INBOX.a.b")
        folders = {folder.name: folder for folder in session.folders()}

        assert (session.namespace().prefix, session.namespace().delimiter) == ("INBOX.", ".")
        assert folders["INBOX.Sent"].special_use == "\\Sent"
        assert folders["INBOX"].special_use is None
        assert folders["INBOX.a.b"].selectable
        assert not folders["INBOX.a"].selectable


def test_without_extensions_folders_are_listed_as_well(opened: Open, dovecot_installed: None) -> None:
    with Dovecot(hide=["LIST-EXTENDED", "SPECIAL-USE", "NAMESPACE", "UNSELECT"]) as server:
        session = opened(server.account("joe"), server)
        session.create("kept")
        session.subscribe("kept")
        folders = {folder.name: folder for folder in session.folders()}

        assert folders["kept"].subscribed
        assert not folders["INBOX"].subscribed
        assert (session.namespace().prefix, session.namespace().delimiter) == ("", "/")
        session.examine("kept")
        session.unselect()
        session.unselect()


def test_a_listing_drops_what_lies_outside_its_uids(dovecot: Dovecot, opened: Open) -> None:
    session = opened(dovecot.account("outside"))
    session.append("INBOX", [message()] * 3, go)
    session.examine("INBOX")

    assert list(session.listing("100:*", identity=True)) == []
    assert [one.uid for one in session.listing("2:*", identity=True)] == [2, 3]
    assert [one.uid for one in session.fetch("3,1,77")] == [1, 3]
    assert list(session.fetch("")) == []


def test_identity_is_the_same_for_the_same_message(dovecot: Dovecot, opened: Open) -> None:
    session = opened(dovecot.account("identity"))
    one = b"From: a@example.org\r\nSubject: one\r\n two\r\nMessage-ID: <1@example.org>\r\n\r\nbody"
    session.append("INBOX", [message(one), message(one), message(b"Subject: other\r\n\r\n")], go)
    session.examine("INBOX")

    first, second, third = session.listing(identity=True)

    assert first.message_id == "<1@example.org>"
    assert (first.header_digest, first.message_id) == (second.header_digest, second.message_id)
    assert third.message_id is None
    assert third.header_digest != first.header_digest


def test_a_fetch_that_nobody_reads_to_its_end_does_not_disturb_the_next_command(dovecot: Dovecot, opened: Open) -> None:
    session = opened(dovecot.account("abandoned"))
    session.append("INBOX", [message(body) for body in BODIES], go)
    session.examine("INBOX")

    first = next(session.fetch("1:*"))

    assert first.body == BODIES[0]
    assert [one.uid for one in session.listing(identity=True)] == list(range(1, len(BODIES) + 1))


def test_a_long_uid_set_is_fetched_in_several_commands(dovecot: Dovecot, opened: Open) -> None:
    session = opened(dovecot.account("long"))
    session.append("INBOX", [message()] * 40, go)
    session.examine("INBOX")
    every_second = ",".join(str(uid) for uid in range(2, 8000, 2))

    assert [one.uid for one in session.fetch(every_second)] == list(range(2, 41, 2))


# ---- the commit gate (COPYING rule 7)


class Stop(Exception):
    """What a gate raises."""


def test_a_gate_that_raises_lands_nothing(dovecot: Dovecot, opened: Open) -> None:
    session, other = opened(dovecot.account("gate")), opened(dovecot.account("gate"))

    def stop() -> None:
        raise Stop

    for messages in ([message()], [message()] * 3, [message(BODIES[-1])] * 3):
        session = opened(dovecot.account("gate"))
        with pytest.raises(Stop):
            session.append("INBOX", messages, stop)
        with pytest.raises(ConnectionLost):
            session.noop()

    time.sleep(1)  # Dovecot lands what it has whole up to 0.3 s after its client died
    assert other.status("INBOX").messages == 0


def test_a_gate_that_takes_three_seconds_is_harmless(dovecot: Dovecot, opened: Open) -> None:
    session = opened(dovecot.account("slow gate".replace(" ", "")))

    appended = session.append("INBOX", [message()] * 3, lambda: time.sleep(3))

    assert appended.uids == (1, 2, 3)


def test_a_reset_from_another_thread_ends_what_waits(dovecot: Dovecot, opened: Open) -> None:
    session, other = opened(dovecot.account("reset")), opened(dovecot.account("reset"))
    at_gate, go_on = threading.Event(), threading.Event()
    ends: list[BaseException] = []

    def gate() -> None:
        at_gate.set()
        go_on.wait(10)
        raise Stop

    def append() -> None:
        try:
            session.append("INBOX", [message()], gate)
        except (ConnectionLost, Stop) as end:
            ends.append(end)

    thread = threading.Thread(target=append)
    thread.start()
    assert at_gate.wait(10)
    session.reset()
    go_on.set()
    thread.join(10)

    assert len(ends) == 1
    assert other.status("INBOX").messages == 0
    session.reset()
    session.close()


# ---- refusals


@pytest.mark.parametrize("security", ["tls", "plain"])
@pytest.mark.parametrize("size", [10, 3_000_000])
@pytest.mark.parametrize(
    "bad",
    [
        {"date": "99-Foo-2000 00:00:00 +0000"},
        {"flags": ["\\Bogus"]},
        {"flags": ["x" * 5000]},
    ],
)
def test_what_the_server_refuses_lands_nothing(
    dovecot: Dovecot, opened: Open, security: str, size: int, bad: dict[str, object]
) -> None:
    account = dovecot.account("refused", security=security)  # type: ignore[arg-type]
    session = opened(account)
    good = message(b"x" * size)

    with pytest.raises(AppendRefused) as refused:
        session.append("INBOX", [good, message(**bad), good, good], go)  # type: ignore[arg-type]

    assert refused.value.server_text
    assert not refused.value.try_create
    if refused.value.connection_closed:
        session = opened(account)
    assert session.status("INBOX").messages == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"date": '1-Jan-2000 00:00:00 +0000" {0}\r\nM9 DELETE "INBOX'},
        {"flags": ["\\Seen) {3}\r\nabc"]},
        {"flags": ["two words"]},
        {"flags": ["日本"]},
    ],
)
def test_flags_and_dates_cannot_smuggle_commands(dovecot: Dovecot, opened: Open, bad: dict[str, object]) -> None:
    session = opened(dovecot.account("smuggled"))

    with pytest.raises(AppendRefused) as refused:
        session.append("INBOX", [message(), message(**bad)], go)  # type: ignore[arg-type]

    assert not refused.value.connection_closed
    assert session.status("INBOX").messages == 0


def test_an_empty_message_is_refused_and_nothing_else_lands(dovecot: Dovecot, opened: Open) -> None:
    account = dovecot.account("empty")

    with pytest.raises(AppendRefused):
        opened(account).append("INBOX", [message(), message(b""), message()], go)

    assert opened(account).status("INBOX").messages == 0


def test_a_missing_folder_is_told_as_one_to_create(dovecot: Dovecot, opened: Open) -> None:
    session = opened(dovecot.account("missing"))

    with pytest.raises(AppendRefused) as refused:
        session.append("nowhere", [message()], go)
    assert refused.value.try_create
    assert not refused.value.connection_closed
    for look in (session.examine, session.status):
        with pytest.raises(FolderGone):
            look("nowhere")
    session.noop()


def test_a_name_that_no_command_can_carry_is_gone(dovecot: Dovecot, opened: Open) -> None:
    with pytest.raises(FolderGone):
        opened(dovecot.account("names")).examine('INBOX"\r\nM9 DELETE INBOX')


# ---- other servers


def test_without_multiappend_one_message_goes_at_a_time(opened: Open, dovecot_installed: None) -> None:
    with Dovecot(hide=["MULTIAPPEND"]) as server:
        session = opened(server.account("joe"), server)

        assert not session.multiappend
        with pytest.raises(ValueError, match="MULTIAPPEND"):
            session.append("INBOX", [message()] * 2, go)
        assert [session.append("INBOX", [message(body)], go).uids for body in BODIES[:3]] == [(1,), (2,), (3,)]
        assert bodies(session) == BODIES[:3]


def test_without_uidplus_the_uids_are_unknown(opened: Open, dovecot_installed: None) -> None:
    with Dovecot(hide=["UIDPLUS"]) as server:
        session = opened(server.account("joe"), server)

        assert not session.uidplus
        appended = session.append("INBOX", [message(body) for body in BODIES], go)
        assert (appended.uidvalidity, appended.uids) == (None, None)
        assert bodies(session) == BODIES


def test_without_literal_plus_each_literal_waits_for_leave(opened: Open, dovecot_installed: None) -> None:
    with Dovecot(hide=["LITERAL+"]) as server:
        session = opened(server.account("joe"), server)

        with pytest.raises(AppendRefused):
            session.append("INBOX", [message(), message(date="99-Foo-2000 00:00:00 +0000")], go)
        session = opened(server.account("joe"), server)
        assert session.append("INBOX", [message(body) for body in BODIES], go).uids == tuple(range(1, len(BODIES) + 1))
        assert bodies(session) == BODIES

        def stop() -> None:
            raise Stop

        with pytest.raises(Stop):
            session.append("INBOX", [message()] * 2, stop)
        assert opened(server.account("joe"), server).status("INBOX").messages == len(BODIES)
