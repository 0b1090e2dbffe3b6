"""Connections that wait for their next use, so that a folder does not cost a login.

A session belongs to who took it until it is given back. What failed is reset, not given back.
"""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from libs.contracts.accounts import Account, Side
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason
from libs.mailbox.errors import AccountUnusable, MailboxError
from libs.mailbox.port import Session

IDLE_SECONDS = 20.0  # then an unused connection is closed
REFUSED_SECONDS = 10.0  # until the job has ended, of which this is the end
KEPT_REFUSALS = 1_000
FRESH_SECONDS = 2.0  # an idle time after which the server is asked whether it is still there


@dataclass(slots=True)
class _Idle:
    session: Session
    since: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class _Refused:
    credentials: int  # a hash that means nothing outside of this process
    error: AccountUnusable
    at: float = field(default_factory=time.monotonic)


class SessionPool:
    """Idle sessions by job and side. Thread-safe."""

    def __init__(
        self,
        connect: Callable[[Account], Session],
        check: Callable[[JobId, Side], None] = lambda _, __: None,
    ) -> None:
        """`check` raises MailboxBusy while an account is to be left alone, as far as this process can't know."""
        self._login = connect
        self._check = check
        self._refused: OrderedDict[tuple[JobId, Side], _Refused] = OrderedDict()
        self._idle: defaultdict[tuple[JobId, Side], list[_Idle]] = defaultdict(list)
        self._lock = threading.Lock()

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

    def fresh(self, job_id: JobId, side: Side, account: Account, *, read_only: bool = False) -> Session:
        """A connection that has seen no folder yet (COPYING rule 13). To a source it can't write.

        Credentials that were just refused are not tried again for the same job:
        many servers lock who tries too often.

        Raises:
            MailboxError: the account can't be reached.
        """
        credentials = hash(account)
        with self._lock:
            refused = self._refused.get((job_id, side))
        if refused and refused.credentials == credentials and time.monotonic() - refused.at < REFUSED_SECONDS:
            raise AccountUnusable(refused.error.reason, refused.error.server_text)
        self._check(job_id, side)
        try:
            session = self._login(account)
        except AccountUnusable as error:
            if error.reason == Reason.LOGIN_REFUSED:
                self._remember_refusal(job_id, side, credentials, error)
            raise
        if read_only or side == "source":
            session.forbid_writing()
        return session

    def _remember_refusal(self, job_id: JobId, side: Side, credentials: int, error: AccountUnusable) -> None:
        with self._lock:
            self._refused[job_id, side] = _Refused(credentials, error)
            while len(self._refused) > KEPT_REFUSALS:
                self._refused.popitem(last=False)

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
