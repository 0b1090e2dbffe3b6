"""How long accounts are to be left alone because their servers asked for it. One for a process, in memory."""

import threading
import time
from typing import TypeVar

from libs.contracts.accounts import Account
from libs.mailbox.errors import MailboxBusy, MailboxError

E = TypeVar("E", bound=MailboxError)
Mailbox = tuple[str, str]  # host and user, without letter case


class Backoffs:
    """Thread-safe. What one connection was told holds for every connection to the account."""

    def __init__(self) -> None:
        self._asked: dict[Mailbox, tuple[float, MailboxBusy]] = {}
        self._lock = threading.Lock()

    def of(self, account: Account) -> "Backoff":
        return Backoff(self, (account.host.casefold(), account.username.casefold()))

    def heed(self, mailbox: Mailbox, error: MailboxBusy) -> None:
        now = time.monotonic()
        until = now + error.retry_after
        with self._lock:
            self._asked = {one: asked for one, asked in self._asked.items() if asked[0] > now}
            if mailbox not in self._asked or self._asked[mailbox][0] < until:
                self._asked[mailbox] = until, error

    def asked(self, mailbox: Mailbox) -> MailboxBusy | None:
        """The error of a command that would come too early."""
        with self._lock:
            until, error = self._asked.get(mailbox, (0.0, None))
        left = until - time.monotonic()
        if error is None or left <= 0:
            return None
        return MailboxBusy(error.reason, error.server_text, retry_after=left, asked=True)


class Backoff:
    """One account's, asked before every command and told of every refusal."""

    def __init__(self, backoffs: Backoffs, mailbox: Mailbox) -> None:
        self._backoffs = backoffs
        self._mailbox = mailbox

    def check(self) -> None:
        """
        Raises:
            MailboxBusy: the server asked for a pause that is not over.
        """
        error = self._backoffs.asked(self._mailbox)
        if error is not None:
            raise error

    def heed(self, error: E) -> E:
        """Keep what it asks for; the error itself, to be raised."""
        if isinstance(error, MailboxBusy) and error.asked:
            self._backoffs.heed(self._mailbox, error)
        return error
