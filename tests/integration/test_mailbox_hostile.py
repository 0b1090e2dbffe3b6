"""Sessions with servers that differ, lie, refuse early or die."""

import threading
import time
from collections.abc import Callable

import pytest

from libs.contracts.reasons import Reason
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.errors import (
    AppendRefused,
    AppendUnconfirmed,
    ConnectionLost,
    FetchRefused,
    FolderFailing,
    FolderGone,
    FolderRefused,
    MailboxBusy,
    MailboxError,
    ProtocolBroken,
)
from libs.mailbox.names import encode_name
from libs.mailbox.port import Message, Session
from tests.integration.conftest import LOOPBACK
from tests.servers.scripted import CAPABILITIES, Scripted, Talk

SYNCHRONISING = "IMAP4rev1 MULTIAPPEND UIDPLUS"


def message(body: bytes = b"Subject: x\r\n\r\n", *, flags: tuple[str, ...] = (), date: str = "") -> Message:
    return Message(uid=1, flags=flags, internaldate=date, body=body)


def go() -> None:
    """A gate that lets everything through."""


class Logged:
    """A scripted server that lets us in first."""

    def __init__(self, talk: Callable[[Talk], None], capabilities: str = CAPABILITIES) -> None:
        def whole(connection: Talk) -> None:
            connection.let_in(capabilities)
            talk(connection)

        self._server = Scripted(whole)

    def __enter__(self) -> Session:
        self._server.__enter__()
        policy = ConnectPolicy(allow_networks=[LOOPBACK], allow_ports=[self._server.port], allow_plain=True)
        self._session = connect(self._server.account(), policy)
        return self._session

    def __exit__(self, *error: object) -> None:
        self._session.reset()
        self._server.__exit__(*error)  # type: ignore[arg-type]


# ---- commands whose answer nobody waits for


def test_what_is_told_is_followed_at_once_by_the_next_command_and_may_be_refused() -> None:
    def talk(server: Talk) -> None:
        server.answer("EXAMINE", "* 1 EXISTS", "* OK [UIDVALIDITY 7] valid", "* OK [UIDNEXT 9] next")
        server.hear("CLOSE")
        told = server.tag
        server.hear("SUBSCRIBE")
        subscribed = server.tag
        server.hear("STATUS")  # before either was answered
        server.say(f"{told} NO it stays open", f"{subscribed} BAD no subscriptions here")
        server.say("* STATUS INBOX (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7)", "{tag} OK done")
        server.answer("NOOP")

    with Logged(talk) as session:
        session.examine("INBOX")
        session.unselect()
        session.subscribe("INBOX")
        assert session.status("INBOX").messages == 3
        session.noop()


def test_an_answer_to_what_nobody_sent_ends_the_connection_also_behind_what_was_told() -> None:
    def talk(server: Talk) -> None:
        server.hear("SUBSCRIBE")
        server.hear("NOOP")
        server.say("{tag} OK the second first")
        server.hang()

    with Logged(talk) as session:
        session.subscribe("INBOX")
        with pytest.raises(ProtocolBroken):
            session.noop()


# ---- fetching


def test_items_in_any_order_and_form_make_the_same_messages() -> None:
    def talk(server: Talk) -> None:
        server.answer(
            "UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])",
            '* 1 FETCH (UID 11 FLAGS (\\Seen \\Recent) INTERNALDATE "d1" BODY[] {3}',
            b"abc)",
            '* 2 FETCH (BODY[] "a\\"c" FLAGS (\\recent $x) UID 12 INTERNALDATE {2}',
            b"d2)",
            "* 23 EXISTS",
            "* 1 FETCH (FLAGS (\\Deleted))",
            "* 1 FETCH (UID 11 FLAGS (\\Deleted))",
            "* OK still here {4}",
            "* 3 FETCH (UID 13 FLAGS ())",
            "* 9 EXPUNGE",
            '* SEARCH {3}\r\n1 2 "',
            "* 3 FETCH (UID 13 MODSEQ (77) INTERNALDATE NIL BODY[] {0}",
            b")",
            '* 4 FETCH (UID 14 FLAGS () INTERNALDATE "d4" BODY[] {1}',
            b"x MODSEQ (78) X {2}\r\n)) NIL)",
        )

    with Logged(talk) as session:
        assert list(session.fetch("1:*")) == [
            Message(11, ("\\Seen",), "d1", b"abc"),
            Message(12, ("$x",), "d2", b'a"c'),
            Message(13, (), "", b""),
            Message(14, (), "d4", b"x"),
        ]


