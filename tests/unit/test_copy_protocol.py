"""The rules of COPYING, each by its number, on two accounts in memory whose servers fail as they are told to."""

import random
import threading
import time
from collections import Counter

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from libs.contracts import topics, uidset
from libs.contracts.commands import CopyFolder, PrepareJob, ScanFolder
from libs.contracts.events import FolderPlanned, ProgressBatch, WorkItemFinished, WorkItemParked
from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused
from libs.readmodel.rows import AckRow, AdmissionRow, ClaimRow, PlanRow
from tests.mail.model import DATE, Busy, Do, Kept, Lost, LostAfterCrlf, MailboxModel, Operation, mail
from tests.unit.fakes import utc_now
from tests.unit.world import LATE_SECONDS, WORLD, World, after_planning, bodies, equal, reconciled

LONG = 60.0  # seconds of doubt that no test could wait out
# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


# ---- plan


def test_rule_1_source_folders_with_one_destination_name_share_one_plan(make: WORLD) -> None:
    world = make()
    world.source.put("Kunden/Größe", *bodies(3), mail("both"))
    world.source.put("kunden/gro\u0308ße", mail("both"), mail("both"), *bodies(2, "n"))

    job = world.run()

    (plan,) = [plan for plan in world.store.plans(job) if plan.destination_wire != "INBOX"]
    assert len(plan.sources) == 2
    folder = world.store.folders(job)[1].destination_wire
    assert Counter(world.destination.bodies(folder)) == Counter([*bodies(3), *bodies(2, "n")] + [mail("both")] * 3)
    reconciled(world)


def test_rule_1_an_account_is_not_copied_into_itself(make: WORLD) -> None:
    world = make()
    world.models["destination.example"] = world.source
    world.source.put("INBOX", *bodies(3))

    job = world.run()

    assert [one.reason for one in world.scan_failures(job)] == [Reason.SAME_ACCOUNT]
    assert world.source.bodies("INBOX") == bodies(3)


def test_rule_2_the_plan_answers_for_all_uids_below_the_highest_listed_and_the_tail_for_the_others(
    make: WORLD,
) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.destination.put("INBOX", *bodies(2), mail("x"), mail("y"), mail("z"))
    world.destination.expunge("INBOX", [4, 5])  # UIDNEXT is 6, the highest UID is 3
    # Somebody writes what we are about to copy, after the destination was listed.
    world.source.at("listing", 1, Do(lambda: world.destination.put("INBOX", mail("m4")) and None))

    job = world.run()

    assert world.store.plans(job)[0].boundary == 4
    assert Counter(world.destination.bodies("INBOX")) == Counter([*bodies(6), mail("x")])
    reconciled(world)


def test_rule_3_a_plan_is_stored_before_it_is_announced_and_announced_again_word_for_word(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(5))
    job = world.request()
    process = world.start()
    world.wait_for(lambda: bool(world.store.plans(job)))
    process.kill()
    (plan,) = world.store.plans(job)

    world.source.put("INBOX", mail("later"))
    world.finish(job)

    announced = [one for one in world.progress(job) if isinstance(one, FolderPlanned)]
    assert {one.plan_id for one in announced} == {plan.plan_id}
    assert world.store.rows(PlanRow) == [plan]
    assert world.destination.bodies("INBOX") == bodies(5)


@pytest.mark.parametrize("moment", ["write", "written", "append to the log", "appended to the log"])
def test_rule_3_a_process_killed_around_any_write_or_append_leaves_nothing_undone_and_nothing_doubled(
    make: WORLD, moment: str
) -> None:
    for number in range(1, 12):
        world = make()
        world.source.put("INBOX", *bodies(4))
        world.source.put("Sent", *bodies(2), mail("m0"))
        world.at(moment, number, world.kill)

        world.run()

        equal(world)
        reconciled(world)


