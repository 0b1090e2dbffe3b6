"""Which of a job's two accounts an error came from."""

from collections.abc import Generator
from contextlib import contextmanager

from libs.contracts.accounts import Side
from libs.mailbox.errors import MailboxError


class SideFailed(Exception):
    """A mailbox error, and the account it came from."""

    def __init__(self, side: Side, error: MailboxError) -> None:
        super().__init__(f"{side}: {error.reason}")
        self.side: Side = side
        self.error = error


@contextmanager
def at(side: Side) -> Generator[None]:
    """Errors of the block belong to this side.

    Raises:
        SideFailed: in place of every `MailboxError`.
    """
    try:
        yield
    except MailboxError as error:
        raise SideFailed(side, error) from error
