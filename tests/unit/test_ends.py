"""When it is worth asking whether a job has ended."""

from itertools import permutations

import pytest

from libs.contracts.events import FolderPlanned, FoldersListed, Progress, WorkItemFinished
from libs.contracts.ids import FolderId, JobId, PlanId
from services.aggregator.ends import KEPT, Ends

JOB = JobId("job")


def listed(folders: int) -> FoldersListed:
    return FoldersListed(job_id=JOB, folders=folders)


def planned(folder: str, number: int = 1) -> FolderPlanned:
    return FolderPlanned(
        job_id=JOB,
        folder_id=FolderId(folder),
        plan_id=PlanId(f"{folder}-{number}"),
        number=number,
        items=1,
        bytes=1,
        skipped=0,
        bytes_skipped=0,
    )


def finished(folder: str, number: int = 1, *, job: JobId = JOB, stopped: bool = False) -> WorkItemFinished:
    return WorkItemFinished(
        job_id=job,
        folder_id=FolderId(folder),
        plan_id=PlanId(f"{folder}-{number}"),
        worker="w",
        completed=1,
        skipped=0,
        failed=0,
        bytes_completed=1,
        stopped=stopped,
    )


WHOLE: list[Progress] = [listed(2), planned("1"), planned("2"), finished("1"), finished("2")]


@pytest.mark.parametrize("order", list(permutations(WHOLE)))
def test_the_event_that_completes_a_job_may_have_ended_it_in_whatever_order_they_come(
    order: tuple[Progress, ...],
) -> None:
    ends = Ends()
    for event in order[:-1]:
        ends.possible([event])

    assert ends.possible([order[-1]]) == {JOB}


def test_a_job_with_a_folder_that_has_not_finished_is_not_asked_for() -> None:
    ends = Ends()
    ends.possible([listed(3)])

    assert not ends.possible([planned("1"), finished("1"), planned("2"), finished("1")])


def test_a_job_whose_listing_was_not_seen_may_always_have_ended() -> None:
    assert Ends().possible([finished("1")]) == {JOB}


def test_an_item_that_was_stopped_may_be_the_last_of_a_cancelled_job() -> None:
    ends = Ends()
    ends.possible([listed(3)])

    assert ends.possible([finished("1", stopped=True)]) == {JOB}


def test_a_folder_that_was_planned_again_keeps_the_question_open_until_its_new_plan_is_finished() -> None:
    ends = Ends()
    ends.possible([*WHOLE, planned("2", 2)])

    assert ends.possible([finished("2", 2)]) == {JOB}


def test_of_a_forgotten_job_nothing_is_known() -> None:
    ends = Ends()
    ends.possible([listed(3)])
    ends.possible(finished("1", job=JobId(f"other{number}")) for number in range(KEPT))

    assert ends.possible([finished("1")]) == {JOB}
