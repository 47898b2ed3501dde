"""Own calendars: those that sites and contracts have beside the provider's, and which one counts for an onboarding."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.calendars import Calendar, CalendarSource
from domain.onboarding import Cycle, ScopeKind


@dataclass(frozen=True, slots=True)
class CalendarOwner:
    """Whose calendar: a site's, a contract's, or with no id the provider's."""

    source: CalendarSource
    id: UUID | None = None

    @property
    def site_id(self) -> UUID | None:
        """The site, if it is one's."""
        return self.id if self.source is CalendarSource.SITE else None

    @property
    def contract_id(self) -> UUID | None:
        """The contract, if it is one's."""
        return self.id if self.source is CalendarSource.CONTRACT else None


OWN = CalendarOwner(CalendarSource.TENANT)
"""The provider itself."""


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """A calendar as it was from one instant up to another; without a calendar the provider's counted meanwhile."""

    version: int
    calendar: Calendar | None
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars in force: the provider's, and those of sites and contracts that have their own."""

    tenant: Calendar
    sites: Mapping[UUID, Calendar] = field(default_factory=dict)
    contracts: Mapping[UUID, Calendar] = field(default_factory=dict)

    def of(self, cycle: Cycle) -> Calendar:
        """Return the calendar by which an onboarding's targets and business days count."""
        return self.counting(cycle.scope_kind, cycle.scope_key, cycle.contract_id)

    def counting(self, scope_kind: str, scope_key: str, contract: UUID | None) -> Calendar:
        """Return the site's own for an onboarding of a site, else its contract's own, else the provider's."""
        at_site = self.sites.get(UUID(scope_key)) if scope_kind == ScopeKind.SITE else None
        return at_site or (self.contracts.get(contract) if contract else None) or self.tenant
