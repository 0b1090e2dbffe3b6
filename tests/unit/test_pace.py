"""A job's bandwidth limit."""

import threading

import pytest

from services.copier.pace import Pace

MBPS = 8.0  # a million bytes a second


def delay(pace: Pace, size: int, mbps: float | None) -> float:
    return pace.delay(pace.announce(size), mbps)


def test_without_a_limit_nothing_waits() -> None:
    pace = Pace()

    assert [delay(pace, 10**9, None) for _ in range(3)] == [0, 0, 0]


def test_the_first_bytes_pass_at_once_and_the_next_wait_for_them() -> None:
    pace = Pace()

    assert delay(pace, 2_000_000, MBPS) == 0
    assert delay(pace, 1_000_000, MBPS) == pytest.approx(2, abs=0.1)
    assert delay(pace, 1, MBPS) == pytest.approx(3, abs=0.1)


def test_folders_at_once_share_it() -> None:
    pace, delays = Pace(), list[float]()
    threads = [threading.Thread(target=lambda: delays.append(delay(pace, 1_000_000, MBPS))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(round(each) for each in delays) == list(range(8))


def test_idle_time_is_not_saved_up() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    delay(pace, 1_000_000, MBPS)
    now = 3600.0

    assert delay(pace, 1_000_000, MBPS) == 0
    assert delay(pace, 1_000_000, MBPS) == 1


def test_what_waits_goes_on_as_time_passes() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    delay(pace, 2_000_000, MBPS)
    waiting = pace.announce(1)

    delays: list[float] = []
    for now in (0.0, 0.5, 1.5, 2.0):  # noqa: B007 - the clock reads it
        delays.append(pace.delay(waiting, MBPS))
    assert delays == [2, 1.5, 0.5, 0]


def test_a_limit_that_changes_holds_at_once_for_what_waits_too() -> None:
    pace = Pace()
    delay(pace, 1_000_000, MBPS)
    waiting = pace.announce(1_000_000)

    assert pace.delay(waiting, MBPS) == pytest.approx(1, abs=0.1)
    assert pace.delay(waiting, MBPS / 10) == pytest.approx(10, abs=0.5)
    assert pace.delay(waiting, MBPS * 10) == pytest.approx(0.1, abs=0.1)
    assert pace.delay(waiting, None) == 0
