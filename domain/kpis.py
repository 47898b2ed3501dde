"""The catalogue of figures: each entry carries its whole definition, and everything else follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from uuid import UUID

from domain import client_kpis, onboarding_kpis, ticket_kpis
from domain.kpi_definitions import (
    ESCALATED,
    TIMES_ESCALATED,
    Definition,
    Dimension,
    DirectFact,
    Direction,
    Fact,
    Family,
    KpiKind,
    Unit,
)
from domain.periods import Grain
from domain.tickets import EscalationKind, TicketSource

__all__ = [
    "OF_EACH_CLIENT",
    "SETTLING_SAMPLE",
    "SETTLING_SHARE",
    "Definition",
    "Dimension",
    "DirectFact",
    "Direction",
    "Fact",
    "Family",
    "Kpi",
    "KpiKind",
    "NotOffered",
    "Unit",
    "Where",
    "offer",
]

OF_EACH_CLIENT = frozenset({Dimension.STAGE, Dimension.PHASE, Dimension.PRIORITY})
"""Dimensions by which sums of tickets are kept for each client; the others only for all clients together."""

SETTLING_SHARE = 0.9
"""A bucket of a rate is settled once this share of escalations would have come, by the tenant's own past."""

SETTLING_SAMPLE = 1_000
"""The 90th percentile of time-to-escalate is taken over this many of the tenant's latest first escalations."""


class Kpi(Enum):
    """The catalogue: key and definition in one place."""

    TICKETS_LOGGED = ticket_kpis.TICKETS_LOGGED
    ESCALATIONS = ticket_kpis.ESCALATIONS
    ESCALATED_TICKETS = ticket_kpis.ESCALATED_TICKETS
    ESCALATION_RATE = ticket_kpis.ESCALATION_RATE
    FIRST_RESPONSE_TIME = ticket_kpis.FIRST_RESPONSE_TIME
    FIRST_CONTACT_RESOLUTION = ticket_kpis.FIRST_CONTACT_RESOLUTION
    MTTR = ticket_kpis.MTTR
    SLA_MET = ticket_kpis.SLA_MET
    RESPONSE_SLA_MET = ticket_kpis.RESPONSE_SLA_MET
    REOPEN_RATE = ticket_kpis.REOPEN_RATE
    BACKLOG = ticket_kpis.BACKLOG
    OPEN_INCIDENTS = ticket_kpis.OPEN_INCIDENTS
    TIME_IN_STAGE = onboarding_kpis.TIME_IN_STAGE
    OPEN_ONBOARDINGS = onboarding_kpis.OPEN_ONBOARDINGS
    WAIVED_MOVES = onboarding_kpis.WAIVED_MOVES
    TIME_TO_GO_LIVE = onboarding_kpis.TIME_TO_GO_LIVE
    TIME_TO_STEADY_STATE = onboarding_kpis.TIME_TO_STEADY_STATE
    CONTRACTING_TIME = onboarding_kpis.CONTRACTING_TIME
    PROVIDER_RESPONSE_TIME = onboarding_kpis.PROVIDER_RESPONSE_TIME
    ON_TIME_STAGES = onboarding_kpis.ON_TIME_STAGES
    RE_PLANS = onboarding_kpis.RE_PLANS
    ONBOARDINGS_PER_LEAD = onboarding_kpis.ONBOARDINGS_PER_LEAD
    CLIENT_RETENTION = client_kpis.CLIENT_RETENTION
    CLIENTS_LOST = client_kpis.CLIENTS_LOST
    CLIENTS_IN_NOTICE = client_kpis.CLIENTS_IN_NOTICE

    definition: Definition

    def __init__(self, definition: Definition) -> None:
        # An attribute, and no property: every value of every series asks for it.
        self.definition = definition


