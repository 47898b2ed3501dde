"""Work on a ticket: what a person does with one, each a pure change of what is reported of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.changes import UNCHANGED, Change, differences
from domain.clients import ClientRef
from domain.errors import ErrorCode, UserError, invalid
from domain.tickets import (
    EscalationKind,
    Exclusion,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    TicketKind,
    Wait,
    WaitingOn,
    hand_overs,
)

OWN_SYSTEM = "STEADYSTATE"
"""The system of tickets that people open here; its numbers are given here, so nobody else may send any."""

Done = ReportedTicket | UserError
"""What a ticket is after some work, or why that work cannot be done on it."""

HANDED_ON = (EscalationKind.FUNCTIONAL, EscalationKind.VENDOR)
"""Escalations after which the other team has the ticket; of the others it is only told."""

LINE_ALONE = "A support line alone has no ticket: name its team too."


@dataclass(frozen=True, slots=True)
class Edit:
    """Say better what the matter is; the site and the device are the client's."""

    VERB: ClassVar[str] = "UPDATE"
    title: Change[str | None] = UNCHANGED
    kind: Change[TicketKind] = UNCHANGED
    priority: Change[Priority] = UNCHANGED
    category: Change[str | None] = UNCHANGED
    site_id: Change[UUID | None] = UNCHANGED
    device_id: Change[UUID | None] = UNCHANGED

    def done(self, report: ReportedTicket, _at: datetime) -> Done:
        names = ("title", "kind", "priority", "category")
        return replace(report, **differences(report, {name: getattr(self, name) for name in names}))


@dataclass(frozen=True, slots=True)
class Assign:
    """Hand it to a team, to a support line, to somebody; what is left out stays as it is."""

    VERB: ClassVar[str] = "ASSIGN"
    team: str | None = None
    tier: int | None = None
    agent: str | None = None

    def done(self, report: ReportedTicket, at: datetime) -> Done:
        if self.team is None and self.tier is None and self.agent is None:
            return invalid("Say to whom it goes: give a team, a tier or an agent.", "team")
        return counting(report) or _handed(report, at, self)


@dataclass(frozen=True, slots=True)
class Escalate:
    """Raise it. A functional escalation and one to a vendor hand it over, the others tell somebody of it."""

    VERB: ClassVar[str] = "ESCALATE"
    kind: EscalationKind
    to_team: str | None = None
    to_tier: int | None = None
    reason: str | None = None

    def done(self, report: ReportedTicket, at: datetime) -> Done:
        if refusal := unresolved(report):
            return refusal
        last = report.hand_overs[-1] if report.hand_overs else None
        if any(one.at == at and one.kind is self.kind for one in report.escalations):
            return _conflict(f"It was escalated at {at.isoformat()} already.", "at")
        handed, to_team = report, self.to_team
        if self.kind in HANDED_ON:
            done = self._rises_to_nobody(last) or _handed(report, at, Assign(self.to_team, self.to_tier))
            if isinstance(done, UserError):
                return done
            handed, to_team = done, done.hand_overs[-1].team
        raised = ReportedEscalation(at, self.kind, last.team if last else None, to_team, self.reason)
        return replace(handed, escalations=tuple(sorted((*report.escalations, raised), key=lambda one: one.at)))

    def _rises_to_nobody(self, last: HandOver | None) -> UserError | None:
        """Refuse to count as handed on what stays where it is, or goes down."""
        if self.to_team is None and self.to_tier is None:
            return invalid(f"A {self.kind} escalation hands the ticket on: give toTeam, toTier or both.", "toTeam")
        if last is None or last.team is None:
            return invalid(LINE_ALONE, "toTeam") if self.to_team is None else None
        if self.to_team in (None, last.team) and self.to_tier in (None, last.tier):
            return invalid(f"{last.team!r} has the ticket already; give the team that it rises to.", "toTeam")
        if self.kind is EscalationKind.FUNCTIONAL and self.to_tier is not None and self.to_tier < (last.tier or 0):
            message = f"Line {self.to_tier} lies below line {last.tier}, which has the ticket: use ticketAssign."
            return invalid(message, "toTier")
        return None


