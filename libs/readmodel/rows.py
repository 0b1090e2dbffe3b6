"""The rows of the tables, one dataclass a table, one writer a table.

Every table also has `updated_at` (its TTL counts from it) and a `version`;
ClickHouse keeps the newest version of a key. Key columns come first.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Self

from libs.contracts.accounts import Side
from libs.contracts.ids import AccountDigest, AgentId, FolderId, JobId, PlanId
from libs.contracts.jobs import MOST_RUNS, JobOptions, Limits
from libs.contracts.notices import Notice
from libs.contracts.reasons import Reason
from libs.contracts.survives import Survives

# ---- written by the api


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """Key: job_id."""

    job_id: JobId
    kind: Literal["mailbox", "external"]
    key_hash: str
    view_key_hash: str
    name: str | None
    project: str | None
    source_host: str | None
    destination_host: str | None
    account_digest: AccountDigest  # of the destination account
    source_digest: AccountDigest
    options: JobOptions  # stored as JSON
    created_at: datetime
    accepted: bool  # StartJob is in the log and the caller got, or will get, an answer
    run: int = 1  # one more with each retry


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredRow:
    """Key: job_id. A cancellation is never taken back, but for a later run."""

    job_id: JobId
    state: Literal["run", "pause", "cancel"]
    limits: Limits  # stored as JSON
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TombstoneRow:
    """Key: job_id. Kept 8 days, so that nothing writes of a deleted job again."""

    job_id: JobId
    deleted_at: datetime
    agent_id: AgentId | Literal[""] = ""  # who is to be told, if it was an agent's job


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentJobRow:
    """Key: job_id. An external job: whose it is, and its totals as they were announced."""

    job_id: JobId
    agent_id: AgentId
    items_announced: int | None
    bytes_announced: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRow:
    """Key: job_id, entity_id. What an agent calls one type of entity."""

    job_id: JobId
    entity_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFailureRow:
    """Key: job_id, batch_id, number. One item that an agent could not carry over."""

    job_id: JobId
    batch_id: str  # of the report, as in `AgentReported`
    number: int  # within the report
    item: str
    reason: Reason
    text: str
    happened_at: datetime


# ---- written by the scanner


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRow:
    """Key: job_id. At most one admitted job of a destination account is live."""

    job_id: JobId
    account_digest: AccountDigest
    admitted_at: datetime
    run: int = 1
    bytes_before: int = 0  # what earlier runs had completed


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRow:
    """Key: job_id, folder_id. One destination folder and the source folders that go into it."""

    job_id: JobId
    folder_id: FolderId
    source_wires: tuple[str, ...]
    source_names: tuple[str, ...]
    destination_wire: str
    destination_name: str
    special_use: str = ""  # that the destination folder is made with
    subscribe: bool = False  # the destination folder is to be subscribed
    less_wires: tuple[str, ...] = ()  # the last of the source folders shows their mail too: it is left out there


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSource:
    """One source folder of a plan, and the UIDs of it that are to be copied, as a UID set."""

    wire: str
    uidvalidity: int
    uids: str
    large: str = ""  # those of them that are too large to be held in memory, as a UID set
    uidnext: int = 0  # when it was listed; 0: not known for certain
    exists: int = 0
    itself: bool = False  # the folder is one more item, of UID 0: it could not be opened, or made at the destination


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """Key: job_id, folder_id, plan_id. The newest plan of a folder is the one with the highest (number, plan_id)."""

    job_id: JobId
    folder_id: FolderId
    plan_id: PlanId
    number: int
    destination_wire: str
    destination_uidvalidity: int
    boundary: int  # B: the plan answers for destination UIDs below it, the tail for the others
    sources: tuple[PlanSource, ...]  # stored as JSON
    items: int
    bytes: int
    skipped_present: int  # already at the destination
    skipped_filtered: int  # left out by since, before, max_item_bytes
    bytes_skipped: int
    skipped_gone: int = 0  # of an earlier plan, in a source folder that is gone
    survives: Survives = "bytes"  # by what the messages at the destination were recognised
    destination_uidnext: int = 0  # 0: the server did not say
    destination_exists: int = 0  # messages there before the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRow:
    """Key: job_id. What the destination had left before anything was copied; None: no limit that is known."""

    job_id: JobId
    bytes_free: int | None
    messages_free: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFailureRow:
    """Key: job_id, side. What the server said when a job could not go on, by whoever heard it: scanner or copier."""

    job_id: JobId
    side: Side
    reason: Reason
    server_text: str
    folder_id: FolderId | None = None
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRow:
    """Key: job_id, number. What is good to know for the people who watch the job."""

    job_id: JobId
    number: int
    text: str  # of the notice
    notice: Notice | None = None  # None: its text is all there is

    @classmethod
    def of(cls, job_id: JobId, number: int, notice: Notice) -> Self:
        return cls(job_id=job_id, number=number, text=notice.text, notice=notice)


# ---- written by the copier


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """Key: account_digest, folder_digest, incarnation. Open: appends to this folder may be on their way.

    It names no job: it must outlive the deletion of one.
    """

    account_digest: AccountDigest
    folder_digest: str
    incarnation: str  # one run of one copier process
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourRow:
    """Key: account_digest, folder_digest. How a destination folder treats what is appended, as a sample of it showed.

    It names no job: the next one recognises by it what is there.
    """

    account_digest: AccountDigest
    folder_digest: str
    survives: Survives
    filters: bool  # what was acked was gone at once


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """Key: job_id, folder_id, kind. What is good to know for the people who watch the job, of scanner or copier.

    An empty text takes one back. Those of the job as a whole have an empty folder_id.
    """

    job_id: JobId
    folder_id: FolderId
    kind: str  # what it is about; a later notice of the kind takes its place
    text: str  # of the notice
    notice: Notice | None = None  # None: its text is all there is

    @classmethod
    def of(cls, job_id: JobId, folder_id: FolderId, kind: str, notice: Notice | None) -> Self:
        """None takes one back."""
        return cls(job_id=job_id, folder_id=folder_id, kind=kind, text=notice.text if notice else "", notice=notice)


@dataclass(frozen=True, slots=True, kw_only=True)
class AckRow:
    """Key: job_id, plan_id, source, first_uid. These source UIDs are at the destination, in this order."""

    job_id: JobId
    plan_id: PlanId
    source: int  # index into the plan's sources
    first_uid: int
    source_uids: str  # UID set, order kept
    destination_uidvalidity: int | None
    destination_uids: str  # UID set in the same order; empty without UIDPLUS
    items: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """Key: job_id, folder_id, source, source_uidvalidity, uid. `recovered` takes a failure back.

    The scanner writes those of messages that need not be sent to be refused, before it announces their plan.
    """

    job_id: JobId
    folder_id: FolderId
    plan_id: PlanId
    source: int
    source_uidvalidity: int
    uid: int
    # gone: skipped, no longer at the source; noted: delivered, but something is to be said of it
    outcome: Literal["failed", "gone", "recovered", "noted"]
    reason: Reason
    server_text: str
    bytes: int
    happened_at: datetime
    run: int = 1
    left_out: tuple[str, ...] = ()  # flags and keywords, INTERNALDATE: what it was delivered without


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleRow:
    """Key: job_id, side. In the server's words, by whoever heard them: scanner or copier."""

    job_id: JobId
    side: Side
    reason: Reason
    until: datetime
    server_text: str


