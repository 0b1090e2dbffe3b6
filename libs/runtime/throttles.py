"""A server asked for patience: its words are stored before anybody hears of it."""

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


def announce_throttle(store: Store, log: EventLog, job_id: JobId, side: Side, error: MailboxBusy) -> None:
    """By whoever was asked: the scanner or the copier.

    Raises:
        ReadModelUnavailable, LogUnavailable
    """
    metrics.THROTTLES.labels(side, error.reason).inc()
    now = datetime.now(UTC)
    until = now + timedelta(seconds=error.retry_after)
    row = ThrottleRow(job_id=job_id, side=side, reason=error.reason, until=until, server_text=error.server_text)
    store.write([row], now=now)
    log.append(topics.PROGRESS, job_id, Throttled(job_id=job_id, side=side, reason=error.reason, until=until))
