"""How far a job is as one set of numbers. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from libs.contracts.jobs import JobState
from libs.readmodel.numbers import AgentProgress, FolderProgress, Head, Numbers, Sums, VerifyLevel

VERIFY_LEVELS: tuple[VerifyLevel, ...] = ("size", "identity", "bytes")  # weakest first


def sums(numbers: Numbers) -> Sums:
    if numbers.agent is not None:
        return _of_an_agent(numbers.agent, numbers.head)
    return _of_folders(as_of_now(numbers), numbers.head)


def as_of_now(numbers: Numbers) -> list[FolderProgress]:
    """What failed in an earlier run is to be tried again as long as this one lives."""
    head = numbers.head
    if head.outcome is not None:
        return list(numbers.progress)
    return [replace(folder, failed=0) if folder.run < head.run else folder for folder in numbers.progress]


def _of_folders(progress: Sequence[FolderProgress], head: Head) -> Sums:
    counted = head.folders is not None and len(progress) >= head.folders
    audited = {folder.level for folder in progress if folder.verified}
    reported = [folder for folder in progress if folder.worker]  # a folder that was just planned has no worker yet
    times = [head.listed_at, *(time for folder in progress for time in (folder.planned_at, folder.reported_at))]
    return Sums(
        parts=len(progress),
        counted=counted,
        items_total=sum(folder.items_total for folder in progress),
        items_completed=sum(folder.completed for folder in progress),
        items_skipped=sum(folder.skipped for folder in progress),
        items_failed=sum(folder.failed for folder in progress),
        items_verified=sum(folder.verified for folder in progress),
        verify_level=next((level for level in VERIFY_LEVELS if level in audited), None),
        bytes_total=sum(folder.bytes_total for folder in progress),
        bytes_counted=counted,
        bytes_completed=sum(folder.bytes_completed for folder in progress),
        worker=max(reported, key=_reported_at).worker if reported else None,
        last_report_at=max((time for time in times if time is not None), default=None),
    )


def _reported_at(folder: FolderProgress) -> datetime:
    return folder.reported_at or folder.planned_at


def _of_an_agent(agent: AgentProgress, head: Head) -> Sums:
    """Totals are what the agent says, and never less than what it did; when it is done, nothing remains."""
    done = agent.completed + agent.skipped + agent.failed
    over = head.outcome in (JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS)
    announced = done if over else agent.items_announced
    return Sums(
        counted=announced is not None,
        items_total=max(announced or 0, done),
        items_completed=agent.completed,
        items_skipped=agent.skipped,
        items_failed=agent.failed,
        bytes_total=max(agent.bytes_announced or 0, agent.bytes_completed),
        bytes_counted=agent.bytes_announced is not None,
        bytes_completed=agent.bytes_completed,
        speed=agent.speed,
        worker=agent.agent_name or agent.agent_id,
        last_report_at=agent.reported_at,
    )