# ---- written by the aggregator; the version is the offset of the event in `progress`


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow:
    """Key: job_id."""

    job_id: JobId
    folders: int
    listed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRow:
    """Key: job_id."""

    job_id: JobId
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """Key: job_id, folder_id, plan_id."""

    job_id: JobId
    folder_id: FolderId
    plan_id: PlanId
    number: int
    items: int
    bytes: int
    skipped: int
    bytes_skipped: int
    planned_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsRow:
    """Key: job_id, plan_id. A finished row is final for its run, and a later run outranks an earlier one."""

    job_id: JobId
    plan_id: PlanId
    folder_id: FolderId
    worker: str
    completed: int
    skipped: int
    failed: int
    bytes_completed: int
    finished: bool
    stopped: bool
    reported_at: datetime
    run: int = 1

    def settled(self, run: int) -> bool:
        """Nothing is left to do under this plan in that run of the job."""
        return self.finished and (self.run == run or not (self.failed or self.stopped))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Key: job_id, plan_id."""

    job_id: JobId
    plan_id: PlanId
    level: Literal["size", "identity", "bytes"]
    verified: int
    rewritten: int
    removed: int
    recovered: int
    surplus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """Key: job_id, at, offset. The batch history; `at` is the time of the record, the same in every repeat."""

    job_id: JobId
    offset: int
    at: datetime
    items: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """Key: job_id, run. The first one stands."""

    job_id: JobId
    state: Literal["completed", "completed_with_errors", "failed", "cancelled"]
    side: Side | None
    reason: Reason | None
    finished_at: datetime
    run: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBatchRow:
    """Key: job_id, batch_id. A report that is in the log; the first offset stands, and that one alone is counted."""

    job_id: JobId
    batch_id: str
    content: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityTotalsRow:
    """Key: job_id, entity_id. Sums over the reports up to `offset`."""

    job_id: JobId
    entity_id: str
    offset: int
    imported: int
    skipped: int
    errored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTotalsRow:
    """Key: job_id. Sums over the reports up to `offset`; written after all other rows of those reports."""

    job_id: JobId
    offset: int
    completed: int
    skipped: int
    failed: int
    bytes_completed: int
    items_total: int | None  # None: as it was announced
    bytes_total: int | None
    speed: float | None  # bytes a second, of the last report
    state: Literal["running", "completed", "failed", "cancelled"]
    started_at: datetime
    reported_at: datetime


Row = (
    RequestRow
    | AgentJobRow
    | EntityRow
    | AgentFailureRow
    | AgentBatchRow
    | EntityTotalsRow
    | AgentTotalsRow
    | DesiredRow
    | TombstoneRow
    | AdmissionRow
    | FolderRow
    | PlanRow
    | QuotaRow
    | ScanFailureRow
    | WarningRow
    | ClaimRow
    | BehaviourRow
    | NoticeRow
    | AckRow
    | FailureRow
    | ThrottleRow
    | ListingRow
    | SignRow
    | PlannedRow
    | TotalsRow
    | AuditRow
    | BatchRow
    | OutcomeRow
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What a worker must know before it works on a job."""

    state: Literal["run", "pause", "cancel", "over"]  # over: unknown, ended, deleted or expired
    limits: Limits = field(default_factory=Limits)
    run: int = 1  # the run it holds for


NOTHING = Desired(state="over", run=MOST_RUNS)  # of a job that is not there and never will be