def test_identity_does_not_depend_on_the_form_of_the_answer() -> None:
    def talk(server: Talk) -> None:
        server.answer(
            "UID FETCH",
            '* 1 FETCH (UID 1 RFC822.SIZE 9 INTERNALDATE "d" BODY[HEADER.FIELDS (FROM SUBJECT)] {25}',
            b"From: a\r\nSubject: x y\r\n\r\n)",
            '* 2 FETCH (BODY[HEADER.FIELDS ("From" "Subject")] {28}',
            b'SUBJECT: x\r\n  y\r\nFrom: a\r\n\r\n RFC822.SIZE 9 INTERNALDATE "d" UID 2)',
            '* 3 FETCH (UID 3 RFC822.SIZE 9 INTERNALDATE "d" BODY[HEADER.FIELDS (FROM SUBJECT)] NIL)',
        )

    with Logged(talk) as session:
        first, second, third = session.listing(identity=True)

        assert first.header_digest == second.header_digest
        assert third.header_digest != first.header_digest
        assert (third.uid, third.size, third.message_id) == (3, 9, None)


def test_a_message_the_server_will_not_hand_out_is_not_taken_for_gone() -> None:
    def talk(server: Talk) -> None:
        server.answer("UID FETCH 1 ", '* 1 FETCH (UID 1 FLAGS () INTERNALDATE "d" BODY[] NIL)')
        server.hear("UID FETCH 2 ")
        server.say("{tag} NO [SERVERBUG] cannot read it")
        server.hear("UID FETCH 3 ")
        server.say("{tag} NO [EXPUNGEISSUED] some are gone")
        server.hear("UID FETCH 4 ")
        server.say("{tag} NO message 4 could not be converted")

    with Logged(talk) as session:
        with pytest.raises(FetchRefused):
            list(session.fetch("1"))
        with pytest.raises(FetchRefused):
            list(session.fetch("2"))
        assert list(session.fetch("3")) == []
        with pytest.raises(FetchRefused) as refused:
            list(session.fetch("4"))
        assert refused.value.reason == Reason.MESSAGE_UNREADABLE
        assert refused.value.server_text == "message 4 could not be converted"


@pytest.mark.parametrize(
    "words",
    [
        b"* 1 FETCH (UID 1 FLAGS () BODY[] {99999999999}",
        b'* 1 FETCH (UID 1 FLAGS () INTERNALDATE "d" BODY[] {9999999999}',
        b"* 1 FETCH (UID 1 FLAGS (",
        b"M77 OK of nobody's command",
        b"what?",
        b"* 1 FETCH (X " + b"(" * 5000,
        b"* " + b"x" * 2_000_000,
    ],
)
def test_what_is_not_imap_ends_the_connection(words: bytes) -> None:
    def talk(server: Talk) -> None:
        server.hear("UID FETCH")
        server.say(words)
        server.hang()

    with Logged(talk) as session:
        with pytest.raises(ProtocolBroken):
            list(session.fetch("1:*"))
        with pytest.raises(ConnectionLost):
            session.noop()


@pytest.mark.parametrize("words", [b"", b"* 1 FETCH (UID 1 FLAGS () BODY[] {10}\r\nabc", b"* 1 FET"])
@pytest.mark.parametrize("how", [Talk.close, Talk.reset])
def test_a_connection_that_ends_is_lost(words: bytes, how: Callable[[Talk], None]) -> None:
    def talk(server: Talk) -> None:
        server.hear("UID FETCH")
        server.connection.sendall(words)
        how(server)

    with Logged(talk) as session, pytest.raises(ConnectionLost):
        list(session.fetch("1:*"))


def test_a_bye_says_why_the_connection_ended() -> None:
    def talk(server: Talk) -> None:
        server.hear("NOOP")
        server.say("* BYE [UNAVAILABLE] Suggested Backoff Time: 4000 milliseconds")

    with Logged(talk) as session:
        with pytest.raises(MailboxBusy) as busy:
            session.noop()
        assert (busy.value.reason, busy.value.retry_after) == (Reason.THROTTLED, 4.0)
        assert "Backoff" in busy.value.server_text
        assert "Backoff" not in str(busy.value)


# ---- folders


