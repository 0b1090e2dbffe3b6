"""COMPRESS=DEFLATE (RFC 4978) with a real Dovecot."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from libs.mailbox.connect import connect
from libs.mailbox.errors import AppendUnconfirmed, ConnectionLost
from libs.mailbox.port import Message, Session
from tests.integration.conftest import LOOPBACK, policy_for
from tests.servers.dovecot import Dovecot
from tests.servers.narrow import NarrowLink
from tests.servers.scripted import Scripted, Talk

DATE = "17-Jul-1996 02:44:25 -0700"
TEXT = b"Subject: text\r\n\r\n" + b"Many mails are text, and text says much the same again and again.\r\n" * 3000
BODIES = [b"Subject: small\r\n\r\nhello\r\n", TEXT, b"x", b"Subject: 8 bit\r\n\r\n" + bytes(range(128, 256)) * 4000]
Open = Callable[..., Session]


class Stop(Exception):
    """Raised at the gate."""


def go() -> None:
    """A gate that lets everything through."""


def messages(*bodies: bytes) -> list[Message]:
    return [Message(1, ("\\Seen",), DATE, body) for body in bodies]


@pytest.fixture(scope="module")
def server(dovecot_installed: None) -> Iterator[Dovecot]:
    with Dovecot(settings="protocol imap {\n  mail_plugins = imap_zlib\n}") as server:
        yield server


@pytest.fixture(scope="module")
def link(server: Dovecot) -> Iterator[NarrowLink]:
    with NarrowLink(server.imap_port) as link:
        yield link


@pytest.fixture
def opened(server: Dovecot, link: NarrowLink) -> Iterator[Open]:
    sessions: list[Session] = []

    def open_session(user: str, *, security: str = "plain", compress: bool = True) -> Session:
        policy = policy_for(server)
        policy = replace(policy, allow_ports=[*policy.allow_ports, link.port], compress_locally=compress)
        port = server.imaps_port if security == "tls" else link.port
        sessions.append(connect(server.account(user, security=security, port=port), policy))  # type: ignore[arg-type]
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


@pytest.mark.parametrize("security", ["plain", "tls"])
def test_messages_come_back_byte_for_byte(opened: Open, security: str) -> None:
    session = opened(f"bytes-{security}", security=security)

    appended = session.append("INBOX", messages(*BODIES), go)

    assert appended.uids == (1, 2, 3, 4)
    session.examine("INBOX")
    assert [found.body for found in session.fetch("1:*")] == BODIES
    assert [found.size for found in session.listing(identity=True)] == [len(body) for body in BODIES]
    assert b"".join(session.body(4).pieces) == BODIES[3]


def test_the_link_carries_less_in_both_directions(opened: Open, link: NarrowLink) -> None:
    def carried(*, compress: bool) -> tuple[int, int]:
        before = link.to_server, link.to_client
        session = opened("less", compress=compress)
        session.append("INBOX", messages(TEXT), go)
        session.examine("INBOX")
        assert all(found.body == TEXT for found in session.fetch("1"))
        return link.to_server - before[0], link.to_client - before[1]

    plain, packed = carried(compress=False), carried(compress=True)

    assert min(plain) > len(TEXT)
    assert packed[0] < plain[0] / 10
    assert packed[1] < plain[1] / 10


def test_a_local_link_is_not_compressed(opened: Open, link: NarrowLink) -> None:
    session = opened("local", compress=False)
    before = link.to_server

    session.append("INBOX", messages(TEXT), go)

    assert link.to_server - before > len(TEXT)


def test_rule_7_an_append_whose_gate_is_shut_lands_nothing(opened: Open) -> None:
    session, other = opened("gate"), opened("gate")

    def gate() -> None:
        raise Stop

    with pytest.raises(Stop):
        session.append("INBOX", messages(*BODIES), gate)

    assert other.status("INBOX").messages == 0


def test_rule_7_a_link_that_is_cut_at_the_gate_lands_nothing(opened: Open, link: NarrowLink) -> None:
    """The server has everything but the last line break by then; it must not be able to go on without it."""
    session = opened("cut")

    with pytest.raises((AppendUnconfirmed, ConnectionLost)):
        session.append("INBOX", messages(*BODIES), link.cut)

    assert opened("cut").status("INBOX").messages == 0


def test_a_server_that_refuses_goes_on_as_before(server: Dovecot) -> None:
    def script(talk: Talk) -> None:
        talk.let_in("IMAP4rev1 COMPRESS=DEFLATE")
        talk.hear("COMPRESS DEFLATE")
        talk.say("{tag} NO [COMPRESSIONACTIVE] not again")
        talk.answer("NOOP")

    with Scripted(script) as scripted:
        policy = replace(
            policy_for(server), allow_networks=[LOOPBACK], allow_ports=[scripted.port], compress_locally=True
        )
        connect(scripted.account(), policy).noop()


def test_what_is_not_deflate_after_all_is_a_lost_connection(server: Dovecot) -> None:
    def script(talk: Talk) -> None:
        talk.let_in("IMAP4rev1 COMPRESS=DEFLATE")
        talk.answer("COMPRESS DEFLATE", "* OK here we go")
        talk.say("* OK no deflate at all")
        talk.hang()

    with Scripted(script) as scripted:
        policy = replace(policy_for(server), allow_ports=[scripted.port], compress_locally=True)
        session = connect(scripted.account(), policy)
        with pytest.raises(ConnectionLost):
            session.noop()
