"""A trial tells what another rule would make of tickets: the figures before and after, and some tickets that change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Self

from domain.escalations import Escalation
from domain.movements import Assessed
from domain.periods import local_day
from domain.tickets import EscalationKind, TicketSource

SAMPLE = 20
"""Changed tickets that are named."""


@dataclass(slots=True)
class Shift:
    """Figures of one kind of escalation in one month, before and after.

    `escalated` are tickets by the month in which they were logged, `escalations` by that in which each came about.
    """

    escalated_before: int = 0
    escalated_after: int = 0
    escalations_before: int = 0
    escalations_after: int = 0


@dataclass(slots=True)
class TrialMonth:
    """One month of a trial, by its first day: the tickets logged in it, and what becomes of each kind of escalation."""

    tickets: int = 0
    kinds: dict[EscalationKind, Shift] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TriedTicket:
    """A ticket that changes: how often it was escalated, kind by kind in the order of time."""

    external_id: str
    before: tuple[EscalationKind, ...]
    after: tuple[EscalationKind, ...]


@dataclass(slots=True)
class Trial:
    """What came of the tickets tried so far: how many there were, how many would change, and the figures by month.

    Figures are those of `kpi` as it answers by default: without what counts nowhere and without what monitoring opened.
    """

    tickets: int = 0
    changed: int = 0
    months: dict[date, TrialMonth] = field(default_factory=dict)
    sample: list[TriedTicket] = field(default_factory=list)

    def add(self, before: Assessed, after: Assessed, *, changes: bool) -> None:
        """Count a ticket as it stands and as it would."""
        self.tickets += 1
        if changes:
            self.changed += 1
            if len(self.sample) < SAMPLE:
                kinds = (_kinds(before.escalations), _kinds(after.escalations))
                self.sample.append(TriedTicket(after.report.external_id, *kinds))
        if after.report.exclusion is None and after.report.source is TicketSource.PERSON:
            self._month(after.day).tickets += 1
            self._count(before, 0)
            self._count(after, 1)

    def _count(self, one: Assessed, side: int) -> None:
        for kind in {found.kind for found in one.escalations}:
            shift = self._shift(one.day, kind)
            if side:
                shift.escalated_after += 1
            else:
                shift.escalated_before += 1
        for found in one.escalations:
            shift = self._shift(local_day(found.at, one.zone), found.kind)
            if side:
                shift.escalations_after += found.times
            else:
                shift.escalations_before += found.times

    def _month(self, day: date) -> TrialMonth:
        return self.months.setdefault(day.replace(day=1), TrialMonth())

    def _shift(self, day: date, kind: EscalationKind) -> Shift:
        return self._month(day).kinds.setdefault(kind, Shift())

    def to_data(self) -> dict[str, Any]:
        """Return the trial as plain values; `from_data` reads them back."""
        return {
            "tickets": self.tickets,
            "changed": self.changed,
            "months": [
                {
                    "month": month.isoformat(),
                    "tickets": one.tickets,
                    "kinds": [{"kind": kind.value, **asdict(one.kinds[kind])} for kind in sorted(one.kinds)],
                }
                for month, one in sorted(self.months.items())
            ],
            "sample": [
                {
                    "external_id": one.external_id,
                    "before": [kind.value for kind in one.before],
                    "after": [kind.value for kind in one.after],
                }
                for one in self.sample
            ],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            tickets=data["tickets"],
            changed=data["changed"],
            months={
                date.fromisoformat(one["month"]): TrialMonth(
                    one["tickets"],
                    {
                        EscalationKind(shift["kind"]): Shift(**{k: v for k, v in shift.items() if k != "kind"})
                        for shift in one["kinds"]
                    },
                )
                for one in data["months"]
            },
            sample=[
                TriedTicket(one["external_id"], _read(one["before"]), _read(one["after"])) for one in data["sample"]
            ],
        )


def _kinds(found: Sequence[Escalation]) -> tuple[EscalationKind, ...]:
    return tuple(one.kind for one in found for _ in range(one.times))


def _read(kinds: Sequence[str]) -> tuple[EscalationKind, ...]:
    return tuple(EscalationKind(kind) for kind in kinds)
