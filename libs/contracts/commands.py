"""Orders. They carry ids and numbers only; what they refer to is in ClickHouse and the vault."""

from dataclasses import dataclass

from libs.contracts.ids import AccountDigest, FolderId, JobId, PlanId


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    """The api asks for a job to begin; the aggregator repeats it when a queued job's turn has come."""

    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJob:
    job_id: JobId
    run: int = 1  # heard late, it must not end a later run


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseJob:
    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeJob:
    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLimits:
    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryFailed:
    """Try again what failed or was not done: the job's request has a new run."""

    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteJob:
    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareJob:
    """Admit the job, log in to both accounts, list the folders."""

    job_id: JobId
    account_digest: AccountDigest


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFolder:
    """Plan one destination folder.

    `number` is the number of the plan that is wanted: 1 at first, one more
    when a copier found that the folder must be planned again. A plan with this
    number or a higher one that exists already is announced again, not made anew.
    """

    job_id: JobId
    account_digest: AccountDigest
    folder_id: FolderId
    number: int
    run: int = 1  # of the job, or an earlier one


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFolder:
    """One work item: copy what one plan says into one destination folder."""

    job_id: JobId
    account_digest: AccountDigest
    folder_id: FolderId
    plan_id: PlanId
    number: int
    continuation: int = 0  # how often a copier has handed it on
    run: int = 1  # of the job; items of an earlier run have been replaced


Command = StartJob | CancelJob | PauseJob | ResumeJob | ChangeLimits | RetryFailed | DeleteJob
FolderScan = PrepareJob | ScanFolder
WorkItem = CopyFolder
