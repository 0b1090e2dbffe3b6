"""What the workers read and write. Blocking and thread-safe: one client per thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.contracts.ids import AccountDigest, FolderId, JobId, PlanId
from libs.contracts.jobs import JobOptions
from libs.readmodel.rows import (
    AckRow,
    AdmissionRow,
    BehaviourRow,
    ClaimRow,
    Desired,
    FailureRow,
    FolderRow,
    PlanRow,
    QuotaRow,
    RequestRow,
    Row,
    ThrottleRow,
    TotalsRow,
)


class ReadModelUnavailable(Exception):
    """ClickHouse did not confirm; writing or reading again is safe."""

    def __init__(self, text: str = "", code: int | None = None) -> None:
        super().__init__(text)
        self.code = code  # of the server's answer


@dataclass(frozen=True, slots=True)
class Remembered:
    """A plan that was carried out without a flaw, and what its job was asked to copy."""

    plan: PlanRow
    options: JobOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSum:
    """What the newest plans of a job copy."""

    items: int
    bytes: int


class Store(Protocol):
    """Every method may raise `ReadModelUnavailable`. Unknown, deleted and expired jobs look the same."""

    def write(self, rows: Sequence[Row], *, now: datetime, version: int | None = None) -> None:
        """Insert rows of any tables; durable when it returns. Rows of deleted jobs are dropped.

        `version` is the log offset for the aggregator's tables; without it the
        version is taken from `now`, in microseconds, and never goes back within a process.
        """
        ...

    def request(self, job_id: JobId) -> RequestRow | None: ...
    def desired(self, job_id: JobId) -> Desired: ...
    def live_admission(self, account_digest: AccountDigest) -> AdmissionRow | None:
        """Of the job of this destination account that has not ended and is not deleted."""
        ...

    def folders(self, job_id: JobId) -> list[FolderRow]: ...
    def folder(self, job_id: JobId, folder_id: FolderId) -> FolderRow | None: ...
    def plans(self, job_id: JobId) -> list[PlanRow]:
        """The newest plan of every planned folder."""
        ...

    def plan(self, job_id: JobId, folder_id: FolderId) -> PlanRow | None:
        """The folder's newest plan."""
        ...

    def folder_plans(self, job_id: JobId, folder_id: FolderId) -> list[PlanRow]:
        """All plans of the folder, the newest first."""
        ...

    def totals(self, job_id: JobId) -> dict[PlanId, TotalsRow]:
        """The newest totals of each plan that has any."""
        ...

    def remembered(self, request: RequestRow) -> "dict[str, Remembered]":
        """By destination folder (wire), of earlier jobs between the same two accounts: the newest plan whose messages
        were all copied and verified."""
        ...

    def planned(self, job_id: JobId) -> PlannedSum: ...
    def quota(self, job_id: JobId) -> QuotaRow | None: ...
    def acks(self, job_id: JobId, plan_id: PlanId) -> list[AckRow]:
        """In the order they were written."""
        ...

    def failures(self, job_id: JobId, plan_id: PlanId) -> list[FailureRow]: ...
    def refresh(self, job_ids: Sequence[JobId], now: datetime) -> None:
        """Write the state rows of jobs anew: their time until they expire begins again."""
        ...

    def throttle(self, account: AccountDigest, now: datetime) -> ThrottleRow | None:
        """The longest pause that this account's server asked any job for, and that is not over."""
        ...

    def open_claims(self, account_digest: AccountDigest) -> list[ClaimRow]: ...
    def behaviours(self, account_digest: AccountDigest) -> list[BehaviourRow]:
        """What was learned of the folders of this destination account."""
        ...
