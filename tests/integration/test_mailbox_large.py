"""Messages of any size on a real Dovecot, in pieces."""

import pytest

from libs.mailbox import fetching
from libs.mailbox.digests import digests, exact
from libs.mailbox.errors import FetchRefused, MessageTooLarge
from libs.mailbox.port import LARGE, Body, LargeMessage, Message, Session
from tests.integration.conftest import Open
from tests.servers.dovecot import Dovecot

DATE = "17-Jul-1996 02:44:25 -0700"
BODY = b"Subject: large\r\n\r\n" + bytes(range(128, 256)) * (2 * LARGE // 128 + 100) + b"\x80" + b"end"


def go() -> None:
    """A gate that lets everything through."""


@pytest.fixture
def session(dovecot: Dovecot, opened: Open) -> Session:
    session = opened(dovecot.account("large"))
    if session.status("INBOX").messages == 0:
        session.append("INBOX", [Message(1, (), DATE, b"small"), Message(2, (), DATE, BODY)], go)
    session.examine("INBOX")
    return session


def test_a_large_message_is_read_in_pieces_and_the_connection_goes_on(session: Session) -> None:
    body = session.body(2)

    pieces = list(body.pieces)

    assert body.size == len(BODY)
    assert max(map(len, pieces)) == fetching.PIECE
    assert b"".join(pieces) == BODY
    assert list(digests(session, [1, 2], exact)) == [
        (1, exact([b"small"])),
        (2, exact([BODY])),
    ]


def test_a_fetch_passes_over_what_is_too_large_to_be_held(session: Session) -> None:
    found: list[int] = []

    with pytest.raises(MessageTooLarge):
        found.extend(message.uid for message in session.fetch("1:2"))

    assert [message.uid for message in session.fetch("1")] == [1]


def test_one_that_is_gone_is_refused(session: Session) -> None:
    with pytest.raises(FetchRefused):
        session.body(77)

    session.noop()


def test_it_goes_from_one_connection_into_the_other(dovecot: Dovecot, opened: Open, session: Session) -> None:
    destination = opened(dovecot.account("large-to"))
    large = LargeMessage(2, ("\\Seen",), DATE, 1, lambda: session.body(2))  # its listed size is a lie

    appended = destination.append("INBOX", [Message(1, (), DATE, b"before"), large], go)

    assert appended.uids is not None
    destination.examine("INBOX")
    assert dict(digests(destination, appended.uids, exact))[appended.uids[1]] == exact([BODY])
    assert destination.flags("1:*")[appended.uids[1]] == ("\\Seen",)


def test_nothing_lands_when_the_source_breaks_in_the_middle(dovecot: Dovecot, opened: Open, session: Session) -> None:
    destination, other = opened(dovecot.account("large-cut")), opened(dovecot.account("large-cut"))

    def breaking() -> Body:
        body = session.body(2)
        pieces = iter(body.pieces)
        next(pieces)
        session.reset()
        return Body(body.size, pieces)

    with pytest.raises(Exception, match="connection"):
        destination.append("INBOX", [LargeMessage(2, (), DATE, len(BODY), breaking)], go)

    assert other.status("INBOX").messages == 0
