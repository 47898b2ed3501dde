"""Clients that stay and leave, told by how long they were served and how their onboarding went."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from db import explain, histories
from db.explain import ExplainedRow
from domain.kpi_values import KpiValue, Status
from domain.kpis import Dimension, Kpi, Where
from domain.moves import Move
from domain.onboarding import EndReason
from domain.periods import Grain, Period, Weekday
from domain.questions import Comparison, Part, Question
from domain.stages import Stage
from tests.support.expansions import served as in_early_support
from tests.support.moving_in import CONTRACT, LOST, OFFBOARDED, STEADY, brought, lead_of, row
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.onboarding_life import passed
from tests.support.providers import Provider, done, sent
from tests.support.tickets import ask, report, ticket
from workflows.calendars import SetCalendar, set_contract
from workflows.correcting import CorrectCommand, correct
from workflows.opening import OpenCommand, open_cycle
from workflows.tenants import UpdateSettings, update_settings
from workflows.working_weeks import Terms

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
YEARS = Period(date(2025, 1, 1), date(2027, 1, 1))


async def total(provider: Provider, kpi: Kpi, period: Period = MARCH, **where: Any) -> KpiValue:
    answer = await ask(provider, Question(kpi, period, Grain.MONTH, where=Where(**where)))
    return answer.series[0].series.total


async def split(provider: Provider, kpi: Kpi, period: Period, *by: Dimension) -> dict[tuple[str, ...], KpiValue]:
    answer = await ask(provider, Question(kpi, period, Grain.YEAR, by=by))
    return {one.members: one.series.total for one in answer.series}


async def part(provider: Provider, kpi: Kpi, period: Period, part: Part) -> list[ExplainedRow]:
    async with provider.context.database.reading(provider.admin) as tx:
        return await explain.rows(tx, Question(kpi, period), part, Everything(), provider.clock())


async def served(provider: Provider, *, escalated: int, logged: int = 10) -> Onboarding:
    """Return a client in steady state, so many of whose tickets of early support were escalated."""
    one = await opened(provider)
    for _ in range(2):
        await one.forward()
    provider.clock.forward(hours=1)
    at = provider.clock()
    rows = [
        replace(ticket(n, tiers=(1, 2) if n < escalated else (1,), logged_at=at), external_id=f"{one.client.hex}-{n}")
        for n in range(logged)
    ]
    provider.clock.forward(days=95)
    await report(provider, *rows, client=one.client)
    await one.forward()
    return one


async def test_clients_whose_onboarding_went_badly_are_told_from_those_whose_went_well(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    done(await update_settings(context, admin, sent(), UpdateSettings(escalation_rate_limit=0.2)))
    bad, good = await served(provider, escalated=5), await served(provider, escalated=1)
    provider.clock.now = datetime(2026, 10, 2, 9, tzinfo=UTC)
    await passed(bad, Move.OFF_BOARD, outcome=EndReason.SERVICE_QUALITY, reason="too many hand-overs")
    october = Period(date(2026, 10, 1), date(2026, 11, 1))
    found = await split(provider, Kpi.CLIENT_RETENTION, october, Dimension.BASELINE)
    assert {key: (value.numerator, value.denominator) for key, value in found.items()} == {
        ("WITHIN_LIMIT",): (1, 1),
        ("OVER_LIMIT",): (0, 1),
    }
    whole = await total(provider, Kpi.CLIENT_RETENTION, october)
    assert (whole.value, whole.status) == (0.5, Status.INSUFFICIENT_SAMPLE)
    rows = {one.cycle_id: one for one in await part(provider, Kpi.CLIENT_RETENTION, october, Part.DENOMINATOR)}
    assert (rows[bad.cycle].baseline_rate, rows[bad.cycle].baseline_standing) == (0.5, "OVER_LIMIT")
    assert (rows[bad.cycle].ended, rows[bad.cycle].outcome) == (True, "SERVICE_QUALITY")
    assert (rows[good.cycle].baseline_rate, rows[good.cycle].ended) == (0.1, False)
    lost = await split(provider, Kpi.CLIENTS_LOST, october, Dimension.OUTCOME, Dimension.BASELINE)
    assert {key: value.value for key, value in lost.items()} == {("SERVICE_QUALITY", "OVER_LIMIT"): 1}


async def test_a_client_that_comes_back_within_the_period_was_lost_in_it(provider: Provider) -> None:
    one = await served(provider, escalated=0)
    provider.clock.now = datetime(2026, 10, 5, 9, tzinfo=UTC)
    await passed(one, Move.OFF_BOARD, outcome=EndReason.PRICE, reason="cheaper elsewhere")
    provider.clock.forward(days=3)
    again = OpenCommand(one.client, one.lead.id, one.contract, reopen=True)
    done(await open_cycle(provider.context, provider.admin, sent(), again))
    october = Period(date(2026, 10, 1), date(2026, 11, 1))
    retention = await total(provider, Kpi.CLIENT_RETENTION, october)
    assert (retention.numerator, retention.denominator) == (0, 1)
    later = await total(provider, Kpi.CLIENT_RETENTION, Period(date(2026, 11, 1), date(2026, 12, 1)))
    assert (later.value, later.status) == (None, Status.NO_DATA)


@pytest.mark.parametrize(
    ("ended", "february", "march"),
    [
        # Midnight in Amsterdam is 23:00 UTC of the day before; half-open, it belongs to the day that begins.
        (datetime(2026, 2, 28, 22, 59, tzinfo=UTC), (0, 1), (0, 0)),
        (datetime(2026, 2, 28, 23, 0, tzinfo=UTC), (1, 1), (0, 1)),
        (datetime(2026, 2, 28, 23, 1, tzinfo=UTC), (1, 1), (0, 1)),
    ],
)
async def test_a_loss_belongs_to_the_local_day_on_which_service_ended(
    provider: Provider, ended: datetime, february: tuple[int, int], march: tuple[int, int]
) -> None:
    told = STEADY | OFFBOARDED | {"ended_on": ended}
    await brought(provider, row(await lead_of(provider), **told))
    for period, kept in ((Period(date(2026, 2, 1), date(2026, 3, 1)), february), (MARCH, march)):
        value = await total(provider, Kpi.CLIENT_RETENTION, period)
        assert (value.numerator, value.denominator) == kept
        lost = await total(provider, Kpi.CLIENTS_LOST, period)
        assert lost.value == (1 if kept[1] and kept[0] < kept[1] else 0)


async def test_retention_of_a_year_asks_who_of_its_first_day_stayed_and_is_compared_with_the_year_before(
    provider: Provider,
) -> None:
    lead = await lead_of(provider)
    await brought(
        provider,
        row(lead, 1, **STEADY),
        row(lead, 2, **OFFBOARDED),
        row(lead, 3, **(OFFBOARDED | {"live_on": date(2024, 2, 1), "steady_on": date(2024, 6, 1)})),
        row(lead, 4, **(STEADY | {"live_on": date(2024, 3, 1), "discovery_on": None, "contracting_on": None})),
    )
    year = Period(date(2025, 3, 1), date(2026, 3, 1))
    question = Question(Kpi.CLIENT_RETENTION, year, Grain.QUARTER, compare=Comparison.PREVIOUS_PERIOD)
    (answer,) = (await ask(provider, question)).series
    # Two were in service on 1 March 2025, and one of them left in December; who joined later does not count.
    assert (answer.series.total.numerator, answer.series.total.denominator) == (1, 2)
    # The two that went live on the 1st of April were not in service when that day began.
    counts = [(point.value.numerator, point.value.denominator) for point in answer.series.points]
    assert counts == [(2, 2), (2, 2), (4, 4), (2, 4), (2, 2)]
    # A year earlier one was in service: the other went live on that very day.
    assert answer.previous is not None
    assert (answer.previous.numerator, answer.previous.denominator) == (1, 1)


async def test_losses_are_told_by_stage_outcome_and_tenure(provider: Provider) -> None:
    lead = await lead_of(provider)
    await brought(
        provider,
        row(lead, 1, **OFFBOARDED),
        row(lead, 2, **LOST),
        row(lead, 4, **(OFFBOARDED | {"live_on": date(2021, 4, 1)})),
    )
    by_tenure = await split(provider, Kpi.CLIENTS_LOST, YEARS, Dimension.STAGE, Dimension.TENURE)
    assert {key: value.value for key, value in by_tenure.items()} == {
        ("LOST", "BEFORE_SERVICE"): 1,
        ("OFFBOARDED", "UNDER_1_YEAR"): 1,
        ("OFFBOARDED", "FROM_3_YEARS"): 1,
    }
    assert (await total(provider, Kpi.CLIENTS_LOST, YEARS, outcomes=("PRICE",))).value == 1
    assert (await total(provider, Kpi.CLIENTS_LOST, YEARS, tenures=("UNDER_1_YEAR",))).value == 1


async def test_ways_of_clients_that_moved_in_count_where_their_dates_are_told(provider: Provider) -> None:
    lead = await lead_of(provider)
    early = replace(CONTRACT, signed_on=date(2025, 3, 10))
    await brought(
        provider,
        row(lead, 1, **(STEADY | {"contract": early})),
        row(lead, 2, **(STEADY | {"contract": early, "live_on": None})),
        row(lead, 3, **STEADY),
        row(lead, 4, **(STEADY | {"contract": None})),
    )
    spring = Period(date(2025, 3, 1), date(2025, 6, 1))
    live = await total(provider, Kpi.TIME_TO_GO_LIVE, spring)
    # The Monday of 10 March up to the Tuesday of 1 April 2025: three weeks and a day.
    assert (live.value, live.numerator, live.denominator) == (16, 1, 1)
    steady = await total(provider, Kpi.TIME_TO_STEADY_STATE, spring)
    assert (steady.numerator, steady.denominator) == (2, 2)
    left_out = await part(provider, Kpi.TIME_TO_GO_LIVE, YEARS, Part.LEFT_OUT)
    assert sorted(str(one.reason) for one in left_out) == ["DATE_MISSING", "NOT_SIGNED", "OUT_OF_ORDER"]


async def test_the_onboarding_of_a_site_is_an_onboarding_and_no_client(provider: Provider) -> None:
    client = await in_early_support(provider)
    today = provider.clock().date()
    site = await client.expanded(await client.signed_contract(today), site=await client.site())
    per_lead = await total(provider, Kpi.ONBOARDINGS_PER_LEAD)
    assert (per_lead.value, per_lead.peak) == (2, 2)
    way = await total(provider, Kpi.TIME_TO_GO_LIVE)
    assert (way.numerator, way.denominator) == (1, 2)
    await passed(site, Move.LOSE, outcome=EndReason.OTHER, reason="they moved")
    assert (await total(provider, Kpi.CLIENTS_LOST)).value == 0
    (left_out,) = await part(provider, Kpi.CLIENTS_LOST, MARCH, Part.LEFT_OUT)
    assert (left_out.cycle_id, left_out.reason) == (site.cycle, "NOT_WHOLE_CLIENT")
    april = await total(provider, Kpi.CLIENT_RETENTION, Period(date(2026, 4, 1), date(2026, 5, 1)))
    assert april.status is Status.NO_DATA
    provider.clock.now = datetime(2026, 4, 7, 9, tzinfo=UTC)
    april = await total(provider, Kpi.CLIENT_RETENTION, Period(date(2026, 4, 1), date(2026, 5, 1)))
    assert (april.numerator, april.denominator) == (1, 1)


async def ways(provider: Provider) -> dict[UUID | None, tuple[datetime, float]]:
    rows = await part(provider, Kpi.TIME_TO_GO_LIVE, YEARS, Part.DENOMINATOR)
    return {one.cycle_id: (one.at, one.amount) for one in rows}


async def test_a_way_begins_with_what_was_signed_for_it(provider: Provider) -> None:
    client = await in_early_support(provider)
    signed = provider.clock()
    provider.clock.forward(days=7)
    amendment = await client.signed_amendment(provider.clock().date(), site_id=(place := await client.site()))
    agreed = provider.clock()
    provider.clock.forward(days=7)
    outcome = await client.expand(site=place, amendment=amendment)
    site = replace(client.whole, cycle=done(outcome), version=outcome.version or 0)
    await passed(site, Move.LOSE, outcome=EndReason.OTHER, reason="they moved")
    await passed(client.whole, Move.OFF_BOARD, outcome=EndReason.PRICE, reason="cheaper elsewhere")
    provider.clock.forward(days=7)
    again = OpenCommand(client.whole.client, client.whole.lead.id, client.whole.contract, reopen=True)
    back = done(await open_cycle(provider.context, provider.admin, sent(), again))
    provider.clock.forward(days=1)
    assert await ways(provider) == {
        client.whole.cycle: (signed, 0),
        site.cycle: (agreed, pytest.approx(5)),
        back: (provider.clock() - timedelta(days=1), pytest.approx(1)),
    }


async def test_business_days_are_those_of_the_contracts_own_calendar(provider: Provider) -> None:
    one = await opened(provider)
    every_day = Terms(hours=dict.fromkeys(Weekday, ((9 * 60, 17 * 60),)))
    command = SetCalendar(one.contract, every_day)
    done(await set_contract(provider.context, provider.admin, sent(), command))
    one.version = (await one.seen()).version
    provider.clock.forward(days=7)
    await one.forward()
    provider.clock.forward(days=7)
    await one.forward()
    for kpi in (Kpi.CONTRACTING_TIME, Kpi.TIME_TO_GO_LIVE):
        assert (await total(provider, kpi)).value == pytest.approx(7)
    assert (await total(provider, Kpi.TIME_IN_STAGE, stages=("ASSET_DISCOVERY",))).value == pytest.approx(7)


async def test_a_correction_restates_the_figures_that_rest_on_it(provider: Provider) -> None:
    one = await opened(provider)
    await one.forward()
    provider.clock.forward(days=14)
    await one.forward()
    assert (await total(provider, Kpi.TIME_TO_GO_LIVE)).value == pytest.approx(10)
    async with provider.context.database.reading(provider.admin) as tx:
        moves = {move.move: move for move in await histories.accepted(tx, one.cycle)}
    at = provider.clock() - timedelta(days=7)
    seen = await one.seen()
    command = CorrectCommand(one.cycle, moves[Move.GO_LIVE].id, at, "it was a week before", seen.version)
    done(await correct(provider.context, provider.admin, sent(), command))
    assert (await total(provider, Kpi.TIME_TO_GO_LIVE)).value == pytest.approx(5)


async def test_what_was_entered_in_error_counts_in_no_figure_and_it_is_said_why(
    provider: Provider,
) -> None:
    one = await opened(provider)
    await passed(one, Move.DISCARD, outcome=EndReason.DUPLICATE, reason="entered twice")
    assert (await one.seen()).stage is Stage.LOST
    for kpi in (Kpi.CLIENTS_LOST, Kpi.CONTRACTING_TIME, Kpi.TIME_TO_GO_LIVE, Kpi.ON_TIME_STAGES, Kpi.RE_PLANS):
        value = await total(provider, kpi)
        assert not value.numerator
        assert not value.denominator
        reasons = [row.reason for row in await part(provider, kpi, MARCH, Part.LEFT_OUT)]
        assert reasons == ([] if kpi is Kpi.RE_PLANS else ["ENTERED_IN_ERROR"])
