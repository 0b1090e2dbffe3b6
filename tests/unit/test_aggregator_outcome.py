"""When a job has ended, and how."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.contracts.events import JobCancelled, JobCompleted, JobCompletedWithErrors, JobFailed
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason
from libs.readmodel.rows import OutcomeRow
from libs.readmodel.upkeep import Standing
from services.aggregator.outcome import decide, told

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DONE = Standing(
    job_id=JobId("j"),
    ended=False,
    admitted=True,
    cancelled=False,
    desired_at=NOW - timedelta(seconds=9),
    folders=2,
    planned=2,
    finished=2,
    stopped=0,
    completed=5,
    skipped=1,
    failed=0,
    bytes_completed=500,
    differing=0,
)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "completed"),
        ({"failed": 1}, "completed_with_errors"),
        ({"differing": 1}, "completed_with_errors"),
        ({"failed": 1, "dry_run": True}, "completed"),
        ({"folders": 0, "planned": 0, "finished": 0}, "completed"),
        ({"ended": True}, None),
        ({"folders": None}, None),
        ({"folders": 3}, None),
        ({"finished": 1}, None),
        ({"finished": 1, "failed": 1}, None),
        # a cancellation waits for the workers, for ten seconds
        ({"cancelled": True}, "cancelled"),
        ({"cancelled": True, "finished": 1}, None),
        ({"cancelled": True, "finished": 1, "desired_at": NOW - timedelta(seconds=10)}, "cancelled"),
        ({"cancelled": True, "finished": 1, "desired_at": None}, None),
        ({"cancelled": True, "planned": 0, "finished": 0, "folders": None}, "cancelled"),
        ({"cancelled": True, "admitted": False, "finished": 1}, "cancelled"),
        ({"cancelled": True, "ended": True}, None),
    ],
)
def test_a_job_ends_when_everything_is_finished_or_it_is_cancelled(change: dict[str, Any], state: str | None) -> None:
    outcome = decide(replace(DONE, **change), NOW)

    assert (outcome.state if outcome else None) == state
    assert outcome is None or (outcome.finished_at, outcome.side, outcome.reason) == (NOW, None, None)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("completed", JobCompleted(job_id=JobId("j"), completed=5, skipped=1, bytes_completed=500)),
        (
            "completed_with_errors",
            JobCompletedWithErrors(job_id=JobId("j"), completed=5, skipped=1, failed=0, bytes_completed=500),
        ),
        ("failed", JobFailed(job_id=JobId("j"), side="source", reason=Reason.BUSY)),
        ("cancelled", JobCancelled(job_id=JobId("j"))),
    ],
)
def test_the_event_of_an_outcome_tells_its_counts(state: Any, event: object) -> None:
    outcome = OutcomeRow(job_id=JobId("j"), state=state, side="source", reason=Reason.BUSY, finished_at=NOW)

    assert told(outcome, DONE) == event
    assert type(told(outcome, None)) is type(event)
