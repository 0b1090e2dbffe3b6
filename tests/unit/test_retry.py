"""A job that is tried again: on the same plans, and nothing that was delivered comes twice or comes back."""

from collections import Counter
from dataclasses import replace

import pytest

from libs.contracts import topics
from libs.contracts.commands import CancelJob, CopyFolder, StartJob
from libs.contracts.events import ProgressBatch
from libs.contracts.events import WorkItemFinished as Finished
from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused
from libs.readmodel.rows import AdmissionRow, PlanRow
from tests.mail.model import mail
from tests.mail.trouble import Do
from tests.unit.fakes import utc_now
from tests.unit.world import WORLD, World, bodies, equal, reconciled

TOO_LARGE = AppendRefused(Reason.MESSAGE_TOO_LARGE, "NO [LIMIT] too large")
# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def refusing_two_of_eight(make: WORLD) -> World:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(8))
    world.source.put("Clean", *bodies(3, "clean"))
    world.destination.refused |= {mail("m1"): TOO_LARGE, mail("m6"): TOO_LARGE}
    return world


def test_what_failed_is_tried_again_on_the_same_plan_and_what_was_delivered_is_not(make: WORLD) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    plans = world.store.rows(PlanRow)
    assert world.counts(job).failed == 2
    world.destination.refused.clear()
    world.destination.expunge("INBOX", [2])  # m2: the person deleted it since

    world.retry(job, "completed_with_errors")
    world.finish(job)

    assert world.store.rows(PlanRow) == plans
    assert Counter(world.destination.bodies("INBOX")) == Counter(body for body in bodies(8) if body != mail("m2"))
    assert (world.counts(job).completed, world.counts(job).failed) == (11, 0)
    assert world.failures() == []
    assert sorted(row.uid for row in world.failures("recovered")) == [2, 7]
    reconciled(world)


@pytest.mark.parametrize("how", ["renumbered", "removed"])
def test_what_was_delivered_does_not_come_back_into_a_folder_that_is_another_one_now(make: WORLD, how: str) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    world.destination.refused.clear()
    folder = next(row.destination_wire for row in world.store.folders(job) if row.destination_name == "INBOX")
    world.destination.expunge(folder, range(1, 7))
    if how == "renumbered":
        world.destination.renumber(folder)
    else:
        world.destination.remove_folder(folder)

    world.retry(job, "completed_with_errors")
    world.finish(job)

    assert world.destination.bodies(folder) == [mail("m1"), mail("m6")]
    assert (world.counts(job).failed, world.counts(job).settled) == (0, 11)


def test_a_folder_without_failures_is_left_alone(make: WORLD) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    clean = next(row.folder_id for row in world.store.folders(job) if row.destination_name == "Clean")

    world.retry(job, "completed_with_errors")
    world.finish(job)

    items = [one for one in world.log.read(topics.WORK_ITEMS) if isinstance(one, CopyFolder)]
    assert [one.run for one in items if one.folder_id == clean] == [1]
    assert [one.run for one in items if one.folder_id != clean] == [1, 2]


def test_rule_20_failed_is_what_failed_less_what_was_recovered_and_what_is_delivered_never_falls(make: WORLD) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    failed = world.counts(job).failed
    del world.destination.refused[mail("m6")]

    world.retry(job, "completed_with_errors")
    world.finish(job)

    retried = [one for one in world.progress(job) if isinstance(one, ProgressBatch | Finished) and one.run == 2]
    assert [one.completed for one in retried] == sorted(one.completed for one in retried)
    assert all(one.completed >= 6 and one.failed <= 1 for one in retried)
    assert [(row.uid, row.run) for row in world.failures()] == [(2, 2)]
    assert [row.uid for row in world.failures("recovered")] == [7]
    assert world.counts(job).failed == failed - len(world.failures("recovered")) == 1
    reconciled(world)


def test_what_may_be_there_already_is_not_sent_again(make: WORLD) -> None:
    world = refusing_two_of_eight(make)
    world.destination.refused[mail("m6")] = AppendRefused(Reason.UNCONFIRMED, "")
    job = world.run()
    world.destination.refused.clear()

    world.retry(job, "completed_with_errors")
    world.finish(job)

    assert Counter(world.destination.bodies("INBOX")) == Counter(body for body in bodies(8) if body != mail("m6"))
    assert [row.reason for row in world.failures()] == [Reason.UNCONFIRMED]


