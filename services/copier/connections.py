"""One work item's connections to both accounts: opened when needed, opened again when lost."""

import time
from collections.abc import Callable
from typing import Literal

from libs.contracts.accounts import Account, Side
from libs.contracts.ids import JobId
from libs.contracts.jobs import JobSecrets
from libs.contracts.reasons import Reason
from libs.mailbox.errors import FolderFailing, MailboxBusy, MailboxError
from libs.mailbox.pool import SessionPool
from libs.mailbox.port import Session
from services.copier.hold import Hold

GIVE_UP_SECONDS = 3600.0  # a server that can't be reached for so long ends the job
LONGEST_PAUSE = 30.0
FINAL = frozenset(
    {
        Reason.LOGIN_REFUSED,
        Reason.LOGIN_UNSUPPORTED,
        Reason.PLAIN_REFUSED,
        Reason.ADDRESS_REFUSED,
        Reason.TLS_UNTRUSTED,
        Reason.TLS_UNAVAILABLE,
    }
)


class SideLost(Exception):
    """An account can't be opened any more, or has no room: the job can't go on."""

    def __init__(self, side: Side, reason: Reason, server_text: str = "") -> None:
        super().__init__(f"{side}: {reason}")
        self.side: Side = side
        self.reason = reason
        self.server_text = server_text


def stop_when_full(error: MailboxError) -> None:
    """
    Raises:
        SideLost: the destination has no room. It takes none of the other messages either, and with room the job can
            be retried.
    """
    if error.reason == Reason.OVER_QUOTA:
        raise SideLost("destination", error.reason, error.server_text) from error


class Reach:
    """Since when each job's accounts have been out of reach, across the work items of a process. Thread-safe."""

    def __init__(self) -> None:
        self._since: dict[tuple[JobId, Side], float] = {}

    def failed(self, job_id: JobId, side: Side) -> float:
        """Seconds for which nothing has answered."""
        now = time.monotonic()
        return now - self._since.setdefault((job_id, side), now)

    def answered(self, job_id: JobId, side: Side) -> None:
        self._since.pop((job_id, side), None)


Use = Literal["source", "destination", "tail"]  # tail: a second one to the source, while the first one streams
SIDE: dict[Use, Side] = {"source": "source", "destination": "destination", "tail": "source"}


class Connections:
    """Each use by one thread; `reset` may come from any."""

    def __init__(
        self,
        job_id: JobId,
        secrets: Callable[[], JobSecrets],
        pool: SessionPool,
        reach: Reach,
        hold: Hold,
        on_throttled: Callable[[Side, MailboxBusy], None],
    ) -> None:
        """`secrets` opens the vault: asked for once, and only when a connection has to be made."""
        self._job_id = job_id
        self._secrets = secrets
        self._accounts: dict[Side, Account] = {}
        self._pool = pool
        self._reach = reach
        self._hold = hold
        self._on_throttled = on_throttled
        self._open: dict[Use, Session] = {}
        self._losses = 0  # in a row

    def get(self, use: Use) -> Session:
        """The open connection, or a new one.

        Raises:
            SideLost: the account refuses us, or was out of reach for an hour.
            Stopped: while it waited to try again.
        """
        session = self._open.get(use)
        if session is None:
            side = SIDE[use]
            session = self._try(side, lambda: self._pool.idle(self._job_id, side) or self._log_in(side))
            self._open[use] = session
        return session

    def fresh(self, side: Side) -> Session:
        """A connection that has not seen the folder (COPYING rule 13); the caller closes it."""
        return self._try(side, lambda: self._log_in(side))

    def lost(self, side: Side, error: MailboxError) -> None:
        """Drop the connections of a side that failed, and wait: as long as the server asked for, longer each time."""
        for use in list(self._open):
            if SIDE[use] == side:
                self.reset(use)
        if isinstance(error, MailboxBusy):
            self._on_throttled(side, error)
            if error.asked:
                self._hold.wait(error.retry_after)
                return
        self._losses += 1
        pause = min(0.05 * 2**self._losses, LONGEST_PAUSE) if self._losses > 1 else 0.0
        self._hold.wait(max(pause, error.retry_after if isinstance(error, MailboxBusy | FolderFailing) else 0.0))

    def working(self) -> None:
        """Something was delivered: the servers are well."""
        self._losses = 0

    def reset(self, use: Use) -> None:
        session = self._open.pop(use, None)
        if session is not None:
            session.reset()

    def reset_all(self) -> None:
        for use in list(self._open):
            self.reset(use)

    def give_back(self) -> None:
        """Leave what is open for the next folder of the job."""
        for use in list(self._open):
            self._pool.give(self._job_id, SIDE[use], self._open.pop(use))

    def _log_in(self, side: Side) -> Session:
        if not self._accounts:
            secrets = self._secrets()
            self._accounts = {"source": secrets.source, "destination": secrets.destination}
        return self._pool.fresh(self._job_id, side, self._accounts[side])

    def _try(self, side: Side, connect: Callable[[], Session]) -> Session:
        pause = 0.5
        while True:
            self._hold.check()
            try:
                session = connect()
            except MailboxError as error:
                if error.reason in FINAL:
                    raise SideLost(side, Reason.ACCESS_LOST, error.server_text) from error
                if isinstance(error, MailboxBusy):
                    self._on_throttled(side, error)
                    if error.asked:  # it answered
                        self._reach.answered(self._job_id, side)
                        self._hold.wait(error.retry_after)
                        continue
                    pause = max(pause, error.retry_after)
                if self._reach.failed(self._job_id, side) > GIVE_UP_SECONDS:
                    raise SideLost(side, error.reason, error.server_text) from error
            else:
                self._reach.answered(self._job_id, side)
                return session
            self._hold.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
