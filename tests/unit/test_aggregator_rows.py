"""What one event writes."""

from datetime import UTC, datetime
from typing import get_args

from libs.contracts.events import (
    AgentReported,
    Delta,
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
from libs.contracts.ids import AgentId, FolderId, JobId, PlanId
from libs.contracts.reasons import Reason
from libs.readmodel.rows import AuditRow, BatchRow, ListingRow, OutcomeRow, PlannedRow, Row, SignRow, TotalsRow
from services.aggregator.rows import rows

JOB, FOLDER, PLAN = JobId("j"), FolderId("1"), PlanId("p")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def batch(*, items: int, size: int) -> ProgressBatch:
    return ProgressBatch(
        job_id=JOB,
        folder_id=FOLDER,
        plan_id=PLAN,
        worker="copier-1",
        completed=7,
        skipped=1,
        failed=2,
        bytes_completed=700,
        delta=Delta(items=items, bytes=size, seconds=1.5),
    )


def finished(*, stopped: bool = False) -> WorkItemFinished:
    return WorkItemFinished(
        job_id=JOB,
        folder_id=FOLDER,
        plan_id=PLAN,
        worker="copier-1",
        completed=7,
        skipped=1,
        failed=2,
        bytes_completed=700,
        stopped=stopped,
    )


def totals(*, is_finished: bool, stopped: bool = False) -> TotalsRow:
    return TotalsRow(
        job_id=JOB,
        plan_id=PLAN,
        folder_id=FOLDER,
        worker="copier-1",
        completed=7,
        skipped=1,
        failed=2,
        bytes_completed=700,
        finished=is_finished,
        stopped=stopped,
        reported_at=AT,
    )


EXPECTED: list[tuple[Progress, list[Row]]] = [
    (FoldersListed(job_id=JOB, folders=3), [ListingRow(job_id=JOB, folders=3, listed_at=AT)]),
    (
        FolderPlanned(
            job_id=JOB, folder_id=FOLDER, plan_id=PLAN, number=2, items=10, bytes=99, skipped=4, bytes_skipped=5
        ),
        [
            PlannedRow(
                job_id=JOB,
                folder_id=FOLDER,
                plan_id=PLAN,
                number=2,
                items=10,
                bytes=99,
                skipped=4,
                bytes_skipped=5,
                planned_at=AT,
            )
        ],
    ),
    (
        batch(items=3, size=300),
        [totals(is_finished=False), BatchRow(job_id=JOB, offset=41, at=AT, items=3, bytes=300, seconds=1.5)],
    ),
    (batch(items=0, size=0), [totals(is_finished=False)]),
    (finished(), [totals(is_finished=True)]),
    (finished(stopped=True), [totals(is_finished=True, stopped=True)]),
    (
        FolderAudited(
            job_id=JOB,
            folder_id=FOLDER,
            plan_id=PLAN,
            level="identity",
            verified=1,
            rewritten=2,
            removed=3,
            recovered=4,
            surplus=5,
        ),
        [
            AuditRow(
                job_id=JOB, plan_id=PLAN, level="identity", verified=1, rewritten=2, removed=3, recovered=4, surplus=5
            )
        ],
    ),
    (
        ScanFailed(job_id=JOB, side="source", reason=Reason.LOGIN_REFUSED),
        [OutcomeRow(job_id=JOB, state="failed", side="source", reason=Reason.LOGIN_REFUSED, finished_at=AT)],
    ),
    (SignOfLife(job_id=JOB), [SignRow(job_id=JOB, seen_at=AT)]),
    (WorkItemParked(job_id=JOB, folder_id=FOLDER, plan_id=PLAN), []),
    (Throttled(job_id=JOB, side="source", reason=Reason.BUSY, until=AT), []),
    (
        AgentReported(
            job_id=JOB,
            agent_id=AgentId("a"),
            batch_id="b",
            completed=1,
            failed=0,
            skipped=0,
            bytes_completed=1,
            delta=Delta(items=1, bytes=1, seconds=1),
        ),
        [],
    ),
]


def test_every_event_writes_its_rows() -> None:
    assert {type(event) for event, _ in EXPECTED} == set(get_args(Progress))
    for event, written in EXPECTED:
        assert rows(event, 41, AT) == written
