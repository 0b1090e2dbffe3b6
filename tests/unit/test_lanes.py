"""Lanes: order within a key, so much at once, and room for others while somebody waits."""

import threading
from collections.abc import Callable, Iterator

import pytest

from libs.contracts.ids import JobId
from libs.runtime.lanes import Lanes

SOON = 10.0


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    lanes = Lanes("lane", 1)
    yield lanes
    lanes.close()


class Step:
    """Work that says when it runs and ends when it may."""

    def __init__(self) -> None:
        self.runs, self.may_end, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.runs.set()
        assert self.may_end.wait(SOON)
        self.ended.set()


def aside(lanes: Lanes, before: Step, then: Callable[[], None]) -> Callable[[], None]:
    """Waits for `before` without a place, then goes on with one."""

    def work() -> None:
        with lanes.aside():
            before()
        then()

    return work


def test_what_waits_gives_its_place_to_others_until_it_goes_on(lanes: Lanes) -> None:
    waits, goes_on, others = Step(), Step(), [Step(), Step()]
    lanes.submit("throttled", JobId("a"), aside(lanes, waits, goes_on))
    assert waits.runs.wait(SOON)
    for n, other in enumerate(others):
        lanes.submit(str(n), JobId("b"), other)
    assert others[0].runs.wait(SOON)

    waits.may_end.set()
    assert waits.ended.wait(SOON)
    assert not goes_on.runs.wait(0.1), "there is no place yet"
    others[0].may_end.set()
    assert goes_on.runs.wait(SOON)
    assert not others[1].runs.is_set(), "who has waited goes first"
    goes_on.may_end.set()
    assert others[1].runs.wait(SOON)
    others[1].may_end.set()


def test_what_waits_ends_without_a_place_when_its_lane_is_given_back(lanes: Lanes) -> None:
    waits, busy, ended = Step(), Step(), threading.Event()
    lanes.submit("throttled", JobId("a"), aside(lanes, waits, ended.set))
    assert waits.runs.wait(SOON)
    lanes.submit("busy", JobId("b"), busy)
    assert busy.runs.wait(SOON)

    lanes.clear(0)
    waits.may_end.set()

    assert ended.wait(SOON)
    busy.may_end.set()
    lanes.clear(SOON)
    assert lanes.at_hand() == set()


def test_what_runs_and_what_waits_is_at_hand_and_nothing_else(lanes: Lanes) -> None:
    first, last = Step(), Step()
    lanes.submit("one", JobId("runs"), first)
    assert first.runs.wait(SOON)
    lanes.submit("one", JobId("waits in its lane"), lambda: None)
    lanes.submit("two", JobId("waits for a thread"), last)
    assert lanes.at_hand() == {"runs", "waits in its lane", "waits for a thread"}

    first.may_end.set()
    assert last.runs.wait(SOON)
    assert lanes.at_hand() == {"waits for a thread"}
    last.may_end.set()
    lanes.clear(SOON)
    assert lanes.at_hand() == set()


def test_when_all_threads_wait_those_not_begun_take_no_place_from_them() -> None:
    lanes = Lanes("lane", 1, with_waiting=2)
    waits, ended = Step(), threading.Semaphore(0)
    for n in range(5):
        lanes.submit(str(n), JobId("a"), aside(lanes, waits, lambda: ended.release()))
    assert waits.runs.wait(SOON)

    waits.may_end.set()

    assert all(ended.acquire(timeout=SOON) for _ in range(5))
    lanes.close()
