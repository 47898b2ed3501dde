"""The rules for clients and what is theirs: which values can be, and in words why others cannot."""

import re
from collections.abc import Iterator
from datetime import date, datetime

from domain.clients import (
    NAME_LIMIT,
    SEATS_LIMIT,
    STATUS_MOVES,
    Client,
    Contact,
    Contract,
    ContractStatus,
    Device,
    DeviceState,
    DiscoveryRun,
    ExternalKey,
    GapReason,
    Service,
    is_email,
    name_key,
)
from domain.errors import ErrorCode, UserError, invalid
from domain.tenants import is_language
from domain.texts import is_line

SYSTEM_LIMIT = 40
KEY_LIMIT = 200
SHORT_LIMIT = 100
"""Characters of an industry, a device's kind or serial, and a discovery's source."""
PHONE_LIMIT = 40
EARLIEST_DAY = date(1970, 1, 1)
LATEST_DAY = date(2199, 12, 31)
"""Days beyond these are typing mistakes, and days far beyond them cannot even be counted from."""
EXTERNAL_MOST = 20
"""Keys that one object can have in other systems."""

_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN = f"{_DAY}(?:-{_DAY})? {_TIME}-(?:{_TIME}|24:00)"
_COVERAGE = re.compile(f"24x7|{_SPAN}(?:, {_SPAN})*")


def client_faults(client: Client) -> Iterator[UserError]:
    yield from name_faults(client.name, "name")
    yield from _short_faults(client.industry, "industry")
    yield from _seats_faults(client.seats)


def contact_faults(contact: Contact) -> Iterator[UserError]:
    yield from name_faults(contact.name, "name")
    if contact.email is not None and not is_email(contact.email):
        yield invalid(f"{contact.email[:60]!r} is no e-mail address; give one like ada@example.org, or none.", "email")
    if contact.phone is not None and not (1 <= len(contact.phone) <= PHONE_LIMIT and contact.phone.isprintable()):
        yield invalid(f"A phone number has 1 to {PHONE_LIMIT} characters; give one, or none.", "phone")
    if contact.language is not None and not is_language(contact.language):
        yield invalid(f"{contact.language[:40]!r} is no language tag; give one like en, nl or pt-BR.", "language")


def contract_faults(contract: Contract) -> Iterator[UserError]:
    yield from name_faults(contract.title, "title")
    yield from _seats_faults(contract.seats)
    if contract.coverage_hours is not None and not _COVERAGE.fullmatch(contract.coverage_hours):
        hours = contract.coverage_hours[:60]
        message = f"{hours!r} are no coverage hours; write 24x7, or spans like Mon-Fri 08:00-18:00, Sat 09:00-12:00."
        yield invalid(message, "coverageHours")
    dated = (("startsOn", contract.starts_on), ("endsOn", contract.ends_on), ("renewsOn", contract.renews_on))
    for name, day in dated:
        yield from day_faults(day, name)
    for name, day in dated[1:]:
        if day is not None and contract.starts_on is not None and day < contract.starts_on:
            yield invalid(f"{day} lies before the start on {contract.starts_on}; give a later day.", name)


def day_faults(day: date | None, *path: str) -> Iterator[UserError]:
    """Tell whether a day lies outside the years in which business is done, as a mistyped one does."""
    if day is not None and not EARLIEST_DAY <= day <= LATEST_DAY:
        yield invalid(f"{day} is out of range; give a day from {EARLIEST_DAY} to {LATEST_DAY}.", *path)


def status_faults(before: ContractStatus, after: ContractStatus) -> Iterator[UserError]:
    """Tell what stands against a contract's change of status."""
    if after is not before and after not in STATUS_MOVES[before]:
        onward = ", ".join(status.value for status in ContractStatus if status in STATUS_MOVES[before])
        message = f"A contract does not go from {before} to {after}; from {before} it goes to {onward or 'nothing'}."
        yield UserError(ErrorCode.CONFLICT, message, ("status",))


def service_faults(service: Service) -> Iterator[UserError]:
    yield from name_faults(service.name, "name")


def device_faults(device: Device) -> Iterator[UserError]:
    yield from name_faults(device.name, "name")
    yield from _short_faults(device.kind, "kind")
    yield from _short_faults(device.serial, "serial")
    if device.state is DeviceState.MANAGED and device.gap_reason is not None:
        yield invalid(_no_gap(device.gap_reason), "gapReason")


def run_faults(run: DiscoveryRun, now: datetime) -> Iterator[UserError]:
    yield from _short_faults(run.source, "source")
    yield from past_faults(run.ran_at, now, "ranAt")
    if not 0 <= run.devices_found <= SEATS_LIMIT:
        yield invalid(f"{run.devices_found} devices cannot have been found; give 0 or more.", "devicesFound")


def external_faults(keys: tuple[ExternalKey, ...]) -> Iterator[UserError]:
    """Tell what stands against an object's keys in other systems."""
    if len(keys) > EXTERNAL_MOST:
        yield invalid(f"{len(keys)} keys are too many; an object has {EXTERNAL_MOST} at most.", "external")
    if len(set(keys)) < len(keys):
        yield invalid("The same key stands there twice; give it once.", "external")
    for index, external in enumerate(keys):
        yield from external_key_faults(external, "external", str(index))


def external_key_faults(external: ExternalKey, *path: str) -> Iterator[UserError]:
    for name, value, limit in (("system", external.system, SYSTEM_LIMIT), ("key", external.key, KEY_LIMIT)):
        if not (1 <= len(value) <= limit and value.isprintable() and value == value.strip()):
            message = f"{value[:60]!r} is no {name}: give 1 to {limit} printable characters without spaces around."
            yield invalid(message, *path, name)


def name_faults(name: str, field: str) -> Iterator[UserError]:
    if not (1 <= len(name) <= NAME_LIMIT and is_line(name) and name_key(name)):
        yield invalid(f"A {field} has 1 to {NAME_LIMIT} printable characters; give one.", field)


def past_faults(instant: datetime, now: datetime, field: str) -> Iterator[UserError]:
    """Tell what stands against an instant that must have been, and in the years in which business is done."""
    if instant > now:
        message = f"{instant.isoformat()} is still to come (it is {now.isoformat()}); give an instant that has passed."
        yield invalid(message, field)
    elif instant.date() < EARLIEST_DAY:
        yield invalid(f"{instant.isoformat()} is out of range; give an instant from {EARLIEST_DAY} on.", field)


def _short_faults(text: str | None, field: str) -> Iterator[UserError]:
    if text is not None and not (1 <= len(text) <= SHORT_LIMIT and is_line(text)):
        yield invalid(f"{text[:40]!r}: give 1 to {SHORT_LIMIT} printable characters.", field)


def _seats_faults(seats: int | None) -> Iterator[UserError]:
    if seats is not None and not 0 <= seats <= SEATS_LIMIT:
        yield invalid(f"{seats} is no number of seats; give 0 to {SEATS_LIMIT}, or none.", "seats")


def _no_gap(reason: GapReason) -> str:
    return f"A managed device has no gap, so {reason} does not fit; leave gapReason empty, or change the state."
