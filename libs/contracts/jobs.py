"""What a person asks for, and the states a job goes through."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from libs.contracts.accounts import Account
from libs.contracts.schedule import Rate, Schedule, TimeZone, rate_at

Glob = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
MailAddress = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^\s@<>\"(),:;\\\x00-\x1f]+@[^\s@<>\"(),:;\\\x00-\x1f]+$")
]
FolderName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Language = Literal["en", "de"]  # of the pages, and of the mails
Mode = Literal["full", "folders_only", "dry_run"]  # dry_run: only say what would be copied, and write nothing


class Limits(BaseModel):
    """What may be changed while a job runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    concurrency: int = Field(default=2, ge=1, le=16)  # folders copied at once
    bandwidth_limit_mbps: float | None = Field(default=None, gt=0, le=100_000)  # megabits a second
    schedule: Schedule = ()  # outside of them the limit above holds
    timezone: TimeZone | None = None  # whose clock the schedule goes by; None: UTC

    def rate(self, now: datetime) -> Rate:
        return rate_at(self.schedule, self.timezone, self.bandwidth_limit_mbps, now)


class JobOptions(Limits):
    """What is copied, and how it is checked."""

    mode: Mode = "full"
    include: list[Glob] = Field(default_factory=list[str], max_length=1000)
    exclude: list[Glob] = Field(default_factory=list[str], max_length=1000)
    since: date | None = None  # by INTERNALDATE, this day and later
    before: date | None = None  # by INTERNALDATE, earlier than this day
    max_item_bytes: int | None = Field(default=None, ge=1)
    folder_map: dict[FolderName, FolderName] = Field(default_factory=dict[str, str], max_length=1000)
    verify: Literal["standard", "deep"] = "standard"
    notify_email: MailAddress | None = Field(
        default=None, exclude=True, repr=False
    )  # sealed apart, stored nowhere else
    notify_language: Language = Field(default="en", exclude=True)


class JobForm(BaseModel):
    """The body of `POST /api/jobs`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(default=None, max_length=200)
    project: str | None = Field(default=None, max_length=100)
    source: Account
    destination: Account
    options: JobOptions = Field(default_factory=JobOptions)


MOST_RUNS = 500  # of one job: the first, and its retries


class JobSecrets(BaseModel):
    """All that is sealed in the vault while a job lives, and destroyed when it ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Account
    destination: Account


class Recipient(BaseModel):
    """Whom to tell of a job's end, and the address of its page: sealed until they were told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: SecretStr
    url: SecretStr
    language: Language = "en"


class JobState(StrEnum):
    QUEUED = "queued"
    SCANNING = "scanning"
    RUNNING = "running"
    PAUSED = "paused"
    THROTTLED = "throttled"
    STALLED = "stalled"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"


ENDED = frozenset({JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS, JobState.FAILED, JobState.CANCELLED})

STATE_TEXT: dict[JobState, str] = {
    JobState.QUEUED: (
        "Waiting for its turn: it begins when a worker is free and no other migration into the same mailbox goes on."
    ),
    JobState.SCANNING: "Looking at both mailboxes and counting what has to be copied.",
    JobState.RUNNING: "Copying messages. You can close this page and come back.",
    JobState.PAUSED: "Paused. Nothing is copied until it is resumed.",
    JobState.THROTTLED: "A mail server asked for a pause, or is busy. It goes on by itself.",
    JobState.STALLED: "No worker has reported for a minute. It goes on as soon as one is back; nothing is lost.",
    JobState.CANCELLING: "Stopping. What has been copied stays at the destination.",
    JobState.COMPLETED: "Done. Every message is at the destination.",
    JobState.COMPLETED_WITH_ERRORS: "Done, but some messages are missing or changed. They are listed with the reason.",
    JobState.FAILED: "The migration could not go on.",
    JobState.CANCELLED: "Cancelled. What had been copied stays at the destination.",
    JobState.GONE: "There is nothing here (any more).",
}
RESTING_TEXT = "Its schedule lets nothing be copied now. It goes on by itself."  # of a job that runs

EXTERNAL_TEXT: dict[JobState, str] = {  # of a job that an external agent carries out
    JobState.QUEUED: "Waiting for its agent to report for the first time.",
    JobState.RUNNING: "Its agent is at work. You can close this page and come back.",
    JobState.PAUSED: "Paused. Its agent was told to wait until it is resumed.",
    JobState.STALLED: "Its agent has not reported for a minute. It goes on as soon as the agent reports again.",
    JobState.CANCELLING: "Its agent was told to stop. What has been carried over stays.",
    JobState.COMPLETED: "Done. Everything was carried over, as its agent reports.",
    JobState.COMPLETED_WITH_ERRORS: "Done, but its agent could not carry over everything.",
    JobState.CANCELLED: "Cancelled. What had been carried over stays.",
}

DRY_RUN_TEXT: dict[JobState, str] = {
    JobState.SCANNING: "Looking at both mailboxes to say what would be copied. Nothing is written.",
    JobState.COMPLETED: "The dry run is done. Nothing was copied or changed.",
    JobState.CANCELLED: "Cancelled. Nothing was copied or changed.",
}
