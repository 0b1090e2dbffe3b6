"""The workers' ports in memory: log, store, vault. They outlive the processes that use them."""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from libs.contracts.codec import Message
from libs.contracts.ids import AccountDigest, FolderId, JobId, PlanId
from libs.contracts.jobs import MOST_RUNS, JobSecrets
from libs.contracts.reasons import ASKED
from libs.contracts.topics import Topic
from libs.eventlog.port import LogUnavailable
from libs.readmodel.port import PlannedSum, ReadModelUnavailable, Remembered
from libs.readmodel.rows import (
    NOTHING,
    AckRow,
    AdmissionRow,
    AuditRow,
    BehaviourRow,
    ClaimRow,
    Desired,
    DesiredRow,
    FailureRow,
    FolderRow,
    NoticeRow,
    OutcomeRow,
    PlanRow,
    QuotaRow,
    RequestRow,
    Row,
    ScanFailureRow,
    ThrottleRow,
    TombstoneRow,
    TotalsRow,
    WarningRow,
)
from libs.vault.port import SecretsDestroyed

# The key columns of each table, as libs/readmodel/rows.py states them.
KEYS: dict[type[Row], tuple[str, ...]] = {
    RequestRow: ("job_id",),
    DesiredRow: ("job_id",),
    TombstoneRow: ("job_id",),
    AdmissionRow: ("job_id",),
    FolderRow: ("job_id", "folder_id"),
    PlanRow: ("job_id", "folder_id", "plan_id"),
    QuotaRow: ("job_id",),
    ScanFailureRow: ("job_id", "side"),
    WarningRow: ("job_id", "number"),
    ClaimRow: ("account_digest", "folder_digest", "incarnation"),
    BehaviourRow: ("account_digest", "folder_digest"),
    NoticeRow: ("job_id", "folder_id", "kind"),
    AckRow: ("job_id", "plan_id", "source", "first_uid"),
    FailureRow: ("job_id", "folder_id", "source", "source_uidvalidity", "uid"),
    ThrottleRow: ("job_id", "side"),
    TotalsRow: ("job_id", "plan_id"),
    AuditRow: ("job_id", "plan_id"),
    OutcomeRow: ("job_id", "run"),
}
R = TypeVar("R")


class MemoryLog:
    """Every message of every topic, in one order."""

    def __init__(self) -> None:
        self.records: defaultdict[str, list[tuple[str, Message]]] = defaultdict(list)
        self.changed = threading.Condition()
        self.unavailable = 0  # so many appends from now on are not confirmed, though they are kept
        self._followers: list[tuple[str, Callable[[Message], None]]] = []

    def append(self, topic: Topic, key: str, message: Message) -> None:
        self.append_all(topic, [(key, message)])

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        with self.changed:
            self.records[topic.name].extend(messages)
            self.changed.notify_all()
            followers = [on_message for name, on_message in self._followers if name == topic.name]
            lost = self.unavailable > 0
            self.unavailable -= lost
        for _, message in messages:
            for on_message in followers:
                on_message(message)
        if lost:
            raise LogUnavailable

    def follow(self, topic: Topic, on_message: Callable[[Message], None]) -> None:
        self._followers.append((topic.name, on_message))

    def close(self) -> None: ...

    def read(self, topic: Topic) -> list[Message]:
        with self.changed:
            return [message for _, message in self.records[topic.name]]


