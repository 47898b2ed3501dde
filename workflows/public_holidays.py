"""Public holidays: the days off of a country, as a provider's calendar holds them."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays

YEARS_BACK = 5
YEARS_AHEAD = 10
"""A calendar holds these years around the day it was made; `doctor` tells when it runs short."""


class UnknownRegionError(ValueError):
    """No calendar of this country or subdivision is known; the message says what is."""


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str | None, around: int) -> frozenset[date]:
    """Return the public holidays of an ISO 3166 country, or part of it, in the years around one.

    Raises:
        UnknownRegionError: the country or the subdivision is not known.
    """
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        raise UnknownRegionError(
            f"{country!r} is no country whose holidays are known; give an ISO 3166 code such as NL, US or JP."
        )
    if subdivision is not None and subdivision not in known[country]:
        offered = ", ".join(known[country][:20]) or "none"
        raise UnknownRegionError(f"{subdivision!r} is no part of {country} with holidays of its own; known: {offered}.")
    years: Iterable[int] = range(around - YEARS_BACK, around + YEARS_AHEAD + 1)
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=years))
