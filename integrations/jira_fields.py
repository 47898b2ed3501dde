"""What Jira keeps in fields whose numbers differ from site to site, recognised by their form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from domain.tickets import SlaTarget
from integrations.courses import target
from integrations.payloads import Place

CUSTOM = re.compile(r"customfield_[0-9]{1,10}")


@dataclass(slots=True)
class Extras:
    """What custom fields tell; the moments of agreements are instants."""

    organization: str | None = None
    team: str | None = None
    asset: str | None = None
    request_type: str | None = None
    first_responded_at: datetime | None = None
    response_sla: SlaTarget | None = None
    resolution_sla: SlaTarget | None = None


def extras(fields: Place) -> Extras:
    """Return what the custom fields of an issue tell; fields of other forms are passed over.

    Raises:
        Unreadable: a field has one of the forms, and a value in it is wrong.
    """
    found = Extras()
    if not fields.said:
        return found
    for name, field in fields.entries():
        if not CUSTOM.fullmatch(name):
            continue
        first = _first_object(field)
        if first is None:
            continue
        if first.has("completedCycles", "ongoingCycle"):
            _agreement(first, found)
        elif first.has("requestType"):
            found.request_type = first.at("requestType", "name").words()
        elif first.has("objectId"):
            found.asset = first.at("objectId").key()
        elif "/organization/" in str(_link(first)):
            found.organization = first.at("id").key()
        elif first.has("isShared", "isVisible") and first.has("name"):
            found.team = first.at("name").words()
    return found


def _first_object(field: Place) -> Place | None:
    """Return the object a field is, or the first of those it lists."""
    if isinstance(field.value, dict):
        return field
    if isinstance(field.value, list) and field.value and isinstance(field.value[0], dict):
        return Place(f"{field.path}[0]", field.value[0])
    return None


def _link(place: Place) -> object:
    links = place.at("_links")
    return links.at("self").value if isinstance(links.value, dict) else None


def _agreement(field: Place, found: Extras) -> None:
    name = (field.at("name").words() or "").lower()
    cycles = field.at("completedCycles").items()
    last = cycles[-1] if cycles else None
    ongoing = field.at("ongoingCycle")
    cycle = ongoing if ongoing.said else last
    if cycle is None:
        return
    done = last is not None and not ongoing.said
    agreed = target(_moment(cycle.at("breachTime")), missed=cycle.at("breached").yes(), done=done)
    if "response" in name:
        found.response_sla = agreed
        found.first_responded_at = None if not cycles else _moment(cycles[0].at("stopTime"))
    elif "resolution" in name:
        found.resolution_sla = agreed


def _moment(place: Place) -> datetime | None:
    """Return a moment of an agreement: an object that writes it in several ways."""
    if not place.said:
        return None
    if place.at("epochMillis").said:
        return place.at("epochMillis").epoch_milliseconds()
    return place.at("iso8601").instant()