def test_a_cancelled_job_goes_on_where_it_stopped(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(20))
    job = world.request()

    def cancel() -> None:
        world.desire(job, "cancel")
        item = world.process.copier._running(job)[0]
        world.wait_for(lambda: item.hold._why == "cancel")

    world.destination.at("append", 5, Do(cancel))
    world.start()
    world.wait_for(lambda: any(isinstance(one, Finished) and one.stopped for one in world.progress(job)))
    assert len(world.destination.bodies("INBOX")) < 20

    world.retry(job, "cancelled")
    world.finish(job)

    equal(world)
    reconciled(world)


def test_an_order_to_cancel_that_is_heard_late_does_not_end_a_later_run(make: WORLD) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    world.destination.refused.clear()
    world.destination.at("append", 1, Do(lambda: world.log.append(topics.COMMANDS, job, CancelJob(job_id=job, run=1))))

    world.retry(job, "cancelled")
    world.finish(job)

    equal(world)


@pytest.mark.parametrize("moment", ["write", "written", "append to the log", "appended to the log"])
@pytest.mark.parametrize("number", [1, 2, 4, 6])
def test_a_kill_at_any_moment_of_a_retry_loses_and_doubles_nothing(make: WORLD, moment: str, number: int) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    world.destination.refused.clear()
    world.at(moment, number, world.kill)

    world.retry(job, "completed_with_errors")
    world.finish(job)

    equal(world)
    reconciled(world)
    assert world.failures() == []


def test_a_failure_whose_delivery_was_stored_without_it_is_taken_back(make: WORLD) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    world.destination.refused.clear()
    world.retry(job, "completed_with_errors")
    world.finish(job)
    recovered = world.failures("recovered")
    world.store.write([replace(row, outcome="failed", run=1) for row in recovered], now=utc_now())

    world.retry(job, "cancelled")
    plan = next(row for row in world.store.plans(job) if row.destination_wire == "INBOX")
    again = CopyFolder(
        job_id=job,
        account_digest=world.store.rows(AdmissionRow)[0].account_digest,
        folder_id=plan.folder_id,
        plan_id=plan.plan_id,
        number=1,
        run=3,
    )
    world.log.append(topics.WORK_ITEMS, again.account_digest, again)
    world.wait_for(lambda: world.failures() == [])

    equal(world)


def test_an_item_of_an_earlier_run_leaves_the_folder_to_the_newest(make: WORLD) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    first = next(one for one in world.log.read(topics.WORK_ITEMS) if isinstance(one, CopyFolder))
    world.retry(job, "completed_with_errors")
    world.finish(job)
    reported = len(world.progress(job))

    world.log.append(topics.WORK_ITEMS, first.account_digest, first)
    world.wait_for(lambda: len(world.done[topics.WORK_ITEMS.name]) == len(world.log.read(topics.WORK_ITEMS)))

    assert len(world.progress(job)) == reported


def test_a_job_that_failed_before_it_was_listed_is_prepared_again(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.models["destination.example"] = world.source  # the same mailbox: it can't go on
    job = world.run()
    assert [one.run for one in world.scan_failures(job)] == [1]
    world.models["destination.example"] = world.destination

    world.retry(job, "failed")
    world.finish(job)

    equal(world)
    assert [row.run for row in world.store.rows(AdmissionRow)] == [2]


def test_a_retry_waits_for_the_job_that_uses_its_account(make: WORLD) -> None:
    world = refusing_two_of_eight(make)
    job = world.run()
    world.end(job)
    other = world.request("other")
    world.wait_for(lambda: world.is_finished(other))
    world.destination.refused.clear()

    world.retry(job, "completed_with_errors")
    before = len(world.log.read(topics.FOLDER_SCANS))
    world.wait_for(lambda: len(world.log.read(topics.FOLDER_SCANS)) > before)
    world.wait_for(lambda: len(world.done[topics.FOLDER_SCANS.name]) == len(world.log.read(topics.FOLDER_SCANS)))
    assert [row.run for row in world.store.rows(AdmissionRow) if row.job_id == job] == [1]

    world.end(other)
    world.log.append(topics.COMMANDS, job, StartJob(job_id=job))  # its turn, from the aggregator
    world.finish(job)

    assert Counter(world.destination.bodies("INBOX")) == Counter(bodies(8))
