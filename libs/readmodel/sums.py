"""How far a job is as one set of numbers. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from libs.contracts.jobs import JobState
from libs.readmodel.numbers import AgentProgress, FolderProgress, FolderSums, Head, Numbers, Sums, VerifyLevel

VERIFY_LEVELS: tuple[VerifyLevel, ...] = ("size", "identity", "bytes")  # weakest first


def sums(numbers: Numbers) -> Sums:
    return far(numbers, [_alone(folder) for folder in numbers.progress])


def far(numbers: Numbers, folders: Sequence[FolderSums]) -> Sums:
    """How far a job is whose folders these are; an agent's has none."""
    if numbers.agent is not None:
        return _of_an_agent(numbers.agent, numbers.head)
    return _of_folders(folders, numbers.head)


def as_of_now(numbers: Numbers) -> list[FolderProgress]:
    """What failed in an earlier run is to be tried again as long as this one lives."""
    head = numbers.head
    return [replace(folder, failed=0) if _is_earlier(folder.run, head) else folder for folder in numbers.progress]


def _is_earlier(run: int, head: Head) -> bool:
    return head.outcome is None and run < head.run


def _alone(folder: FolderProgress) -> FolderSums:
    at = folder.reported_at or folder.planned_at
    return FolderSums(
        run=folder.run,
        parts=1,
        completed=folder.completed,
        skipped=folder.skipped,
        failed=folder.failed,
        total=folder.items_total,
        total_if_none_failed=replace(folder, failed=0).items_total,
        verified=folder.verified,
        levels=(folder.level,) if folder.verified and folder.level else (),
        bytes_total=folder.bytes_total,
        bytes_completed=folder.bytes_completed,
        worker=folder.worker,
        worker_at=at if folder.worker else None,
        reported_at=max(folder.planned_at, at),
    )


def _of_folders(folders: Sequence[FolderSums], head: Head) -> Sums:
    parts = sum(each.parts for each in folders)
    counted = head.folders is not None and parts >= head.folders
    audited = {level for each in folders for level in each.levels}
    workers = [(each.worker_at, each.worker) for each in folders if each.worker and each.worker_at]
    times = [each.reported_at for each in folders] + [at for at in (head.listed_at, head.seen_at) if at]
    earlier = [_is_earlier(each.run, head) for each in folders]
    return Sums(
        parts=parts,
        counted=counted,
        items_total=sum(e.total_if_none_failed if is_ else e.total for e, is_ in zip(folders, earlier, strict=True)),
        items_completed=sum(each.completed for each in folders),
        items_skipped=sum(each.skipped for each in folders),
        items_failed=sum(0 if is_ else each.failed for each, is_ in zip(folders, earlier, strict=True)),
        items_verified=sum(each.verified for each in folders),
        verify_level=next((level for level in VERIFY_LEVELS if level in audited), None),
        bytes_total=sum(each.bytes_total for each in folders),
        bytes_counted=counted,
        bytes_completed=sum(each.bytes_completed for each in folders),
        worker=max(workers)[1] if workers else None,
        last_report_at=max(times, default=None),
    )


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
