"""Moving in: an existing client as its provider tells of it, with the days on which it came into its stages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.client_rules import EARLIEST_DAY, LATEST_DAY
from domain.clients import ContactRole, ContractScope, ContractStatus, ContractType, ExternalKey
from domain.effects import EffectKind, EffectState
from domain.errors import UserError
from domain.onboarding import EndReason, HoldReason
from domain.periods import start_of_day
from domain.stages import ENDS, ORDER, Stage

When: TypeAlias = date | datetime
"""A local day of the provider, meant from its first moment on, or an instant with its offset."""


@dataclass(frozen=True, slots=True)
class ToldContract:
    """What was agreed with the client; without a status it is SIGNED where a day of signing is told, else a DRAFT."""

    title: str
    type: ContractType = ContractType.MANAGED
    status: ContractStatus | None = None
    scope: tuple[ContractScope, ...] = ()
    seats: int | None = None
    coverage_hours: str | None = None
    sent_on: When | None = None
    signed_on: When | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    renews_on: date | None = None

    @property
    def standing(self) -> ContractStatus:
        """How far the agreement is."""
        if self.status is not None:
            return self.status
        return ContractStatus.DRAFT if self.signed_on is None else ContractStatus.SIGNED


@dataclass(frozen=True, slots=True)
class ToldContact:
    """A person of the client."""

    name: str
    email: str | None = None
    phone: str | None = None
    roles: tuple[ContactRole, ...] = (ContactRole.PRIMARY,)
    language: str | None = None
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class ToldHold:
    """Since when and why the client's onboarding stands still."""

    since: When
    reason: HoldReason
    note: str | None = None
    expected_resume_on: date | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One client to be brought in.

    Each of the five dates is when it came into that stage; what nobody knows any more is left out. Without a stage
    the client comes in without an onboarding.
    """

    name: str
    external: ExternalKey | None = None
    industry: str | None = None
    seats: int | None = None
    owner_email: str | None = None
    account_manager_email: str | None = None
    lead_email: str | None = None
    technical_lead_email: str | None = None
    contract: ToldContract | None = None
    contacts: tuple[ToldContact, ...] = ()
    stage: Stage | None = None
    contracting_on: When | None = None
    discovery_on: When | None = None
    live_on: When | None = None
    steady_on: When | None = None
    ended_on: When | None = None
    outcome: EndReason | None = None
    end_reason: str | None = None
    hold: ToldHold | None = None

    @property
    def entered(self) -> dict[Stage, When]:
        """The stages whose beginning is told, in their order."""
        dates = (self.contracting_on, self.discovery_on, self.live_on, self.steady_on)
        return {stage: told for stage, told in zip(ORDER, dates, strict=True) if told is not None}

    @property
    def emails(self) -> dict[str, str]:
        """The members named by their addresses, by the field that names them."""
        named = {
            "ownerEmail": self.owner_email,
            "accountManagerEmail": self.account_manager_email,
            "leadEmail": self.lead_email,
            "technicalLeadEmail": self.technical_lead_email,
        }
        return {field: email.strip().lower() for field, email in named.items() if email is not None}


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of which both ends are known; the present one has not ended."""

    stage: Stage
    entered_at: datetime
    left_at: datetime | None


class ArrivalStatus(StrEnum):
    """What became of one client of an import."""

    CREATED = "CREATED"
    JOINED = "JOINED"
    EXISTS = "EXISTS"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ArrivedEffect:
    """One thing that an import plans or leaves out: what, for whom, when, and why not.

    The recipient is a member, or a contact by its place among the row's, or one that the client had already.
    """

    kind: EffectKind
    name: str
    due_at: datetime
    state: EffectState
    reason: str | None
    member: UUID | None = None
    contact: UUID | None = None
    contact_index: int | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of one client: `place` is its line in a file, or its index in a list."""

    place: int
    name: str
    status: ArrivalStatus
    client: UUID | None = None
    onboarding: UUID | None = None
    contract: UUID | None = None
    contacts: int = 0
    stage: Stage | None = None
    target_at: datetime | None = None
    stays: tuple[Stay, ...] = ()
    held_since: datetime | None = None
    effects: tuple[ArrivedEffect, ...] = ()
    items: int = 0
    baseline: bool = False
    tickets: int = 0
    warnings: tuple[str, ...] = ()
    errors: tuple[UserError, ...] = ()


def instant(when: When, zone: ZoneInfo) -> datetime:
    """Return the instant that is meant: of a day its first moment.

    A day outside the years in which business is done is refused as a fault of its row; until then it counts as the
    nearest one in them, for the first and last days of the calendar have no instants in some zones.
    """
    return when if isinstance(when, datetime) else start_of_day(min(max(when, EARLIEST_DAY), LATEST_DAY), zone)


def stays(told: Arrival, zone: ZoneInfo) -> tuple[Stay, ...]:
    """Return the stays of which both ends are told; what lies between two dates that are not neighbours is not known.

    A stage ends where the next one begins, so a stage before a missing date has no end that anybody told.
    """
    entered = list(told.entered.items())
    known = [
        Stay(stage, instant(began, zone), instant(after, zone))
        for (stage, began), (later, after) in pairwise(entered)
        if ORDER.index(later) == ORDER.index(stage) + 1
    ]
    for stage, began in entered[-1:]:
        ended = instant(told.ended_on, zone) if told.stage in ENDS and told.ended_on else None
        known.append(Stay(stage, instant(began, zone), ended))
    return tuple(known)


def untold_ends(told: Arrival) -> Iterator[tuple[Stage, Stage]]:
    """Give the stages whose end is not known, each with the stage after it whose beginning is missing."""
    for stage, later in pairwise(told.entered):
        if ORDER.index(later) > ORDER.index(stage) + 1:
            yield stage, ORDER[ORDER.index(stage) + 1]
