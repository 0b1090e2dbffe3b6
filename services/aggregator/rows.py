"""What one event of `progress` writes. Pure."""

from datetime import datetime
from typing import assert_never

from libs.contracts.events import (
    AgentReported,
    FolderAudited,
    FolderPlanned,
    FoldersListed,
    Progress,
    ProgressBatch,
    ScanFailed,
    SignOfLife,
    Throttled,
    WorkItemFinished,
    WorkItemParked,
)
from libs.readmodel.rows import AuditRow, BatchRow, ListingRow, OutcomeRow, PlannedRow, Row, SignRow, TotalsRow


def rows(event: Progress, offset: int, at: datetime) -> list[Row]:
    """The rows one event writes; `offset` and `at` are those of its record.

    Topics are not ordered against each other and may deliver twice. A row's
    version is its event's offset and ClickHouse keeps the newest, so any order
    between topics and any repeat gives the same job view.
    """
    match event:
        case FoldersListed():
            return [ListingRow(job_id=event.job_id, folders=event.folders, listed_at=at)]
        case SignOfLife():
            return [SignRow(job_id=event.job_id, seen_at=at)]
        case FolderPlanned():
            return [planned(event, at)]
        case ProgressBatch():
            copied = event.delta.items or event.delta.bytes
            return [totals(event, at), *([batch(event, offset, at)] if copied else [])]
        case WorkItemFinished():
            return [totals(event, at)]
        case FolderAudited():
            return [audit(event)]
        case ScanFailed():
            failed = OutcomeRow(
                job_id=event.job_id,
                run=event.run,
                state="failed",
                side=event.side,
                reason=event.reason,
                finished_at=at,
            )
            return [failed]
        case WorkItemParked() | Throttled() | AgentReported():
            return []  # the copier wrote what is to be known of a throttle; reports are counted in `reports`
        case _:
            assert_never(event)


def planned(event: FolderPlanned, at: datetime) -> PlannedRow:
    return PlannedRow(
        job_id=event.job_id,
        folder_id=event.folder_id,
        plan_id=event.plan_id,
        number=event.number,
        items=event.items,
        bytes=event.bytes,
        skipped=event.skipped,
        bytes_skipped=event.bytes_skipped,
        planned_at=at,
    )


def totals(event: ProgressBatch | WorkItemFinished, at: datetime) -> TotalsRow:
    return TotalsRow(
        job_id=event.job_id,
        plan_id=event.plan_id,
        folder_id=event.folder_id,
        run=event.run,
        worker=event.worker,
        completed=event.completed,
        skipped=event.skipped,
        failed=event.failed,
        bytes_completed=event.bytes_completed,
        finished=isinstance(event, WorkItemFinished),
        stopped=isinstance(event, WorkItemFinished) and event.stopped,
        reported_at=at,
    )


def batch(event: ProgressBatch, offset: int, at: datetime) -> BatchRow:
    return BatchRow(
        job_id=event.job_id,
        offset=offset,
        at=at,
        items=event.delta.items,
        bytes=event.delta.bytes,
        seconds=event.delta.seconds,
    )


def audit(event: FolderAudited) -> AuditRow:
    return AuditRow(
        job_id=event.job_id,
        plan_id=event.plan_id,
        level=event.level,
        verified=event.verified,
        rewritten=event.rewritten,
        removed=event.removed,
        recovered=event.recovered,
        surplus=event.surplus,
    )
