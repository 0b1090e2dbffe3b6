"""Jobs in the middle of their work, as a scanner and an aggregator would have written them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.contracts.ids import AccountDigest, FolderId, JobId, PlanId, key_hash, view_key
from libs.contracts.jobs import JobOptions
from libs.readmodel.model import ReadModel
from libs.readmodel.rows import AdmissionRow, FolderRow, ListingRow, PlannedRow, RequestRow, Row, TotalsRow

FOLDERS = 10  # of a job; all but the last are copied
WORKER = "copier-00000000"
MESSAGES, BYTES = 1_000, 10**17  # of the folder that is being copied: never done


@dataclass(frozen=True, slots=True)
class LiveJob:
    job_id: JobId
    key: str

    @property
    def folder_id(self) -> FolderId:
        return FolderId(str(FOLDERS))


def live_jobs(count: int) -> list[LiveJob]:
    """The first `count` of always the same jobs."""
    return [LiveJob(JobId(f"j{number:024x}"), f"the-key-of-job-{number:016x}") for number in range(count)]


def plan_id(job_id: JobId, folder: int) -> PlanId:
    return PlanId(f"{folder:012x}{job_id[-16:]}")


def write(model: ReadModel, jobs: Sequence[LiveJob], now: datetime) -> None:
    model.write([row for job in jobs for row in _rows(job, now)], now=now, version=0)


def _rows(job: LiveJob, now: datetime) -> list[Row]:
    digest = AccountDigest(job.job_id[-24:] + "0" * 8)
    rows: list[Row] = [
        RequestRow(
            job_id=job.job_id,
            kind="mailbox",
            key_hash=key_hash(job.key),
            view_key_hash=key_hash(view_key(job.key)),
            name=None,
            project=None,
            source_host="imap.old.example",
            destination_host="imap.new.example",
            account_digest=digest,
            source_digest=digest,
            options=JobOptions(),
            created_at=now,
            accepted=True,
        ),
        AdmissionRow(job_id=job.job_id, account_digest=digest, admitted_at=now),
        ListingRow(job_id=job.job_id, folders=FOLDERS, listed_at=now),
    ]
    for number in range(1, FOLDERS + 1):
        folder_id, plan, last = FolderId(str(number)), plan_id(job.job_id, number), number == FOLDERS
        name = f"Projects/{number}"
        rows += [
            FolderRow(
                job_id=job.job_id,
                folder_id=folder_id,
                source_wires=(name,),
                source_names=(name,),
                destination_wire=name,
                destination_name=name,
            ),
            PlannedRow(
                job_id=job.job_id,
                folder_id=folder_id,
                plan_id=plan,
                number=1,
                items=10**9 if last else MESSAGES,
                bytes=BYTES if last else 0,
                skipped=0,
                bytes_skipped=0,
                planned_at=now,
            ),
        ]
        if not last:
            rows.append(
                TotalsRow(
                    job_id=job.job_id,
                    plan_id=plan,
                    folder_id=folder_id,
                    worker=WORKER,
                    completed=MESSAGES,
                    skipped=0,
                    failed=0,
                    bytes_completed=0,
                    finished=True,
                    stopped=False,
                    reported_at=now,
                )
            )
    return rows
