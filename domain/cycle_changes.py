"""Changes of an onboarding beside its moves: what was changed or tried, by whom, from what to what."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.errors import ErrorCode
from domain.moves import Gate
from domain.onboarding import Cycle

KEPT_REFUSALS = frozenset(
    {
        ErrorCode.NOT_ALLOWED,
        ErrorCode.SECOND_PERSON_REQUIRED,
        ErrorCode.STALE_VERSION,
        ErrorCode.MOVE_NOT_POSSIBLE,
        ErrorCode.CONFLICT,
        ErrorCode.ALREADY_EXISTS,
    }
)
"""Refusals for a reason of rights or state, which are kept; those of malformed input are not."""


class ChangedField(StrEnum):
    """What of an onboarding was changed, or tried. What waivers and attestations came to stands in themselves."""

    CONTRACT = "CONTRACT"
    LEAD = "LEAD"
    ACCOUNT_MANAGER = "ACCOUNT_MANAGER"
    TECHNICAL_LEAD = "TECHNICAL_LEAD"
    ENGINEERS = "ENGINEERS"
    WAIVER_REQUEST = "WAIVER_REQUEST"
    WAIVER_GRANT = "WAIVER_GRANT"
    WAIVER_WITHDRAWAL = "WAIVER_WITHDRAWAL"
    ATTESTATION = "ATTESTATION"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a cycle's contract or team, by the ids that it named and names."""

    field: ChangedField
    before: tuple[UUID, ...]
    after: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class CycleChange:
    """One changed field, or one refused attempt; nobody can change what is told of it."""

    id: UUID
    client_id: UUID
    cycle_id: UUID
    version: int
    field: ChangedField
    gate: Gate | None
    before: tuple[UUID, ...]
    after: tuple[UUID, ...]
    accepted: bool
    refusal: str | None
    recorded_at: datetime
    actor_kind: str
    actor_id: UUID
    on_behalf_of: UUID | None
    channel: str
    request_id: str
    event_id: UUID | None


def differences(before: Cycle, after: Cycle) -> tuple[Difference, ...]:
    """Return the fields of contract and team by which two states of a cycle differ."""
    earlier, later = _named(before), _named(after)
    return tuple(Difference(field, earlier[field], later[field]) for field in earlier if earlier[field] != later[field])


def _named(cycle: Cycle) -> dict[ChangedField, tuple[UUID, ...]]:
    return {
        ChangedField.CONTRACT: _those(cycle.contract_id),
        ChangedField.LEAD: _those(cycle.lead_id),
        ChangedField.ACCOUNT_MANAGER: _those(cycle.account_manager_id),
        ChangedField.TECHNICAL_LEAD: _those(cycle.technical_lead_id),
        ChangedField.ENGINEERS: cycle.engineer_ids,
    }


def _those(value: UUID | None) -> tuple[UUID, ...]:
    return () if value is None else (value,)
