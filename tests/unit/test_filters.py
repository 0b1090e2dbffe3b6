"""Which messages a person left out by date or size."""

from datetime import date

import pytest

from libs.contracts.jobs import JobOptions
from libs.mailbox.port import Listed
from services.scanner.filters import internal_date, kept


def message(internaldate: str = "17-Jul-1996 02:44:25 -0700", size: int = 100) -> Listed:
    return Listed(1, size, internaldate)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("17-Jul-1996 02:44:25 -0700", date(1996, 7, 17)),
        (" 1-Feb-2024 00:00:00 +0000", date(2024, 2, 1)),
        ("01-FEB-2024 23:59:59 +1400", date(2024, 2, 1)),
        ("31-Feb-2024 00:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_day_is_the_one_that_is_written_whatever_the_zone(text: str, day: date | None) -> None:
    assert internal_date(text) == day


def test_since_is_that_day_and_later_before_is_earlier_than_that_day() -> None:
    def within(day: str) -> bool:
        return kept(message(f"{day}-Jul-1996 02:44:25 -0700"), options)

    options = JobOptions(since=date(1996, 7, 10), before=date(1996, 7, 20))

    assert [day for day in ("09", "10", "19", "20") if within(day)] == ["10", "19"]


def test_size_is_kept_up_to_and_with_the_limit() -> None:
    options = JobOptions(max_item_bytes=100)

    assert kept(message(size=100), options)
    assert not kept(message(size=101), options)


def test_a_date_that_can_not_be_read_leaves_nothing_out() -> None:
    assert kept(message("NIL"), JobOptions(since=date(2024, 1, 1)))


def test_without_filters_everything_is_kept() -> None:
    assert kept(message("", size=10**9), JobOptions())
