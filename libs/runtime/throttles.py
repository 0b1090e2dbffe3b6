"""A server asked for patience: its words are stored before anybody hears of it, and hold for who comes later."""

import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from libs.contracts import topics
from libs.contracts.accounts import Side
from libs.contracts.events import Throttled
from libs.contracts.ids import JobId
from libs.eventlog.port import EventLog
from libs.mailbox.errors import MailboxBusy
from libs.readmodel.port import Store
from libs.readmodel.rows import ThrottleRow
from libs.runtime import metrics
from libs.runtime.control import Control

ASKED_SECONDS = 1.0  # the connections that a job makes at once ask once
KEPT = 10_000  # jobs


def announce_throttle(store: Store, log: EventLog, job_id: JobId, side: Side, error: MailboxBusy) -> None:
    """By whoever was asked: the scanner or the copier.

    Raises:
        ReadModelUnavailable, LogUnavailable
    """
    metrics.THROTTLES.labels(side, error.reason).inc()
    now = datetime.now(UTC)
    until = error.until or now + timedelta(seconds=error.retry_after)
    row = ThrottleRow(job_id=job_id, side=side, reason=error.reason, until=until, server_text=error.server_text)
    store.write([row], now=now)
    log.append(topics.PROGRESS, job_id, Throttled(job_id=job_id, side=side, reason=error.reason, until=until))


class Throttles:
    """Pauses that an earlier process was asked for, or another one. Thread-safe."""

    def __init__(self, store: Store, control: Control) -> None:
        self._store = store
        self._control = control
        self._over: OrderedDict[tuple[JobId, Side], float] = OrderedDict()  # when there was none
        self._lock = threading.Lock()

    def check(self, job_id: JobId, side: Side) -> None:
        """Before a login to an account of a job.

        Raises:
            MailboxBusy: its server asked this or another job for a pause that is not over; the words are this job's.
            ReadModelUnavailable
        """
        with self._lock:
            if time.monotonic() - self._over.get((job_id, side), float("-inf")) < ASKED_SECONDS:
                return
        request = self._control.request(job_id)
        account = request and (request.source_digest if side == "source" else request.account_digest)
        now = datetime.now(UTC)
        row = self._store.throttle(account, now) if account else None
        if row is not None:
            words = row.server_text if row.job_id == job_id else ""
            left = (row.until - now).total_seconds()
            raise MailboxBusy(row.reason, words, retry_after=left, asked=True, until=row.until)
        with self._lock:
            self._over[job_id, side] = time.monotonic()
            while len(self._over) > KEPT:
                self._over.popitem(last=False)
