"""Past facts. They carry ids, numbers and classes only: no name, address, folder or server text."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.contracts.accounts import Side
from libs.contracts.ids import AgentId, FolderId, JobId, PlanId
from libs.contracts.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What one progress batch adds to the one before."""

    items: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldersListed:
    """Both accounts were reached; the names are in ClickHouse."""

    job_id: JobId
    folders: int  # destination folders that will be planned
    run: int = 1  # 1, and one more with each retry of the job


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPlanned:
    """What one plan will copy. `items + skipped` is the folder's total."""

    job_id: JobId
    folder_id: FolderId
    plan_id: PlanId
    number: int
    items: int  # messages to copy
    bytes: int  # their size as the source reports it
    skipped: int  # already there, or filtered
    bytes_skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressBatch:
    """The copier's running totals for one plan.

    Totals, not increments: applying a batch twice changes nothing. A batch
    without change is a sign of life.
    """

    job_id: JobId
    folder_id: FolderId
    plan_id: PlanId
    worker: str
    completed: int  # messages of the plan now at the destination
    skipped: int  # messages of the plan that were gone at the source
    failed: int  # messages the destination would not take, or that are unconfirmed
    bytes_completed: int
    delta: Delta
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderAudited:
    """What the destination holds of a plan after its last append (COPYING rule 19)."""

    job_id: JobId
    folder_id: FolderId
    plan_id: PlanId
    level: Literal["size", "identity", "bytes"]
    verified: int
    rewritten: int
    removed: int  # delivered, then removed at the destination by somebody else
    recovered: int  # found missing and copied once more
    surplus: int  # copies of ours beyond one


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemFinished:
    """The last word of a run on a plan: its final totals."""

    job_id: JobId
    folder_id: FolderId
    plan_id: PlanId
    worker: str
    completed: int
    skipped: int
    failed: int
    bytes_completed: int
    stopped: bool = False  # ended by a cancellation, not by having done everything
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemParked:
    """The job is paused; the item was given back and is emitted again on resume."""

    job_id: JobId
    folder_id: FolderId
    plan_id: PlanId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOfLife:
    """A worker has work of this job at hand, whether or not it moves: it lists, compares, copies, or waits."""

    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """A server asked for patience; its words are in ClickHouse."""

    job_id: JobId
    side: Side
    reason: Reason
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFailed:
    """The job can't go on; what the server said is in ClickHouse."""

    job_id: JobId
    side: Side
    reason: Reason
    folder_id: FolderId | None = None
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityReport:
    """What one report adds to one type of entity; the name of the type is in ClickHouse."""

    entity_id: str
    imported: int
    skipped: int
    errored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReported:
    """What an external agent reported of its job: increments, which count once a batch.

    Of the reports of one `batch_id` the first in the log counts, and nothing after a `state` that ends the job.
    """

    job_id: JobId
    agent_id: AgentId
    batch_id: str  # a keyed digest of what the agent called it
    content: str = ""  # a keyed digest of the whole report
    completed: int
    failed: int
    skipped: int
    bytes_completed: int
    delta: Delta  # the completed items and bytes; 0 seconds where the agent tells no speed
    entities: tuple[EntityReport, ...] = ()
    speed: float | None = None  # bytes a second, as the agent measured it
    items_total: int | None = None  # None: as before
    bytes_total: int | None = None
    state: Literal["running", "completed", "failed", "cancelled"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    job_id: JobId
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompleted:
    job_id: JobId
    completed: int
    skipped: int
    bytes_completed: int
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompletedWithErrors:
    job_id: JobId
    completed: int
    skipped: int
    failed: int
    bytes_completed: int
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    job_id: JobId
    side: Side | None
    reason: Reason
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled:
    job_id: JobId
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDeleted:
    job_id: JobId


Progress = (
    FoldersListed
    | FolderPlanned
    | ProgressBatch
    | FolderAudited
    | WorkItemFinished
    | WorkItemParked
    | SignOfLife
    | Throttled
    | ScanFailed
    | AgentReported
)
JobEvent = JobStarted | JobCompleted | JobCompletedWithErrors | JobFailed | JobCancelled | JobDeleted
