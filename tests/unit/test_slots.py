"""No more folders of a job are copied at once than its limit says, and who waits can be stopped."""

import threading

import pytest

from services.copier.hold import Hold, Stopped
from services.copier.slots import Slots


def test_a_folder_waits_until_another_is_copied() -> None:
    slots, entered, leave = Slots(), threading.Event(), threading.Event()
    slots.limit(1)

    def copy() -> None:
        with slots.one(Hold()):
            entered.set()
            assert leave.wait(10)

    first = threading.Thread(target=copy)
    first.start()
    assert entered.wait(10)
    entered.clear()
    second = threading.Thread(target=copy)
    second.start()
    assert not entered.wait(0.3)

    leave.set()

    assert entered.wait(10)
    first.join(10)
    second.join(10)
    assert not first.is_alive()
    assert not second.is_alive()


def test_a_higher_limit_lets_the_next_one_in() -> None:
    slots = Slots()
    slots.limit(1)

    with slots.one(Hold()):
        slots.limit(2)
        with slots.one(Hold()):
            pass


def test_who_waits_hears_that_the_job_is_paused() -> None:
    slots, hold = Slots(), Hold()
    slots.limit(0)
    hold.stop("pause")

    with pytest.raises(Stopped), slots.one(hold):
        pytest.fail("it went on")
