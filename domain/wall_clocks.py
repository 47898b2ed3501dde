"""Wall clocks: on which days a zone changes them, and what they show meanwhile."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.periods import start_of_day

_A_DAY = timedelta(days=1)
_A_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=4096)
def days_of_change(zone: ZoneInfo, year: int) -> tuple[date, ...]:
    """Return the local days of a year that do not last 24 hours, because the clock is changed on them."""
    found, day, begins = [], date(year, 1, 1), start_of_day(date(year, 1, 1), zone)
    while day.year == year:
        ends = start_of_day(day + _A_DAY, zone)
        if ends - begins != _A_DAY:
            found.append(day)
        day, begins = day + _A_DAY, ends
    return tuple(found)


def stretches(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Cut the time between two instants where the zone's offset changes, and give each part's offset."""
    begins = start
    while begins < end:
        offset = _offset(begins, zone)
        ends = end
        if _offset(end - _A_SECOND, zone) != offset:
            same, other = begins, end - _A_SECOND
            while other - same > _A_SECOND:
                middle = same + timedelta(seconds=(other - same) // _A_SECOND // 2)
                same, other = (middle, other) if _offset(middle, zone) == offset else (same, middle)
            ends = other
        yield begins, ends, offset
        begins = ends


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    if offset is None:
        msg = "a moment in a zone has an offset"
        raise LookupError(msg)
    return offset
