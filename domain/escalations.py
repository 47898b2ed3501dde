"""An escalation is a hand-over that the tenant's rule counts as one; the phase says when it fell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Self
from uuid import UUID

from domain.access import PrincipalKind
from domain.tickets import EscalationKind, HandOver, ReportedTicket


class Phase(StrEnum):
    """Where a client's support stood when a ticket was logged."""

    BEFORE_SERVICE = "BEFORE_SERVICE"
    EARLY = "EARLY"
    STEADY = "STEADY"
    AFTER = "AFTER"
    UNKNOWN = "UNKNOWN"


UNKNOWN_STAGE = "UNKNOWN"

_PHASE_OF_STAGE = {
    "CONTRACTING": Phase.BEFORE_SERVICE,
    "ASSET_DISCOVERY": Phase.BEFORE_SERVICE,
    "EARLY_SUPPORT": Phase.EARLY,
    "STEADY_STATE": Phase.STEADY,
    "LOST": Phase.AFTER,
    "OFFBOARDED": Phase.AFTER,
}


class EscalationTest(StrEnum):
    """Which hand-over a rule counts."""

    TIER_RAISED = "TIER_RAISED"
    """Handed to a higher support line than the one that had it."""

    REASSIGNED = "REASSIGNED"
    """Handed to another team; by the source's own count where it keeps one."""


class InvalidRule(ValueError):
    """A rule's numbers make no sense; the message says which."""


@dataclass(frozen=True, slots=True)
class EscalationRule:
    """What the tenant calls an escalation; a change makes a new version, stored with every figure.

    `from_tier` narrows TIER_RAISED to hand-overs out of one line (1: "the first line had to push it on").
    `from_reassignment` makes REASSIGNED count from the n-th reassignment on (2: "bounced"). A hand-over to one of
    `vendor_teams` is a VENDOR escalation instead, one to `management_teams` a HIERARCHICAL one. With `sla_missed` the
    passing of a ticket's resolution target is an SLA escalation.
    """

    test: EscalationTest
    version: int = 1
    kind: EscalationKind = EscalationKind.FUNCTIONAL
    from_tier: int | None = None
    from_reassignment: int = 1
    vendor_teams: tuple[str, ...] = ()
    management_teams: tuple[str, ...] = ()
    sla_missed: bool = False

    def __post_init__(self) -> None:
        if self.from_tier is not None and self.from_tier < 1:
            raise InvalidRule(f"There is no support line {self.from_tier}: the first line is 1.")
        if self.from_reassignment < 1:
            raise InvalidRule(f"Counting starts at reassignment 1 or later, not at {self.from_reassignment}.")

    @property
    def words(self) -> str:
        """The rule as a sentence for people."""
        if self.test is EscalationTest.TIER_RAISED:
            line = f"line {self.from_tier}" if self.from_tier else "any line"
            return f"Handed from {line} to a higher one; the first assignment and moves inside a line are none."
        if self.from_reassignment > 1:
            return f"Handed to another team, from the {self.from_reassignment}. time on."
        return "Handed to another team; the first assignment is none."

    def to_data(self) -> dict[str, Any]:
        """Return the rule as plain values for storage; `from_data` reads them back."""
        return {
            "test": self.test.value,
            "version": self.version,
            "kind": self.kind.value,
            "from_tier": self.from_tier,
            "from_reassignment": self.from_reassignment,
            "vendor_teams": list(self.vendor_teams),
            "management_teams": list(self.management_teams),
            "sla_missed": self.sla_missed,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            test=EscalationTest(data["test"]),
            version=data["version"],
            kind=EscalationKind(data["kind"]),
            from_tier=data["from_tier"],
            from_reassignment=data["from_reassignment"],
            vendor_teams=tuple(data.get("vendor_teams", ())),
            management_teams=tuple(data.get("management_teams", ())),
            sla_missed=data.get("sla_missed", False),
        )

    def kind_of(self, team: str | None) -> EscalationKind | None:
        """Return what a hand-over to this team is by its name alone, if anything."""
        if team in self.vendor_teams:
            return EscalationKind.VENDOR
        return EscalationKind.HIERARCHICAL if team in self.management_teams else None


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A version of the rule for one system's tickets: who made it, when and why, or nobody where the first ticket did.

    `applied_at` is when all tickets had been gone through by it; until then some stand by an earlier one.
    """

    id: UUID
    system: str
    rule: EscalationRule
    created_at: datetime
    author_kind: PrincipalKind | None = None
    author_id: UUID | None = None
    note: str | None = None
    applied_at: datetime | None = None

    @property
    def version(self) -> int:
        return self.rule.version


@dataclass(frozen=True, slots=True)
class Escalation:
    """One escalation: when, from whom to whom, and at which hand-over (counted from 0), if at one."""

    at: datetime
    hand_over: int | None
    from_team: str | None
    to_team: str | None
    from_tier: int | None
    to_tier: int | None
    kind: EscalationKind = EscalationKind.FUNCTIONAL
    reason: str | None = None
    times: int = 1
    """More than 1 where the source's count rose by several between two of its rows."""


@dataclass(frozen=True, slots=True)
class RecordedEscalation:
    """An escalation as it is stored, with the version of the rule that saw it."""

    id: UUID
    ticket_id: UUID
    client_id: UUID | None
    kind: EscalationKind
    at: datetime
    times: int
    from_team: str | None
    to_team: str | None
    from_tier: int | None
    to_tier: int | None
    reason: str | None
    rule_version: int


