"""The life of one work item in one copier: load, copy, report, hand back."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import structlog

from libs.contracts import topics
from libs.contracts.accounts import Side
from libs.contracts.commands import CopyFolder, ScanFolder
from libs.contracts.events import Progress, ScanFailed, WorkItemParked
from libs.contracts.reasons import Reason
from libs.eventlog.port import EventLog
from libs.mailbox.errors import MailboxBusy
from libs.mailbox.pool import SessionPool
from libs.readmodel.port import Store
from libs.readmodel.rows import RequestRow, ScanFailureRow
from libs.runtime.control import Control
from libs.runtime.throttles import announce_throttle
from libs.vault.port import SecretsDestroyed, Vault
from services.copier.audit import Findings
from services.copier.claims import Claims, FolderClaim
from services.copier.connections import Connections, Reach, SideLost
from services.copier.folder_copy import FolderCopy
from services.copier.hold import Hold, Stopped
from services.copier.learning import Learning
from services.copier.ledger import Ledger
from services.copier.pace import Pace
from services.copier.reports import Reports
from services.copier.slots import Slots
from services.copier.tail import PlanOutdated

log = structlog.get_logger()

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
        self._connections: Connections | None = None
        self._reports = Reports(message, setting.store, setting.eventlog, setting.claims, setting.worker)

    def run(self) -> None:
        """Return when the item may be acknowledged.

        Raises:
            LogUnavailable, ReadModelUnavailable: run it again.
            Stopped("shutdown"), Stopped("fenced"): leave it to the next process.
        """
        message, store, reports = self.message, self._setting.store, self._reports
        request = self._setting.control.request(message.job_id, message.run)
        state = self._setting.control.desired(message.job_id, message.run).state
        if request is None or state == "over" or message.run < request.run:
            reports.flush([])  # an item of a later run begins from it
            return
        if request.options.mode == "dry_run":
            return  # it has no work items
        reports.flush([])  # what an earlier attempt could not store
        plan = store.plan(message.job_id, message.folder_id)
        if plan is None or (plan.number, plan.plan_id) != (message.number, message.plan_id):
            return  # a newer plan has taken its place
        ledger = reports.begin(plan, store.acks(plan.job_id, plan.plan_id), store.failures(plan.job_id, plan.plan_id))
        if state == "cancel":
            self.hold.stop("cancel")
        elif state == "pause":
            self.hold.stop("pause")
        elif not plan.items:
            reports.finish(Findings(level="size"), [])
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
                    store_acks=lambda: self._reports.flush([]),
                )
                findings = copy.run(deep=request.options.verify == "deep")
                connections.give_back()
            findings.recovered = copy.recovered
        except BaseException:
            connections.reset_all()
            self._reports.flush(claim.close(copy.doubt if copy else doubt))
            raise
        self._reports.finish(findings, claim.close(copy.doubt))

    def report(self) -> None:
        """Once a second."""
        if self.hold.lease.holds():  # else whoever has it now knows more
            self._reports.report()

    def reset(self) -> None:
        """Break the connections under a thread that does not come back by itself."""
        connections = self._connections
        if connections is not None:
            connections.reset_all()

    # ---- ends that are not the end of the folder

    def _stopped(self, stopped: Stopped) -> None:
        message = self.message
        match stopped.why:
            case "cancel":
                self._reports.finish(Findings(level="size"), [], stopped=True)
            case "pause":
                self.report()
                self._emit(WorkItemParked(job_id=message.job_id, folder_id=message.folder_id, plan_id=message.plan_id))
            case "hand_on":
                self.report()
                hand_on(message, self._setting.eventlog)
            case "over":
                pass
            case "shutdown" | "fenced":
                raise stopped

    def _plan_again(self, ledger: Ledger) -> None:
        """COPYING rule 18: the folder is another one than was planned."""
        message = self.message
        if message.number >= MOST_PLANS:
            for ref in ledger.remaining():
                ledger.fail(ref, Reason.FOLDER_UNSTABLE, "", 0, datetime.now(UTC))
            self._reports.finish(Findings(level="size"), [])
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


def hand_on(message: CopyFolder, eventlog: EventLog) -> None:
    """Append the continuation of a work item: whoever reads it goes on."""
    continuation = replace(message, continuation=message.continuation + 1)
    eventlog.append(topics.WORK_ITEMS, message.account_digest, continuation)
