"""What went wrong with a mail server, by what the caller should do next."""

from datetime import datetime
from typing import Literal

from libs.contracts.reasons import Reason


class MailboxError(Exception):
    """Never holds an address, folder name or secret in its message; `server_text` may, and goes to ClickHouse only."""

    def __init__(self, reason: Reason, server_text: str = "") -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.server_text = server_text


class WritingForbidden(Exception):
    """A session that may only read was told to write: a defect of ours, and nothing was sent."""


class AccountUnusable(MailboxError):
    """Host, TLS or login is wrong: ask the person, never retry by itself."""


class MailboxBusy(MailboxError):
    """RFC 5530 UNAVAILABLE, INUSE, LIMIT, a BYE or a refused connection: try again after `retry_after` seconds.

    `asked`: the server itself wants the pause. Then no command to the account
    gets through before it is over, and waiting is no failed attempt.
    `until`: of a pause that is stored already.
    """

    def __init__(
        self,
        reason: Reason,
        server_text: str = "",
        retry_after: float = 5.0,
        *,
        asked: bool = False,
        until: datetime | None = None,
    ) -> None:
        super().__init__(reason, server_text)
        self.retry_after = retry_after
        self.asked = asked
        self.until = until


class ConnectionLost(MailboxError):
    """The connection ended; nothing unanswered can have changed the mailbox: connect again and go on."""


class AppendUnconfirmed(MailboxError):
    """The connection ended after APPEND was sent whole: look at the destination before sending again."""


class AppendRefused(MailboxError):
    """Tagged NO or BAD: nothing of this append landed. The connection may be gone (`connection_closed`)."""

    def __init__(
        self,
        reason: Reason,
        server_text: str = "",
        *,
        try_create: bool = False,
        connection_closed: bool = False,
        code: str = "",
        syntax: bool = False,
        about: Literal["flags", "date"] | None = None,
    ) -> None:
        """`code` is the response code, `syntax` that it was BAD: something besides the message's bytes is wrong;
        `about`: what can't be said in IMAP, so that no server was asked."""
        super().__init__(reason, server_text)
        self.try_create = try_create
        self.connection_closed = connection_closed
        self.code = code
        self.syntax = syntax
        self.about = about


class FetchRefused(MailboxError):
    """Tagged NO or BAD to a FETCH: what did not come is not gone, the server would not hand it out."""


class MessageTooLarge(FetchRefused):
    """One message is too large to be held in memory: read it in pieces."""


class FolderGone(MailboxError):
    """There is no folder of this name."""


class FolderRefused(MailboxError):
    """The server would not create or open the folder."""


class FolderFailing(FolderRefused):
    """RFC 5530 SERVERBUG, an error of the server's own. It may pass: try a few times, after `retry_after` seconds."""

    def __init__(self, reason: Reason, server_text: str = "", retry_after: float = 5.0) -> None:
        super().__init__(reason, server_text)
        self.retry_after = retry_after


class ProtocolBroken(MailboxError):
    """The server answered something that is not IMAP."""
