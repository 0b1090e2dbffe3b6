"""A job with a second run, as every adapter of the read model keeps it."""

from dataclasses import replace

import pytest

from libs.contracts.commands import CancelJob, StartJob
from libs.contracts.events import JobCompleted, JobCompletedWithErrors, JobFailed, JobStarted, ScanFailed
from libs.contracts.ids import AccountDigest, FolderId, JobId
from libs.contracts.jobs import JobState, Limits
from libs.contracts.reasons import Reason
from libs.contracts.views import Snapshot
from libs.readmodel.model import ReadModel
from libs.readmodel.rows import AdmissionRow, DesiredRow, FailureRow, RequestRow, ScanFailureRow
from libs.vault.port import SecretsDestroyed
from tests.contract.jobs import Log, finished, listed, new_job, plan_id, planned, progress
from tests.contract.test_aggregator import SECRETS, World

RUN_2 = {"run": 2}


@pytest.fixture
def world(store: ReadModel, log: Log) -> World:
    return World(store, log)


def request_of(world: World, job: JobId) -> RequestRow:
    request = world.store.request(job)
    assert request is not None
    return request


def retry(world: World, job: JobId, *, admit: bool = True) -> None:
    """What the api does, and then the scanner."""
    request = request_of(world, job)
    run = request.run + 1
    world.clock.passes(seconds=1)
    world.store.refresh([job], world.clock())
    world.vault.store(job, SECRETS, run=run)
    desired = DesiredRow(job_id=job, state="run", limits=Limits(), run=run)
    world.store.write([desired, replace(request, run=run)], now=world.clock())
    if admit:
        row = AdmissionRow(job_id=job, account_digest=request.account_digest, admitted_at=world.clock(), run=run)
        world.store.write([row], now=world.clock())


def view(world: World, job: JobId) -> Snapshot:
    return world.store.watching.views([job], world.clock())[job]


def with_errors(world: World, **more: str) -> JobId:
    """Folder 1 has two failures, folder 2 none; all that follows from the end is done."""
    job = world.job("1", "2", **more)
    world.progress(listed(job, 2), planned(job, "1", items=5), planned(job, "2", items=3))
    world.progress(finished(job, "1", completed=3, failed=2), finished(job, "2", completed=3))
    world.aggregator.sweep()
    assert world.state(job) is JobState.COMPLETED_WITH_ERRORS
    return job


def test_a_job_that_is_tried_again_lives_and_ends_anew(world: World) -> None:
    job = with_errors(world)

    retry(world, job)
    assert job in world.store.live()
    assert world.store.desired(job).state == "run"
    assert world.state(job) is JobState.RUNNING
    assert not world.progress(listed(job, 2))
    assert not world.progress(replace(progress(job, "1", completed=3), **RUN_2))
    job_view = view(world, job).job
    assert (job_view.items_failed, job_view.items_remaining, job_view.items_completed) == (0, 2, 6)
    assert world.progress(replace(finished(job, "1", completed=5), **RUN_2))
    world.aggregator.sweep()

    assert world.state(job) is JobState.COMPLETED
    ended = [event for event in world.log.of(job) if isinstance(event, JobCompletedWithErrors | JobCompleted)]
    assert ended == [
        JobCompletedWithErrors(job_id=job, completed=6, skipped=0, failed=2, bytes_completed=600),
        JobCompleted(job_id=job, completed=8, skipped=0, bytes_completed=800, run=2),
    ]
    with pytest.raises(SecretsDestroyed):
        world.vault.open(job)


def test_what_a_run_says_late_changes_nothing_of_the_next_one(world: World) -> None:
    job = with_errors(world)
    retry(world, job)
    world.progress(replace(progress(job, "1", completed=4), **RUN_2))

    world.progress(finished(job, "1", completed=3, failed=2), progress(job, "2", completed=1))
    world.progress(ScanFailed(job_id=job, side="source", reason=Reason.ACCESS_LOST))

    assert world.state(job) is JobState.RUNNING
    assert (view(world, job).job.items_completed, view(world, job).job.items_failed) == (7, 0)


def test_a_run_that_ends_with_failures_is_as_good_an_end_as_the_first(world: World) -> None:
    job = with_errors(world)
    retry(world, job)

    world.progress(replace(finished(job, "1", completed=4, failed=1), **RUN_2))

    assert world.state(job) is JobState.COMPLETED_WITH_ERRORS
    assert view(world, job).job.items_failed == 1


def test_a_cancelled_job_is_not_cancelled_in_its_next_run(world: World) -> None:
    job = world.job("1")
    world.progress(listed(job, 1), planned(job, items=5))
    world.desire(job, "cancel")
    world.command(CancelJob(job_id=job))
    world.progress(finished(job, completed=1, stopped=True))
    world.aggregator.sweep()
    assert world.state(job) is JobState.CANCELLED

    retry(world, job)
    world.aggregator.sweep()
    assert world.state(job) is JobState.RUNNING
    assert job not in world.store.cancelling()
    world.progress(replace(finished(job, completed=5), **RUN_2))

    assert world.state(job) is JobState.COMPLETED


def test_a_job_that_failed_before_it_was_listed_starts_again(world: World) -> None:
    job = world.job()
    failed = ScanFailureRow(job_id=job, side="source", reason=Reason.LOGIN_REFUSED, server_text="", folder_id=None)
    world.store.write([failed], now=world.clock())
    world.progress(ScanFailed(job_id=job, side="source", reason=Reason.LOGIN_REFUSED))
    world.aggregator.sweep()

    retry(world, job)
    assert world.state(job) is JobState.SCANNING
    world.progress(replace(listed(job, 1), **RUN_2), planned(job, items=1))
    world.progress(replace(finished(job, completed=1), **RUN_2))
    world.aggregator.sweep()

    kinds = (JobFailed, JobStarted, JobCompleted)
    assert [(type(event), event.run) for event in world.log.of(job) if isinstance(event, kinds)] == [
        (JobFailed, 1),
        (JobStarted, 2),
        (JobCompleted, 2),
    ]