@dataclass(frozen=True, slots=True)
class Where:
    """What a figure is narrowed to; None leaves a dimension open. Alerts are left out unless asked for."""

    clients: tuple[UUID, ...] | None = field(default=None, hash=False)
    """Left out of the hash, which is asked for again and again, and would go through a page of clients each time."""
    stages: tuple[str, ...] | None = None
    phases: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    """Categories, teams, technicians and sites by the hexadecimal form of their ids, or UNKNOWN."""
    teams: tuple[str, ...] | None = None
    technicians: tuple[str, ...] | None = None
    sites: tuple[str, ...] | None = None
    leads: tuple[str, ...] | None = None
    """Members by the hexadecimal form of their ids."""
    outcomes: tuple[str, ...] | None = None
    tenures: tuple[str, ...] | None = None
    baselines: tuple[str, ...] | None = None
    sources: tuple[TicketSource, ...] = (TicketSource.PERSON,)
    escalation_kind: EscalationKind = EscalationKind.FUNCTIONAL
    """Which escalations the figures of escalations count; each kind is a series of its own."""

    def members(self) -> dict[Dimension, tuple[str, ...]]:
        """Return what is asked of each dimension except the client."""
        asked = {
            Dimension.STAGE: self.stages,
            Dimension.PHASE: self.phases,
            Dimension.PRIORITY: self.priorities,
            Dimension.KIND: self.kinds,
            Dimension.CATEGORY: self.categories,
            Dimension.TEAM: self.teams,
            Dimension.TECHNICIAN: self.technicians,
            Dimension.SITE: self.sites,
            Dimension.LEAD: self.leads,
            Dimension.OUTCOME: self.outcomes,
            Dimension.TENURE: self.tenures,
            Dimension.BASELINE: self.baselines,
        }
        return {dimension: members for dimension, members in asked.items() if members is not None}

    def dimensions(self) -> tuple[Dimension, ...]:
        narrowed = (Dimension.CLIENT,) if self.clients is not None else ()
        return (*narrowed, *self.members())


class NotOffered(ValueError):
    """The figure isn't offered in this combination; the message says what is."""


def facts_of(kpi: Kpi, kind: EscalationKind) -> tuple[Fact, ...]:
    """Return the additive facts of a figure, for one kind of escalation; none of a figure that is no sum."""
    facts = kpi.definition.facts
    if isinstance(facts, DirectFact):
        return ()
    of_kind = {
        ESCALATED[EscalationKind.FUNCTIONAL]: ESCALATED[kind],
        TIMES_ESCALATED[EscalationKind.FUNCTIONAL]: TIMES_ESCALATED[kind],
    }
    return tuple(of_kind.get(fact, fact) for fact in facts)


def offer(
    kpi: Kpi,
    by: Iterable[Dimension],
    where: Iterable[Dimension],
    grain: Grain,
    kind: EscalationKind = EscalationKind.FUNCTIONAL,
) -> None:
    """Refuse what the cells don't hold.

    A figure splits by at most two dimensions. Of those by which tickets are summed only one may be used at a time,
    whether to split or to narrow; CLIENT goes with STAGE, PHASE and PRIORITY. Raises NotOffered.
    """
    _offer(kpi, tuple(by), tuple(where), grain, kind)


@lru_cache(maxsize=4_096)
def _offer(
    kpi: Kpi, split: tuple[Dimension, ...], narrowed: tuple[Dimension, ...], grain: Grain, kind: EscalationKind
) -> None:
    definition = kpi.definition
    if len(set(split)) != len(split):
        raise NotOffered("`by` names a dimension twice.")
    for dimension in (*split, *narrowed):
        if dimension not in definition.dimensions:
            offered = ", ".join(definition.dimensions)
            raise NotOffered(f"{kpi.name} isn't kept by {dimension}; it is by {offered}.")
    if kind is not EscalationKind.FUNCTIONAL and facts_of(kpi, kind) == facts_of(kpi, EscalationKind.FUNCTIONAL):
        raise NotOffered(f"{kpi.name} knows no kinds of escalation; leave `escalationKind` out.")
    if grain not in definition.grains:
        raise NotOffered(f"{kpi.name} isn't kept by {grain}; it is by {', '.join(definition.grains)}.")
    inner = {*split, *narrowed} - {Dimension.CLIENT}
    if isinstance(definition.facts, DirectFact):
        return
    if len(inner) > 1:
        raise NotOffered(
            f"{' and '.join(sorted(inner))} aren't kept together: use one of STAGE, PHASE and PRIORITY at a time, "
            "alone or with CLIENT, or one of KIND, CATEGORY, TEAM, TECHNICIAN and SITE alone."
        )
    if Dimension.CLIENT in {*split, *narrowed} and inner - OF_EACH_CLIENT:
        raise NotOffered(
            f"{kpi.name} is kept by {next(iter(inner))} for all clients together, not with CLIENT; of each client it "
            "is kept by STAGE, PHASE and PRIORITY."
        )
