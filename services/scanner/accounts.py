"""A connection to each of a job's two accounts, and patience with servers that are busy."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from libs.contracts.accounts import Account, Side
from libs.contracts.ids import JobId
from libs.contracts.jobs import JobSecrets
from libs.contracts.reasons import Reason
from libs.mailbox.errors import ConnectionLost, MailboxBusy
from libs.mailbox.pool import SessionPool
from libs.mailbox.port import Session
from libs.mailbox.sides import SideFailed, at
from libs.runtime.control import Control
from libs.vault.port import SecretsDestroyed, Vault

PATIENCE_SECONDS = 900.0  # with a server that is busy or drops the connection
FIRST_CONTACT_SECONDS = 5.0  # with connections that break; whatever else is wrong a person should hear of at once
LONGEST_PAUSE = 30.0
PAUSE_AFTER_PROGRESS = 0.2
SLICE = 1.0  # of a pause: then a cancellation is heard

T = TypeVar("T")


class Stopping(Exception):
    """The process ends, or the account is another's now: what is not done is taken up again by the next one."""


@dataclass(frozen=True, slots=True)
class Both:
    source: Session
    destination: Session


class Accounts:
    def __init__(
        self,
        *,
        pool: SessionPool,
        vault: Vault,
        control: Control,
        stopping: threading.Event,
        lost: Callable[[], bool],
        on_throttled: Callable[[JobId, Side, MailboxBusy], None],
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`lost`: whether the account of the work that asks was given back. `aside`: around what only waits."""
        self._pool = pool
        self._vault = vault
        self._control = control
        self._stopping = stopping
        self._lost = lost
        self._on_throttled = on_throttled
        self._aside = aside
        self._patience = patience_seconds

    def run(
        self,
        job_id: JobId,
        run: int,
        work: Callable[[Both], T],
        *,
        first_contact: bool = False,
        read_only: bool = False,
        progress: Callable[[], int] = lambda: 0,
    ) -> T | None:
        """Run `work` on both accounts, anew when a connection breaks; None when the job has ended.

        On first contact nothing that keeps us from a mailbox is waited out: the
        person who typed the account is still there to correct it. Only where a
        connection broke it is tried for a moment. A pause that a server asks
        for is waited out always, and uses up no patience. Where `progress` has
        grown, an attempt was not in vain, and patience begins anew.

        Raises:
            SideFailed: for good.
            Stopping: while it waited to try again, or its account was given back: whoever has it now says what is so.
        """
        patience, pause = FIRST_CONTACT_SECONDS if first_contact else self._patience, 1.0
        before = progress()
        while self._control.desired(job_id, run).state not in ("cancel", "over"):
            begun = time.monotonic()
            try:
                result = self._once(job_id, work, read_only=read_only)
                self._check()
            except SecretsDestroyed:
                return None
            except SideFailed as failed:
                self._check()
                error = failed.error
                if isinstance(error, MailboxBusy) and error.asked:
                    self._on_throttled(job_id, failed.side, error)
                    self._wait(job_id, run, error.retry_after)
                    continue
                if (now := progress()) > before:
                    before, patience, pause = now, self._patience, PAUSE_AFTER_PROGRESS
                else:
                    patience -= time.monotonic() - begun + pause
                passing = isinstance(error, MailboxBusy | ConnectionLost)
                if not passing or patience < 0 or (first_contact and error.reason != Reason.CONNECTION_LOST):
                    raise
                busy = error.retry_after if isinstance(error, MailboxBusy) else 0.0
                self._wait(job_id, run, pause if first_contact else max(pause, busy))
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return result
        return None

    def _check(self) -> None:
        if self._lost():
            raise Stopping

    def _wait(self, job_id: JobId, run: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._aside():
            while (left := until - time.monotonic()) > 0:
                if self._control.desired(job_id, run).state in ("cancel", "over"):
                    return
                self._check()
                if self._stopping.wait(min(left, SLICE)):
                    raise Stopping

    def _once(self, job_id: JobId, work: Callable[[Both], T], *, read_only: bool) -> T:
        both = self._idle(job_id) or self._log_in(job_id, self._vault.open(job_id), read_only=read_only)
        try:
            result = work(both)
        except BaseException:
            both.source.reset()
            both.destination.reset()
            raise
        self._pool.give(job_id, "source", both.source)
        self._pool.give(job_id, "destination", both.destination)
        return result

    def _idle(self, job_id: JobId) -> Both | None:
        """The connections of the folder before."""
        source = self._pool.idle(job_id, "source")
        destination = self._pool.idle(job_id, "destination") if source else None
        if source and destination:
            return Both(source, destination)
        if source:
            source.close()
        return None

    def _log_in(self, job_id: JobId, secrets: JobSecrets, *, read_only: bool) -> Both:
        """Both logins at once: the slower server decides how long it takes, not the sum."""

        def connect(side: Side, account: Account) -> Session:
            with at(side):
                return self._pool.fresh(job_id, side, account, read_only=read_only)

        with ThreadPoolExecutor(1, thread_name_prefix="scanner-login") as aside:
            destination = aside.submit(connect, "destination", secrets.destination)
            try:
                source = connect("source", secrets.source)
            except BaseException:
                if destination.exception() is None:
                    destination.result().close()
                raise
            try:
                return Both(source, destination.result())
            except BaseException:
                source.close()
                raise