class MemoryStore:
    """`Store` in dictionaries: the newest row of each key, in the order written."""

    def __init__(self) -> None:
        self.unreadable = 0  # so many reads of what is desired fail
        self._tables: defaultdict[type[Row], dict[tuple[object, ...], Row]] = defaultdict(dict)
        self._lock = threading.Lock()
        self.writes: list[Row] = []
        self.unavailable = 0  # so many writes from now on are not confirmed; every second one is kept nevertheless

    def write(self, rows: Sequence[Row], *, now: datetime, version: int | None = None) -> None:
        with self._lock:
            lost = self.unavailable > 0
            self.unavailable -= lost
            if not lost or self.unavailable % 2:
                self._write(rows)
        if lost:
            raise ReadModelUnavailable

    def _write(self, rows: Sequence[Row]) -> None:
        deleted = {job_id for (job_id,) in self._tables[TombstoneRow]}
        for row in rows:
            if getattr(row, "job_id", None) in deleted:
                continue
            key = tuple(getattr(row, name) for name in KEYS[type(row)])
            self._tables[type(row)].pop(key, None)
            self._tables[type(row)][key] = row
            self.writes.append(row)

    def rows(self, kind: type[R]) -> list[R]:
        with self._lock:
            return [row for row in self._tables[kind].values() if isinstance(row, kind)]  # type: ignore[index]

    def request(self, job_id: JobId) -> RequestRow | None:
        deleted = {row.job_id for row in self.rows(TombstoneRow)}
        return next((row for row in self.rows(RequestRow) if row.job_id == job_id and job_id not in deleted), None)

    def desired(self, job_id: JobId) -> Desired:
        with self._lock:
            lost = self.unreadable > 0
            self.unreadable -= lost
        if lost:
            raise ReadModelUnavailable
        request = self.request(job_id)
        if request is None:
            return NOTHING
        if (job_id, request.run) in {(row.job_id, row.run) for row in self.rows(OutcomeRow)}:
            return Desired(state="over", run=request.run)
        row = next((row for row in self.rows(DesiredRow) if row.job_id == job_id), None)
        if row is None:
            return Desired(state="run", limits=request.options, run=request.run)
        return Desired(state=row.state, limits=row.limits, run=request.run)

    def live_admission(self, account_digest: AccountDigest) -> AdmissionRow | None:
        over = {(row.job_id, row.run) for row in self.rows(OutcomeRow)}
        deleted = {row.job_id for row in self.rows(TombstoneRow)}
        for row in self.rows(AdmissionRow):
            if row.account_digest == account_digest and (row.job_id, row.run) not in over and row.job_id not in deleted:
                return row
        return None

    def folders(self, job_id: JobId) -> list[FolderRow]:
        return sorted(self._of(FolderRow, job_id), key=lambda row: int(row.folder_id))

    def folder(self, job_id: JobId, folder_id: FolderId) -> FolderRow | None:
        return next((row for row in self.folders(job_id) if row.folder_id == folder_id), None)

    def plans(self, job_id: JobId) -> list[PlanRow]:
        newest: dict[FolderId, PlanRow] = {}
        for row in sorted(self._of(PlanRow, job_id), key=lambda row: (row.number, row.plan_id)):
            newest[row.folder_id] = row
        return list(newest.values())

    def plan(self, job_id: JobId, folder_id: FolderId) -> PlanRow | None:
        return next((row for row in self.plans(job_id) if row.folder_id == folder_id), None)

    def folder_plans(self, job_id: JobId, folder_id: FolderId) -> list[PlanRow]:
        plans = [row for row in self._of(PlanRow, job_id) if row.folder_id == folder_id]
        return sorted(plans, key=lambda row: (row.number, row.plan_id), reverse=True)

    def totals(self, job_id: JobId) -> dict[PlanId, TotalsRow]:
        return {row.plan_id: row for row in self._of(TotalsRow, job_id)}

    def refresh(self, job_ids: Sequence[JobId], now: datetime) -> None: ...
    def remembered(self, request: RequestRow) -> dict[str, Remembered]:
        pair = (request.account_digest, request.source_digest)
        found: dict[str, Remembered] = {}
        for plan in sorted(self.rows(PlanRow), key=lambda row: row.plan_id):
            asked = self.request(plan.job_id)
            if asked is None or plan.job_id == request.job_id or (asked.account_digest, asked.source_digest) != pair:
                continue
            totals, audit = self.totals(plan.job_id).get(plan.plan_id), self._audits(plan.job_id).get(plan.plan_id)
            if totals and audit and _is_whole(plan, totals, audit):
                found[plan.destination_wire] = Remembered(plan, asked.options)
        return found

    def _audits(self, job_id: JobId) -> dict[PlanId, AuditRow]:
        return {row.plan_id: row for row in self._of(AuditRow, job_id)}

    def planned(self, job_id: JobId) -> PlannedSum:
        plans = self.plans(job_id)
        return PlannedSum(items=sum(one.items for one in plans), bytes=sum(one.bytes for one in plans))

    def quota(self, job_id: JobId) -> QuotaRow | None:
        return next(iter(self._of(QuotaRow, job_id)), None)

    def throttle(self, account: AccountDigest, now: datetime) -> ThrottleRow | None:
        asked = [
            row
            for row in self.rows(ThrottleRow)
            if row.until > now and row.reason in ASKED and self._account(row) == account
        ]
        return max(asked, key=lambda row: row.until, default=None)

    def _account(self, row: ThrottleRow) -> AccountDigest | None:
        request = self.request(row.job_id)
        if request is None:
            return None
        return request.source_digest if row.side == "source" else request.account_digest

    def acks(self, job_id: JobId, plan_id: PlanId) -> list[AckRow]:
        return [row for row in self._of(AckRow, job_id) if row.plan_id == plan_id]

    def failures(self, job_id: JobId, plan_id: PlanId) -> list[FailureRow]:
        return [row for row in self._of(FailureRow, job_id) if row.plan_id == plan_id]

    def open_claims(self, account_digest: AccountDigest) -> list[ClaimRow]:
        return [row for row in self.rows(ClaimRow) if row.open and row.account_digest == account_digest]

    def behaviours(self, account_digest: AccountDigest) -> list[BehaviourRow]:
        return [row for row in self.rows(BehaviourRow) if row.account_digest == account_digest]

    def _of(self, kind: type[R], job_id: JobId) -> list[R]:
        return [row for row in self.rows(kind) if row.job_id == job_id]  # type: ignore[attr-defined]


def _is_whole(plan: PlanRow, totals: TotalsRow, audit: AuditRow) -> bool:
    """Every message was copied and verified, and none changed or vanished."""
    finished = totals.finished and not (totals.stopped or totals.failed or totals.skipped)
    unchanged = not (audit.rewritten or audit.removed)
    return finished and unchanged and plan.items == totals.completed == audit.verified


class MemoryVault:
    def __init__(self) -> None:
        self._held: dict[JobId, JobSecrets] = {}

    def store(self, job_id: JobId, secrets: JobSecrets, *, run: int = 1) -> None:
        self._held[job_id] = secrets

    def open(self, job_id: JobId) -> JobSecrets:
        if job_id not in self._held:
            raise SecretsDestroyed
        return self._held[job_id]

    def destroy(self, job_id: JobId, *, run: int = MOST_RUNS) -> None:
        self._held.pop(job_id, None)


def utc_now() -> datetime:
    return datetime.now(UTC)
