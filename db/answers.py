"""Answers: one question in, every series with its values; the same for the API, gates and reports."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from db import facts, kpis, tenants
from db.kpis import Asked, Key, Sums
from db.session import Transaction
from domain.escalations import Phase
from domain.kpis import Dimension
from domain.onboarding import Stage
from domain.periods import Bucket, Period, buckets
from domain.questions import MOST_POINTS, MOST_SERIES, Answer, MemberSeries, Question
from domain.series import Moment, Totals, series, single
from domain.tenants import TenantSettings
from domain.tickets import Priority

_ORDER = {member.value: place for place, member in enumerate((*Stage, *Phase, *Priority)) if member != kpis.UNKNOWN}


async def answer(tx: Transaction, question: Question, now: datetime, settings: TenantSettings | None = None) -> Answer:
    """Answer a question as of `now`, or as of its own earlier moment.

    Raises:
        NotOffered: the combination isn't kept.
        InvalidPeriod: the period makes too many points.
    """
    question.check()
    settings = settings or (await tenants.get(tx)).settings
    cut = buckets(question.period, question.grain, settings.calendar.week_start)
    most = min(question.top or MOST_SERIES, max(1, MOST_POINTS // len(cut)))
    past = question.as_of is not None and question.as_of < now
    at = question.as_of if past and question.as_of else now
    settling = await facts.settling(tx) if question.kpi.definition.settles else timedelta(0)
    moment = Moment(at, settings.zone, settling)
    as_of = at if past else None
    sums = await kpis.totals(
        tx, question.kpi, Asked(cut, question.by, question.where, moment, as_of), settings.calendar
    )
    before, earlier = await _before(tx, question, moment, as_of, settings)
    keys = _keys(question, {**sums, **before})
    answered = [
        MemberSeries(
            members=key,
            series=series(question.kpi, cut, sums.get(key, {}), moment),
            previous=single(question.kpi, earlier, before.get(key, {}).get(0, Totals()), moment) if earlier else None,
        )
        for key in keys
    ]
    if len(answered) > most or Dimension.CLIENT in question.by:
        answered.sort(key=lambda one: (-one.series.total.sample_size, one.members))
    return Answer(question, settings.zone.key, at, settling, tuple(answered[:most]), len(answered) > most)


async def _before(
    tx: Transaction, question: Question, moment: Moment, as_of: datetime | None, settings: TenantSettings
) -> tuple[Sums, Bucket | None]:
    period: Period | None = question.compared_with
    if period is None:
        return {}, None
    whole = Bucket(period.start, period.end, whole=True)
    asked = Asked((whole,), question.by, question.where, moment, as_of)
    return await kpis.totals(tx, question.kpi, asked, settings.calendar), whole


def _keys(question: Question, found: Sums) -> Sequence[Key]:
    """Return the series to give: those found, and those asked for by name even if nothing was found."""
    if not question.by:
        return [()]
    keys = dict.fromkeys(found)
    if question.by == (Dimension.CLIENT,) and question.where.clients is not None:
        keys |= dict.fromkeys((client.hex,) for client in question.where.clients)
    return sorted(keys, key=lambda key: tuple(_rank(member) for member in key))


def _rank(member: str) -> tuple[int, str]:
    """Stages, phases and priorities come in their own order, clients by id, and what is unknown last."""
    return _ORDER.get(member, len(_ORDER) + (member == kpis.UNKNOWN)), member
