"""How fast a job may copy at which time of the week, and until when that holds. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
MOST_WINDOWS = 28

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_AHEAD = 8  # days looked ahead: a week, and one more for the clock that is put back


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError(
            "no_such_time_zone", "There is no such time zone. Give its IANA name, such as Europe/Berlin."
        ) from None
    return name


TimeZone = Annotated[str, Field(max_length=60), AfterValidator(_known)]


class Window(BaseModel):
    """From one time of these days to another, of the next day when that is not later: 22:00 to 06:00."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    days: tuple[Day, ...] = Field(min_length=1, max_length=7)  # on which it begins
    begin: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    mbps: float = Field(ge=0, le=100_000)  # megabits a second; 0: nothing is copied


class Rate(BaseModel):
    """What holds at a moment."""

    model_config = ConfigDict(frozen=True)

    mbps: float | None  # megabits a second; 0: nothing is copied; null: no limit
    until: datetime | None  # null: for good

    @property
    def closed(self) -> bool:
        return self.mbps == 0


def _opens(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    rate = rate_at(windows, None, 1, datetime(2026, 1, 1, tzinfo=UTC))
    if rate.closed and rate.until is None:
        raise PydanticCustomError("never_open", "With this schedule nothing would ever be copied.")
    return windows


Schedule = Annotated[tuple[Window, ...], Field(max_length=MOST_WINDOWS), AfterValidator(_opens)]


def rate_at(windows: Sequence[Window], zone: str | None, otherwise: float | None, now: datetime) -> Rate:
    """The rate at `now` by the clock of `zone` (None: UTC); of windows that overlap the lowest holds."""
    if not windows:
        return Rate(mbps=otherwise, until=None)
    spans = list(_spans(windows, ZoneInfo(zone or "UTC"), now))

    def at(moment: datetime) -> float | None:
        return min((mbps for begin, end, mbps in spans if begin <= moment < end), default=otherwise)

    here, horizon = at(now), now + _AHEAD * _DAY
    edges = sorted({edge for begin, end, _ in spans for edge in (begin, end) if now < edge <= horizon})
    return Rate(mbps=here, until=next((edge for edge in edges if at(edge) != here), None))


def _spans(windows: Sequence[Window], zone: ZoneInfo, now: datetime) -> Iterator[tuple[datetime, datetime, float]]:
    """Each occurrence of each window that may matter: begin, end, megabits a second."""
    today = now.astimezone(zone).date()
    for window in windows:
        begin, end = time.fromisoformat(window.begin), time.fromisoformat(window.end)
        for n in range(-2, _AHEAD + 2):
            day = today + n * _DAY
            if DAYS[day.weekday()] in window.days:
                last = day if begin < end else day + _DAY
                yield (
                    _moment(datetime.combine(day, begin), zone),
                    _moment(datetime.combine(last, end), zone),
                    window.mbps,
                )


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """When clocks show this: the first time when they show it twice, the moment of the leap when they leap over it."""
    early, late = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early.astimezone(zone).replace(tzinfo=None) == wall:
        return early
    before = early.astimezone(zone).utcoffset()
    while late - early > _MINUTE:
        middle = early + (late - early) / 2
        early, late = (middle, late) if middle.astimezone(zone).utcoffset() == before else (early, middle)
    return late.replace(second=0, microsecond=0)
