"""The share of waived moves follows what was set right: corrected moves count on their day, undone ones not at all."""

from datetime import date, timedelta

from db import explain, histories
from domain.kpis import Kpi
from domain.moves import Move
from domain.periods import Grain, Period
from domain.questions import Part, Question
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, done, sent
from tests.support.tickets import ask
from workflows.correcting import CorrectCommand, correct
from workflows.undoing import UndoCommand, undo

QUESTION = Question(Kpi.WAIVED_MOVES, Period(date(2026, 3, 1), date(2026, 5, 1)), Grain.MONTH)


async def waived(provider: Provider) -> list[tuple[str, float | None, float | None]]:
    """Return the waived and all gated moves of each month that has any."""
    (one,) = (await ask(provider, QUESTION)).series
    points = ((p.bucket.start, p.value.numerator, p.value.denominator) for p in one.series.points)
    return [(f"{start:%Y-%m}", over, under) for start, over, under in points if under]


async def behind(provider: Provider, part: Part) -> list[str | None]:
    """Return why each row of a part does not count, where it does not."""
    async with provider.context.database.reading(provider.admin) as tx:
        found = await explain.rows(tx, QUESTION, part, Everything(), provider.clock())
    return [row.reason for row in found]


async def went_live(onboarding: Onboarding, days_ago: int) -> None:
    provider = onboarding.provider
    async with provider.context.database.reading(provider.admin) as tx:
        step = next(s for s in await histories.accepted(tx, onboarding.cycle) if s.move is Move.GO_LIVE)
    at = provider.clock() - timedelta(days=days_ago)
    command = CorrectCommand(onboarding.cycle, step.id, at, "they told us later", onboarding.version)
    outcome = await correct(provider.context, onboarding.lead, sent(), command)
    done(outcome)
    onboarding.version = outcome.version or 0


async def test_a_move_that_was_undone_is_left_out_and_says_so(provider: Provider) -> None:
    onboarding = await opened(provider)
    await onboarding.forward()
    command = UndoCommand(onboarding.cycle, onboarding.version)
    outcome = await undo(provider.context, onboarding.lead, sent(), command)
    done(outcome)
    onboarding.version = outcome.version or 0
    assert await waived(provider) == []
    assert explain.Reason.UNDONE in await behind(provider, Part.LEFT_OUT)
    await onboarding.forward()
    assert await waived(provider) == [("2026-03", 1, 1)]
    assert await behind(provider, Part.DENOMINATOR) == [None]


async def test_a_move_counts_when_it_took_effect_by_the_latest_correction(provider: Provider) -> None:
    onboarding = await opened(provider)
    provider.clock.forward(days=20)
    await onboarding.forward()
    provider.clock.forward(days=20)
    await onboarding.forward()
    assert await waived(provider) == [("2026-03", 1, 1), ("2026-04", 1, 1)]
    await went_live(onboarding, 15)
    assert await waived(provider) == [("2026-03", 2, 2)]
    await went_live(onboarding, 5)
    assert await waived(provider) == [("2026-03", 1, 1), ("2026-04", 1, 1)]
    assert await behind(provider, Part.DENOMINATOR) == [None, None]
