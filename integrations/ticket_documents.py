"""Tickets in our own JSON: one shape for whoever sends tickets without a system that we know, read in one pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from domain.tickets import (
    EscalationKind,
    Exclusion,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaResult,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
    WaitingOn,
    hand_overs,
)
from integrations.cells import LONGEST_TEXT_CHARACTERS, MOST
from integrations.readings import Unreadable

TITLE_CHARACTERS = 500
MOST_ENTRIES = 1_000
"""Hand-overs, waits, resolutions or escalations of one ticket."""
YEARS = (1970, 2200)

Word = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT_CHARACTERS)]
Title = Annotated[str, Meta(min_length=1, max_length=TITLE_CHARACTERS)]
Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=MOST)]
Tier = Annotated[int, Meta(ge=1, le=MOST)]
Entries = Meta(max_length=MOST_ENTRIES)

_PLACE = re.compile(r"\.(\w+)|\[(\d+)\]")
_INDEX = re.compile(r"\[\d+\]")
_CODES: dict[str, type[StrEnum]] = {
    ".kind": TicketKind,
    ".source": TicketSource,
    ".priority": Priority,
    ".exclusion": Exclusion,
    ".waits.on": WaitingOn,
    ".escalations.kind": EscalationKind,
    ".responseSla.result": SlaResult,
    ".resolutionSla.result": SlaResult,
}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class HandOverDocument(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, gc=False):
    """From `at` on, this team had the ticket."""

    at: Moment
    team: Word | None = None
    tier: Tier | None = None
    reassignments: Count | None = None
    agent: Word | None = None


class WaitDocument(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, gc=False):
    """A stretch in which somebody else was to act; open without an end."""

    start: Moment
    end: Moment | None = None
    on: WaitingOn = WaitingOn.OTHER


class ResolutionDocument(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, gc=False):
    """The ticket was resolved, and held until it was reopened, if it was."""

    at: Moment
    reopened_at: Moment | None = None


class SlaDocument(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, gc=False):
    """By when something was to be done, and what came of it, where the source decides that."""

    due_at: Moment | None = None
    result: SlaResult | None = None


class EscalationDocument(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, gc=False):
    """An escalation that the source names as such."""

    at: Moment
    kind: EscalationKind
    from_team: Word | None = None
    to_team: Word | None = None
    reason: Title | None = None


class TicketDocument(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One ticket, told in full; sent again it changes nothing. Moments are in ISO 8601 with an offset.

    `client`, `site`, `device` and `agent` are the sender's own keys. `changedAt` orders two reports of one ticket. With
    `snapshot` only how the ticket stands at `changedAt` is told, and what is known of its past is kept.
    """

    external_id: Word
    logged_at: Moment
    client: Word | None = None
    kind: TicketKind = TicketKind.UNKNOWN
    source: TicketSource = TicketSource.PERSON
    priority: Priority = Priority.UNKNOWN
    category: Word | None = None
    title: Title | None = None
    site: Word | None = None
    device: Word | None = None
    changed_at: Moment | None = None
    closed_at: Moment | None = None
    first_responded_at: Moment | None = None
    first_contact: bool | None = None
    exclusion: Exclusion | None = None
    merged_into: Word | None = None
    times_reopened: Count = 0
    hand_overs: Annotated[tuple[HandOverDocument, ...], Entries] = ()
    resolutions: Annotated[tuple[ResolutionDocument, ...], Entries] = ()
    waits: Annotated[tuple[WaitDocument, ...], Entries] = ()
    escalations: Annotated[tuple[EscalationDocument, ...], Entries] = ()
    response_sla: SlaDocument | None = None
    resolution_sla: SlaDocument | None = None
    snapshot: bool = False


def schema() -> dict[str, Any]:
    """Return the JSON Schema of one ticket, for whoever writes one."""
    return msgspec.json.schema(TicketDocument)


def read(body: object) -> tuple[ReportedTicket, ...]:
    """Return the tickets of a decoded body: one ticket, or an object with a list `tickets` of them.

    Raises:
        Unreadable: the first thing that is wrong, with its place; nothing of the body is taken.
    """
    if isinstance(body, dict) and "tickets" in body:
        if others := sorted(str(name) for name in body if name != "tickets"):
            raise Unreadable(f"$.{others[0]}", body[others[0]], "beside `tickets` nothing is read; leave it out.")
        listed = body["tickets"]
        if not isinstance(listed, list):
            raise Unreadable("$.tickets", listed, "the tickets are no list.")
        return tuple(ticket(item, f"$.tickets[{index}]") for index, item in enumerate(listed))
    return (ticket(body),)


def ticket(item: object, path: str = "$") -> ReportedTicket:
    """Return one ticket of a decoded body, which stands there at `path`.

    Raises:
        Unreadable: the first thing that is wrong with it.
    """
    try:
        document = msgspec.convert(item, TicketDocument)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        below = place.strip("`").removeprefix("$")
        # Of a member that nobody knows or that is missing, msgspec names the object alone.
        raise Unreadable(path + below, _looked_up(item, below), f"{_worded(reason)}{_possible(below)}.") from None
    return _Reading(item, path).report(document)


