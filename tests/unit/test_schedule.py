"""Which limit holds at a moment of the week, and until when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from libs.contracts.jobs import JobOptions, Limits
from libs.contracts.schedule import DAYS, Rate, Window, rate_at

BERLIN = "Europe/Berlin"
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def window(begin: str, end: str, mbps: float, days: list[str] | None = None) -> Window:
    return Window.model_validate({"days": days or list(DAYS), "from": begin, "to": end, "mbps": mbps})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(moment: str, *windows: Window, zone: str | None = BERLIN, otherwise: float | None = None) -> Rate:
    return rate_at(windows, zone, otherwise, utc(moment))


OFFICE = window("08:00", "18:00", 5, WORKDAYS)
NIGHT = window("22:00", "06:00", 0, ["fri"])


def test_without_a_schedule_the_limit_holds_for_good() -> None:
    assert rate_at((), BERLIN, 7, utc("2026-11-23 10:00")) == Rate(mbps=7, until=None)


@pytest.mark.parametrize(
    ("moment", "mbps", "until"),
    [
        ("2026-11-23 06:59", 50, "2026-11-23 07:00"),  # a Monday; Berlin is an hour ahead
        ("2026-11-23 07:00", 5, "2026-11-23 17:00"),
        ("2026-11-23 16:59:59", 5, "2026-11-23 17:00"),
        ("2026-11-23 17:00", 50, "2026-11-24 07:00"),
        ("2026-11-27 17:00", 50, "2026-11-30 07:00"),  # over the weekend
        ("2026-07-06 06:00", 5, "2026-07-06 16:00"),  # in summer two hours
    ],
)
def test_in_a_window_its_limit_holds_and_outside_the_other(moment: str, mbps: float, until: str) -> None:
    assert at(moment, OFFICE, otherwise=50) == Rate(mbps=mbps, until=utc(until))


@pytest.mark.parametrize(
    ("moment", "closed", "until"),
    [
        ("2026-11-27 20:59", False, "2026-11-27 21:00"),
        ("2026-11-27 21:00", True, "2026-11-28 05:00"),
        ("2026-11-28 04:59", True, "2026-11-28 05:00"),  # Saturday morning is still Friday's night
        ("2026-11-28 05:00", False, "2026-12-04 21:00"),
        ("2026-11-27 04:00", False, "2026-11-27 21:00"),  # Friday morning is Thursday's night
    ],
)
def test_a_window_may_go_over_midnight_and_belongs_to_the_day_it_begins(moment: str, closed: bool, until: str) -> None:
    rate = at(moment, NIGHT)

    assert (rate.closed, rate.until) == (closed, utc(until))


def test_the_same_time_twice_is_a_whole_day() -> None:
    assert at("2026-11-29 12:00", window("00:00", "00:00", 0, ["sun"])).until == utc("2026-11-29 23:00")


def test_a_limit_that_never_changes_holds_for_good() -> None:
    assert at("2026-11-23 10:00", window("00:00", "00:00", 3)) == Rate(mbps=3, until=None)


def test_of_windows_that_overlap_the_lowest_holds() -> None:
    assert at("2026-11-23 10:00", OFFICE, window("11:00", "12:00", 1)) == Rate(mbps=1, until=utc("2026-11-23 11:00"))
    assert at("2026-11-23 09:00", OFFICE, window("10:00", "12:00", 9)) == Rate(mbps=5, until=utc("2026-11-23 17:00"))


@pytest.mark.parametrize(
    ("begin", "end", "first", "last"),
    [
        # clocks leap from 2:00 to 3:00, which is 1:00 UTC
        ("22:00", "06:00", "2027-03-27 21:00", "2027-03-28 04:00"),  # seven hours
        ("02:15", "02:45", None, None),  # there is no such half hour that day
        ("02:45", "03:15", "2027-03-28 01:00", "2027-03-28 01:15"),
        ("01:30", "02:30", "2027-03-28 00:30", "2027-03-28 01:00"),
        # clocks go back from 3:00 to 2:00, which is 1:00 UTC too
        ("22:00", "06:00", "2026-10-24 20:00", "2026-10-25 05:00"),  # nine hours
        ("02:00", "02:30", "2026-10-25 00:00", "2026-10-25 00:30"),  # once, though clocks show it twice
        ("01:30", "03:30", "2026-10-24 23:30", "2026-10-25 02:30"),
    ],
)
def test_the_days_on_which_clocks_change(begin: str, end: str, first: str | None, last: str | None) -> None:
    spring = first is None or first.startswith("2027")
    start = utc("2027-03-27 12:00" if spring else "2026-10-24 12:00")
    minutes = [start + timedelta(minutes=n) for n in range(22 * 60)]  # the night that it happens in
    limits = [window(begin, end, 0, ["sat" if begin > end else "sun"])]

    closed = [moment for moment in minutes if rate_at(limits, BERLIN, None, moment).closed]

    if first is None or last is None:
        assert closed == []
    else:
        assert (closed[0], closed[-1]) == (utc(first), utc(last) - timedelta(minutes=1))
        assert len(closed) == (utc(last) - utc(first)) / timedelta(minutes=1)


@given(
    now=st.integers(0, 2 * 366 * 24 * 60).map(lambda minutes: utc("2026-01-01 00:00") + timedelta(minutes=minutes)),
    windows=st.lists(
        st.builds(
            window,
            st.sampled_from(["00:00", "02:30", "08:00", "23:59"]),
            st.sampled_from(["00:00", "02:15", "09:30", "18:00"]),
            st.sampled_from([0, 1, 5]),
            st.lists(st.sampled_from(DAYS), min_size=1, max_size=7),
        ),
        min_size=1,
        max_size=4,
    ),
    zone=st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_what_is_said_to_hold_until_then_holds_until_then_and_changes_then(
    now: datetime, windows: list[Window], zone: str
) -> None:
    rate = rate_at(windows, zone, 7, now)

    if rate.until is None:
        days = [now + timedelta(hours=n) for n in range(24 * 7)]
        assert {rate_at(windows, zone, 7, moment).mbps for moment in days} == {rate.mbps}
    else:
        assert now < rate.until
        span = rate.until - now
        assert {rate_at(windows, zone, 7, now + span * part).mbps for part in (0.3, 0.9, 0.999)} == {rate.mbps}
        assert rate_at(windows, zone, 7, rate.until).mbps != rate.mbps


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": []},
        {"days": ["monday"]},
        {"from": "24:00"},
        {"from": "8:00"},
        {"to": "08:60"},
        {"mbps": -1},
        {"mbps": None},
        {"colour": "blue"},
    ],
)
def test_a_window_that_is_none_is_refused(wrong: dict[str, object]) -> None:
    right = {"days": ["mon"], "from": "08:00", "to": "18:00", "mbps": 0}
    Window.model_validate(right)

    with pytest.raises(ValidationError):
        Window.model_validate(right | wrong)


def test_a_schedule_that_never_lets_anything_be_copied_is_refused() -> None:
    always = window("00:00", "00:00", 0)

    with pytest.raises(ValidationError, match="nothing would ever be copied"):
        Limits(schedule=(always,))
    Limits(schedule=(window("00:01", "00:00", 0),))


@pytest.mark.parametrize("zone", ["", "Europe", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "x" * 200, "A\0B"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError):
        Limits(timezone=zone)


def test_limits_are_stored_and_read_as_they_were_given() -> None:
    options = JobOptions(schedule=(OFFICE, NIGHT), timezone=BERLIN)

    assert JobOptions.model_validate_json(options.model_dump_json()) == options
    assert '"from":"08:00"' in options.model_dump_json()
