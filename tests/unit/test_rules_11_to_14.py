"""Rules 11 to 14 of COPYING: appends that were not answered, and accounts that change hands."""

import threading
import time
from collections import Counter

import pytest

from libs.contracts.events import WorkItemFinished
from libs.contracts.reasons import Reason
from libs.readmodel.rows import AckRow
from tests.mail.model import MailboxModel, mail
from tests.mail.trouble import Do, Lost, LostAfterCrlf
from tests.unit.world import LATE_SECONDS, WORLD, bodies, equal, reconciled

LONG = 60.0  # seconds of doubt that no test could wait out
# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


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


def test_rule_12_what_is_found_of_an_append_begins_the_quiet_time_anew_for_the_rest(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))

    def commit_in_two_steps() -> None:
        folder, sent = world.destination.folders["INBOX"], list(world.source.folders["INBOX"].messages.values())
        world.destination.land(folder, sent[:2], LATE_SECONDS * 0.6)
        world.destination.land(folder, sent[2:], LATE_SECONDS * 1.3)

    world.destination.at("append", 1, Do(commit_in_two_steps))
    world.destination.at("append", 1, LostAfterCrlf(None))

    world.run()

    assert world.destination.append_sizes == [4]
    equal(world)


def test_rule_12_mail_from_elsewhere_does_not_begin_it_anew(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(4))
    world.destination.at("append", 1, LostAfterCrlf(None))
    times: list[float] = []

    def arrive() -> None:
        times.append(time.monotonic())
        world.destination.put("INBOX", mail(f"busy {len(times)}"))
        if len(world.destination.append_sizes) < 2:
            world.destination.at("examine", 1, Do(arrive))

    world.destination.at("append", 1, Do(arrive))
    world.destination.at("append", 2, Do(lambda: times.append(time.monotonic())))

    world.run()

    there = [body for body in world.destination.bodies("INBOX") if b"busy" not in body]
    assert there == bodies(4)
    assert LATE_SECONDS <= times[-1] - times[0] < 10


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


def test_rule_13_what_a_person_deleted_while_it_was_in_doubt_does_not_come_back(make: WORLD) -> None:
    world = make(multiappend=False)
    world.source.put("INBOX", *bodies(6))
    world.destination.at("append", 4, LostAfterCrlf(0.0))
    connections = world.destination.operations["connect"]
    # It has landed; before anybody looks for it, it is deleted.
    world.destination.at("connect", 3, Do(lambda: world.destination.expunge("INBOX", [4])))

    job = world.run()

    assert connections == 0
    assert world.destination.bodies("INBOX") == [one for one in bodies(6) if one != mail("m3")]
    assert [(row.uid, row.reason) for row in world.failures()] == [(4, Reason.UNCONFIRMED)]
    assert world.counts(job).completed == 5


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
