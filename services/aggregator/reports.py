"""From the increments of agents' reports to totals. Pure.

A report counts when it is the first of its batch in the log, and its job has not been ended by one before it. A total
says up to which offset it was summed, so reports that are delivered again, to whichever process, add nothing: what a
process writes depends on the log alone, not on who writes it or how often.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from libs.contracts.events import AgentReported, EntityReport
from libs.contracts.ids import JobId
from libs.readmodel.rows import AgentBatchRow, AgentTotalsRow, BatchRow, EntityTotalsRow
from libs.readmodel.tables import Stamped
from libs.readmodel.upkeep import Reported

FIRST_SECONDS = 1.0  # of the first report: nobody knows when the agent began
LONGEST_SECONDS = 60.0  # after a longer silence the job was stalled
MOST = 2**63 - 1  # an absurd number must not stop the aggregator


@dataclass(frozen=True, slots=True)
class Report:
    event: AgentReported
    offset: int
    at: datetime


def counted(reports: Iterable[Report], known: Reported) -> tuple[list[Stamped], list[JobId]]:
    """The rows these reports write, in the order they must be written in, and the jobs they begin."""
    first, totals, entities = dict(known.first), dict(known.totals), dict(known.entities)
    batches: list[Stamped] = []
    history: list[Stamped] = []
    changed: dict[JobId, Report] = {}
    changed_entities: dict[tuple[JobId, str], Report] = {}
    for report in reports:
        event, offset = report.event, report.offset
        job_id, batch = event.job_id, (event.job_id, event.batch_id)
        if batch not in first:
            first[batch] = offset
            row = AgentBatchRow(job_id=job_id, batch_id=event.batch_id, content=event.content, offset=offset)
            batches.append(Stamped(row, offset, report.at))
        before = totals.get(job_id)
        if first[batch] != offset or (before is not None and (before.offset >= offset or before.state != "running")):
            continue
        totals[job_id] = _totals(before, report)
        changed[job_id] = report
        if event.completed or event.bytes_completed:
            history.append(Stamped(_batch(before, report), offset, report.at))
        for entity in event.entities:
            key = (job_id, entity.entity_id)
            if key not in entities or entities[key].offset < offset:
                entities[key] = _entity(entities.get(key), entity, report)
                changed_entities[key] = report
    sums = [Stamped(entities[key], report.offset, report.at) for key, report in changed_entities.items()]
    # The totals come last: they say that all before them is written.
    ends = [Stamped(totals[job_id], report.offset, report.at) for job_id, report in changed.items()]
    return [*batches, *history, *sums, *ends], [job_id for job_id in changed if job_id not in known.totals]


def _totals(before: AgentTotalsRow | None, report: Report) -> AgentTotalsRow:
    event = report.event
    return AgentTotalsRow(
        job_id=event.job_id,
        offset=report.offset,
        completed=_sum(before.completed if before else 0, event.completed),
        skipped=_sum(before.skipped if before else 0, event.skipped),
        failed=_sum(before.failed if before else 0, event.failed),
        bytes_completed=_sum(before.bytes_completed if before else 0, event.bytes_completed),
        items_total=event.items_total if event.items_total is not None else before and before.items_total,
        bytes_total=event.bytes_total if event.bytes_total is not None else before and before.bytes_total,
        speed=event.speed,
        state=event.state or "running",
        started_at=before.started_at if before else report.at,
        reported_at=report.at,
    )


def _entity(before: EntityTotalsRow | None, entity: EntityReport, report: Report) -> EntityTotalsRow:
    return EntityTotalsRow(
        job_id=report.event.job_id,
        entity_id=entity.entity_id,
        offset=report.offset,
        imported=_sum(before.imported if before else 0, entity.imported),
        skipped=_sum(before.skipped if before else 0, entity.skipped),
        errored=_sum(before.errored if before else 0, entity.errored),
    )


def _batch(before: AgentTotalsRow | None, report: Report) -> BatchRow:
    since = (report.at - before.reported_at).total_seconds() if before else FIRST_SECONDS
    return BatchRow(
        job_id=report.event.job_id,
        offset=report.offset,
        at=report.at,
        items=report.event.completed,
        bytes=report.event.bytes_completed,
        seconds=min(max(since, 0.001), LONGEST_SECONDS),
    )


def _sum(before: int, more: int) -> int:
    return min(before + more, MOST)
