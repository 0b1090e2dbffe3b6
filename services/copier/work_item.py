"""The life of one work item in one copier: load, copy, report, hand back."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog

from libs.contracts import topics
from libs.contracts.accounts import Side
from libs.contracts.commands import CopyFolder, ScanFolder
from libs.contracts.events import (
    Delta,
    FolderAudited,
    Progress,
    ProgressBatch,
    ScanFailed,
    WorkItemFinished,
    WorkItemParked,
)
from libs.contracts.reasons import Reason
from libs.eventlog.port import EventLog
from libs.mailbox.errors import MailboxBusy
from libs.mailbox.pool import SessionPool
from libs.readmodel.port import Store
from libs.readmodel.rows import ClaimRow, PlanRow, RequestRow, ScanFailureRow
from libs.runtime.control import Control
from libs.runtime.throttles import announce_throttle
from libs.vault.port import SecretsDestroyed, Vault
from services.copier.audit import Findings
from services.copier.claims import Claims, FolderClaim
from services.copier.connections import Connections, Reach, SideLost
from services.copier.folder_copy import FolderCopy
from services.copier.hold import Hold, Stopped
from services.copier.learning import Learning
from services.copier.ledger import Ledger, Totals
from services.copier.pace import Pace
from services.copier.slots import Slots
from services.copier.tail import PlanOutdated

log = structlog.get_logger()

SIGN_OF_LIFE_SECONDS = 10.0  # a batch is reported so often even when nothing moved
LIMIT_SECONDS = 1.0  # between two looks at the limit, while it makes us wait
MOST_PLANS = 8  # of one folder; then the server renumbers it faster than it can be copied


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every work item of a process shares."""

    eventlog: EventLog
    store: Store
    vault: Vault
    control: Control
    pool: SessionPool
    reach: Reach
    claims: Claims
    late_commit_seconds: float
    worker: str


