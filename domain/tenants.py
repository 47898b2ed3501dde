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

    `country` and `subdivision` are ISO 3166 codes whose public holidays are in the calendar;
    `own_days` are the provider's own days off, in the calendar too. `hard_waiver_persons` is how many
    people the waiver of a hard gate takes. A sandbox sends mail to an allow-list only.
    `escalation_rate_limit` (0 to 1) is what a client's rate may not exceed to graduate; `None` sets no limit.
    """

    calendar: Calendar
    language: str = "en"
    country: str | None = None
    subdivision: str | None = None
    own_days: tuple[date, ...] = ()
    brand: str | None = None
    sandbox: bool = False
    hard_waiver_persons: int = 2
    escalation_rate_limit: float | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose local days are the provider's days."""
        return self.calendar.zone

    def to_data(self) -> dict[str, Any]:
        """Return the settings as plain values for storage; `from_data` reads them back."""
        return {
            "calendar": self.calendar.to_data(),
            "language": self.language,
            "country": self.country,
            "subdivision": self.subdivision,
            "own_days": [day.isoformat() for day in self.own_days],
            "brand": self.brand,
            "sandbox": self.sandbox,
            "hard_waiver_persons": self.hard_waiver_persons,
            "escalation_rate_limit": self.escalation_rate_limit,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` wrote.

        Raises:
            InvalidCalendar: the stored calendar cannot be one.
        """
        return cls(
            calendar=Calendar.from_data(data["calendar"]),
            language=data["language"],
            country=data["country"],
            subdivision=data["subdivision"],
            own_days=tuple(date.fromisoformat(day) for day in data["own_days"]),
            brand=data["brand"],
            sandbox=data["sandbox"],
            hard_waiver_persons=data["hard_waiver_persons"],
            escalation_rate_limit=data["escalation_rate_limit"],
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
