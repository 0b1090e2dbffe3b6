"""What is stored and told of one work item: acks and failures, then the totals that are true once these are stored."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from libs.contracts import topics
from libs.contracts.commands import CopyFolder
from libs.contracts.events import Delta, FolderAudited, Progress, ProgressBatch, WorkItemFinished
from libs.eventlog.port import EventLog
from libs.readmodel.port import Store
from libs.readmodel.rows import AckRow, ClaimRow, FailureRow, PlanRow
from services.copier.audit import Findings
from services.copier.claims import Claims
from services.copier.ledger import Ledger, Totals


class Reports:
    """Thread-safe. Every report is a total. May raise LogUnavailable and ReadModelUnavailable."""

    def __init__(self, message: CopyFolder, store: Store, eventlog: EventLog, claims: Claims, worker: str) -> None:
        self._message = message
        self._store = store
        self._log = eventlog
        self._claims = claims
        self._worker = worker
        self._ledger: Ledger | None = None
        self._totals = Totals(completed=0, skipped=0, failed=0, bytes_completed=0)  # that are stored
        self._reported: Totals | None = None
        self._reported_at = time.monotonic()
        self._lock = threading.Lock()

    def begin(self, plan: PlanRow, acks: Sequence[AckRow], failures: Sequence[FailureRow]) -> Ledger:
        """From what is stored, read when everything before was flushed."""
        with self._lock:
            ledger = Ledger(plan, acks, failures, run=self._message.run)
            self._ledger, self._totals = ledger, ledger.totals()
            self._reported = self._reported or self._totals
        return ledger

    def flush(self, closing: Sequence[ClaimRow]) -> None:
        """Store what is not stored yet, and the ends of claims."""
        with self._lock:
            self._flush(closing)

    def report(self) -> None:
        """Store what is acked, then tell the totals that are now stored."""
        with self._lock:
            if self._ledger is None:
                return
            self._flush([])
            totals, now = self._totals, time.monotonic()
            if totals == self._reported:
                return
            self._log.append(topics.PROGRESS, self._message.job_id, self._batch(totals, now))
            self._reported, self._reported_at = totals, now

    def finish(self, findings: Findings, closing: Sequence[ClaimRow], *, stopped: bool = False) -> None:
        """The audit's findings, the last totals, and the claim's end."""
        ledger, message = self._ledger, self._message
        assert ledger is not None  # noqa: S101 - it is set before anything can finish
        for reason, refs in findings.noted():
            for ref in refs:
                ledger.note(ref, reason, datetime.now(UTC))
        with self._lock:
            self._flush(closing)
            totals, events = self._totals, list[Progress]()
            if totals != self._reported:
                events.append(self._batch(totals, time.monotonic()))
            if not stopped:
                events.append(self._audited(findings))
            events.append(
                WorkItemFinished(
                    job_id=message.job_id,
                    folder_id=message.folder_id,
                    plan_id=message.plan_id,
                    worker=self._worker,
                    completed=totals.completed,
                    skipped=totals.skipped,
                    failed=totals.failed,
                    bytes_completed=totals.bytes_completed,
                    stopped=stopped,
                    run=message.run,
                )
            )
            self._log.append_all(topics.PROGRESS, [(message.job_id, event) for event in events])
            self._ledger = None  # final: nothing is reported after it

    def _flush(self, closing: Sequence[ClaimRow]) -> None:
        if self._ledger is None:
            return
        unflushed, self._totals = self._ledger.take_unflushed()
        rows = [*unflushed.acks, *unflushed.failures, *closing]
        if not rows:
            return
        try:
            self._store.write(rows, now=datetime.now(UTC))
        except BaseException:
            self._ledger.give_back(unflushed)
            self._claims.records.forget(self._message.account_digest)
            raise

    def _batch(self, totals: Totals, now: float) -> ProgressBatch:
        before = self._reported or totals
        return ProgressBatch(
            job_id=self._message.job_id,
            folder_id=self._message.folder_id,
            plan_id=self._message.plan_id,
            worker=self._worker,
            completed=totals.completed,
            skipped=totals.skipped,
            failed=totals.failed,
            bytes_completed=totals.bytes_completed,
            delta=Delta(
                items=totals.completed - before.completed,
                bytes=totals.bytes_completed - before.bytes_completed,
                seconds=round(now - self._reported_at, 3),
            ),
            run=self._message.run,
        )

    def _audited(self, findings: Findings) -> FolderAudited:
        return FolderAudited(
            job_id=self._message.job_id,
            folder_id=self._message.folder_id,
            plan_id=self._message.plan_id,
            level=findings.level,
            verified=findings.verified,
            rewritten=len(findings.rewritten),
            removed=len(findings.removed),
            recovered=findings.recovered,
            surplus=len(findings.surplus),
        )
