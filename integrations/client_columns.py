"""The columns of a file of existing clients: what each means, and the forgiving ways in which it may be called."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrations.lines import UnreadableFile

FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "external_system": ("external", "system"),
    "external_key": ("external", "key"),
    "industry": ("industry",),
    "seats": ("seats",),
    "owner_email": ("ownerEmail",),
    "account_manager_email": ("accountManagerEmail",),
    "lead_email": ("leadEmail",),
    "technical_lead_email": ("technicalLeadEmail",),
    "stage": ("stage",),
    "contracting_on": ("contractingOn",),
    "discovery_on": ("discoveryOn",),
    "live_on": ("liveOn",),
    "steady_on": ("steadyOn",),
    "ended_on": ("endedOn",),
    "outcome": ("outcome",),
    "end_reason": ("endReason",),
    "hold_since": ("hold", "since"),
    "hold_reason": ("hold", "reason"),
    "hold_note": ("hold", "note"),
    "hold_until": ("hold", "expectedResumeOn"),
    "contract_title": ("contract", "title"),
    "contract_type": ("contract", "type"),
    "contract_status": ("contract", "status"),
    "contract_scope": ("contract", "scope"),
    "contract_seats": ("contract", "seats"),
    "coverage_hours": ("contract", "coverageHours"),
    "sent_on": ("contract", "sentOn"),
    "signed_on": ("contract", "signedOn"),
    "starts_on": ("contract", "startsOn"),
    "ends_on": ("contract", "endsOn"),
    "renews_on": ("contract", "renewsOn"),
    "contact_name": ("contacts", "0", "name"),
    "contact_email": ("contacts", "0", "email"),
    "contact_phone": ("contacts", "0", "phone"),
    "contact_roles": ("contacts", "0", "roles"),
    "contact_language": ("contacts", "0", "language"),
}
"""Every column that is known, with the path by which a fault of it is named."""

NEEDED = ("name", "lead_email", "stage")
"""Columns that a CSV file must have; cells of the last two may be empty: such a client comes without an onboarding."""

CONTACTS = "contacts"
"""The key of a JSON line that holds a list of contacts in place of the columns of one."""

NOTHING = "-"
"""The field of a column that is left aside."""

_ALIASES = {
    "client": "name",
    "client_name": "name",
    "system": "external_system",
    "external_id": "external_key",
    "key": "external_key",
    "owner": "owner_email",
    "account_manager": "account_manager_email",
    "lead": "lead_email",
    "technical_lead": "technical_lead_email",
    "opened_on": "contracting_on",
    "asset_discovery_on": "discovery_on",
    "early_support_on": "live_on",
    "steady_state_on": "steady_on",
    "type": "contract_type",
    "scope": "contract_scope",
    "contract_coverage_hours": "coverage_hours",
    "contract_sent_on": "sent_on",
    "contract_signed_on": "signed_on",
    "contract_starts_on": "starts_on",
    "contract_ends_on": "ends_on",
    "contract_renews_on": "renews_on",
    "primary_contact": "contact_name",
    "primary_contact_name": "contact_name",
    "primary_contact_email": "contact_email",
    "primary_contact_phone": "contact_phone",
    "primary_contact_roles": "contact_roles",
}

_BETWEEN_WORDS = re.compile(r"[\s_\-./]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of one file means what, by our field; a field that no column means is absent."""

    by_field: Mapping[str, str]

    def of_path(self, path: Sequence[str]) -> str | None:
        """Return the file's own name of what a fault's path leads to, the nearest that there is."""
        for length in range(len(path), 0, -1):
            for field, known in FIELDS.items():
                if known[:length] == tuple(path[:length]) and field in self.by_field:
                    return self.by_field[field]
        return ".".join(path) or None


def columns_of(names: Sequence[str], mapped: Mapping[str, str], *, needed: Sequence[str] = ()) -> Columns:
    """Tell what each column of a file means; `mapped` says it for those that are called otherwise.

    Raises:
        UnreadableFile: a column is not known or stands there twice, or one that is needed is missing.
    """
    own = {_plain(name): field for name, field in mapped.items()}
    found: dict[str, str] = {}
    unknown = []
    for name in names:
        field = own.get(_plain(name)) or _ALIASES.get(_plain(name), _plain(name))
        if field == NOTHING:
            continue
        if field not in FIELDS and field != CONTACTS:
            unknown.append(name)
        elif field in found:
            raise UnreadableFile(f"The columns {found[field]!r} and {name!r} both mean {field}; leave one of them out.")
        else:
            found[field] = name
    if unknown:
        listed = ", ".join(repr(name[:60]) for name in unknown[:20])
        raise UnreadableFile(
            f"These columns are not known: {listed}. Rename them, map each to what it means or to {NOTHING!r} to leave "
            f"it aside, or check the delimiter. Known are: {', '.join(FIELDS)}."
        )
    if missing := [field for field in needed if field not in found]:
        raise UnreadableFile(
            f"These columns are missing: {', '.join(missing)}. The file has: {', '.join(names)}. "
            "Add them, or map the columns that hold them."
        )
    return Columns(found)


def mapping_faults(mapped: Mapping[str, str]) -> list[str]:
    """Tell which entries of a mapping lead to no field that there is."""
    known = ", ".join(FIELDS)
    return [
        f"{column!r} is mapped to {field!r}, which is none of {known}, or {NOTHING!r} to leave the column aside."
        for column, field in mapped.items()
        if field not in FIELDS and field != NOTHING
    ]


def _plain(name: str) -> str:
    """Return a column's name without regard to case, spaces, hyphens and underscores."""
    return _BETWEEN_WORDS.sub("_", name.strip().casefold()).strip("_").replace("e_mail", "email")
