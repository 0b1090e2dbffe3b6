"""The numbers a job view is made of, as the queries give them. `None`: not known, or not yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.contracts.accounts import Side
from libs.contracts.ids import AgentId, FolderId, JobId
from libs.contracts.jobs import JobState, Limits, Mode
from libs.contracts.notices import Notice
from libs.contracts.reasons import Reason

VerifyLevel = Literal["size", "identity", "bytes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a job as a whole."""

    job_id: JobId
    kind: Literal["mailbox", "external"]
    name: str | None
    project: str | None
    source_host: str | None
    destination_host: str | None
    created_at: datetime
    updated_at: datetime
    run: int = 1
    desired: Literal["run", "pause", "cancel"] | None
    limits: Limits
    mode: Mode = "full"
    admitted_at: datetime | None
    bytes_before: int = 0  # completed by earlier runs
    folders: int | None
    listed_at: datetime | None
    seen_at: datetime | None = None  # when a worker last gave a sign of life
    outcome: JobState | None
    side: Side | None
    reason: Reason | None
    finished_at: datetime | None
    held: bool  # credentials are in the vault
    to_be_told: bool  # so is an address to write to at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderNames:
    folder_id: FolderId
    source_names: tuple[str, ...]
    destination_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderProgress:
    """One folder's newest plan and the totals under it."""

    folder_id: FolderId
    planned_at: datetime
    planned_items: int  # to copy
    planned_skipped: int
    bytes_total: int
    completed: int
    skipped: int  # planned_skipped, and gone since
    failed: int
    bytes_completed: int
    finished: bool
    stopped: bool
    worker: str | None
    reported_at: datetime | None
    verified: int
    level: VerifyLevel | None
    run: int = 1  # of the job, that reported last; 0: none has

    @property
    def items_total(self) -> int:
        return max(self.planned_items + self.planned_skipped, self.done)

    @property
    def done(self) -> int:
        return self.completed + self.skipped + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSums:
    """Folders as one. Times: of the last report of any, and of one with a worker."""

    run: int  # of the job, that reported them last; of those in which nothing failed it does not matter
    parts: int
    completed: int
    skipped: int
    failed: int
    total: int
    total_if_none_failed: int
    verified: int
    levels: tuple[VerifyLevel, ...]
    bytes_total: int
    bytes_completed: int
    worker: str | None
    worker_at: datetime | None
    reported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What was copied in the last 10 and 60 seconds, and the time (UNIX, seconds) each count began."""

    bytes_10: int
    items_10: int
    since_10: float
    bytes_60: int
    since_60: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    side: Side
    until: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why the current run could not go on, in the words of an account's server."""

    side: Side
    folder_id: FolderId | None  # None: the job as a whole
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProgress:
    """What an agent has reported of its job; no times: nothing yet."""

    agent_id: AgentId
    agent_name: str | None  # None: the agent was removed
    items_announced: int | None
    bytes_announced: int | None
    completed: int
    skipped: int
    failed: int
    bytes_completed: int
    speed: float | None  # bytes a second, as it measured them
    started_at: datetime | None
    reported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One type of entity of an agent's job."""

    name: str
    reported: bool
    imported: int
    skipped: int
    errored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """How far a job is: its folders, or what its agent reported, as one."""

    parts: int = 0  # folders planned
    counted: bool  # the totals are known
    items_total: int
    items_completed: int
    items_skipped: int
    items_failed: int
    items_verified: int = 0
    verify_level: VerifyLevel | None = None
    bytes_total: int
    bytes_counted: bool
    bytes_completed: int
    speed: float | None = None  # as it was reported
    worker: str | None
    last_report_at: datetime | None

    @property
    def items_remaining(self) -> int:
        return self.items_total - self.items_completed - self.items_skipped - self.items_failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """All that a snapshot of one job is made of."""

    head: Head
    agent: AgentProgress | None = None  # of an external job
    entities: Sequence[Entity] = ()
    named: bool = False  # names are stored
    names: Sequence[FolderNames] = ()
    progress: Sequence[FolderProgress] = ()
    recent: Recent | None = None
    notices: Sequence[Notice] = ()
    throttle: Throttle | None = None
    failures: Sequence[Failure] = ()