@dataclass(frozen=True, slots=True)
class Respond:
    """Say that the client was answered for the first time."""

    VERB: ClassVar[str] = "RESPOND"

    def done(self, report: ReportedTicket, at: datetime) -> Done:
        if report.first_responded_at is not None:
            return _conflict(f"The client was first answered at {report.first_responded_at.isoformat()} already.")
        return counting(report) or replace(report, first_responded_at=at)


@dataclass(frozen=True, slots=True)
class Hold:
    """Let it wait for somebody else: the provider's clock stands still."""

    VERB: ClassVar[str] = "HOLD"
    on: WaitingOn = WaitingOn.CUSTOMER

    def done(self, report: ReportedTicket, at: datetime) -> Done:
        if refusal := unresolved(report):
            return refusal
        if waiting := _waiting(report):
            return _conflict(f"It waits for {waiting.on} since {waiting.start.isoformat()} already; resume it first.")
        last = report.waits[-1].end if report.waits else None
        return _too_early(at, last, "its last wait ended") or replace(
            report, waits=(*report.waits, Wait(at, on=self.on))
        )


@dataclass(frozen=True, slots=True)
class Resume:
    """Take it up again: whoever was waited for has acted."""

    VERB: ClassVar[str] = "RESUME"

    def done(self, report: ReportedTicket, at: datetime) -> Done:
        waiting = _waiting(report)
        if waiting is None:
            return _conflict("It does not wait for anybody.")
        return counting(report) or _too_early(at, waiting.start, "the wait began") or _resumed(report, at)


@dataclass(frozen=True, slots=True)
class Resolve:
    """Say that the matter is settled; a wait ends with it."""

    VERB: ClassVar[str] = "RESOLVE"
    first_contact: bool | None = None

    def done(self, report: ReportedTicket, at: datetime) -> Done:
        if refusal := unresolved(report):
            return refusal
        waiting, back = _waiting(report), report.resolutions[-1].reopened_at if report.resolutions else None
        early = _too_early(at, waiting.start if waiting else None, "it began to wait")
        if refusal := early or _too_early(at, back, "it was reopened"):
            return refusal
        ended = _resumed(report, at) if waiting else report
        said = report.first_contact if self.first_contact is None else self.first_contact
        return replace(ended, resolutions=(*ended.resolutions, Resolution(at)), first_contact=said)


@dataclass(frozen=True, slots=True)
class Reopen:
    """Take it up again although it was resolved."""

    VERB: ClassVar[str] = "REOPEN"

    def done(self, report: ReportedTicket, at: datetime) -> Done:
        if refusal := counting(report):
            return refusal
        if _open(report):
            return _conflict("It is open.")
        *earlier, last = report.resolutions or (Resolution(report.closed_at or at),)
        if last.reopened_at is not None and report.closed_at is not None:
            earlier, last = [*earlier, last], Resolution(report.closed_at)
        if refusal := _too_early(at, max(last.at, report.closed_at or last.at), "it was resolved"):
            return refusal
        return replace(
            report,
            resolutions=(*earlier, replace(last, reopened_at=at)),
            closed_at=None,
            # A source that counts for itself is counted on from.
            times_reopened=report.times_reopened + 1 if report.times_reopened else 0,
        )


@dataclass(frozen=True, slots=True)
class Merge:
    """Let another ticket stand for it; it counts no longer. `into` is of the same client and system."""

    VERB: ClassVar[str] = "MERGE"
    into: UUID

    def done(self, report: ReportedTicket, _at: datetime) -> Done:
        return counting(report) or replace(report, exclusion=Exclusion.MERGED)

    def into_other(self, report: ReportedTicket, other: ReportedTicket) -> Done:
        """Return the ticket as merged into the other, which itself must count: so no merge leads back."""
        if other.merged_into == report.external_id:
            return _conflict(
                f"{other.external_id} was merged into this one: merged back, neither would count.", "intoTicketId"
            )
        if other.exclusion is not None:
            message = f"{other.external_id} itself does not count ({other.exclusion}); name a ticket that does."
            return _conflict(message, "intoTicketId")
        return replace(report, exclusion=Exclusion.MERGED, merged_into=other.external_id)


