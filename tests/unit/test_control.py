"""What is desired of a job: read once, renewed by the log."""

from dataclasses import dataclass

import pytest

from libs.contracts.commands import CancelJob, ChangeLimits, DeleteJob, PauseJob, ResumeJob, RetryFailed, StartJob
from libs.contracts.events import JobCompleted
from libs.contracts.jobs import Limits
from libs.contracts.topics import COMMANDS, JOB_EVENTS
from libs.readmodel.port import ReadModelUnavailable
from libs.readmodel.rows import Desired
from libs.runtime.control import Control
from tests.api.fakes import FakeLog

JOB = "j1"


@dataclass(frozen=True)
class Request:
    run: int


class Store:
    """`desired` of the read model, and what happens while it is read."""

    def __init__(self) -> None:
        self.answer = Desired(state="run")
        self.reads = 0
        self.asked = Request(run=1)
        self.during_a_read = lambda: None

    def request(self, job_id):
        self.reads += 1
        during, self.during_a_read = self.during_a_read, lambda: None
        read = self.asked
        during()
        return read

    def desired(self, job_id):
        self.reads += 1
        read = self.answer
        during, self.during_a_read = self.during_a_read, lambda: None
        during()
        if read is None:
            raise ReadModelUnavailable
        return read


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def log():
    return FakeLog()


@pytest.fixture
def control(log, store):
    return Control(log, store)


def test_it_is_read_at_the_first_meeting_only(control, store):
    assert [control.desired(JOB).state for _ in range(3)] == ["run"] * 3
    assert store.reads == 1


@pytest.mark.parametrize("command", [PauseJob, ResumeJob, ChangeLimits, StartJob])
def test_a_command_makes_it_read_again(control, store, log, command):
    control.desired(JOB)
    store.answer = Desired(state="pause", limits=Limits(concurrency=7))

    log.append(COMMANDS, JOB, command(job_id=JOB))

    assert control.desired(JOB) == store.answer


@pytest.mark.parametrize(("command", "state"), [(CancelJob, "cancel"), (DeleteJob, "over")])
@pytest.mark.parametrize("met", [True, False])
def test_a_cancellation_and_a_deletion_hold_before_any_read(control, store, log, command, state, met):
    if met:
        control.desired(JOB)
    store.answer = None

    log.append(COMMANDS, JOB, command(job_id=JOB))

    assert control.desired(JOB).state == state


@pytest.mark.parametrize("met", [True, False])
def test_what_holds_for_an_earlier_run_is_not_taken_for_a_later_one(control, store, log, met):
    store.answer = Desired(state="over", run=1)
    if met:
        control.desired(JOB)
    store.answer = Desired(state="run", run=2)

    assert control.desired(JOB, 2).state == "run"


@pytest.mark.parametrize("met", [True, False])
def test_a_cancellation_that_is_heard_late_does_not_hold_for_a_later_run(control, store, log, met):
    store.answer = Desired(state="run", run=2)
    if met:
        control.desired(JOB, 2)

    log.append(COMMANDS, JOB, CancelJob(job_id=JOB, run=1))

    assert control.desired(JOB, 2).state == "run"


def test_a_deleted_job_is_over_in_every_run(control, store, log):
    store.answer = None

    log.append(COMMANDS, JOB, DeleteJob(job_id=JOB))

    assert control.desired(JOB, 3).state == "over"


def test_a_cancelled_job_keeps_its_limits(control, store, log):
    store.answer = Desired(state="run", limits=Limits(concurrency=7))
    control.desired(JOB)

    log.append(COMMANDS, JOB, CancelJob(job_id=JOB))

    assert control.desired(JOB) == Desired(state="cancel", limits=Limits(concurrency=7))


def test_a_job_that_is_over_is_not_cancelled_again(control, store, log):
    store.answer = Desired(state="over")
    control.desired(JOB)

    log.append(COMMANDS, JOB, CancelJob(job_id=JOB))

    assert control.desired(JOB).state == "over"


@pytest.mark.parametrize(("command", "state"), [(CancelJob, "cancel"), (PauseJob, "pause")])
def test_what_was_read_before_a_command_is_not_kept_after_it(control, store, log, command, state):
    def while_reading():
        store.answer = Desired(state="pause")
        log.append(COMMANDS, JOB, command(job_id=JOB))

    store.during_a_read = while_reading

    assert control.desired(JOB).state == state
    assert control.desired(JOB).state == state


def test_the_end_of_a_job_makes_it_read_again(control, store, log):
    control.desired(JOB)
    store.answer = Desired(state="over")

    log.append(JOB_EVENTS, JOB, JobCompleted(job_id=JOB, completed=1, skipped=0, bytes_completed=1))

    assert control.desired(JOB).state == "over"


def test_a_job_that_could_not_be_read_is_read_the_next_time(control, store):
    store.answer = None
    with pytest.raises(ReadModelUnavailable):
        control.desired(JOB)
    store.answer = Desired(state="run")

    assert control.desired(JOB).state == "run"


def test_who_asked_is_told_of_every_command_after_it_took_effect(control, store, log):
    told = []
    control.on_change(lambda job_id: told.append((job_id, control.desired(job_id).state)))

    log.append(COMMANDS, JOB, CancelJob(job_id=JOB))
    log.append(COMMANDS, "j2", StartJob(job_id="j2"))

    assert told == [(JOB, "cancel"), ("j2", "run")]


def test_a_request_is_read_once_in_each_run(control, store):
    assert [control.request(JOB).run for _ in range(3)] == [1] * 3
    store.asked = Request(run=2)

    assert [control.request(JOB, 2).run for _ in range(3)] == [2] * 3
    assert store.reads == 2


def test_a_request_is_read_again_after_a_command_and_not_kept_when_one_came_meanwhile(control, store, log):
    control.request(JOB)
    store.during_a_read = lambda: log.append(COMMANDS, JOB, RetryFailed(job_id=JOB))
    log.append(COMMANDS, JOB, RetryFailed(job_id=JOB))

    assert control.request(JOB).run == 1
    store.asked = Request(run=2)

    assert control.request(JOB).run == 2


def test_a_job_that_is_not_there_yet_is_looked_for_again(control, store):
    store.asked = None
    assert control.request(JOB) is None
    store.asked = Request(run=1)

    assert control.request(JOB) == Request(run=1)