def test_refusals_say_whether_a_folder_is_gone_forbidden_or_busy() -> None:
    def talk(server: Talk) -> None:
        server.hear('EXAMINE "a"')
        server.say("{tag} NO [NONEXISTENT] nix da")
        server.hear('EXAMINE "b"')
        server.say("{tag} NO gibt es nicht")
        server.answer('LIST "" "b"')
        server.hear('EXAMINE "c"')
        server.say("{tag} NO geht nicht")
        server.answer('LIST "" "c"', '* LIST () "/" c')
        server.hear('EXAMINE "d"')
        server.say("{tag} NO [NOPERM] nein")
        server.hear('EXAMINE "e"')
        server.say("{tag} NO [SERVERBUG] internal error")
        server.hear('EXAMINE "f"')
        server.say("{tag} NO [INUSE] later")

    with Logged(talk) as session:
        for wire, error, reason in [
            ("a", FolderGone, Reason.FOLDER_GONE),
            ("b", FolderGone, Reason.FOLDER_GONE),
            ("c", FolderRefused, Reason.FOLDER_REFUSED),
            ("d", FolderRefused, Reason.NO_PERMISSION),
            ("e", FolderFailing, Reason.FOLDER_FAILING),
            ("f", MailboxBusy, Reason.BUSY),
        ]:
            with pytest.raises(error) as raised:
                session.examine(wire)
            assert raised.value.reason == reason


def test_a_folder_that_tells_no_permanent_flags_and_no_uidnext_is_opened() -> None:
    told = ("* FLAGS (\\Seen $work)", "* 1 EXISTS", "* OK [UIDVALIDITY 7] valid")
    with Logged(lambda server: server.answer('EXAMINE "a"', *told) and None) as session:
        selected = session.examine("a")

    assert (selected.uidvalidity, selected.uidnext, selected.exists) == (7, None, 1)
    assert (selected.permanent_flags, selected.keywords) == (frozenset(), {"$work"})


def test_a_server_with_utf8_is_not_asked_to_enable_it_and_names_stay_modified_utf7() -> None:
    def talk(server: Talk) -> None:
        server.answer('LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE)', '* LIST () "/" "Entw&APw-rfe"')
        server.hear('EXAMINE "Entw&APw-rfe"')
        server.say("* 0 EXISTS", "* OK [UIDVALIDITY 7] valid", "{tag} OK done")
        server.answer('CREATE "Gr&APwA3w-e"')

    with Logged(talk, f"{CAPABILITIES} ENABLE UTF8=ACCEPT LIST-EXTENDED SPECIAL-USE") as session:
        (folder,) = session.folders()
        assert folder.name == "Entwürfe"
        session.examine(folder.wire)
        session.create(encode_name("Grüße"))


def test_a_folder_without_uidvalidity_can_not_be_opened() -> None:
    with Logged(lambda server: server.answer('EXAMINE "a"', "* 1 EXISTS") and None) as session:
        with pytest.raises(ProtocolBroken) as broken:
            session.examine("a")
        assert broken.value.reason == Reason.PROTOCOL


def test_a_folder_that_exists_may_be_created_again() -> None:
    def talk(server: Talk) -> None:
        server.hear('CREATE "a"')
        server.say("{tag} NO [ALREADYEXISTS] da")
        server.hear('SUBSCRIBE "a"')
        server.say("{tag} NO no subscriptions here")
        server.hear('CREATE "b"')
        server.say("{tag} NO schon da")
        server.answer('LIST "" "b"', '* LIST () "/" b')
        server.answer('SUBSCRIBE "b"')
        server.hear('CREATE "c"')
        server.say("{tag} NO [OVERQUOTA] voll")
        server.answer('LIST "" "c"')

    with Logged(talk) as session:
        session.create("a")
        session.subscribe("a")
        session.create("b")
        session.subscribe("b")
        with pytest.raises(FolderRefused) as refused:
            session.create("c")
        assert refused.value.reason == Reason.OVER_QUOTA


# ---- appending


def test_an_append_is_one_command_with_its_literals_as_they_are() -> None:
    bodies = [b"bare\nLF\n", b"\r\rCR\r", b"\0\xff", b"z" * 600_000, b"end"]
    heard: list[bytes] = []

    def talk(server: Talk) -> None:
        heard.append(server.hear('APPEND "IN\\"BOX"'))
        for body in bodies:
            heard.append(server.read(len(body)))
            heard.append(server.line())
        server.say("* 5 EXISTS", "{tag} OK [APPENDUID 7 4:5,7:9] done")

    with Logged(talk) as session:
        messages = [message(body, flags=("\\Seen", "$k"), date=" 1-Jan-2000 00:00:00 +0000") for body in bodies]
        assert session.append('IN"BOX', messages, go).uids == (4, 5, 7, 8, 9)

    assert heard[1::2] == bodies
    heads = [b' (\\Seen $k) " 1-Jan-2000 00:00:00 +0000" {%d+}' % len(body) for body in bodies]
    assert heard[0] == b'APPEND "IN\\"BOX"' + heads[0]
    assert heard[2::2] == [head + b"\r\n" for head in heads[1:]] + [b"\r\n"]