class _Reading:
    """One ticket while it is read: what the types cannot say is checked on the way."""

    def __init__(self, item: object, path: str) -> None:
        self.item = item
        self.path = path

    def report(self, said: TicketDocument) -> ReportedTicket:
        if said.snapshot:
            self._check_snapshot(said)
        return ReportedTicket(
            external_id=self._needed(said.external_id, ".externalId"),
            client=self._text(said.client, ".client"),
            logged_at=self._needed_moment(said.logged_at, ".loggedAt"),
            kind=said.kind,
            source=said.source,
            priority=said.priority,
            category=self._text(said.category, ".category"),
            closed_at=self._moment(said.closed_at, ".closedAt"),
            changed_at=self._moment(said.changed_at, ".changedAt"),
            exclusion=said.exclusion,
            hand_overs=self._hand_overs(said.hand_overs),
            title=self._text(said.title, ".title"),
            site=self._text(said.site, ".site"),
            device=self._text(said.device, ".device"),
            merged_into=self._text(said.merged_into, ".mergedInto"),
            first_responded_at=self._moment(said.first_responded_at, ".firstRespondedAt"),
            resolutions=self._resolutions(said.resolutions),
            times_reopened=said.times_reopened,
            waits=self._waits(said.waits),
            first_contact=said.first_contact,
            response_sla=self._sla(said.response_sla, ".responseSla"),
            resolution_sla=self._sla(said.resolution_sla, ".resolutionSla"),
            escalations=self._escalations(said.escalations),
            snapshot=said.snapshot,
        )

    def _check_snapshot(self, said: TicketDocument) -> None:
        if said.changed_at is None:
            raise self._wrong(".snapshot", "a snapshot tells how a ticket stands at `changedAt`; give that.")
        for name, entries in (("handOvers", said.hand_overs), ("resolutions", said.resolutions), ("waits", said.waits)):
            if len(entries) > 1:
                raise self._wrong(
                    f".{name}", "a snapshot has one of these at most; leave `snapshot` out for a history."
                )

    def _hand_overs(self, said: Sequence[HandOverDocument]) -> tuple[HandOver, ...]:
        read = [
            HandOver(
                at=self._needed_moment(one.at, f".handOvers[{index}].at"),
                team=self._text(one.team, f".handOvers[{index}].team"),
                tier=one.tier,
                reassignments=one.reassignments,
                agent=self._text(one.agent, f".handOvers[{index}].agent"),
            )
            for index, one in enumerate(said)
        ]
        return hand_overs(sorted(read, key=lambda one: one.at))

    def _resolutions(self, said: Sequence[ResolutionDocument]) -> tuple[Resolution, ...]:
        read = []
        for index, one in enumerate(said):
            at = self._needed_moment(one.at, f".resolutions[{index}].at")
            reopened_at = self._moment(one.reopened_at, f".resolutions[{index}].reopenedAt")
            self._in_order(at, reopened_at, f".resolutions[{index}].reopenedAt")
            read.append(Resolution(at, reopened_at))
        return tuple(sorted(read, key=lambda one: one.at))

    def _waits(self, said: Sequence[WaitDocument]) -> tuple[Wait, ...]:
        read = []
        for index, one in enumerate(said):
            start = self._needed_moment(one.start, f".waits[{index}].start")
            end = self._moment(one.end, f".waits[{index}].end")
            self._in_order(start, end, f".waits[{index}].end")
            read.append(Wait(start, end, one.on))
        return tuple(sorted(read, key=lambda one: one.start))

    def _escalations(self, said: Sequence[EscalationDocument]) -> tuple[ReportedEscalation, ...]:
        read = [
            ReportedEscalation(
                at=self._needed_moment(one.at, f".escalations[{index}].at"),
                kind=one.kind,
                from_team=self._text(one.from_team, f".escalations[{index}].fromTeam"),
                to_team=self._text(one.to_team, f".escalations[{index}].toTeam"),
                reason=self._text(one.reason, f".escalations[{index}].reason"),
            )
            for index, one in enumerate(said)
        ]
        return tuple(sorted(read, key=lambda one: one.at))

    def _sla(self, said: SlaDocument | None, place: str) -> SlaTarget | None:
        return None if said is None else SlaTarget(self._moment(said.due_at, f"{place}.dueAt"), said.result)

    def _text(self, text: str | None, place: str) -> str | None:
        return None if text is None else self._needed(text, place)

    def _needed(self, text: str, place: str) -> str:
        if not (text.isascii() and text.isprintable()) and _UNSTORABLE.search(text):
            raise self._wrong(place, "the text holds a character that no text may hold.")
        kept = text.strip()
        if not kept:
            raise self._wrong(place, "the text is blank; leave it out, or say what it is.")
        return kept

    def _moment(self, moment: datetime | None, place: str) -> datetime | None:
        return None if moment is None else self._needed_moment(moment, place)

    def _needed_moment(self, moment: datetime, place: str) -> datetime:
        """Return the moment in UTC: the same one written with two offsets says the same."""
        if not YEARS[0] < moment.year < YEARS[1]:
            raise self._wrong(place, f"the moment lies outside the years {YEARS[0]} to {YEARS[1]}.")
        return moment.astimezone(UTC)

    def _in_order(self, earlier: datetime, later: datetime | None, place: str) -> None:
        if later is not None and later < earlier:
            raise self._wrong(place, f"it lies before {earlier.isoformat()}, when it began.")

    def _wrong(self, place: str, reason: str) -> Unreadable:
        return Unreadable(self.path + place, _looked_up(self.item, place), reason)


def _worded(reason: str) -> str:
    """Say of a moment how one is written."""
    return "expected a moment such as 2026-03-01T12:00:00+01:00" if "RFC3339" in reason else reason


def _possible(place: str) -> str:
    """Name the codes that may stand at a place, if codes stand there."""
    codes = _CODES.get(_INDEX.sub("", place))
    return "" if codes is None else f", expected one of {', '.join(codes)}"


def _looked_up(item: object, place: str) -> object:
    """Return what stands at a place such as `.handOvers[2].team`, or as near to it as there is anything."""
    found: Any = item
    for name, index in _PLACE.findall(place):
        if name and isinstance(found, dict) and name in found:
            found = found[name]
        elif index and isinstance(found, list) and int(index) < len(found):
            found = found[int(index)]
        else:
            return found
    return found
