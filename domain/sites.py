"""Sites: the places at which a client works, each with its address and perhaps a zone of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import available_timezones

from domain.client_rules import name_faults
from domain.errors import UserError, invalid
from domain.texts import is_line

STREET_LIMIT = 300
POSTCODE_LIMIT = 20
CITY_LIMIT = 120
"""Characters of the parts of an address."""

_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())
"""Two-letter codes of ISO 3166-1."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place at which a client works; without a zone it keeps the provider's."""

    id: UUID
    client_id: UUID
    name: str
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    zone: str | None
    created_at: datetime
    archived_at: datetime | None
    version: int


def site_faults(site: Site) -> Iterator[UserError]:
    """Tell which values of a site cannot be."""
    yield from name_faults(site.name, "name")
    parts = (
        ("street", site.street, STREET_LIMIT),
        ("postcode", site.postcode, POSTCODE_LIMIT),
        ("city", site.city, CITY_LIMIT),
    )
    for field, text, limit in parts:
        if text is not None and not (1 <= len(text) <= limit and is_line(text)):
            yield invalid(f"A {field} has 1 to {limit} printable characters on one line; give one, or none.", field)
    if site.country is not None and site.country not in COUNTRIES:
        yield invalid(f"{site.country[:20]!r} is no country; give a code of ISO 3166-1 such as NL, or none.", "country")
    if site.zone is not None and site.zone not in available_timezones():
        yield invalid(f"{site.zone[:60]!r} is no zone of the IANA database; give one like Europe/Amsterdam.", "zone")