def test_appenduid_that_does_not_fit_is_not_believed() -> None:
    def talk(server: Talk) -> None:
        for code in ("[APPENDUID 7 4:6]", "[APPENDUID 7 1:4294967295]", "[APPENDUID x y]", "", "[APPENDUID 7]"):
            server.hear("APPEND")
            server.read(12)
            server.line()
            server.say(f"{{tag}} OK {code} done")

    with Logged(talk) as session:
        for _ in range(5):
            assert session.append("a", [message(b"Subject: x\r\n")], go).uids is None


def test_short_literals_go_unasked_with_literal_minus() -> None:
    heard: list[bytes] = []

    def talk(server: Talk) -> None:
        heard.append(server.hear("APPEND"))
        heard.append(server.read(4096))
        heard.append(server.line())
        server.say("+ go on")
        heard.append(server.read(4097))
        server.line()
        server.say("{tag} OK done")

    with Logged(talk, "IMAP4rev1 LITERAL- MULTIAPPEND") as session:
        session.append("a", [message(b"x" * 4096), message(b"y" * 4097)], go)

    assert heard[0].endswith(b"{4096+}")
    assert heard[2].endswith(b"{4097}\r\n")


def test_a_literal_that_is_refused_ends_the_append_and_not_the_connection() -> None:
    gates: list[str] = []

    def talk(server: Talk) -> None:
        server.hear("APPEND")
        server.say("{tag} NO [TOOBIG] no leave")
        server.hear("APPEND")
        server.say("+ go on")
        server.read(12)
        server.line()
        server.say("* 1 EXISTS", "{tag} NO [OVERQUOTA] not the second")
        server.answer("NOOP")

    with Logged(talk, SYNCHRONISING) as session:
        for count, reason in [(1, Reason.MESSAGE_TOO_LARGE), (2, Reason.OVER_QUOTA)]:
            with pytest.raises(AppendRefused) as refused:
                session.append("a", [message(b"Subject: x\r\n")] * count, lambda: gates.append("asked"))
            assert (refused.value.reason, refused.value.connection_closed) == (reason, False)
        session.noop()

    assert gates == []


def test_an_answer_before_the_end_was_sent_is_a_refusal() -> None:
    """Whether or not it is there before the gate is asked."""

    def talk(server: Talk) -> None:
        server.hear("APPEND")
        server.say("+ go on", "{tag} NO [NOPERM] at once")
        server.read(14)
        server.line()
        server.answer("NOOP")

    with Logged(talk, SYNCHRONISING) as session:
        with pytest.raises(AppendRefused) as refused:
            session.append("a", [message()], lambda: None)
        assert refused.value.reason == Reason.NO_PERMISSION
        assert refused.value.server_text == "at once"
        session.noop()


@pytest.mark.parametrize("how", [Talk.close, Talk.reset])
def test_a_connection_that_ends_before_the_gate_left_nothing_in_doubt(how: Callable[[Talk], None]) -> None:
    gates: list[str] = []
    ended = threading.Event()

    def talk(server: Talk) -> None:
        server.hear("APPEND")
        server.read(100_000)
        how(server)
        ended.set()

    with Logged(talk) as session, pytest.raises(ConnectionLost):
        session.append("a", [message(b"x" * 100_000)] * 300, lambda: gates.append("asked"))

    assert ended.is_set()
    assert gates == []


def test_a_bye_before_the_gate_left_nothing_in_doubt() -> None:
    def talk(server: Talk) -> None:
        server.hear("APPEND")
        server.say("* BYE going down")
        server.reset()

    with Logged(talk) as session, pytest.raises((ConnectionLost, MailboxBusy)):
        session.append("a", [message(b"x" * 100_000)] * 300, go)


@pytest.mark.parametrize("words", ["", "* BYE going down", "* 1 EXISTS", "{tag} WHAT", "rubbish", "M99 OK done"])
@pytest.mark.parametrize("how", [Talk.close, Talk.reset])
def test_a_connection_that_ends_after_the_last_byte_leaves_doubt(words: str, how: Callable[[Talk], None]) -> None:
    def talk(server: Talk) -> None:
        server.hear("APPEND")
        server.read(12)
        server.line()
        if words:
            server.say(words)
        how(server)

    with Logged(talk) as session, pytest.raises(AppendUnconfirmed):
        session.append("a", [message(b"Subject: x\r\n")], go)


