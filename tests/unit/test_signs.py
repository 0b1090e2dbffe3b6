"""Signs of life: of work that reports nothing by itself, and of none that is short."""

import threading

from libs.contracts import topics
from libs.contracts.events import FoldersListed, ProgressBatch, SignOfLife
from libs.contracts.ids import JobId
from libs.runtime.signs import SignsOfLife
from services.scanner import scanner
from tests.mail.model import MailboxModel
from tests.mail.trouble import Busy, Do
from tests.unit.fakes import MemoryLog
from tests.unit.world import WORLD, World, bodies, equal


def signs(world: World, job: JobId) -> int:
    return sum(isinstance(event, SignOfLife) for event in world.progress(job))


def test_a_sign_is_given_of_what_is_still_at_hand_and_of_nothing_that_came_or_went() -> None:
    log, at_hand = MemoryLog(), set[JobId]()
    given = SignsOfLife(log, lambda: at_hand)

    for now in ("ab", "bc", "c", ""):
        at_hand = {JobId(job) for job in now}
        given.give()

    assert log.records[topics.PROGRESS.name] == [(job, SignOfLife(job_id=JobId(job))) for job in "bc"]


def test_a_job_whose_folders_are_still_being_listed_or_compared_gives_signs_of_life(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    seen: list[tuple[bool, int]] = []

    def look() -> None:
        for _ in range(2):
            world.process.scanner.signs.give()
        listed = any(isinstance(event, FoldersListed) for event in world.progress(job))
        seen.append((listed, signs(world, job)))

    world.source.at("folders", 1, Do(look))
    world.source.at("listing", 1, Do(look))
    job = world.request()
    world.finish(job)

    assert [listed for listed, _ in seen] == [False, True]
    assert 0 < seen[0][1] < seen[1][1]
    equal(world)


def test_a_job_whose_work_items_wait_for_a_thread_gives_signs_of_life(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    appending, may_end = threading.Event(), threading.Event()

    def hold_up() -> None:
        appending.set()
        assert may_end.wait(10)

    world.threads = 1
    world.destination.at("append", 1, Do(hold_up))
    first = world.request("first")
    process = world.start()
    assert appending.wait(10)
    world.models["other.example"] = MailboxModel()
    second = world.request("second", destination="other.example")

    def told() -> int:
        process.copier.signs.give()
        return signs(world, second)

    world.wait_for(lambda: told() > 0)
    assert not any(isinstance(event, ProgressBatch) for event in world.progress(second))
    may_end.set()
    for job in (first, second):
        world.finish(job)


def test_accounts_whose_servers_asked_for_a_pause_keep_no_other_account_waiting(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.start()
    busy = [MailboxModel() for _ in range(scanner.AT_ONCE)]
    for number, model in enumerate(busy):
        model.at("folders", 1, Busy(600))
        world.models[f"busy-{number}.example"] = model
        world.request(f"waits-{number}", destination=f"busy-{number}.example")
    world.wait_for(lambda: all(model.operations["folders"] for model in busy))

    job = world.request("goes")
    world.finish(job)

    equal(world)
