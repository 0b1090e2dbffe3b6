"""Tells people that their job has ended, beside everything else: no slow mail server holds up a settlement."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

import structlog

from libs.contracts.ids import JobId
from libs.contracts.jobs import Recipient
from libs.contracts.views import Snapshot
from libs.readmodel.notifications import Due
from libs.readmodel.port import ReadModelUnavailable
from libs.runtime import metrics
from libs.vault.recipients import Recipients
from libs.vault.seal import SealBroken
from services.aggregator.letter import letter
from services.aggregator.smtp import MailNotSent

LOOK_SECONDS = 2.0
GIVE_UP_AFTER = timedelta(hours=1)  # since the end of the job: an address is held no longer
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)

log = structlog.get_logger()


class DueNotifications(Protocol):
    def due_notifications(self) -> list[Due]: ...


class Postman:
    """At least once: a mail that was sent when the process died is sent again, with the same Message-ID."""

    def __init__(
        self,
        store: DueNotifications,
        views: Callable[[Sequence[JobId], datetime], Mapping[JobId, Snapshot]],
        recipients: Recipients,
        send: Callable[[EmailMessage], None],
        sender: str,
        clock: Callable[[], datetime],
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        """`send` blocks, and raises `MailNotSent`. `leads`: whether this process is the one that tells people."""
        self._store = store
        self._views = views
        self._recipients = recipients
        self._send = send
        self._sender = sender
        self._clock = clock
        self._leads = leads
        self._again: dict[JobId, tuple[datetime, timedelta]] = {}  # when to try again, and how long that pause was
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look_for_ever, name="postman", daemon=True)
        for result in ("sent", "failed", "given_up"):
            metrics.MAILS.labels(result)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """A mail that is under way is not waited for: it is sent again."""
        self._closing.set()

    def look(self) -> None:
        """Tell everybody who waits.

        Raises:
            ReadModelUnavailable: the next look goes on.
        """
        due = self._store.due_notifications()
        self._again = {each.job_id: self._again[each.job_id] for each in due if each.job_id in self._again}
        for each in due:
            if self._closing.is_set():
                return
            if self._clock() >= self._again.get(each.job_id, (each.finished_at, FIRST_PAUSE))[0]:
                self._tell(each)

    def _tell(self, due: Due) -> None:
        job_id, now = due.job_id, self._clock()
        if now - due.finished_at >= GIVE_UP_AFTER:
            log.warning("mail.given_up", job_id=job_id)
            metrics.MAILS.labels("given_up").inc()
        else:
            snapshot = self._views([job_id], now).get(job_id)
            recipient = self._opened(job_id)
            if snapshot is not None and recipient is not None:
                try:
                    self._send(letter(snapshot.job, recipient, self._sender))
                    metrics.MAILS.labels("sent").inc()
                except MailNotSent as error:
                    _, pause = self._again.get(job_id, (now, FIRST_PAUSE / 2))
                    pause = min(pause * 2, LONGEST_PAUSE)
                    self._again[job_id] = (now + pause, pause)
                    metrics.MAILS.labels("failed").inc()
                    log.warning("mail.not_sent", job_id=job_id, failure=str(error))
                    return
        self._recipients.destroy(job_id)

    def _opened(self, job_id: JobId) -> Recipient | None:
        try:
            return self._recipients.open(job_id)
        except SealBroken:
            log.warning("mail.not_opened", job_id=job_id)
            return None

    def _look_for_ever(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            try:
                if self._leads():
                    self.look()
            except ReadModelUnavailable as error:
                log.warning("postman.delayed", error=type(error).__name__)
            except Exception:
                log.exception("postman.failed")