def test_a_folder_that_could_not_be_planned_is_not_marked_in_the_next_run(world: World) -> None:
    job = world.job("1")
    failed = ScanFailureRow(
        job_id=job, side="source", reason=Reason.FOLDER_GONE, server_text="", folder_id=FolderId("1")
    )
    world.store.write([failed], now=world.clock())
    assert [row.state for row in view(world, job).breakdown] == ["failed"]
    world.progress(ScanFailed(job_id=job, side="source", reason=Reason.FOLDER_GONE, folder_id=FolderId("1")))

    retry(world, job)

    assert [row.state for row in view(world, job).breakdown] == ["waiting"]


def test_the_late_clean_up_of_a_run_leaves_the_credentials_of_the_next(world: World) -> None:
    job = with_errors(world)
    retry(world, job)

    world.vault.destroy(job, run=1)
    world.clock.passes(seconds=120)
    world.aggregator.sweep()

    assert world.vault.open(job) == SECRETS


def test_credentials_for_a_run_that_never_came_are_destroyed_after_a_minute(world: World) -> None:
    job = with_errors(world)
    world.vault.store(job, SECRETS, run=2)

    world.clock.passes(seconds=120)
    world.aggregator.sweep()

    assert not world.holds_secrets(job)


def test_failures_are_listed_until_their_folder_is_tried_again_and_then_what_is_still_failed(world: World) -> None:
    job = world.job("1")
    world.progress(listed(job, 1), planned(job, items=4))

    def fail(uid: int, run: int = 1, **change: object) -> FailureRow:
        row = FailureRow(
            job_id=job, folder_id=FolderId("1"), plan_id=plan_id("1"), source=0, source_uidvalidity=1, uid=uid,
            outcome="failed", reason=Reason.MESSAGE_TOO_LARGE, server_text="", bytes=1, happened_at=world.clock(),
            run=run,
        )  # fmt: skip
        return replace(row, **change)  # type: ignore[arg-type]

    def failing() -> list[int]:
        return [row.uid for row in world.store.watching.failures(job)]

    world.store.write([fail(1), fail(2), fail(3, reason=Reason.UNCONFIRMED)], now=world.clock())
    world.progress(finished(job, completed=1, failed=3))
    retry(world, job)
    assert failing() == [1, 2, 3]

    world.progress(replace(progress(job, completed=1, failed=1), **RUN_2))
    assert failing() == [3]
    world.store.write([fail(1, outcome="recovered"), fail(2, run=2)], now=world.clock())
    world.progress(replace(finished(job, completed=2, failed=2), **RUN_2))

    assert sorted(failing()) == [2, 3]


def test_a_retried_job_waits_while_another_one_uses_its_account_and_then_gets_its_turn(world: World) -> None:
    account = f"shared by {new_job()}"
    job = with_errors(world, account=account)
    other = world.job("1", account=account)

    retry(world, job, admit=False)
    assert world.state(job) is JobState.QUEUED
    live = world.store.live_admission(AccountDigest(account))
    assert live is not None
    assert live.job_id == other
    world.log.appended.clear()
    world.progress(listed(other, 0))
    world.aggregator.sweep()

    assert [event for event in world.log.of(job) if isinstance(event, StartJob)] == [StartJob(job_id=job)]


def test_a_retry_whose_command_was_lost_gets_its_turn(world: World) -> None:
    ended, living = with_errors(world), world.job("1", "2")
    world.progress(listed(living, 2), planned(living, items=5), finished(living, completed=3, failed=2))
    retry(world, ended, admit=False)
    retry(world, living, admit=False)
    world.log.appended.clear()

    world.clock.passes(seconds=31)
    world.aggregator.sweep()

    for job in (ended, living):
        assert [event for event in world.log.of(job) if isinstance(event, StartJob)] == [StartJob(job_id=job)]


def test_a_job_that_lived_when_it_was_retried_keeps_its_account_until_it_has_ended(world: World) -> None:
    job = world.job("1")
    account = request_of(world, job).account_digest
    world.progress(listed(job, 1), planned(job, items=5), progress(job, completed=1, failed=1))

    retry(world, job, admit=False)
    assert world.state(job) is JobState.RUNNING
    live = world.store.live_admission(account)
    assert (live is not None and live.job_id, live is not None and live.run) == (job, 1)
    world.progress(finished(job, completed=4, failed=1))
    assert world.state(job) is JobState.RUNNING
    world.progress(replace(finished(job, completed=5), **RUN_2))

    assert world.state(job) is JobState.COMPLETED
    assert world.store.live_admission(account) is None


def test_the_average_is_that_of_the_run_and_its_record_counts_from_its_end(world: World) -> None:
    job = with_errors(world)
    began = view(world, job).job
    world.clock.passes(hours=30)
    request = request_of(world, job)
    retry(world, job, admit=False)
    admitted_at = world.clock()
    admission = AdmissionRow(
        job_id=job, account_digest=request.account_digest, admitted_at=admitted_at, run=2, bytes_before=600
    )
    world.store.write([admission], now=admitted_at)
    world.clock.passes(seconds=20)
    world.progress(replace(finished(job, "1", completed=5), **RUN_2))

    ended = view(world, job).job
    assert ended.speed_bytes_per_second == pytest.approx(200 / 20)  # type: ignore[arg-type]
    assert (ended.created_at, ended.started_at) == (began.created_at, admitted_at)
    assert ended.expires_at > began.expires_at
