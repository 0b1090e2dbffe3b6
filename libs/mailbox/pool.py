"""Connections that wait for their next use, so that a folder does not cost a login.

A session belongs to who took it until it is given back. What failed is reset, not given back.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from libs.contracts.accounts import Account, Side
from libs.contracts.ids import JobId
from libs.mailbox.errors import MailboxError
from libs.mailbox.port import Session

IDLE_SECONDS = 20.0  # then an unused connection is closed
FRESH_SECONDS = 2.0  # an idle time after which the server is asked whether it is still there


@dataclass(slots=True)
class _Idle:
    session: Session
    since: float = field(default_factory=time.monotonic)


class SessionPool:
    """Idle sessions by job and side. Thread-safe."""

    def __init__(self, connect: Callable[[Account], Session]) -> None:
        self._connect = connect
        self._idle: defaultdict[tuple[JobId, Side], list[_Idle]] = defaultdict(list)
        self._lock = threading.Lock()

    def take(self, job_id: JobId, side: Side, account: Account) -> Session:
        """An idle session that still answers, or a new one.

        Raises:
            MailboxError: the account can't be reached.
        """
        return self.idle(job_id, side) or self._connect(account)

    def idle(self, job_id: JobId, side: Side) -> Session | None:
        """A session that waits for this job, and still answers."""
        while True:
            with self._lock:
                waiting = self._idle[job_id, side]
                idle = waiting.pop() if waiting else None
            if idle is None:
                return None
            if time.monotonic() - idle.since < FRESH_SECONDS:
                return idle.session
            try:
                idle.session.noop()
            except MailboxError:
                idle.session.reset()
            else:
                return idle.session

    def fresh(self, account: Account) -> Session:
        """A connection that has seen no folder yet (COPYING rule 13)."""
        return self._connect(account)

    def give(self, job_id: JobId, side: Side, session: Session) -> None:
        with self._lock:
            self._idle[job_id, side].append(_Idle(session))

    def close_idle(self) -> None:
        oldest = time.monotonic() - IDLE_SECONDS
        self._close(lambda idle: idle.since < oldest)

    def close_all(self) -> None:
        self._close(lambda _: True)

    def _close(self, which: Callable[[_Idle], bool]) -> None:
        closing: list[_Idle] = []
        with self._lock:
            for key in list(self._idle):
                waiting = self._idle.pop(key)
                keep = [idle for idle in waiting if not which(idle)]
                closing.extend(idle for idle in waiting if which(idle))
                if keep:
                    self._idle[key] = keep
        for idle in closing:
            idle.session.close()