def test_after_bad_the_connection_is_not_used_again() -> None:
    def talk(server: Talk) -> None:
        server.hear("APPEND")
        server.read(12)
        server.line()
        server.say("{tag} BAD no")
        server.hang()

    with Logged(talk) as session:
        with pytest.raises(AppendRefused) as refused:
            session.append("a", [message(b"Subject: x\r\n")], go)
        assert refused.value.connection_closed
        with pytest.raises(ConnectionLost):
            session.noop()


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        ("NO [UNAVAILABLE] later", MailboxBusy, Reason.BUSY),
        ("NO [INUSE] later", MailboxBusy, Reason.BUSY),
        ("NO [THROTTLED] slow down", MailboxBusy, Reason.THROTTLED),
        ("NO [OVERQUOTA] Account exceeded command or bandwidth limits.", MailboxBusy, Reason.THROTTLED),
        ("BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds", MailboxBusy, Reason.THROTTLED),
        ("NO [OVERQUOTA] full", AppendRefused, Reason.OVER_QUOTA),
        ("NO [LIMIT] too large a number of keywords", AppendRefused, Reason.MESSAGE_REFUSED),
        ("NO [TRYCREATE] none", AppendRefused, Reason.FOLDER_GONE),
        ("NO", AppendRefused, Reason.MESSAGE_REFUSED),
    ],
)
def test_refusals_of_an_append_say_what_to_do(answer: str, error: type[MailboxError], reason: Reason) -> None:
    def talk(server: Talk) -> None:
        server.hear("APPEND")
        server.read(12)
        server.line()
        server.say("{tag} " + answer)
        server.hang()

    with Logged(talk) as session, pytest.raises(error) as raised:
        session.append("a", [message(b"Subject: x\r\n")], go)
    assert raised.value.reason == reason


# ---- the end


def test_closing_takes_no_longer_than_two_seconds() -> None:
    def talk(server: Talk) -> None:
        server.hear("LOGOUT")
        server.hang()

    with Logged(talk) as session:
        started = time.monotonic()
        session.close()

        assert time.monotonic() - started < 3
        with pytest.raises(ConnectionLost):
            session.noop()


def test_a_thread_that_waits_for_a_silent_server_is_woken_by_a_reset() -> None:
    waiting = threading.Event()

    def talk(server: Talk) -> None:
        server.hear("UID FETCH")
        waiting.set()
        server.hang()

    with Logged(talk) as session:
        threading.Thread(target=lambda: waiting.wait(10) and session.reset(), daemon=True).start()
        started = time.monotonic()
        with pytest.raises(ConnectionLost):
            list(session.fetch("1:*"))

        assert time.monotonic() - started < 5


def test_updates_nobody_asked_for_may_come_in_the_middle_of_every_answer() -> None:
    noise = ["* 23 EXISTS", "* 4 RECENT", "* 9 EXPUNGE", "* 2 FETCH (FLAGS (\\Seen) UID 77)", "* OK still here"]

    def talk(server: Talk) -> None:
        server.answer('LIST "" "*"', *noise, '* LIST () "/" a', *noise)
        server.answer('STATUS "a"', *noise, "* STATUS a (MESSAGES 1 UIDNEXT 5 UIDVALIDITY 6)", *noise)
        server.answer('EXAMINE "a"', *noise, "* 1 EXISTS", "* OK [UIDVALIDITY 6] x", "* OK [UIDNEXT 5] x")
        fetched = '* 1 FETCH (UID 4 RFC822.SIZE 3 INTERNALDATE "d")'
        server.answer("UID FETCH 1:* (UID RFC822.SIZE", *noise, fetched, *noise)
        server.answer("UID FETCH 4 ", *noise, '* 1 FETCH (UID 4 FLAGS () INTERNALDATE "d" BODY[] {3}', b"abc)", *noise)
        server.answer('CREATE "b"', *noise)
        server.answer('SUBSCRIBE "b"', *noise)
        server.hear("APPEND")
        server.say(*noise)
        server.read(12)
        server.line()
        server.say(*noise, "{tag} OK [APPENDUID 7 4294967295] done")
        server.answer("NOOP", *noise)

    with Logged(talk, f"{CAPABILITIES} LIST-EXTENDED") as session:
        assert [folder.wire for folder in session.folders()] == ["a"]
        assert session.status("a").messages == 1
        assert session.examine("a").exists == 1
        assert [(one.uid, one.size) for one in session.listing(identity=False)] == [(4, 3)]
        assert [one.body for one in session.fetch("4")] == [b"abc"]
        session.create("b")
        session.subscribe("b")
        assert session.append("b", [message(b"Subject: x\r\n")], go).uids == (4294967295,)
        session.noop()
