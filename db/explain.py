"""The rows behind a number: those in the numerator, those in the denominator, those left out and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import msgspec
from asyncpg import Record

from db import calendars, onboarding_facts, ticket_rows
from db.asked import Asked
from db.fact_rows import Cut, FactRow
from db.kpis import fact_rows
from db.session import Transaction
from domain.kpis import Definition, DirectFact, Kpi, KpiKind, NotOffered
from domain.periods import buckets
from domain.questions import Part, Question, of_bucket
from domain.timelines import Moment
from domain.totals import WHOLE


class Reason(StrEnum):
    """Why a row doesn't count."""

    MERGED = "MERGED"
    DELETED = "DELETED"
    SPAM = "SPAM"
    OTHER_SOURCE = "OTHER_SOURCE"
    NOT_AN_INCIDENT = "NOT_AN_INCIDENT"
    ROLLED_BACK = "ROLLED_BACK"
    UNDONE = "UNDONE"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
    NO_GATES = "NO_GATES"
    NOT_SIGNED = "NOT_SIGNED"
    DATE_MISSING = "DATE_MISSING"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    TURN_UNKNOWN = "TURN_UNKNOWN"
    NO_TARGET = "NO_TARGET"
    NOT_DUE = "NOT_DUE"
    FIRST_SETTING = "FIRST_SETTING"
    NOT_WHOLE_CLIENT = "NOT_WHOLE_CLIENT"
    MERGED_CLIENT = "MERGED_CLIENT"


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """One row behind a number: when it counts, how much, and the ticket or onboarding that it leads to.

    `amount` is 1, except where a source counted several escalations at once, and business days for stays.
    """

    id: UUID
    at: datetime
    amount: float
    reason: Reason | None = None
    ticket_id: UUID | None = None
    cycle_id: UUID | None = None
    stage: str | None = None
    ended: bool | None = None
    contract_id: UUID | None = None
    lead_id: UUID | None = None
    outcome: str | None = None
    baseline_rate: float | None = None
    baseline_standing: str | None = None


class Stretch(Protocol):
    """A stretch of rows in the order of (at, id)."""

    @property
    def after(self) -> tuple[Any, ...] | None: ...
    @property
    def limit(self) -> int: ...


COUNT_LIMIT = 10_001


async def rows(
    tx: Transaction, question: Question, part: Part, stretch: Stretch, now: datetime, day: date | None = None
) -> list[ExplainedRow]:
    """Return a stretch of the rows of one part, in the order in which they count; of the bucket of a day if given.

    Raises:
        NotOffered: rows are asked as of an earlier moment, while they are kept only as they are now; or of a day
            outside the period.
    """
    question = await _asked(tx, question, day)
    if ticket_rows.hold(question.kpi):
        page = await ticket_rows.page(tx, question, part, stretch.after, stretch.limit, now)
        return [msgspec.convert(dict(row), ExplainedRow) for row in page]
    found = await _direct(tx, question, part, now)
    after = stretch.after
    return [row for row in found if after is None or (row.at, row.id) > after][: stretch.limit]


async def count(tx: Transaction, question: Question, part: Part, now: datetime, day: date | None = None) -> int:
    """Return how many rows a part has, counting no further than one beyond what is told."""
    question = await _asked(tx, question, day)
    if ticket_rows.hold(question.kpi):
        return await ticket_rows.count(tx, question, part, now, COUNT_LIMIT)
    return len(await _direct(tx, question, part, now))


async def _asked(tx: Transaction, question: Question, day: date | None) -> Question:
    question.check()
    if question.as_of is not None:
        raise NotOffered("Rows are kept only as they are now: explain the figure without asOf.")
    return question if day is None else of_bucket(question, day, (await calendars.in_force(tx)).tenant.week_start)