def escalations(
    rule: EscalationRule, report: ReportedTicket, missed_at: datetime | None = None
) -> tuple[Escalation, ...]:
    """Return all escalations of a ticket in the order of time: those its source names, and those a rule sees.

    One that is named, and that a rule sees in the hand-over to that team at that moment, is one and of the kind named.
    `missed_at` is when its resolution target had passed, if it had.
    """
    found = [*derive(rule, report.hand_overs)]
    seen = {(one.at, one.to_team): position for position, one in enumerate(found)}
    for named in report.escalations:
        position = seen.pop((named.at, named.to_team), None)
        if position is not None:
            found[position] = replace(found[position], kind=named.kind, reason=named.reason)
            continue
        found.append(
            Escalation(
                at=named.at,
                hand_over=None,
                from_team=named.from_team,
                to_team=named.to_team,
                from_tier=None,
                to_tier=None,
                kind=named.kind,
                reason=named.reason,
            )
        )
    if rule.sla_missed and missed_at is not None and (missed_at, EscalationKind.SLA) not in _moments(found):
        found.append(Escalation(missed_at, None, None, None, None, None, EscalationKind.SLA))
    if len(found) > 1:
        found.sort(key=lambda one: one.at)
    return tuple(found)


def _moments(found: Sequence[Escalation]) -> set[tuple[datetime, EscalationKind]]:
    return {(one.at, one.kind) for one in found}


def derive(rule: EscalationRule, hand_overs: Sequence[HandOver]) -> tuple[Escalation, ...]:
    """Return the escalations that a rule sees in a ticket's hand-overs, in order.

    The first assignment is never one, and a line or team that the source doesn't name is skipped: the
    comparison is with the last one known.
    """
    if len(hand_overs) < 2 and not any(had.reassignments for had in hand_overs):  # noqa: PLR2004 -- nobody handed it on
        return ()
    by_rule = _tiers_raised if rule.test is EscalationTest.TIER_RAISED else _reassignments
    if not (rule.vendor_teams or rule.management_teams):
        return tuple(by_rule(rule, hand_overs))
    named = _to_named_teams(rule, hand_overs)
    apart = {one.hand_over for one in named}
    found = [*named, *(one for one in by_rule(rule, hand_overs) if one.hand_over not in apart)]
    return tuple(sorted(found, key=lambda one: one.hand_over or 0))


def _to_named_teams(rule: EscalationRule, hand_overs: Sequence[HandOver]) -> list[Escalation]:
    found = []
    for position, (before, after) in enumerate(pairwise(hand_overs), start=1):
        kind = rule.kind_of(after.team)
        if kind is not None and after.team != before.team:
            found.append(replace(_between(rule, before, after, position, 1), kind=kind))
    return found


def _tiers_raised(rule: EscalationRule, hand_overs: Sequence[HandOver]) -> list[Escalation]:
    found: list[Escalation] = []
    last: HandOver | None = None
    for position, hand_over in enumerate(hand_overs):
        if hand_over.tier is None:
            continue
        if (
            last is not None
            and last.tier is not None
            and hand_over.tier > last.tier
            and rule.from_tier in (None, last.tier)
        ):
            found.append(_between(rule, last, hand_over, position, 1))
        last = hand_over
    return found


def _reassignments(rule: EscalationRule, hand_overs: Sequence[HandOver]) -> list[Escalation]:
    found: list[Escalation] = []
    seen, last = 0, HandOver(at=datetime.min, team=None)  # noqa: DTZ901 -- stands for nobody yet, never compared
    for position, hand_over in enumerate(hand_overs):
        if hand_over.reassignments is not None:
            reached = max(seen, hand_over.reassignments)
        else:
            reached = seen + (last.team is not None and hand_over.team not in (None, last.team))
        counted = reached - max(seen, rule.from_reassignment - 1)
        if counted > 0:
            found.append(_between(rule, last, hand_over, position, counted))
        seen = reached
        if hand_over.team is not None:
            last = hand_over
    return found


def _between(rule: EscalationRule, before: HandOver, after: HandOver, position: int, times: int) -> Escalation:
    return Escalation(
        at=after.at,
        hand_over=position,
        from_team=before.team,
        to_team=after.team,
        from_tier=before.tier,
        to_tier=after.tier,
        kind=rule.kind,
        times=times,
    )


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of a client in a stage, as far as tickets need to know it; open while `left_at` is None."""

    stage: str
    cycle: UUID
    entered_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Window:
    """One escalation window of a client, half-open; open while `closed_at` is None."""

    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a ticket remembers of its client as of the moment it was logged."""

    stage: str = UNKNOWN_STAGE
    phase: Phase = Phase.UNKNOWN
    cycle: UUID | None = None


@dataclass(frozen=True, slots=True)
class ClientHistory:
    """Where a client stood over time: every stay, rolled-back ones too, and every escalation window."""

    stays: tuple[Stay, ...] = ()
    windows: tuple[Window, ...] = ()

    def stamp(self, logged_at: datetime) -> Stamp:
        """Return stage, phase and cycle as of an instant; of two stays that overlap, the one entered last.

        Before the first stay nothing is known: the client may have been served elsewhere. After the last
        one, when it has ended, service is over.
        """
        stays = [stay for stay in self.stays if stay.entered_at <= logged_at]
        if not stays:
            return Stamp()
        stay = max(stays, key=lambda held: held.entered_at)
        if any(_covers(window.opened_at, window.closed_at, logged_at) for window in self.windows):
            return Stamp(stay.stage, Phase.EARLY, stay.cycle)
        if not _covers(stay.entered_at, stay.left_at, logged_at):
            return Stamp(UNKNOWN_STAGE, Phase.AFTER, stay.cycle)
        return Stamp(stay.stage, _PHASE_OF_STAGE.get(stay.stage, Phase.UNKNOWN), stay.cycle)


def _covers(start: datetime, end: datetime | None, instant: datetime) -> bool:
    return start <= instant and (end is None or instant < end)
