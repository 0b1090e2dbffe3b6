"""How long a member of a consumer group may pass its commit gate (COPYING rule 7)."""

import pytest

from services.copier.hold import Hold, Stopped
from services.copier.lease import GroupLease, boot_seconds, margin


class Member:
    """Of a group whose sessions last 45 s."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.last_heartbeat: float | None = 1000.0

    def lease(self) -> GroupLease:
        return GroupLease(lambda: self.last_heartbeat, session_timeout=45, taken_over=0, now=lambda: self.now)


@pytest.mark.parametrize(("silent", "holds"), [(0, True), (34.9, True), (35, False), (46, False), (3600, False)])
def test_rule_7_a_lease_ends_ten_seconds_before_the_session_does(silent: float, holds: bool) -> None:
    member = Member()
    lease = member.lease()

    member.now += silent

    assert lease.holds() is holds


def test_rule_7_a_revoked_partition_is_nobodys_whatever_the_heartbeats() -> None:
    member = Member()
    lease = member.lease()
    member.last_heartbeat = None

    assert not lease.holds()
    assert lease.lost


def test_rule_7_a_lease_that_ended_is_not_lost_as_long_as_nobody_says_so() -> None:
    member = Member()
    lease = member.lease()
    member.now += 40
    assert not lease.holds()
    assert not lease.lost

    member.last_heartbeat = member.now
    assert lease.holds()


@pytest.mark.parametrize(("session", "seconds"), [(6, 2), (45, 10), (60, 10)])
def test_rule_7_a_short_session_has_a_short_margin(session: float, seconds: float) -> None:
    assert margin(session) == seconds


def test_rule_7_no_gate_is_passed_without_a_lease_and_a_later_heartbeat_changes_nothing() -> None:
    member = Member()
    hold = Hold(lease=member.lease())
    hold.gate()
    member.now += 40
    hold.stop("cancel")

    with pytest.raises(Stopped, match="fenced"):
        hold.gate()
    member.last_heartbeat = member.now
    with pytest.raises(Stopped, match="fenced"):
        hold.gate()


def test_rule_7_the_clock_counts_on() -> None:
    assert 0 < boot_seconds() <= boot_seconds()