def test_rule_3_of_two_plans_with_one_number_the_newest_counts_and_items_of_the_other_are_skipped(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(5))
    job = world.request()
    world.finish(job)
    (first,) = world.store.plans(job)
    zombie = PlanRow(**{**{name: getattr(first, name) for name in first.__slots__}, "plan_id": "f" * 28})
    world.store.write([zombie], now=utc_now())
    world.restart()
    again = next(one for one in world.log.read(topics.WORK_ITEMS) if isinstance(one, CopyFolder))
    appends = world.destination.operations["append"]
    scan = ScanFolder(job_id=job, account_digest=again.account_digest, folder_id=first.folder_id, number=1)

    world.log.append(topics.WORK_ITEMS, again.account_digest, again)
    world.log.append(topics.FOLDER_SCANS, again.account_digest, scan)
    world.wait_for(lambda: world.is_finished(job) and zombie.plan_id in world.totals(job))
    world.finish(job)

    assert world.destination.operations["append"] == appends
    equal(world)
    assert world.counts(job).completed == world.counts(job).total == 5


def test_rule_4_what_the_destination_holds_is_counted_not_only_recognised(make: WORLD) -> None:
    world = make()
    twin, bare = mail("twin"), mail("bare", message_id=False)
    world.source.put("INBOX", *bodies(3), twin, twin, twin, bare, bare)
    world.destination.put("INBOX", mail("theirs"), twin, bare, mail("m1"))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter(
        [*bodies(3), twin, twin, twin, bare, bare, mail("theirs")]
    )
    assert world.counts(job).skipped == 3
    reconciled(world)


def test_rule_4_messages_that_differ_in_their_bytes_alone_are_told_apart(make: WORLD) -> None:
    world = make()
    one, other = mail("same") + b"1", mail("same") + b"2"
    world.source.put("INBOX", one, other)
    world.destination.put("INBOX", other)

    world.run(verify="deep")

    equal(world)


def test_rule_5_a_later_job_waits_and_then_copies_nothing(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))
    first = world.request("first")
    world.finish(first)
    second = world.request("second")
    prepared = lambda: [m for m in world.log.read(topics.FOLDER_SCANS) if isinstance(m, PrepareJob)]  # noqa: E731
    world.wait_for(lambda: len(prepared()) == 2 and len(world.done[topics.FOLDER_SCANS.name]) == 3)
    assert [row.job_id for row in world.store.rows(AdmissionRow)] == [first]
    assert world.progress(second) == []

    world.end(first)
    world.finish(world.request("second"))

    assert world.counts(second).skipped == world.counts(second).total == 4
    equal(world)


# ---- append


def test_rule_6_a_repeated_item_waits_for_its_old_thread(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))

    def repeat() -> None:
        item = next(one for one in world.log.read(topics.WORK_ITEMS) if isinstance(one, CopyFolder))
        world.log.append(topics.WORK_ITEMS, item.account_digest, item)

    world.destination.at("append", 2, Do(repeat))

    world.run()
    world.wait_for(lambda: len(world.done[topics.WORK_ITEMS.name]) == 2)

    assert len(world.destination.append_sizes) == 6
    equal(world)


