"""What the workers read and write: the port `Store`, on ClickHouse."""

import math
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from libs.contracts.ids import AccountDigest, FolderId, JobId, PlanId
from libs.contracts.jobs import JobOptions
from libs.contracts.reasons import ASKED
from libs.readmodel import queries
from libs.readmodel.database import Database, Ids
from libs.readmodel.port import PlannedSum, Remembered
from libs.readmodel.rows import (
    NOTHING,
    AckRow,
    AdmissionRow,
    BehaviourRow,
    ClaimRow,
    Desired,
    FailureRow,
    FolderRow,
    OutcomeRow,
    PlanRow,
    QuotaRow,
    RequestRow,
    Row,
    ThrottleRow,
    TombstoneRow,
    TotalsRow,
)
from libs.readmodel.tables import TABLES, Stamped, read, read_limits, stored

BELIEVED_SECONDS = 1.0  # much less than the 15 s after which a deleted job is erased once more
BELIEVED_JOBS = 10_000

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime.fromtimestamp(0, UTC)


class WorkerStore:
    """The port `Store`, and what its siblings share."""

    def __init__(self, database: Database, retention_days: int) -> None:
        self._db = database
        self._retention = timedelta(days=retention_days)
        self._lock = threading.Lock()
        self._version = 0
        self._ending = threading.Lock()
        self._not_deleted: dict[JobId, float] = {}  # when it was so

    def write(self, rows: Sequence[Row], *, now: datetime, version: int | None = None) -> None:
        stamp = self._next_version(now) if version is None else version
        self.write_each([Stamped(row, stamp, now) for row in rows])

    def write_each(self, rows: Sequence[Stamped]) -> None:
        """`write`, with a version and a time for each row: a few queries for a batch of any size.

        One insert a table, in the order of their first rows: what a kill leaves is a beginning of it.
        """
        if any(isinstance(stamped.row, OutcomeRow) for stamped in rows):
            with self._ending:  # the first one stands, also between threads
                self._write(rows)
        else:
            self._write(rows)

    def request(self, job_id: JobId) -> RequestRow | None:
        found = self._db.rows(queries.REQUEST, job=job_id, kept=self._kept())
        return read(RequestRow, found[0]) if found else None

    def desired(self, job_id: JobId) -> Desired:
        found = self._db.rows(queries.DESIRED, job=job_id, kept=self._kept())
        if not found:
            return NOTHING
        state = "over" if found[0]["ended"] else found[0]["state"]
        return Desired(state=state, limits=read_limits(found[0]["limits"]), run=found[0]["run"])

    def live_admission(self, account_digest: AccountDigest) -> AdmissionRow | None:
        found = [read(AdmissionRow, row) for row in self._db.rows(queries.ADMISSIONS, account=account_digest)]
        if not found:
            return None
        over = self._db.rows(queries.OVER_UNTIL, jobs=Ids(row.job_id for row in found))
        until = {row["job_id"]: row["run"] for row in sorted(over, key=lambda row: row["run"])}
        return next((row for row in found if row.run > until.get(row.job_id, 0)), None)

    def folders(self, job_id: JobId) -> list[FolderRow]:
        return [read(FolderRow, row) for row in self._db.rows(queries.FOLDERS, job=job_id)]

    def folder(self, job_id: JobId, folder_id: FolderId) -> FolderRow | None:
        found = self._db.rows(queries.FOLDER, job=job_id, folder=folder_id)
        return read(FolderRow, found[0]) if found else None

    def plans(self, job_id: JobId) -> list[PlanRow]:
        return [read(PlanRow, row) for row in self._db.rows(queries.PLANS, job=job_id)]

    def plan(self, job_id: JobId, folder_id: FolderId) -> PlanRow | None:
        return next(iter(self.folder_plans(job_id, folder_id)), None)

    def folder_plans(self, job_id: JobId, folder_id: FolderId) -> list[PlanRow]:
        found = self._db.rows(queries.FOLDER_PLANS, job=job_id, folder=folder_id)
        return [read(PlanRow, row) for row in found]

    def totals(self, job_id: JobId) -> dict[PlanId, TotalsRow]:
        found = (read(TotalsRow, row) for row in self._db.rows(queries.TOTALS, job=job_id))
        return {row.plan_id: row for row in found}

    def remembered(self, request: RequestRow) -> dict[str, Remembered]:
        found = self._db.rows(
            queries.REMEMBERED,
            job=request.job_id,
            account=request.account_digest,
            source=request.source_digest,
            kept=self._kept(),
        )
        each = [(JobOptions.model_validate_json(row.pop("options")), read(PlanRow, row)) for row in found]
        return {plan.destination_wire: Remembered(plan, options) for options, plan in each}

    def planned(self, job_id: JobId) -> PlannedSum:
        (found,) = self._db.rows(queries.PLANNED, job=job_id)
        return PlannedSum(items=found["items"], bytes=found["bytes"])

    def quota(self, job_id: JobId) -> QuotaRow | None:
        found = self._db.rows(queries.QUOTA, job=job_id)
        return read(QuotaRow, found[0]) if found else None

    def throttle(self, account: AccountDigest, now: datetime) -> ThrottleRow | None:
        asked = [str(reason) for reason in ASKED]
        if not self._db.rows(queries.THROTTLED, now=now, asked=asked):
            return None  # as nearly always
        found = self._db.rows(queries.THROTTLE, account=account, now=now, asked=asked)
        return read(ThrottleRow, found[0]) if found else None

    def acks(self, job_id: JobId, plan_id: PlanId) -> list[AckRow]:
        return [read(AckRow, row) for row in self._db.rows(queries.ACKS, job=job_id, plan=plan_id)]

    def failures(self, job_id: JobId, plan_id: PlanId) -> list[FailureRow]:
        return [read(FailureRow, row) for row in self._db.rows(queries.FAILURES, job=job_id, plan=plan_id)]

    def open_claims(self, account_digest: AccountDigest) -> list[ClaimRow]:
        return [read(ClaimRow, row) for row in self._db.rows(queries.OPEN_CLAIMS, account=account_digest)]

    def behaviours(self, account_digest: AccountDigest) -> list[BehaviourRow]:
        return [read(BehaviourRow, row) for row in self._db.rows(queries.BEHAVIOURS, account=account_digest)]

    def refresh(self, job_ids: Sequence[JobId], now: datetime) -> None:
        """Write the state rows of jobs anew: their TTL counts from now. Never the batches."""
        if job_ids:
            # The marks that it was done come last: a refresh that was cut short is done again.
            marks = ("requests", "outcomes")
            for table in (*(table for table in queries.REFRESH if table not in marks), *marks):
                self._db.execute(queries.REFRESH[table], jobs=Ids(job_ids), now=now)

    def close(self) -> None:
        self._db.close()

    def _write(self, rows: Sequence[Stamped]) -> None:
        jobs = {stamped.row.job_id for stamped in rows if not isinstance(stamped.row, ClaimRow | BehaviourRow)}
        ending = sorted({stamped.row.job_id for stamped in rows if isinstance(stamped.row, OutcomeRow)})
        deleted = self._deleted(jobs)
        ended = (
            {(row["job_id"], row["run"]) for row in self._db.rows(queries.ENDED, jobs=Ids(ending))} if ending else set()
        )
        tables: dict[str, list[dict[str, object]]] = {}
        for stamped in rows:
            row = stamped.row
            job_id = getattr(row, "job_id", None)
            if job_id in deleted and not isinstance(row, TombstoneRow):
                continue
            if isinstance(row, OutcomeRow) and (row.job_id, row.run) in ended:
                continue
            tables.setdefault(TABLES[type(row)], []).append(stored(stamped))
        for table, content in tables.items():
            self._db.insert(table, content)
        for stamped in rows:
            if isinstance(stamped.row, TombstoneRow):
                self._not_deleted.pop(stamped.row.job_id, None)

    def _deleted(self, jobs: Iterable[JobId]) -> set[JobId]:
        """Which of these jobs are deleted; asked once a second, as what is written in between is erased again."""
        now = time.monotonic()
        asked = [job_id for job_id in jobs if now - self._not_deleted.get(job_id, -math.inf) > BELIEVED_SECONDS]
        deleted = self._those(queries.DELETED, asked)
        if len(self._not_deleted) > BELIEVED_JOBS:
            self._not_deleted.clear()
        self._not_deleted.update((job_id, now) for job_id in asked if job_id not in deleted)
        return deleted

    def _those(self, query: str, jobs: Iterable[JobId]) -> set[JobId]:
        """Which of these jobs `query` names."""
        asked = sorted(jobs)
        return {row["job_id"] for row in self._db.rows(query, jobs=Ids(asked))} if asked else set()

    def _next_version(self, now: datetime) -> int:
        with self._lock:
            self._version = max(self._version + 1, (now - _EPOCH) // _MICROSECOND)
            return self._version

    def _kept(self) -> datetime:
        """Rows older than this have expired."""
        return datetime.now(UTC) - self._retention
