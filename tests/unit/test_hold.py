"""Whether a copier may go on with a work item."""

import threading
import time

import pytest

from services.copier.hold import Hold, Stopped, Why


def why(hold: Hold) -> Why | None:
    try:
        hold.check()
    except Stopped as stopped:
        return stopped.why
    return None


def test_it_goes_on_until_it_is_stopped() -> None:
    hold = Hold()
    hold.gate()
    hold.check()

    hold.stop("pause")

    with pytest.raises(Stopped, match="pause"):
        hold.gate()


@pytest.mark.parametrize(
    ("first", "then", "stands"),
    [
        ("pause", "cancel", "cancel"),
        ("cancel", "pause", "cancel"),
        ("cancel", "shutdown", "cancel"),
        ("pause", "shutdown", "shutdown"),
        ("cancel", "over", "over"),
    ],
)
def test_the_weightier_reason_stands(first: Why, then: Why, stands: Why) -> None:
    hold = Hold()
    hold.stop(first)
    hold.stop(then)

    assert why(hold) == stands


def test_when_its_time_is_over_it_is_handed_on_at_the_next_boundary_but_passes_its_gate() -> None:
    hold = Hold(seconds=0)

    hold.gate()
    assert hold.expired
    assert why(hold) == "hand_on"


def test_a_cancellation_outweighs_the_end_of_its_time() -> None:
    hold = Hold(seconds=0)
    hold.stop("cancel")

    assert why(hold) == "cancel"


def test_a_wait_ends_at_once_when_it_is_stopped_and_never_outlasts_its_time() -> None:
    hold = Hold()
    threading.Timer(0.05, hold.stop, ["cancel"]).start()
    begun = time.monotonic()

    with pytest.raises(Stopped, match="cancel"):
        hold.wait(30)
    with pytest.raises(Stopped, match="hand_on"):
        Hold(seconds=0.05).wait(30)

    assert time.monotonic() - begun < 5


def test_a_wait_of_no_time_passes() -> None:
    Hold().wait(-1)
