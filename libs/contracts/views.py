"""What the dashboard shows: bytes, seconds, UTC. Totals are null until known."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from libs.contracts.accounts import Side
from libs.contracts.ids import JobId
from libs.contracts.jobs import JobState, Limits, Mode
from libs.contracts.notices import Notice
from libs.contracts.reasons import Reason
from libs.contracts.schedule import Rate


class RemainingSeconds(BaseModel):
    low: int
    high: int


class Hold(BaseModel):
    """Something still stored about a job, why, and until when."""

    what: str
    why: str
    until: datetime | None  # null: until the job ends


class JobView(BaseModel):
    """`items_completed + items_failed + items_skipped + items_remaining = items_total` in every snapshot."""

    job_id: JobId
    kind: Literal["mailbox", "external"]
    run: int  # 1, and one more each time it was tried again
    mode: Mode = "full"  # dry_run: nothing is ever completed, items_remaining would be copied
    name: str | None
    project: str | None
    state: JobState
    state_text: str
    failed_side: Side | None  # of a failed job: which account
    failed_reason: Reason | None  # of a failed job; its sentence is in the state text
    failed_server_text: str | None = None  # of a failed job: the server's own words, "" when it gave none
    worker: str | None
    source_host: str | None
    destination_host: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime
    last_report_at: datetime | None
    folders_total: int | None
    folders_planned: int
    items_total: int | None
    items_completed: int
    items_skipped: int
    items_failed: int
    items_remaining: int | None
    items_verified: int
    verify_level: Literal["size", "identity", "bytes"] | None
    bytes_total: int | None
    bytes_completed: int
    progress_percent: float | None  # 100 only when nothing remains
    speed_bytes_per_second: float | None
    remaining_seconds: RemainingSeconds | None
    throttled_until: datetime | None
    throttled_side: Side | None
    throttle_server_text: str | None  # the server's own words, "" when it gave none
    throttle_text: str | None
    limit_text: str | None
    limits: Limits  # as they are set
    rate: Rate  # the bandwidth limit that holds now, and until when
    warnings: list[str]  # the texts of `notices`
    notices: list[Notice] = []
    holds: list[Hold]


class BreakdownRow(BaseModel):
    """One destination folder of a mailbox job, or one type of entity of an agent's, which has no totals."""

    kind: Literal["folder", "entity"]
    name: str
    destination_name: str | None
    state: Literal["waiting", "planned", "copying", "done", "failed"]
    items_total: int | None
    items_completed: int
    items_skipped: int
    items_failed: int
    items_remaining: int | None
    items_verified: int
    bytes_total: int | None
    bytes_completed: int


class BatchRow(BaseModel):
    """One entry of the batch history: what was copied in these seconds."""

    at: datetime
    items: int
    bytes: int
    seconds: float


class FailureRow(BaseModel):
    """One item that is not at the destination, and why; or one that was delivered, and what is to be said of it."""

    at: datetime
    folder: str  # empty: an agent's job has none
    uid: int  # 0: the folder itself, or an agent's item
    item: str = ""  # what an agent calls it
    reason: Reason
    server_text: str
    what_to_do: str
    outcome: Literal["failed", "noted"] = "failed"  # noted: delivered, and counted as completed
    left_out: list[str] = []  # what it was delivered without: flags, keywords, INTERNALDATE


class Snapshot(BaseModel):
    """The data of an SSE `snapshot`."""

    job: JobView
    breakdown: list[BreakdownRow]
