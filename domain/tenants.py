"""Tenants: the providers, each with its own zone, calendar, language and rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.calendars import Calendar

SLUG_EXPECTED = "2 to 40 lower-case letters, digits and hyphens, beginning with a letter, such as north-wind"

_SLUG = re.compile(r"[a-z][a-z0-9-]{1,39}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """What a provider has decided for itself.

    `hard_waiver_persons` is how many people the waiver of a hard gate takes. A sandbox sends mail to an
    allow-list only.
    `escalation_rate_limit` (0 to 1) is what a client's rate may not exceed to graduate; `None` sets no limit.
    The data of lost prospects and of off-boarded clients is erased so many months after the end of their last
    onboarding; `None` keeps it for ever.
    """

    calendar: Calendar
    language: str = "en"
    brand: str | None = None
    sandbox: bool = False
    hard_waiver_persons: int = 2
    escalation_rate_limit: float | None = None
    retention_lost_months: int | None = 12
    retention_off_boarded_months: int | None = 36

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose local days are the provider's days."""
        return self.calendar.zone

    @property
    def country(self) -> str | None:
        """The ISO 3166 code of the country whose public holidays are in the calendar."""
        return self.calendar.country

    @property
    def subdivision(self) -> str | None:
        """The part of the country whose public holidays are in the calendar."""
        return self.calendar.subdivision

    @property
    def own_days(self) -> tuple[date, ...]:
        """The provider's own days off, in the calendar too."""
        return self.calendar.own_days

    def to_data(self) -> dict[str, Any]:
        """Return the settings as plain values for storage; `from_data` reads them back."""
        return {
            "calendar": self.calendar.to_data(),
            "language": self.language,
            "brand": self.brand,
            "sandbox": self.sandbox,
            "hard_waiver_persons": self.hard_waiver_persons,
            "escalation_rate_limit": self.escalation_rate_limit,
            "retention_lost_months": self.retention_lost_months,
            "retention_off_boarded_months": self.retention_off_boarded_months,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` wrote.

        Raises:
            InvalidCalendar: the stored calendar cannot be one.
        """
        return cls(
            # Settings of before calendars were versioned keep the three beside the calendar.
            calendar=Calendar.from_data({**data, **data["calendar"]}),
            language=data["language"],
            brand=data["brand"],
            sandbox=data["sandbox"],
            hard_waiver_persons=data["hard_waiver_persons"],
            escalation_rate_limit=data["escalation_rate_limit"],
            # Settings written before there was a retention have its usual periods.
            retention_lost_months=data.get("retention_lost_months", 12),
            retention_off_boarded_months=data.get("retention_off_boarded_months", 36),
        )


@dataclass(frozen=True, slots=True)
class Tenant:
    """A provider; `slug` is its short name on the command line."""

    id: UUID
    slug: str
    name: str
    settings: TenantSettings
    created_at: datetime
    version: int


def is_slug(text: str) -> bool:
    """Tell whether a text can be a provider's short name."""
    return _SLUG.fullmatch(text) is not None


def is_language(text: str) -> bool:
    """Tell whether a text is a language tag of BCP 47's plain kind, such as ``en``, ``pt-BR`` or ``zh-Hant-TW``."""
    return _LANGUAGE.fullmatch(text) is not None