def test_rule_6_the_next_job_of_an_account_waits_for_an_append_of_a_deleted_one(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    past_the_gate, answer = threading.Event(), threading.Event()

    def hang() -> None:
        past_the_gate.set()
        answer.wait(10)

    world.destination.at("committing", 1, Do(hang))
    first = world.request("first")
    world.start()
    past_the_gate.wait(10)

    world.delete(first)
    second = world.request("second")
    planned = lambda: bool(world.store.plans(second))  # noqa: E731
    world.wait_for(planned)
    time.sleep(0.1)  # time to do wrong in
    assert world.destination.append_sizes == []
    answer.set()
    world.finish(second)

    assert world.destination.append_sizes == [3]
    equal(world)


def test_rule_7_a_job_cancelled_between_the_last_byte_and_the_crlf_commits_nothing_more(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    job = world.request()
    noticed = threading.Event()

    def cancel() -> None:
        world.desire(job, "cancel")
        item = world.process.copier._running(job)[0]
        world.wait_for(lambda: item.hold._why == "cancel")
        noticed.set()

    world.destination.at("append", 3, Do(cancel))
    world.finish(job)

    assert noticed.is_set()
    assert world.destination.bodies("INBOX") == bodies(2)
    (finished,) = [one for one in world.progress(job) if isinstance(one, WorkItemFinished)]
    assert (finished.completed, finished.stopped) == (2, True)
    assert not any(row.open for row in world.store.rows(ClaimRow))


class LeaseOfTests:
    """A lease that ends when a test wants it."""

    lost = False

    def __init__(self) -> None:
        self.held = True
        self.taken_over = time.monotonic()

    def holds(self) -> bool:
        return self.held


def test_rule_7_a_lease_that_ended_between_the_last_byte_and_the_crlf_commits_nothing(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    lease = LeaseOfTests()
    world.lease = lambda _partition: lease
    world.destination.at("append", 3, Do(lambda: setattr(lease, "held", False)))
    job = world.request()
    frozen = world.start()
    world.wait_for(lambda: not lease.held and not frozen.copier._running(job))

    assert world.destination.bodies("INBOX") == bodies(2)
    assert not world.is_finished(job)
    assert world.done[topics.WORK_ITEMS.name] == set()

    world.lease = None
    world.start()
    world.finish(job)
    equal(world)
    reconciled(world)


def test_rule_8_of_a_claim_found_the_doubt_begins_when_the_partition_was_taken_over(make: WORLD) -> None:
    """Not when the process was started: it may have run for hours."""
    world = make()
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(LATE_SECONDS * 2))
    job = world.request()
    world.start()
    world.wait_for(lambda: bool(world.destination.append_sizes))
    world.kill()
    lease = LeaseOfTests()
    lease.taken_over += LATE_SECONDS * 1.5
    world.lease = lambda _partition: lease

    world.finish(job)

    assert world.destination.append_sizes == [4]
    equal(world)


def test_rule_7_a_process_killed_before_its_crlf_commits_nothing(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(5))
    world.destination.at("append", 1, Do(world.kill))

    world.run()

    assert world.destination.append_sizes == [5]
    equal(world)


def test_rule_8_a_claim_is_open_before_the_first_append_and_closed_by_a_clean_end(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    claimed: list[bool] = []
    world.destination.at("append", 1, Do(lambda: claimed.extend(row.open for row in world.store.rows(ClaimRow))))

    world.run()

    assert claimed == [True]
    assert [row.open for row in world.store.rows(ClaimRow)] == [False]


def test_rule_8_acks_are_stored_before_the_end_is_reported(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    stored: list[int] = []

    def look() -> None:
        if any(isinstance(one, WorkItemFinished) for one in world.log.read(topics.PROGRESS)):
            stored.append(sum(row.items for row in world.store.rows(AckRow)))

    for number in range(1, 12):
        world.at("appended to the log", number, look)
    world.run()
    world.wait_for(lambda: bool(stored))

    assert stored[0] == 3


def test_rule_8_acks_are_stored_within_a_second(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(3))
    let_go = threading.Event()
    world.destination.at("append", 3, Do(lambda: let_go.wait(10) and None))
    job = world.request()
    world.start()

    world.wait_for(lambda: sum(row.items for row in world.store.rows(AckRow)) == 2, seconds=2)
    let_go.set()
    world.finish(job)

    assert [uidset.count(row.source_uids) for row in world.store.rows(AckRow)] == [1, 1, 1]


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_9_what_somebody_wrote_before_our_first_append_is_not_written_again(make: WORLD, uidplus: bool) -> None:
    world = make(uidplus=uidplus)
    world.source.put("INBOX", *bodies(5))
    after_planning(world, lambda: world.destination.put("INBOX", mail("m3"), mail("theirs")))

    world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter([*bodies(5), mail("theirs")])
    reconciled(world)


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_9_what_somebody_writes_between_our_appends_is_noticed_before_the_next_one(
    make: WORLD, uidplus: bool
) -> None:
    world = make(uidplus=uidplus, multiappend=False)
    world.source.put("INBOX", *bodies(8))
    foreign = [mail("m5"), mail("theirs"), mail("m6")]
    world.destination.at("append", 3, Do(lambda: world.destination.put("INBOX", *foreign) and None))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter([*bodies(8), mail("theirs")])
    assert world.counts(job).completed == 8


@pytest.mark.parametrize("answer", [(False, "NO"), (True, "BAD")])
def test_rule_10_a_refused_message_is_isolated_and_the_order_is_kept(make: WORLD, answer: tuple[bool, str]) -> None:
    closed, text = answer
    world = make()
    world.source.put("INBOX", *bodies(11))
    for name in ("m3", "m10"):
        world.destination.refused[mail(name)] = AppendRefused(Reason.MESSAGE_REFUSED, text, connection_closed=closed)

    job = world.run()

    assert world.destination.bodies("INBOX") == [one for one in bodies(11) if one not in (mail("m3"), mail("m10"))]
    assert [(row.uid, row.reason, row.server_text) for row in world.failures()] == [
        (4, Reason.MESSAGE_REFUSED, text),
        (11, Reason.MESSAGE_REFUSED, text),
    ]
    assert world.counts(job).failed == 2
    reconciled(world)


def test_rule_10_without_multiappend_each_answer_decides_its_own_message(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(4))
    world.destination.refused[mail("m1")] = AppendRefused(Reason.MESSAGE_TOO_LARGE, "NO [TOOBIG]")

    world.run()

    assert world.destination.bodies("INBOX") == [mail("m0"), mail("m2"), mail("m3")]
    assert [row.reason for row in world.failures()] == [Reason.MESSAGE_TOO_LARGE]
    reconciled(world)


# ---- doubt


def test_rule_11_a_connection_that_ended_before_the_crlf_is_no_doubt(make: WORLD) -> None:
    world = make(late=LONG)
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, Lost())
    world.destination.at("append", 2, Lost())

    world.run(seconds=10)

    assert world.destination.append_sizes == [4]
    equal(world)


def test_rule_11_only_the_folder_in_doubt_waits(make: WORLD) -> None:
    world = make(late=LONG)
    world.source.put("INBOX", *bodies(4))
    world.source.put("Sent", *bodies(4, "s"))
    world.destination.at("append", 1, LostAfterCrlf(None))
    job = world.request()
    world.start()

    def finished() -> set[str]:
        return {one.folder_id for one in world.progress(job) if isinstance(one, WorkItemFinished)}

    world.wait_for(lambda: len(finished()) == 1)

    waiting = ({"INBOX", "Sent"} - {kept.folder for kept in world.destination.contents()}).pop()
    assert world.destination.bodies(waiting) == []


def test_rule_11_an_unclosed_claim_found_at_start_is_doubt(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(LATE_SECONDS * 0.7))
    world.request()
    world.start()
    world.wait_for(lambda: bool(world.destination.append_sizes))
    world.kill()

    world.finish("job")  # type: ignore[arg-type]

    assert world.destination.append_sizes == [4]
    equal(world)


def test_rule_11_a_process_killed_past_its_crlf_never_doubles_what_lands_late(make: WORLD) -> None:
    for delay in (0.0, 0.3, 0.6, 0.9):
        world = make()
        world.source.put("INBOX", *bodies(6))
        world.destination.at("append", 1, LostAfterCrlf(LATE_SECONDS * delay))
        world.destination.at("connect", 3, Do(world.kill))  # the first look

        world.run()

        equal(world)
        reconciled(world)


def test_rule_11_a_doubt_outlives_the_job_that_left_it(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(LATE_SECONDS * 0.8))
    first = world.request("first")
    world.start()
    world.wait_for(lambda: bool(world.destination.append_sizes))

    world.delete(first)
    second = world.request("second")
    world.finish(second)

    equal(world)


def test_rule_11_messages_of_another_source_with_the_same_uids_do_not_settle_a_doubt(make: WORLD) -> None:
    world = make()
    other = MailboxModel()
    world.models["other.example"] = other
    # Both sources number from 1: what the second job finds must not be taken for what the first one sent.
    world.source.put("INBOX", mail("late"))
    other.put("INBOX", mail("early"), mail("late"))
    world.destination.at("append", 1, LostAfterCrlf(LATE_SECONDS * 0.8))
    first = world.request("first")
    world.start()
    world.wait_for(lambda: bool(world.destination.append_sizes))
    world.delete(first)
    second = world.request("second", source="other.example")
    world.wait_for(lambda: bool(world.store.plans(second)))
    world.destination.put("INBOX", mail("early"))
    world.finish(second)

    assert Counter(world.destination.bodies("INBOX")) == Counter([mail("early"), mail("late")])


def test_rule_12_presence_decides_at_once(make: WORLD) -> None:
    world = make(late=LONG)
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(0.1))

    world.run(seconds=10)

    assert world.destination.append_sizes == [4]
    equal(world)


def test_rule_12_absence_only_after_the_quiet_time(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(None))
    times: list[float] = []
    for number in (1, 2):
        world.destination.at("append", number, Do(lambda: times.append(time.monotonic())))

    world.run()

    assert world.destination.append_sizes == [4, 4]
    assert times[1] - times[0] >= LATE_SECONDS
    equal(world)


def test_rule_12_what_lands_just_before_the_quiet_time_is_over_is_not_sent_again(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(LATE_SECONDS * 0.95))

    world.run()

    assert world.destination.append_sizes == [4]
    equal(world)


def test_rule_13_every_look_is_on_a_connection_that_has_not_seen_the_folder(make: WORLD) -> None:
    world = make(sticky=True)
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(LATE_SECONDS * 0.5))

    world.run()

    assert world.destination.append_sizes == [4]
    equal(world)


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_13_equal_mails_on_both_sides_of_a_doubt_are_counted(make: WORLD, uidplus: bool) -> None:
    world = make(uidplus=uidplus, multiappend=False)
    twin = mail("twin")
    world.source.put("INBOX", twin, mail("a"), twin, twin, mail("b"), twin)
    world.destination.put("INBOX", mail("theirs"), twin)
    world.destination.at("append", 3, LostAfterCrlf(LATE_SECONDS * 0.5))
    world.destination.at("append", 4, LostAfterCrlf(None))

    world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter(
        [twin, mail("a"), twin, twin, mail("b"), twin, mail("theirs")]
    )
    reconciled(world)


def test_rule_14_a_clean_stop_stores_its_acks_and_leaves_no_doubt(make: WORLD) -> None:
    world = make(late=LONG, multiappend=False)
    world.source.put("INBOX", *bodies(8))
    job = world.request()
    stop = threading.Event()
    world.destination.at("append", 4, Do(lambda: stop.set() or time.sleep(0.2)))
    world.start()
    stop.wait(10)

    world.process.stop()
    acked = sum(row.items for row in world.store.rows(AckRow))
    world.finish(job, seconds=10)

    assert acked == len(world.destination.append_sizes[:acked]) >= 3
    equal(world)


# ---- strange servers


@pytest.mark.parametrize("number", [2, 3])
def test_rule_18_a_destination_folder_made_anew_is_planned_and_matched_again(make: WORLD, number: int) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    world.destination.at("append", number, Do(lambda: world.destination.renumber("INBOX")))

    job = world.run()

    equal(world)
    assert [plan.number for plan in world.store.plans(job)] == [2]
    reconciled(world)


def test_rule_18_a_destination_folder_deleted_before_the_first_append_is_planned_again(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(5))
    world.destination.put("Sent", mail("theirs"))
    after_planning(world, lambda: world.destination.remove_folder("Sent"))

    job = world.run()

    assert world.failures() == []
    assert world.destination.bodies("Sent") == bodies(5)
    assert world.counts(job).completed == 5


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_18_a_destination_folder_deleted_between_appends_is_planned_again(make: WORLD, uidplus: bool) -> None:
    world = make(multiappend=False, uidplus=uidplus)
    world.source.put("Sent", *bodies(5))
    world.destination.at("append", 3, Do(lambda: world.destination.remove_folder("Sent")))

    world.run()

    equal(world)


def test_rule_18_a_folder_deleted_in_doubt_is_planned_again(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(5))
    world.destination.at("append", 1, LostAfterCrlf(None))
    world.destination.at("connect", 3, Do(lambda: world.destination.remove_folder("Sent")))

    world.run()

    equal(world)
    reconciled(world)


def test_rule_18_a_source_folder_made_anew_is_planned_and_matched_again(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(8))
    world.source.expunge("INBOX", [1, 2])

    def renumber() -> None:
        world.source.renumber("INBOX")
        for session in world.source.sessions:
            session.reset()

    world.destination.at("append", 3, Do(renumber))
    world.destination.at("append", 4, Lost())

    job = world.run()

    equal(world)
    reconciled(world)
    assert world.counts(job).total == 6


def test_rule_18_messages_gone_at_the_source_are_skipped_and_new_ones_are_outside_the_plan(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))

    def change() -> None:
        world.source.expunge("INBOX", [2, 6])
        world.source.put("INBOX", mail("new"))

    after_planning(world, change)

    job = world.run()

    assert world.destination.bodies("INBOX") == [mail("m0"), mail("m2"), mail("m3"), mail("m4")]
    assert [(row.outcome, row.uid) for row in world.failures("gone")] == [("gone", 2), ("gone", 6)]
    assert (world.counts(job).completed, world.counts(job).skipped) == (4, 2)


