"""The hand-off record: what sales tells those who do the work, field by field, with nothing left unsaid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.access import PrincipalKind
from domain.clients import ContactRole
from domain.errors import UserError, invalid
from domain.written_secrets import secret_faults

TEXT_LIMIT = 10_000
"""Characters of one field of the record."""

PEOPLE_MOST = 50
"""People that one field of the record can name."""


class HandOffField(StrEnum):
    """What the record says; each is filled, or declared to be none."""

    SCOPE_SOLD = "SCOPE_SOLD"
    PROMISES = "PROMISES"
    INCUMBENT = "INCUMBENT"
    CONTACTS = "CONTACTS"
    SUPPORT = "SUPPORT"
    APPROVERS = "APPROVERS"
    VIPS = "VIPS"
    RISKS = "RISKS"
    SECRETS_PLACE = "SECRETS_PLACE"

    @property
    def attribute(self) -> str:
        """The record's attribute that holds it."""
        return self.value.lower()


TEXTS = (
    HandOffField.SCOPE_SOLD,
    HandOffField.PROMISES,
    HandOffField.INCUMBENT,
    HandOffField.SUPPORT,
    HandOffField.RISKS,
    HandOffField.SECRETS_PLACE,
)
PEOPLE = (HandOffField.APPROVERS, HandOffField.VIPS)


@dataclass(frozen=True, slots=True)
class HandOffContact:
    """A person of the client, and in which role they are to be asked."""

    role: ContactRole
    contact_id: UUID


@dataclass(frozen=True, slots=True)
class HandOff:
    """The record of one onboarding; `secrets_place` says where secrets lie and never holds one.

    At version 0 nobody has written anything yet.
    """

    id: UUID
    client_id: UUID
    cycle_id: UUID
    scope_sold: str | None = None
    promises: str | None = None
    incumbent: str | None = None
    contacts: tuple[HandOffContact, ...] = ()
    support: str | None = None
    approvers: tuple[UUID, ...] = ()
    vips: tuple[UUID, ...] = ()
    risks: str | None = None
    secrets_place: str | None = None
    declared_none: tuple[HandOffField, ...] = ()
    updated_at: datetime | None = None
    version: int = 0

    @property
    def missing(self) -> tuple[HandOffField, ...]:
        """What is neither filled nor declared to be none, in the order of the record."""
        return tuple(f for f in HandOffField if f not in self.declared_none and not getattr(self, f.attribute))

    @property
    def complete(self) -> bool:
        """Whether nothing is left unsaid."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class HandOffChange:
    """Who changed which fields of a record, kept for good; the words stand in the record alone."""

    id: UUID
    client_id: UUID
    cycle_id: UUID
    version: int
    fields: tuple[HandOffField, ...]
    recorded_at: datetime
    actor_kind: PrincipalKind
    actor_id: UUID
    on_behalf_of: UUID | None
    request_id: str
    event_id: UUID | None


def changed(record: HandOff, given: Mapping[HandOffField, Any], none: tuple[HandOffField, ...]) -> HandOff:
    """Return the record with other values; a value takes back that there is none, and the other way round."""
    values = {f.attribute: _tidy(value) for f, value in given.items()}
    emptied = {f.attribute: () if isinstance(getattr(record, f.attribute), tuple) else None for f in none}
    stays = [f for f in record.declared_none if f not in given]
    declared = tuple(f for f in HandOffField if f in none or f in stays)
    return replace(record, **(values | emptied), declared_none=declared)


def differences(before: HandOff, after: HandOff) -> tuple[HandOffField, ...]:
    """Return the fields by which two states of a record differ, by value or by what is declared none."""
    return tuple(f for f in HandOffField if _said(before, f) != _said(after, f))


def _said(record: HandOff, f: HandOffField) -> tuple[object, bool]:
    return getattr(record, f.attribute), f in record.declared_none


def hand_off_faults(
    record: HandOff, given: Mapping[HandOffField, Any], none: tuple[HandOffField, ...]
) -> Iterator[UserError]:
    """Tell what stands against a changed record."""
    for f in none:
        if given.get(f):
            message = f"{f} is given and declared to be none; give it, or leave it among `declareNone`."
            yield invalid(message, "declareNone")
    for f in TEXTS:
        text = getattr(record, f.attribute)
        if text is None:
            continue
        path = input_name(f)
        if len(text) > TEXT_LIMIT:
            yield invalid(f"A field has at most {TEXT_LIMIT} characters; this one has {len(text)}.", path)
        yield from secret_faults(text, path)
    for f in (HandOffField.CONTACTS, *PEOPLE):
        named = getattr(record, f.attribute)
        if len(named) > PEOPLE_MOST:
            yield invalid(f"{len(named)} people are too many; a field names {PEOPLE_MOST} at most.", input_name(f))


def people_of(value: Any) -> frozenset[UUID]:
    """Return the contacts that a field's value names; a text names none."""
    if not isinstance(value, tuple | list):
        return frozenset()
    return frozenset(one.contact_id if isinstance(one, HandOffContact) else one for one in value)


def input_name(field: HandOffField) -> str:
    """Return what a field is called where it is given."""
    if field in PEOPLE:
        return f"{field.attribute.removesuffix('s')}Ids"
    head, *tail = field.attribute.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _tidy(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    return tuple(dict.fromkeys(value)) if isinstance(value, tuple | list) else value