class WorkItem:
    """`run` may be repeated: it begins from what is stored, and every report is a total."""

    def __init__(self, message: CopyFolder, setting: Setting, hold: Hold, pace: Pace, slots: Slots) -> None:
        self.message = message
        self.hold = hold
        self._setting = setting
        self._pace = pace
        self._slots = slots
        self._ledger: Ledger | None = None
        self._connections: Connections | None = None
        self._totals = Totals(completed=0, skipped=0, failed=0, bytes_completed=0)  # that are stored
        self._reported: Totals | None = None
        self._reported_at = time.monotonic()
        self._report_lock = threading.Lock()

    def run(self) -> None:
        """Return when the item may be acknowledged.

        Raises:
            LogUnavailable, ReadModelUnavailable: run it again.
            Stopped("shutdown"), Stopped("fenced"): leave it to the next process.
        """
        message, store = self.message, self._setting.store
        request = self._setting.control.request(message.job_id, message.run)
        state = self._setting.control.desired(message.job_id, message.run).state
        if request is None or state == "over" or message.run < request.run:
            self._flush([])  # an item of a later run begins from it
            return
        if request.options.mode == "dry_run":
            return  # it has no work items
        plan = store.plan(message.job_id, message.folder_id)
        if plan is None or (plan.number, plan.plan_id) != (message.number, message.plan_id):
            return  # a newer plan has taken its place
        ledger = self._load(plan)
        if state == "cancel":
            self.hold.stop("cancel")
        elif state == "pause":
            self.hold.stop("pause")
        elif not plan.items:
            self._finish(Findings(level="size"), [])
            return
        claim = self._setting.claims.folder(message.account_digest, plan.destination_wire, self.hold.lease)
        try:
            self._copy(request, ledger, claim)
        except Stopped as stopped:
            self._stopped(stopped)
        except SecretsDestroyed:
            return
        except PlanOutdated:
            self._plan_again(ledger)
        except SideLost as lost:
            self.give_up(lost.side, lost.reason, lost.server_text)

    def _load(self, plan: PlanRow) -> Ledger:
        """What is stored, and first what an earlier run could not store."""
        store = self._setting.store
        with self._report_lock:
            self._flush_locked([])
            acks, failures = store.acks(plan.job_id, plan.plan_id), store.failures(plan.job_id, plan.plan_id)
            ledger = Ledger(plan, acks, failures, run=self.message.run)
            self._ledger, self._totals = ledger, ledger.totals()
            self._reported = self._reported or self._totals
        return ledger

    def give_up(self, side: Side, reason: Reason, server_text: str) -> None:
        """The whole job can't go on."""
        message = self.message
        row = ScanFailureRow(
            job_id=message.job_id,
            side=side,
            reason=reason,
            server_text=server_text,
            folder_id=message.folder_id,
            run=message.run,
        )
        self._setting.store.write([row], now=datetime.now(UTC))
        self._emit(ScanFailed(job_id=row.job_id, side=side, reason=reason, folder_id=row.folder_id, run=row.run))

    def _copy(self, request: RequestRow, ledger: Ledger, claim: FolderClaim) -> None:
        self.hold.check()
        setting = self._setting
        open_vault = partial(setting.vault.open, request.job_id)
        connections = Connections(
            request.job_id, open_vault, setting.pool, setting.reach, self.hold, self._on_throttled
        )
        self._connections = connections
        doubt = claim.open()
        copy: FolderCopy | None = None
        try:
            with self._slots.one(self.hold):
                # Not before: it begins from what the folder before has learned.
                copy = FolderCopy(
                    ledger,
                    connections,
                    self.hold,
                    doubt=doubt,
                    late_commit_seconds=self._setting.late_commit_seconds,
                    pace=self._wait_for_bandwidth,
                    learning=Learning(
                        setting.store, self.message.account_digest, claim.folder, ledger.plan, claim.record.behaviours
                    ),
                    store_acks=lambda: self._flush([]),
                )
                findings = copy.run(deep=request.options.verify == "deep")
                connections.give_back()
            findings.recovered = copy.recovered
        except BaseException:
            connections.reset_all()
            self._flush(claim.close(copy.doubt if copy else doubt))
            raise
        self._finish(findings, claim.close(copy.doubt))

    def reset(self) -> None:
        """Break the connections under a thread that does not come back by itself."""
        connections = self._connections
        if connections is not None:
            connections.reset_all()

    # ---- reporting

    def report(self) -> None:
        """Once a second: store what is acked, then tell the totals that are now stored."""
        with self._report_lock:
            if self._ledger is None or not self.hold.lease.holds():
                return  # whoever has it now knows more
            self._flush_locked([])
            totals, now = self._totals, time.monotonic()
            if totals == self._reported and now - self._reported_at < SIGN_OF_LIFE_SECONDS:
                return
            self._setting.eventlog.append(topics.PROGRESS, self.message.job_id, self._batch(totals, now))
            self._reported, self._reported_at = totals, now

    def _batch(self, totals: Totals, now: float) -> ProgressBatch:
        before = self._reported or totals
        return ProgressBatch(
            job_id=self.message.job_id,
            folder_id=self.message.folder_id,
            plan_id=self.message.plan_id,
            worker=self._setting.worker,
            completed=totals.completed,
            skipped=totals.skipped,
            failed=totals.failed,
            bytes_completed=totals.bytes_completed,
            delta=Delta(
                items=totals.completed - before.completed,
                bytes=totals.bytes_completed - before.bytes_completed,
                seconds=round(now - self._reported_at, 3),
            ),
            run=self.message.run,
        )

    def _flush(self, closing: list[ClaimRow]) -> None:
        with self._report_lock:
            self._flush_locked(closing)

    def _flush_locked(self, closing: list[ClaimRow]) -> None:
        if self._ledger is None:
            return
        unflushed, self._totals = self._ledger.take_unflushed()
        rows = [*unflushed.acks, *unflushed.failures, *closing]
        if not rows:
            return
        try:
            self._setting.store.write(rows, now=datetime.now(UTC))
        except BaseException:
            self._ledger.give_back(unflushed)
            self._setting.claims.records.forget(self.message.account_digest)
            raise

    def _finish(self, findings: Findings, closing: list[ClaimRow], *, stopped: bool = False) -> None:
        """The audit's findings, the last totals, and the claim's end."""
        ledger, message = self._ledger, self.message
        assert ledger is not None  # noqa: S101 - it is set before anything can finish
        for reason, refs in findings.noted():
            for ref in refs:
                ledger.note(ref, reason, datetime.now(UTC))
        with self._report_lock:
            self._flush_locked(closing)
            totals, events = self._totals, list[Progress]()
            if totals != self._reported:
                events.append(self._batch(totals, time.monotonic()))
            if not stopped:
                events.append(
                    FolderAudited(
                        job_id=message.job_id,
                        folder_id=message.folder_id,
                        plan_id=message.plan_id,
                        level=findings.level,
                        verified=findings.verified,
                        rewritten=len(findings.rewritten),
                        removed=len(findings.removed),
                        recovered=findings.recovered,
                        surplus=len(findings.surplus),
                    )
                )
            events.append(
                WorkItemFinished(
                    job_id=message.job_id,
                    folder_id=message.folder_id,
                    plan_id=message.plan_id,
                    worker=self._setting.worker,
                    completed=totals.completed,
                    skipped=totals.skipped,
                    failed=totals.failed,
                    bytes_completed=totals.bytes_completed,
                    stopped=stopped,
                    run=message.run,
                )
            )
            self._setting.eventlog.append_all(topics.PROGRESS, [(message.job_id, event) for event in events])
            self._ledger = None  # final: nothing is reported after it

    # ---- ends that are not the end of the folder

    def _stopped(self, stopped: Stopped) -> None:
        message = self.message
        match stopped.why:
            case "cancel":
                self._finish(Findings(level="size"), [], stopped=True)
            case "pause":
                self.report()
                self._emit(WorkItemParked(job_id=message.job_id, folder_id=message.folder_id, plan_id=message.plan_id))
            case "hand_on":
                self.report()
                self.hand_on()
            case "over":
                pass
            case "shutdown" | "fenced":
                raise stopped

    def hand_on(self) -> None:
        """Append the continuation of this item: whoever reads it goes on."""
        message = self.message
        continuation = CopyFolder(
            job_id=message.job_id,
            account_digest=message.account_digest,
            folder_id=message.folder_id,
            plan_id=message.plan_id,
            number=message.number,
            continuation=message.continuation + 1,
            run=message.run,
        )
        self._setting.eventlog.append(topics.WORK_ITEMS, message.account_digest, continuation)

    def _plan_again(self, ledger: Ledger) -> None:
        """COPYING rule 18: the folder is another one than was planned."""
        message = self.message
        if message.number >= MOST_PLANS:
            for ref in ledger.remaining():
                ledger.fail(ref, Reason.FOLDER_UNSTABLE, "", 0, datetime.now(UTC))
            self._finish(Findings(level="size"), [])
            return
        scan = ScanFolder(
            job_id=message.job_id,
            account_digest=message.account_digest,
            folder_id=message.folder_id,
            number=message.number + 1,
            run=message.run,
        )
        self._setting.eventlog.append(topics.FOLDER_SCANS, message.account_digest, scan)

    def _on_throttled(self, side: Side, error: MailboxBusy) -> None:
        announce_throttle(self._setting.store, self._setting.eventlog, self.message.job_id, side, error)

    def _wait_for_bandwidth(self, size: int) -> None:
        before = self._pace.announce(size)
        while delay := self._pace.delay(before, self._limit()):
            self.hold.wait(min(delay, LIMIT_SECONDS))

    def _limit(self) -> float | None:
        """Megabits a second now.

        Raises:
            Stopped("hand_on"): none, for a while.
        """
        rate = self._setting.control.desired(self.message.job_id).limits.rate(datetime.now(UTC))
        if rate.closed:
            raise Stopped("hand_on")
        return rate.mbps

    def _emit(self, event: Progress) -> None:
        self._setting.eventlog.append(topics.PROGRESS, self.message.job_id, event)