@dataclass(frozen=True, slots=True)
class Move:
    """Say whose it is; what its source says of that no longer counts."""

    VERB: ClassVar[str] = "MOVE"
    client: ClientRef

    def done(self, report: ReportedTicket, _at: datetime) -> Done:
        return report


@dataclass(frozen=True, slots=True)
class Exclude:
    """Leave it out of every figure."""

    VERB: ClassVar[str] = "EXCLUDE"
    reason: Exclusion

    def done(self, report: ReportedTicket, _at: datetime) -> Done:
        if self.reason is Exclusion.MERGED:
            return invalid("Only a merge makes a ticket MERGED: use ticketMerge, or give SPAM or DELETED.", "reason")
        if report.exclusion is self.reason:
            return _conflict(f"It is {self.reason} already.", "reason")
        return counting(report) or replace(report, exclusion=self.reason)


@dataclass(frozen=True, slots=True)
class Restore:
    """Let it count again, whatever its source says of that."""

    VERB: ClassVar[str] = "RESTORE"

    def done(self, report: ReportedTicket, _at: datetime) -> Done:
        if report.exclusion is None:
            return _conflict("It counts; there is nothing to restore.")
        return replace(report, exclusion=None, merged_into=None)


Work = Edit | Assign | Escalate | Respond | Hold | Resume | Resolve | Reopen | Merge | Move | Exclude | Restore
"""All that can be done with a ticket; each knows its verb and what the ticket is afterwards."""


def counting(report: ReportedTicket) -> UserError | None:
    """Tell why a ticket that counts no longer cannot be worked on."""
    if report.exclusion is None:
        return None
    return _conflict(f"It counts no longer ({report.exclusion}); restore it first.")


def unresolved(report: ReportedTicket) -> UserError | None:
    """Tell why a ticket that is over cannot be worked on."""
    if refusal := counting(report):
        return refusal
    if _open(report):
        return None
    ended = report.resolved_at or report.closed_at
    return _conflict(f"It was resolved at {ended.isoformat() if ended else 'some time'} already; reopen it first.")


def _open(report: ReportedTicket) -> bool:
    return report.resolved_at is None and report.closed_at is None


def _waiting(report: ReportedTicket) -> Wait | None:
    return report.waits[-1] if report.waits and report.waits[-1].end is None else None


def _resumed(report: ReportedTicket, at: datetime) -> ReportedTicket:
    *earlier, last = report.waits
    return replace(report, waits=(*earlier, replace(last, end=at)))


def _handed(report: ReportedTicket, at: datetime, to: Assign) -> Done:
    last = report.hand_overs[-1] if report.hand_overs else None
    if last is not None and (refusal := _too_early(at, last.at, "it was last handed over")):
        return refusal
    if to.team is None and last is not None:
        team, tier = last.team, last.tier if to.tier is None else to.tier
    else:
        team, tier = to.team, to.tier
    if team is None and tier is not None:
        return invalid(LINE_ALONE, "team")
    handed = HandOver(at, team, tier, agent=to.agent)
    return replace(report, hand_overs=hand_overs((*report.hand_overs, handed)))


def _too_early(at: datetime, earlier: datetime | None, what: str) -> UserError | None:
    if earlier is None or at >= earlier:
        return None
    return invalid(f"{at.isoformat()} lies before {earlier.isoformat()}, when {what}; give a later moment.", "at")


def _conflict(message: str, *path: str) -> UserError:
    return UserError(ErrorCode.CONFLICT, message, path or ("ticketId",))