# ---- what else a server does


def test_a_message_the_source_does_not_hand_out_fails_alone(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.source.unreadable.add(mail("m2"))

    world.run()

    assert world.destination.bodies("INBOX") == [one for one in bodies(6) if one != mail("m2")]
    assert [row.reason for row in world.failures()] == [Reason.MESSAGE_UNREADABLE]
    reconciled(world)


def test_busy_servers_are_waited_for_and_the_people_are_told(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(6))
    world.destination.at("append", 1, Busy(0.05))
    world.source.at("fetch", 1, Busy(0.05))

    world.run()

    equal(world)


def test_a_connection_that_breaks_at_first_contact_is_made_again_for_a_moment(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.source.at("folders", 1, Lost())

    job = world.run()

    assert world.scan_failures(job) == []
    equal(world)


def test_a_server_that_breaks_every_connection_at_first_contact_ends_the_job_soon(make: WORLD) -> None:
    world = make()
    for number in range(1, 9):
        world.source.at("folders", number, Lost())
    begun = time.monotonic()

    job = world.run()

    assert [(one.side, one.reason) for one in world.scan_failures(job)] == [("source", Reason.CONNECTION_LOST)]
    assert 2 < time.monotonic() - begun < 10
    assert 2 <= world.source.operations["folders"] <= 4


def test_a_pause_is_heard_though_clickhouse_does_not_answer_at_first_and_the_job_goes_on_from_there(
    make: WORLD,
) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    job = world.request()

    def pause() -> None:
        world.store.unreadable = 1
        world.desire(job, "pause")
        item = world.process.copier._running(job)[0]
        world.wait_for(lambda: item.hold._why == "pause")

    world.destination.at("append", 3, Do(pause))
    world.start()
    world.wait_for(lambda: any(isinstance(one, WorkItemParked) for one in world.progress(job)))

    assert world.destination.bodies("INBOX") == bodies(2)
    assert world.counts(job).completed == 2

    world.desire(job, "run")
    world.finish(job)
    equal(world)
    reconciled(world)


def test_a_folder_that_can_not_be_made_fails_message_by_message(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(3))
    world.destination.uncreatable.add("Sent")

    job = world.run()

    assert [row.reason for row in world.failures()] == [Reason.FOLDER_REFUSED] * 3
    assert world.counts(job).failed == 3


def test_a_folder_that_can_not_be_made_is_not_planned_again_after_a_crash(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(3))
    world.destination.uncreatable.add("Sent")
    world.destination.at("create", 2, Do(world.kill))

    job = world.run()

    assert [row.reason for row in world.failures()] == [Reason.FOLDER_REFUSED] * 3
    assert {plan.number for plan in world.store.plans(job)} == {1}


# ---- audit


def test_rule_19_what_was_removed_at_the_destination_is_said_and_never_copied_again(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(5))
    world.destination.at("append", 5, Do(lambda: world.destination.expunge("INBOX", [2])))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter(one for one in bodies(5) if one != mail("m1"))
    assert (world.audits(job)["1"].removed, world.audits(job)["1"].verified) == (1, 4)  # type: ignore[index]
    assert [(row.uid, row.reason) for row in world.failures("noted")] == [(2, Reason.REMOVED_AT_DESTINATION)]
    assert world.counts(job).completed == 5


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_19_after_a_crash_what_was_delivered_and_then_removed_is_not_copied_again(
    make: WORLD, uidplus: bool
) -> None:
    world = make(multiappend=False, uidplus=uidplus)
    world.source.put("INBOX", *bodies(5))

    def crash() -> None:
        world.wait_for(lambda: sum(row.items for row in world.store.rows(AckRow)) == 4)
        world.destination.expunge("INBOX", [2])
        world.kill()

    world.destination.at("append", 5, Do(crash))

    job = world.run()

    assert Counter(world.destination.bodies("INBOX")) == Counter(one for one in bodies(5) if one != mail("m1"))
    assert world.audits(job)["1"].removed == 1  # type: ignore[index]


@pytest.mark.parametrize("uidplus", [True, False])
def test_rule_19_a_message_that_is_not_what_was_sent_is_rewritten(make: WORLD, uidplus: bool) -> None:
    world = make(uidplus=uidplus)
    world.source.put("INBOX", *bodies(5))

    def rewrite() -> None:
        folder = world.destination.folders["INBOX"]
        old = folder.messages[3]
        folder.messages[3] = type(old)(old.uid, old.flags, old.internaldate, old.body.replace(b"This", b"That"))

    world.destination.at("committed", 1, Do(rewrite))

    job = world.run(verify="deep")

    audit = world.audits(job)["1"]  # type: ignore[index]
    assert audit.verified == 4
    assert audit.rewritten + audit.removed == 1


# ---- totals


def test_rule_20_totals_are_those_of_the_newest_plan_and_never_fall(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    world.destination.refused[mail("m1")] = AppendRefused(Reason.MESSAGE_REFUSED, "NO")
    world.destination.at("append", 4, LostAfterCrlf(0.05))
    world.destination.at("append", 6, Do(world.kill))

    job = world.run()

    events = world.progress(job)
    snapshots = [world.counts(job, events[:number]) for number in range(1, len(events) + 1)]
    assert [one.settled for one in snapshots] == sorted(one.settled for one in snapshots)
    assert all(one.settled <= one.total for one in snapshots)
    assert (snapshots[-1].completed, snapshots[-1].failed) == (5, 1)


def test_rule_20_reported_totals_are_stored_ones(make: WORLD) -> None:
    """What was reported before a crash is known after it."""
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    job = world.request()
    world.start()
    world.destination.at(
        "append",
        4,
        Do(lambda: world.wait_for(lambda: any(isinstance(one, ProgressBatch) for one in world.progress(job)))),
    )
    world.destination.at("append", 5, Do(world.kill))
    world.wait_for(lambda: world.process.dead)

    reported = world.counts(job).completed

    assert 0 < reported <= sum(row.items for row in world.store.rows(AckRow))
    world.finish(job)
    equal(world)


# ---- all of it at once


class Trouble:
    """A random world and what goes wrong in it, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.world = World(destination=MailboxModel(uidplus=chance.random() < 0.7, multiappend=chance.random() < 0.5))
        self.source, self.destination = self.world.source, self.world.destination
        self.foreign: list[bytes] = []
        self.renumbered = chance.random() < 0.2
        for wire in ("INBOX", "Sent"):
            self.source.put(wire, *self.mails(8), flags=["\\Seen"])
        self.there = self.mails(4)
        self.destination.put("INBOX", *self.there, flags=["\\Seen"])
        self.refused = self.mails(1)
        refusal = AppendRefused(Reason.MESSAGE_REFUSED, "NO", connection_closed=chance.random() < 0.5)
        self.destination.refused.update((body, refusal) for body in self.refused)
        # At first contact a job fails, as it should: the servers' trouble begins with the first append.
        self.destination.at("append", 1, Do(self.begin))
        for _ in range(chance.randrange(3)):
            moment = chance.choice(["write", "written", "append to the log", "appended to the log"])
            self.world.at(moment, chance.randrange(1, 16), self.world.kill)

    def mails(self, most: int) -> list[bytes]:
        """Of few names, so that equal messages are frequent."""
        return [mail(self.chance.randrange(6)) for _ in range(self.chance.randrange(most + 1))]

    def begin(self) -> None:
        for _ in range(self.chance.randrange(2, 7)):
            self.chance.choice(
                [self.lose, self.kill_past_the_crlf, self.break_something, self.meddle, self.break_the_source]
            )()
        if self.renumbered:
            self.destination.at("append", self.number(), Do(lambda: self.destination.renumber("INBOX")))

    def number(self) -> int:
        return self.chance.choice([1, 1, 1, 2, 2, 3, 5, 8])

    def late(self) -> float | None:
        return self.chance.choice([0.0, 0.1, LATE_SECONDS * 0.9, None])

    def lose(self) -> None:
        self.destination.at("append", self.number(), self.chance.choice([Lost(), Busy(), LostAfterCrlf(self.late())]))

    def kill_past_the_crlf(self) -> None:
        number = self.number()
        self.destination.at("append", number, Do(lambda: self.destination.at("committing", 1, Do(self.world.kill))))
        self.destination.at("append", number, LostAfterCrlf(self.late()))

    def break_something(self) -> None:
        operation: Operation = self.chance.choice(["examine", "status", "listing", "fetch"])
        self.destination.at(operation, self.number(), self.chance.choice([Lost(), Busy()]))

    def break_the_source(self) -> None:
        operation: Operation = self.chance.choice(["examine", "listing", "fetch"])
        self.source.at(operation, self.number(), self.chance.choice([Lost(), Busy(), Do(self.world.kill)]))

    def meddle(self) -> None:
        actions = [self.world.kill, self.write, self.cut_the_source, self.lose_writes, self.lose_appends_to_the_log]
        operation: Operation = self.chance.choice(["append", "committing", "committed", "connect", "examine"])
        self.destination.at(operation, self.number(), Do(self.chance.choice(actions)))

    def write(self) -> None:
        self.foreign.append(mail(f"foreign{len(self.foreign)}"))
        self.destination.put("INBOX", self.foreign[-1])

    def cut_the_source(self) -> None:
        for session in self.source.sessions:
            session.reset()

    def lose_writes(self) -> None:
        self.world.store.unavailable = 2

    def lose_appends_to_the_log(self) -> None:
        self.world.log.unavailable = 1

    def expected(self) -> Counter[Kept]:
        """Nothing of the destination's is gone, nothing of the source's is missing or there too often."""
        copied = Counter(
            {kept: count for kept, count in self.source.contents().items() if kept.body not in self.refused}
        )
        held = Counter(Kept("INBOX", body, frozenset({"\\Seen"}), DATE) for body in self.there)
        written = Counter(Kept("INBOX", body, frozenset(), DATE) for body in self.foreign)
        return (copied | held) + written


@settings(max_examples=40, deadline=None, derandomize=True, phases=[Phase.generate], database=None)
@given(st.integers(0, 2**32))
def test_whatever_fails_every_message_arrives_exactly_once_and_is_counted(seed: int) -> None:
    trouble = Trouble(seed)
    world = trouble.world
    with capture_logs() as logs:
        job = world.run(seconds=40)
        world.close()

    expected, found = trouble.expected(), trouble.destination.contents()
    assert (expected - found, found - expected) == (Counter(), Counter())
    assert world.scan_failures(job) == []
    counts, source = world.counts(job), trouble.source.contents()
    assert counts.settled == counts.total == source.total()
    assert counts.failed == (source - found).total()
    if not trouble.renumbered:
        events = world.progress(job)
        settled = [world.counts(job, events[:number]).settled for number in range(1, len(events) + 1)]
        assert settled == sorted(settled)
    assert [one for one in logs if one["log_level"] == "error"] == []
