"""Public holidays: the days off of a country, as a calendar holds them, and what they are called."""

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

import holidays
from holidays.registry import COUNTRIES

YEARS_BACK = 5
YEARS_AHEAD = 10
"""A calendar holds these years around the day it was made; `doctor` tells when it runs short."""

NAMED_IN = "en_US"
"""The language of the names, where the source has it."""


class UnknownRegionError(ValueError):
    """No calendar of this country or subdivision is known; the message says what is, `field` which of the two."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str | None, around: int) -> frozenset[date]:
    """Return the public holidays of an ISO 3166 country, or part of it, in the years around one.

    Raises:
        UnknownRegionError: the country or the subdivision is not known.
    """
    known = _countries()
    if country not in known:
        near = " or ".join(_near_countries(country)) or "NL, US or JP"
        raise UnknownRegionError(
            f"{country[:40]!r} is no country whose holidays are known; give an ISO 3166 code such as {near}.", "country"
        )
    if subdivision is not None and subdivision not in known[country]:
        near = " or ".join(_near_parts(country, subdivision, known[country]))
        offered = ", ".join(known[country][:20]) or "none"
        raise UnknownRegionError(
            f"{subdivision[:40]!r} is no part of {country} with holidays of its own; "
            + (f"give {near}." if near else f"known: {offered}."),
            "subdivision",
        )
    years: Iterable[int] = range(around - YEARS_BACK, around + YEARS_AHEAD + 1)
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=years))


@lru_cache(maxsize=256)
def holiday_names(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """Return what a country's public holidays of a year are called, in English where the source knows it."""
    offered = holidays.country_holidays(country, subdiv=subdivision).supported_languages
    language = NAMED_IN if NAMED_IN in offered else None
    return dict(holidays.country_holidays(country, subdiv=subdivision, years=year, language=language).items())


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries(include_aliases=False)


def _near_countries(given: str) -> list[str]:
    """Return codes that somebody may have meant who wrote a country's name, its long code or a letter wrong."""
    spelled = {entry[2]: entry[1] for entry in COUNTRIES.values()}
    spelled |= {name.replace("_", " ").upper(): entry[1] for name, entry in COUNTRIES.items()}
    spelled |= {code: code for code in _countries()} | {"UK": "GB"}
    close = get_close_matches(given.strip().upper(), spelled, n=3, cutoff=0.7)
    return list(dict.fromkeys(spelled[one] for one in close))


def _near_parts(country: str, given: str, known: Iterable[str]) -> list[str]:
    aliases: Mapping[str, list[str]] = holidays.country_holidays(country).get_subdivision_aliases()
    spelled = {alias.upper(): code for code, names in aliases.items() for alias in names}
    spelled |= {code.upper(): code for code in known}
    wanted = given.strip().upper().rpartition("-")[2]
    return list(dict.fromkeys(spelled[one] for one in get_close_matches(wanted, spelled, n=3, cutoff=0.7)))
