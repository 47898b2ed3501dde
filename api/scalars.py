"""Scalars: instants with an offset, local days, durations, zones, addresses and cursors."""

import re
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Any, NewType
from zoneinfo import ZoneInfo, available_timezones

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

EmailAddress = NewType("EmailAddress", str)
Url = NewType("Url", str)
Cursor = NewType("Cursor", str)

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,10}(?:\.\d{1,6})?)S)?)?"
)
# The local part and the domain, no more: only a delivered message proves an address.
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]{1,253}")
_URL = re.compile(r"https?://[^\s/?#]+[^\s]*")
_CURSOR_MAX_CHARACTERS = 1024


def _refuse(kind: str, value: object, expected: str) -> GraphQLError:
    return GraphQLError(f"{str(value)[:60]!r} is no {kind}: expected {expected}.")


def _parse_date_time(value: Any) -> datetime:
    expected = "an ISO 8601 instant with an offset, such as 2026-03-01T09:00:00Z or 2026-03-01T10:00:00+01:00"
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise _refuse("DateTime", value, expected)
    try:
        # Python 3.11 reads at most six digits of a second's fraction.
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper())).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refuse("DateTime", value, expected) from None


def _print_date_time(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("an instant without a zone reached the API")
    return value.isoformat().replace("+00:00", "Z")


def _parse_date(value: Any) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _refuse("Date", value, "a day such as 2026-03-01")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _refuse("Date", value, "a day that exists, such as 2026-03-01") from None


def _parse_duration(value: Any) -> timedelta:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    parts = {name: text for name, text in match.groupdict().items() if text and name != "sign"} if match else {}
    if match is None or not parts:
        raise _refuse("Duration", value, "ISO 8601 in weeks, days, hours, minutes and seconds, such as P2DT4H30M")
    length = timedelta(**{name: float(text) for name, text in parts.items()})
    return -length if match["sign"] else length


def print_duration(value: timedelta) -> str:
    """Return an ISO 8601 duration in days, hours, minutes and seconds, such as ``P2DT4H30M``."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    day = f"{value.days}D" if value.days else ""
    clock = (
        f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes) + f"{seconds}{fraction}S" * bool(seconds or fraction)
    )
    return f"{sign}P{day}" + (f"T{clock}" if clock else "") if day or clock else "PT0S"


def _parse_zone(value: Any) -> ZoneInfo:
    if not isinstance(value, str) or value not in available_timezones():
        near = get_close_matches(str(value)[:60], available_timezones(), n=3) or ["Europe/Amsterdam"]
        raise _refuse("TimeZone", value, f"a name of the IANA database, such as {' or '.join(near)}")
    return ZoneInfo(value)


def _parse_email(value: Any) -> str:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value) or not value.isprintable():
        raise _refuse("EmailAddress", value, "one address, such as ada@example.org")
    return value


def _parse_url(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 2048 or not _URL.fullmatch(value):  # noqa: PLR2004 -- browsers' old limit
        raise _refuse("URL", value, "an absolute http or https address of at most 2048 characters")
    return value


def _parse_cursor(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _CURSOR_MAX_CHARACTERS:
        raise _refuse("Cursor", value, "a cursor as an earlier answer gave it")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in ISO 8601 with its offset, in and out, such as `2026-03-01T09:00:00Z`.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        parse_value=_parse_date_time,
        serialize=_print_date_time,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A local day in ISO 8601, such as `2026-03-01`; whose zone it is in, the field says.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
        parse_value=_parse_date,
        serialize=date.isoformat,
    ),
    timedelta: strawberry.scalar(
        name="Duration",
        description="A length of time in ISO 8601: weeks, days, hours, minutes and seconds, such as `P2DT4H30M`.",
        specified_by_url="https://www.iso.org/iso-8601-date-and-time-format.html",
        parse_value=_parse_duration,
        serialize=print_duration,
    ),
    ZoneInfo: strawberry.scalar(
        name="TimeZone",
        description="A zone of the IANA time zone database, such as `Europe/Amsterdam`.",
        specified_by_url="https://www.iana.org/time-zones",
        parse_value=_parse_zone,
        serialize=str,
    ),
    EmailAddress: strawberry.scalar(
        name="EmailAddress",
        description="One e-mail address, such as `ada@example.org`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc5321",
        parse_value=_parse_email,
        serialize=str,
    ),
    Url: strawberry.scalar(
        name="URL",
        description="An absolute `http` or `https` address of at most 2048 characters.",
        specified_by_url="https://url.spec.whatwg.org/",
        parse_value=_parse_url,
        serialize=str,
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        description="An opaque place in an ordered list or in the feed of events; give it back as you got it.",
        parse_value=_parse_cursor,
        serialize=str,
    ),
}
"""The product's scalars by the Python type that stands for each; the schema is built with them."""