async def _direct(tx: Transaction, question: Question, part: Part, now: datetime) -> list[ExplainedRow]:
    """Onboardings are few beside tickets: their rows are read whole, and paged here."""
    in_force = await calendars.in_force(tx)
    cut = buckets(question.period, question.grain, in_force.tenant.week_start)
    moment = Moment(now, in_force.tenant.zone)
    if question.kpi is Kpi.TIME_IN_STAGE:
        spells = await onboarding_facts.spells(tx, cut, question.where, moment, in_force)
        return sorted(
            (
                ExplainedRow(
                    id=one.visit,
                    at=one.entered_at,
                    amount=one.spell.duration,
                    reason=None if one.left_out is None else Reason(one.left_out),
                    cycle_id=one.cycle,
                    stage=one.stage,
                    ended=one.spell.ended,
                )
                for one in spells
                if _SPELL_PARTS[part](one)
            ),
            key=lambda row: (row.at, row.id),
        )
    facts = question.kpi.definition.facts
    if isinstance(facts, DirectFact) and question.kpi not in (Kpi.WAIVED_MOVES, Kpi.OPEN_ONBOARDINGS):
        asked = Asked(cut, question.by, question.where, moment)
        found = await fact_rows(tx, facts, asked, in_force)
        return _explained(question.kpi.definition, part, found, Cut.of(asked).begun - 1)
    of_moves = question.kpi is Kpi.WAIVED_MOVES
    listed = onboarding_facts.move_rows if of_moves else onboarding_facts.cycle_rows
    explained = [
        (row["counted"], ExplainedRow(row["id"], row["at"], 1, row["reason"] and Reason(row["reason"]), **_leads(row)))
        for row in await listed(tx, cut, question.where, moment)
    ]
    return [row for counted, row in explained if _belongs(row, part, counted=counted, of_moves=of_moves)]


def _explained(definition: Definition, part: Part, found: Sequence[FactRow], last: int) -> list[ExplainedRow]:
    """Return the rows of one part: of a level those at its last bucket, and those of the whole where that is apart."""
    rows = [row for row in found if definition.additive or row.bucket == WHOLE]
    if definition.kind is KpiKind.LEVEL:
        rows = [row for row in rows if row.bucket == last]
    return sorted(
        (_told(row) for row in rows if _counts(definition, row, part)),
        key=lambda explained: (explained.at, explained.id),
    )


def _counts(definition: Definition, row: FactRow, part: Part) -> bool:
    if part is Part.LEFT_OUT or row.left_out is not None:
        return part is Part.LEFT_OUT and row.left_out is not None
    if definition.kind is KpiKind.DURATION:
        return part is Part.DENOMINATOR or row.totals.spells[0].ended
    return bool(row.totals.numerator if part is Part.NUMERATOR else row.totals.denominator)


def _told(row: FactRow) -> ExplainedRow:
    subject = row.subject
    return ExplainedRow(
        id=row.id,
        at=row.at,
        amount=row.amount,
        reason=None if row.left_out is None else Reason(row.left_out),
        cycle_id=subject.cycle,
        stage=subject.stage,
        ended=subject.ended,
        contract_id=subject.contract,
        lead_id=subject.lead,
        outcome=subject.outcome,
        baseline_rate=subject.baseline_rate,
        baseline_standing=subject.baseline_standing,
    )


def _leads(row: Record) -> dict[str, Any]:
    return {"cycle_id": row["cycle_id"], "stage": row["stage"]}


_SPELL_PARTS: dict[Part, Callable[[onboarding_facts.StageSpell], bool]] = {
    Part.NUMERATOR: lambda one: one.left_out is None and one.spell.ended,
    Part.DENOMINATOR: lambda one: one.left_out is None,
    Part.LEFT_OUT: lambda one: one.left_out is not None,
}


def _belongs(row: ExplainedRow, part: Part, *, counted: bool, of_moves: bool) -> bool:
    if part is Part.LEFT_OUT:
        return row.reason is not None
    return row.reason is None and (of_moves if part is Part.DENOMINATOR else counted)
