"""When a job has ended, how, and what is told of it. Pure."""

from datetime import datetime, timedelta
from typing import Literal

from libs.contracts.events import JobCancelled, JobCompleted, JobCompletedWithErrors, JobEvent, JobFailed
from libs.contracts.reasons import Reason
from libs.readmodel.rows import OutcomeRow
from libs.readmodel.upkeep import Standing

STOPPED_AFTER = timedelta(seconds=10)  # workers that have not said they stopped by then are not waited for
SILENT_AFTER = timedelta(seconds=60)  # an agent that has not reported for so long does not hold up a cancellation


def decide(standing: Standing, now: datetime) -> OutcomeRow | None:
    """The outcome of a job that has just ended; None while it lives, and when it has one already.

    The failure of a mailbox job is not decided here: the event that tells it is its outcome.
    """
    if standing.ended:
        return None
    if standing.kind == "external":
        return _of_an_agent(standing, now)
    if standing.cancelled:
        return _outcome(standing, "cancelled", now) if _stopped(standing, now) else None
    if standing.folders is None or standing.planned < standing.folders or standing.finished < standing.planned:
        return None
    errors = (standing.failed or standing.differing) and not standing.dry_run
    return _outcome(standing, "completed_with_errors" if errors else "completed", now)


def _of_an_agent(standing: Standing, now: datetime) -> OutcomeRow | None:
    """An external job ends when its agent says so; a cancelled one also when there is no agent to say so."""
    agent = standing.agent
    match agent.state if agent else None:
        case "completed":
            return _outcome(standing, "completed_with_errors" if standing.failed else "completed", now)
        case "failed":
            return _outcome(standing, "failed", now, Reason.AGENT_FAILED)
        case "cancelled":
            return _outcome(standing, "cancelled", now)
        case _:
            silent = agent is None or now - agent.reported_at >= SILENT_AFTER
            return _outcome(standing, "cancelled", now) if standing.cancelled and silent else None


def told(outcome: OutcomeRow, standing: Standing | None) -> JobEvent:
    """The job event of an outcome; its counts are those of the end, 0 when nothing is known of the job any more."""
    job_id, run = outcome.job_id, outcome.run
    completed, skipped, failed, bytes_completed = (
        (standing.completed, standing.skipped, standing.failed, standing.bytes_completed) if standing else (0, 0, 0, 0)
    )
    match outcome.state:
        case "completed":
            return JobCompleted(
                job_id=job_id, run=run, completed=completed, skipped=skipped, bytes_completed=bytes_completed
            )
        case "completed_with_errors":
            return JobCompletedWithErrors(
                job_id=job_id,
                run=run,
                completed=completed,
                skipped=skipped,
                failed=failed,
                bytes_completed=bytes_completed,
            )
        case "failed":
            return JobFailed(job_id=job_id, run=run, side=outcome.side, reason=outcome.reason or Reason.INTERNAL)
        case "cancelled":
            return JobCancelled(job_id=job_id, run=run)


def _stopped(standing: Standing, now: datetime) -> bool:
    if not standing.admitted or standing.finished == standing.planned:
        return True
    return standing.desired_at is not None and now - standing.desired_at >= STOPPED_AFTER


def _outcome(
    standing: Standing,
    state: Literal["completed", "completed_with_errors", "cancelled", "failed"],
    now: datetime,
    reason: Reason | None = None,
) -> OutcomeRow:
    return OutcomeRow(job_id=standing.job_id, run=standing.run, state=state, side=None, reason=reason, finished_at=now)
