"""Answers: one question in, every series with its values; the same for the API, gates and reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import text

from db import calendars, facts, kpis
from db.asked import Asked
from db.kpis import Key, SumsRead
from db.session import Transaction
from domain.escalations import Phase
from domain.kpi_definitions import REOPENING_HOURS, Settling
from domain.kpis import Dimension, facts_of
from domain.periods import Bucket, buckets
from domain.questions import MOST_POINTS, MOST_SERIES, Answer, MemberSeries, Question
from domain.series import many, single
from domain.stages import Stage
from domain.standings import BaselineStanding, Tenure
from domain.tickets import Priority, TicketKind
from domain.timelines import Moment, Placed, Timeline
from domain.totals import NO_SUMS, NOTHING, Totals, first_apart

_MEMBERS = (*Stage, *Phase, *Priority, *TicketKind, *Tenure, *BaselineStanding)
_ORDER = {member.value: place for place, member in enumerate(_MEMBERS) if member != kpis.UNKNOWN}


IN_FORCE = text(f"select k.*, ({facts.SETTLING}) as settling from ({calendars.IN_FORCE}) as k")
"""The calendars, and until when escalations are waited for: what every question needs."""


async def answer(tx: Transaction, question: Question, now: datetime) -> Answer:
    """Answer a question as of `now`, or as of its own earlier moment.

    Raises:
        NotOffered: the combination isn't kept.
        InvalidPeriod: the period makes too many points.
    """
    return (await answer_all(tx, [question], now))[0]


async def answer_all(tx: Transaction, questions: Sequence[Question], now: datetime) -> list[Answer]:
    """Answer several questions of one moment; those that rest on the same sums read them once.

    Raises as `answer` does.
    """
    for question in questions:
        question.check()
    reading = await Reading.of(tx, questions, now)
    return [await _answer(reading, question) for question in questions]


@dataclass(frozen=True, slots=True)
class Reading:
    """One snapshot in which several questions are answered, and all that they have in common."""

    reader: kpis.Reader
    now: datetime
    settling: timedelta
    """Until when escalations are waited for."""
    _timelines: dict[tuple[tuple[Bucket, ...], Moment], Timeline] = field(default_factory=dict)

    @classmethod
    async def of(cls, tx: Transaction, questions: Sequence[Question], now: datetime) -> "Reading":
        """Read what questions have in common, before any of them is answered."""
        rows = await tx.rows(IN_FORCE, tenant=tx.tenant, clients=None)
        in_force = calendars.as_read(rows)
        settling = timedelta(seconds=float(rows[0]["settling"] or 0))
        summed = dict.fromkeys(one for asked in questions for one in facts_of(asked.kpi, asked.where.escalation_kind))
        return cls(kpis.Reader(tx, in_force, tuple(summed)), now, settling)

    def moment(self, question: Question) -> Moment:
        """Return the instant as of which a question is answered: now, or an earlier one of its own."""
        at = self.now if question.as_of is None else min(question.as_of, self.now)
        return Moment(at, self.reader.calendars.tenant.zone, _settling(question, self.settling))

    def timeline(self, cut: tuple[Bucket, ...], moment: Moment) -> Timeline:
        """Return buckets as they lie to a moment, the same for all questions that cut alike."""
        key = (cut, moment)
        found = self._timelines.get(key)
        if found is None:
            found = self._timelines[key] = Timeline.of(cut, moment)
        return found


async def _answer(reading: Reading, question: Question) -> Answer:
    calendar = reading.reader.calendars.tenant
    cut = buckets(question.period, question.grain, calendar.week_start)
    moment = reading.moment(question)
    at = moment.now
    asked = Asked(cut, question.by, question.where, moment, at if at < reading.now else None)
    sums, before, earlier = await _with_before(reading.reader, question, asked)
    timeline = reading.timeline(cut, moment)
    keys = _keys(question, {*sums, *before})
    found = many(question.kpi, timeline, [sums.get(key, NO_SUMS) for key in keys])
    most = min(question.top or MOST_SERIES, max(1, MOST_POINTS // len(cut)))
    named = list(zip(keys, found, strict=True))
    if len(named) > most or Dimension.CLIENT in question.by:
        sizes = [-one.total.sample_size for one in found]
        # No two have the same key, so that series themselves are never compared.
        named = [(key, one) for _, key, one in sorted(zip(sizes, keys, found, strict=True))]
    return Answer(
        question=question,
        time_zone=calendar.zone.key,
        now=at,
        settling=moment.settling,
        computed_at=reading.now,
        series=tuple(
            [
                MemberSeries(
                    question,
                    key,
                    one,
                    single(question.kpi, earlier, before.get(key, NOTHING)) if earlier else None,
                )
                for key, one in named[:most]
            ]
        ),
        truncated=len(named) > most,
    )


def _settling(question: Question, of_escalations: timedelta) -> timedelta:
    known = {Settling.ESCALATIONS: of_escalations, Settling.REOPENINGS: timedelta(hours=REOPENING_HOURS)}
    return known.get(question.kpi.definition.settling, timedelta(0))


async def _with_before(
    reader: kpis.Reader, question: Question, asked: Asked
) -> tuple[SumsRead, Mapping[Key, Totals], Placed | None]:
    """Return the sums, and those of the period compared with; where that ends as the other begins, at one go."""
    period = question.compared_with
    if period is None:
        return await reader.totals(question.kpi, asked), {}, None
    earlier = Bucket(period.start, period.end, whole=True)
    placed = Placed.at(earlier, asked.moment)
    if period.end != question.period.start or not question.kpi.definition.additive:
        apart = await reader.totals(question.kpi, replace(asked, buckets=(earlier,)))
        before = {key: sums[0] for key, sums in apart.items() if 0 in sums}
        return await reader.totals(question.kpi, asked), before, placed
    both = await reader.totals(question.kpi, replace(asked, buckets=(earlier, *asked.buckets)))
    parts = {key: first_apart(found) for key, found in both.items()}
    sums = {key: others for key, (_, others) in parts.items()}
    return sums, {key: first for key, (first, _) in parts.items() if first is not None}, placed


def _keys(question: Question, found: Iterable[Key]) -> Sequence[Key]:
    """Return the series to give: those found, and those asked for by name even if nothing was found."""
    if not question.by:
        return [()]
    keys = dict.fromkeys(found)
    if question.by == (Dimension.CLIENT,) and question.where.clients is not None:
        keys |= dict.fromkeys((client.hex,) for client in question.where.clients)
    if Dimension.CLIENT in question.by:
        # Clients come by size, which is not known yet.
        return list(keys)
    return sorted(keys, key=lambda key: tuple(_rank(member) for member in key))


def _rank(member: str) -> tuple[int, str]:
    """Stages, phases and the like come in their own order, clients and leads by id, and what is unknown last."""
    return _ORDER.get(member, len(_ORDER) + (member == kpis.UNKNOWN)), member
