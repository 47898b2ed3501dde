"""Scorecards: every figure of a period with what it is judged by, in one snapshot and a fixed number of statements."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db import answers, benchmarks, targets
from db.session import Transaction
from domain.kpis import Dimension, Kpi, Where
from domain.periods import Period
from domain.questions import EVERYTHING, Answer, Comparison, Question
from domain.scorecards import Scorecard, Scored, grain_for, judged
from domain.targets import Targets, goal_of
from domain.trends import trend_of


async def scorecard(
    tx: Transaction, period: Period, client: UUID | None, kpis: Sequence[Kpi], now: datetime
) -> Scorecard:
    """Return figures of all clients that the caller sees, or of one, each with its verdict.

    A figure that isn't kept by client is left out of a client's scorecard.
    Raises InvalidPeriod where the period makes too many points.
    """
    grain = grain_for(period)
    where = EVERYTHING if client is None else Where(clients=(client,))
    asked = [
        Question(kpi, period, grain, where=where, compare=Comparison.PREVIOUS_PERIOD)
        for kpi in kpis
        if client is None or Dimension.CLIENT in kpi.definition.dimensions
    ]
    found = await answers.answer_all(tx, asked, now)
    among = await benchmarks.among_all(tx, asked, now)
    wanted = await targets.wanted(tx, [question.kpi.name for question in asked], now)
    return Scorecard(
        period=period,
        grain=grain,
        client=client,
        time_zone=found[0].time_zone,
        now=now,
        scored=tuple(_scored(answer, clients, wanted, client) for answer, clients in zip(found, among, strict=True)),
    )


def _scored(answer: Answer, among: benchmarks.Among | None, wanted: Targets, client: UUID | None) -> Scored:
    question, (only,) = answer.question, answer.series
    series, trend = only.series, trend_of(only.series)
    standing = None
    if among is not None:
        standing = among.of((), ()) if client is None else among.of((Dimension.CLIENT,), (client.hex,))
    goal = goal_of(question, (), series, wanted)
    verdict = judged(
        question.kpi.definition, series.total, only.previous, trend, standing, None if goal is None else goal.standing
    )
    return Scored(question.kpi, series, only.previous, trend, standing, goal, verdict)
