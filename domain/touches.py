"""Touches: which figures an event may have changed, for whom and on which days, without saying what they are now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from domain.events import (
    AmendmentChanged,
    ClientErased,
    ClientMerged,
    ContractChanged,
    KpiTargetChanged,
    OnboardingChanged,
    OnboardingMoved,
    SiteChanged,
    TenantChanged,
    TicketsIngested,
)
from domain.feed import LoggedEvent
from domain.kpis import DirectFact, Kpi

T = TypeVar("T")

MOST_NAMED = 1_000
"""Clients or days that one touch names; beyond, it says that any may have changed."""

EVERY = frozenset(Kpi)
_TIMES = (DirectFact.RESPONSE_TIMES, DirectFact.RESOLUTION_TIMES)
OF_TICKETS = frozenset(
    kpi for kpi in Kpi if not isinstance(kpi.definition.facts, DirectFact) or kpi.definition.facts in _TIMES
)
OF_ONBOARDING = EVERY - OF_TICKETS

_OF_WAYS = frozenset({Kpi.TIME_TO_GO_LIVE, Kpi.TIME_TO_STEADY_STATE})
_OF_CONTRACTS = _OF_WAYS | {Kpi.CONTRACTING_TIME, Kpi.PROVIDER_RESPONSE_TIME}
_TIMED = OF_ONBOARDING - {Kpi.CLIENTS_LOST, Kpi.CLIENTS_IN_NOTICE, Kpi.CLIENT_RETENTION, Kpi.RE_PLANS}

_BY_TYPE: Mapping[str, frozenset[Kpi]] = {
    AmendmentChanged.TYPE: _OF_WAYS,
    ClientErased.TYPE: frozenset(),
    ClientMerged.TYPE: EVERY,
    ContractChanged.TYPE: _OF_CONTRACTS,
    OnboardingChanged.TYPE: OF_ONBOARDING,
    OnboardingMoved.TYPE: OF_ONBOARDING,
    SiteChanged.TYPE: _TIMED,
    TenantChanged.TYPE: EVERY,
    TicketsIngested.TYPE: OF_TICKETS,
}
"""What an event of a type may change; what isn't named here changes no figure."""

_BY_CHANGE: Mapping[str, frozenset[Kpi]] = {
    "CHECKLIST": frozenset(),
    "HAND_OFF": frozenset(),
    "NOTE": frozenset(),
    "PLAN": frozenset({Kpi.RE_PLANS}),
    "TARGET": frozenset({Kpi.ON_TIME_STAGES}),
    "TEAM": frozenset({Kpi.ONBOARDINGS_PER_LEAD}),
}
"""What a change of an onboarding touches, where that is less than every figure of onboarding."""

TOUCHING = (*_BY_TYPE, KpiTargetChanged.TYPE)
"""The types of event that touch figures."""


@dataclass(frozen=True, slots=True)
class Touch:
    """Figures that may have changed, of these clients and on these local days; `None` stands for any of them."""

    cursor: str
    kpis: frozenset[Kpi]
    clients: frozenset[str] | None
    days: frozenset[date] | None

    def with_(self, later: Touch) -> Touch:
        """Return both as one, at the later place."""
        return Touch(
            later.cursor,
            self.kpis | later.kpis,
            _together(self.clients, later.clients),
            _together(self.days, later.days),
        )


def touch_of(event: LoggedEvent) -> Touch | None:
    """Return what an event may have changed, or `None` where it changes no figure."""
    kpis = _kpis(event)
    if not kpis:
        return None
    clients = None if event.client_id is None else frozenset({event.client_id})
    return Touch(event.cursor, kpis, clients, _days(event))


def narrowed(touch: Touch, kpis: frozenset[Kpi] | None, clients: frozenset[str] | None) -> Touch | None:
    """Return what of a touch somebody asked for, or `None` where it is nothing of that."""
    asked = touch.kpis if kpis is None else touch.kpis & kpis
    of = touch.clients if clients is None or touch.clients is None else touch.clients & clients
    return Touch(touch.cursor, asked, of, touch.days) if asked and of != frozenset() else None


def _kpis(event: LoggedEvent) -> frozenset[Kpi]:
    if event.type == KpiTargetChanged.TYPE:
        kpi = Kpi.__members__.get(str(event.data.get("kpi")))
        return frozenset() if kpi is None else frozenset({kpi})
    found = _BY_TYPE.get(event.type, frozenset())
    if event.type == OnboardingChanged.TYPE:
        return _BY_CHANGE.get(str(event.data.get("change")), found)
    return found


def _days(event: LoggedEvent) -> frozenset[date] | None:
    days = event.data.get("days")
    if event.type != TicketsIngested.TYPE or not isinstance(days, Iterable):
        return None
    return frozenset(date.fromisoformat(str(day)) for day in days)


def _together(one: frozenset[T] | None, other: frozenset[T] | None) -> frozenset[T] | None:
    if one is None or other is None:
        return None
    both = one | other
    return both if len(both) <= MOST_NAMED else None
