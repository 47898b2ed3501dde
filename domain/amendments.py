"""Amendments: what was agreed after a contract, and the terms that hold on a day because of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.client_rules import day_faults, name_faults
from domain.clients import SEATS_LIMIT, Contract, ContractScope, ContractStatus
from domain.errors import ErrorCode, UserError, invalid
from domain.texts import REASON_LIMIT


class AmendmentStatus(StrEnum):
    """How far an amendment is."""

    DRAFT = "DRAFT"
    SENT = "SENT"
    SIGNED = "SIGNED"
    ENDED = "ENDED"


STATUS_MOVES: dict[AmendmentStatus, frozenset[AmendmentStatus]] = {
    AmendmentStatus.DRAFT: frozenset({AmendmentStatus.SENT, AmendmentStatus.SIGNED, AmendmentStatus.ENDED}),
    AmendmentStatus.SENT: frozenset({AmendmentStatus.DRAFT, AmendmentStatus.SIGNED, AmendmentStatus.ENDED}),
    AmendmentStatus.SIGNED: frozenset({AmendmentStatus.ENDED}),
    AmendmentStatus.ENDED: frozenset(),
}
"""Where an amendment's status may go; as with contracts, what is signed is never unsigned."""


@dataclass(frozen=True, slots=True)
class TermsChange:
    """What one amendment changes of a contract's terms, and for which local days of the provider.

    `seats` is a new number of seats, `seats_delta` how many more (or, below 0, fewer) there are.
    """

    number: int
    signed: bool
    starts_on: date | None
    ends_on: date | None
    scope_added: tuple[ContractScope, ...] = ()
    scope_removed: tuple[ContractScope, ...] = ()
    seats: int | None = None
    seats_delta: int | None = None

    def in_force(self, day: date) -> bool:
        """Whether it counts on a day: signed, begun and not over; `ends_on` is its last day."""
        begun = self.signed and self.starts_on is not None and self.starts_on <= day
        return begun and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Amendment:
    """An agreement that changes a contract, or adds a site or a service to it; its days are the provider's."""

    id: UUID
    client_id: UUID
    contract_id: UUID
    number: int
    title: str
    status: AmendmentStatus
    starts_on: date | None
    ends_on: date | None
    scope_added: tuple[ContractScope, ...]
    scope_removed: tuple[ContractScope, ...]
    seats: int | None
    seats_delta: int | None
    site_id: UUID | None
    service_id: UUID | None
    note: str | None
    sent_at: datetime | None
    signed_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    version: int

    @property
    def change(self) -> TermsChange:
        """What it changes of the contract's terms."""
        return TermsChange(
            self.number,
            self.signed_at is not None,
            self.starts_on,
            self.ends_on,
            self.scope_added,
            self.scope_removed,
            self.seats,
            self.seats_delta,
        )


@dataclass(frozen=True, slots=True)
class AmendmentFacts:
    """What the gates need of the amendment towards which a cycle works."""

    number: int
    status: AmendmentStatus


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds on a day: the contract as its amendments in force have changed it.

    A scope of `None` was never stated, which is not the same as one of which everything was taken away.
    """

    scope: tuple[ContractScope, ...] | None
    seats: int | None
    amendment_numbers: tuple[int, ...] = ()


def terms_on(day: date, scope: tuple[ContractScope, ...], seats: int | None, changes: Iterable[TermsChange]) -> Terms:
    """Return the terms on a day: amendments in force apply in the order of their starts, then of their numbers.

    A scope that the contract does not state stays unstated, and seats that it does not count stay uncounted until an
    amendment gives their number.
    """
    in_force = sorted((c for c in changes if c.in_force(day)), key=lambda c: (c.starts_on or date.min, c.number))
    covered, counted = set(scope), seats
    for change in in_force:
        covered = (covered | set(change.scope_added)) - set(change.scope_removed)
        if change.seats is not None:
            counted = change.seats
        elif change.seats_delta is not None and counted is not None:
            counted = max(0, counted + change.seats_delta)
    stated = tuple(part for part in ContractScope if part in covered) if scope else None
    return Terms(stated, counted, tuple(change.number for change in in_force))


def amendment_faults(amendment: Amendment) -> Iterator[UserError]:
    """Tell which values of an amendment cannot be."""
    yield from name_faults(amendment.title, "title")
    for name, day in (("startsOn", amendment.starts_on), ("endsOn", amendment.ends_on)):
        yield from day_faults(day, name)
    # One that was ended before it began never was in force, and says so by these very days.
    if amendment.status is not AmendmentStatus.ENDED and _backwards(amendment):
        yield invalid(
            f"{amendment.ends_on} lies before the start on {amendment.starts_on}; give a later day.", "endsOn"
        )
    if both := sorted(set(amendment.scope_added) & set(amendment.scope_removed)):
        yield invalid(f"{', '.join(both)} cannot be added and removed at once; leave it out of one.", "scopeRemoved")
    if amendment.seats is not None and amendment.seats_delta is not None:
        yield invalid("Give the new number of seats, or how many more there are; not both.", "seatsDelta")
    if amendment.seats is not None and not 0 <= amendment.seats <= SEATS_LIMIT:
        yield invalid(f"{amendment.seats} is no number of seats; give 0 to {SEATS_LIMIT}, or none.", "seats")
    if amendment.seats_delta is not None and not 0 < abs(amendment.seats_delta) <= SEATS_LIMIT:
        message = f"{amendment.seats_delta} is no change of seats; give up to {SEATS_LIMIT} more or fewer, or none."
        yield invalid(message, "seatsDelta")
    if amendment.site_id is not None and amendment.service_id is not None:
        yield invalid("An amendment adds one site or one service; make another for the other.", "serviceId")
    if amendment.note is not None and not 1 <= len(amendment.note) <= REASON_LIMIT:
        yield invalid(f"A note has 1 to {REASON_LIMIT} characters; give one, or none.", "note")


def amendable_faults(contract: Contract, amendment: Amendment) -> Iterator[UserError]:
    """Tell what of the contract stands against its amendment."""
    if contract.status is ContractStatus.ENDED:
        message = f"This contract ended on {contract.ended_at:%Y-%m-%d} and is not amended any more; make a new one."
        yield UserError(ErrorCode.CONFLICT, message, ("contractId",))
    if amendment.status is AmendmentStatus.SIGNED and contract.status is not ContractStatus.SIGNED:
        message = f"The contract is {contract.status.value}; an amendment is signed after its contract."
        yield UserError(ErrorCode.CONFLICT, message, ("status",))
    if not contract.scope and (amendment.scope_added or amendment.scope_removed):
        message = "This contract does not state what it covers, so nothing can be added or removed; state that first."
        yield UserError(ErrorCode.CONFLICT, message, ("scopeAdded",))


def status_faults(before: AmendmentStatus, after: AmendmentStatus) -> Iterator[UserError]:
    """Tell what stands against an amendment's change of status."""
    if after is not before and after not in STATUS_MOVES[before]:
        onward = ", ".join(status.value for status in AmendmentStatus if status in STATUS_MOVES[before])
        message = f"An amendment does not go from {before} to {after}; from {before} it goes to {onward or 'nothing'}."
        yield UserError(ErrorCode.CONFLICT, message, ("status",))


def _backwards(amendment: Amendment) -> bool:
    starts, ends = amendment.starts_on, amendment.ends_on
    return starts is not None and ends is not None and ends < starts
