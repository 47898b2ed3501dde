"""Pace reads the clock, the plan and the silence of a cycle, and says in words what it is due to."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from domain.calendars import NINE_TO_FIVE, Calendar
from domain.definitions import Rules
from domain.onboarding import Cycle, Hold, HoldReason, ScopeKind
from domain.pace import Pace, pace, reading
from domain.periods import Weekday
from domain.stages import Stage

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # nine o'clock in Amsterdam
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CALENDAR = Calendar.weekdays(AMSTERDAM)
EASTER = Calendar.weekdays(AMSTERDAM, holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))
GULF = Calendar(ZoneInfo("Asia/Riyadh"), dict.fromkeys([Weekday.SUNDAY, *list(Weekday)[:4]], NINE_TO_FIVE))
SIX_DAYS = Calendar(AMSTERDAM, dict.fromkeys(list(Weekday)[:6], NINE_TO_FIVE))
RULES = Rules()

CYCLE = Cycle(
    id=uuid4(),
    client_id=uuid4(),
    number=1,
    scope_kind=ScopeKind.WHOLE_CLIENT,
    scope_key="",
    contract_id=None,
    definition_id=uuid4(),
    lead_id=uuid4(),
    account_manager_id=None,
    technical_lead_id=None,
    engineer_ids=(),
    stage=Stage.CONTRACTING,
    visit_id=uuid4(),
    opened_at=MONDAY,
    entered_at=MONDAY,
    target_at=MONDAY + timedelta(days=100),
    held_at=None,
    ended_at=None,
    outcome=None,
    version=1,
    active_at=MONDAY,
)


def after(days: float = 0, hours: float = 0) -> datetime:
    return MONDAY + timedelta(days=days, hours=hours)


def hold(starts: datetime, ends: datetime | None) -> Hold:
    return Hold(uuid4(), CYCLE.id, HoldReason.CLIENT, None, starts, None, ends)


@pytest.mark.parametrize(
    ("calendar", "stage", "active_at", "last_fresh", "stale"),
    [
        # Five business days of a nine-to-five week: until the same hour a week later.
        (CALENDAR, Stage.CONTRACTING, after(hours=3), after(7, 2.9), after(7, 3)),
        (CALENDAR, Stage.ASSET_DISCOVERY, after(hours=3), after(7, 2.9), after(7, 3)),
        (CALENDAR, Stage.EARLY_SUPPORT, after(hours=3), after(14, 2.9), after(14, 3)),
        # Friday evening is Monday morning.
        (CALENDAR, Stage.CONTRACTING, after(4, 12), after(11, 7.9), after(11, 8)),
        # Good Friday and Easter Monday are no business days: from Wednesday noon to Friday noon of the week after.
        (EASTER, Stage.CONTRACTING, after(30, 2), after(39, 1.9), after(39, 2)),
        # A week from Sunday to Thursday: Riyadh's noon is nine in UTC.
        (GULF, Stage.CONTRACTING, after(6, 1), after(13, 0.9), after(13, 1)),
        # Six days a week: Saturday is worked too.
        (SIX_DAYS, Stage.CONTRACTING, after(hours=3), after(5, 2.9), after(5, 3)),
    ],
)
def test_a_cycle_is_stale_after_so_many_business_days_without_activity(
    calendar: Calendar, stage: Stage, active_at: datetime, last_fresh: datetime, stale: datetime
) -> None:
    cycle = replace(CYCLE, stage=stage, active_at=active_at, target_at=after(1000))
    found = reading(cycle, RULES, stale, calendar)
    assert found is not None
    assert (pace(cycle, RULES, last_fresh, calendar), found.pace) == (Pace.ON_TRACK, Pace.STALE)
    assert f"business days; {RULES.stale_business_days[stage]} may pass in {stage}" in found.reason


@pytest.mark.parametrize(
    ("now", "target_at", "planned_on", "expected"),
    [
        (after(7), after(10), None, Pace.ON_TRACK),
        (after(8), after(10), None, Pace.AT_RISK),
        (after(10), after(10), None, Pace.LATE),
        # The earlier of the two counts, whichever it is. 9 March ends in Amsterdam after 7.625 days.
        (after(6), after(10), date(2026, 3, 9), Pace.ON_TRACK),
        (after(6.2), after(10), date(2026, 3, 9), Pace.AT_RISK),
        (after(7.6), after(10), date(2026, 3, 9), Pace.AT_RISK),
        (after(7.625), after(10), date(2026, 3, 9), Pace.LATE),
        (after(8), after(10), date(2026, 3, 20), Pace.AT_RISK),
        (after(10), after(10), date(2026, 3, 20), Pace.LATE),
        # Without a target the plan alone counts; without either there is nothing to be late for.
        (after(8), None, date(2026, 3, 9), Pace.LATE),
        (after(8), None, None, None),
        # A day that a roll-back left behind is late until it is planned anew.
        (after(0.1), after(10), date(2026, 2, 20), Pace.LATE),
    ],
)
def test_pace_takes_the_earlier_of_target_and_planned_date(
    now: datetime, target_at: datetime | None, planned_on: date | None, expected: Pace | None
) -> None:
    cycle = replace(CYCLE, target_at=target_at, active_at=now)
    assert pace(cycle, RULES, now, CALENDAR, planned_on=planned_on) is expected


def test_the_worse_pace_is_told_first() -> None:
    silent = replace(CYCLE, active_at=MONDAY, target_at=after(10))
    assert pace(replace(silent, active_at=after(9)), RULES, after(9), CALENDAR) is Pace.AT_RISK
    assert pace(silent, RULES, after(9), CALENDAR) is Pace.STALE
    late = reading(silent, RULES, after(10), CALENDAR)
    assert late is not None
    assert late.pace is Pace.LATE
    assert late.reason == (
        "The target of CONTRACTING, 2026-03-12, has passed. "
        "Nothing was done for 8 business days; 5 may pass in CONTRACTING."
    )
    assert late.due_at == after(10)


def test_silence_without_any_date_is_stale() -> None:
    cycle = replace(CYCLE, stage=Stage.EARLY_SUPPORT, target_at=None)
    assert pace(cycle, RULES, after(11), CALENDAR) is None
    assert pace(cycle, RULES, after(14), CALENDAR) is Pace.STALE


def test_nothing_is_stale_or_late_on_hold_or_in_service_or_at_an_end() -> None:
    held = replace(CYCLE, held_at=after(1), target_at=after(2))
    found = reading(held, RULES, after(60), CALENDAR, [hold(after(1), None)])
    assert found is not None
    assert (found.pace, found.reason) == (Pace.ON_HOLD, "It is on hold since 2026-03-03; its clock stands still.")
    assert reading(replace(CYCLE, stage=Stage.STEADY_STATE), RULES, after(60), CALENDAR) is None
    assert reading(replace(CYCLE, stage=Stage.LOST, ended_at=MONDAY), RULES, after(60), CALENDAR) is None


def test_time_on_hold_is_no_part_of_the_way_to_a_target_but_of_that_to_a_planned_date() -> None:
    resumed = after(50)
    cycle = replace(CYCLE, target_at=after(60), active_at=resumed)
    spans = [hold(MONDAY, resumed)]
    assert pace(cycle, RULES, resumed, CALENDAR, spans) is Pace.ON_TRACK
    worked_on = replace(cycle, active_at=after(58))
    assert pace(worked_on, RULES, after(58), CALENDAR, spans) is Pace.AT_RISK
    assert pace(cycle, RULES, resumed, CALENDAR, spans, date(2026, 4, 30)) is Pace.AT_RISK


def test_a_definition_says_how_much_silence_it_allows() -> None:
    patient = replace(RULES, stale_business_days=MappingProxyType({Stage.CONTRACTING: 8}))
    assert pace(CYCLE, patient, after(7), CALENDAR) is Pace.ON_TRACK
    assert pace(CYCLE, patient, after(10), CALENDAR) is Pace.STALE
    assert pace(replace(CYCLE, stage=Stage.ASSET_DISCOVERY), patient, after(50), CALENDAR) is Pace.ON_TRACK


def test_the_reason_names_the_day_due() -> None:
    def said(cycle: Cycle, now: datetime, planned_on: date | None = None) -> str:
        found = reading(replace(cycle, active_at=now), RULES, now, CALENDAR, planned_on=planned_on)
        assert found is not None
        return found.reason

    target = replace(CYCLE, target_at=datetime(2026, 3, 16, 23, 0, tzinfo=UTC))
    assert (
        said(target, after(7)) == "The target of CONTRACTING, 2026-03-16, is ahead; 47 % of the way to it has passed."
    )
    assert said(target, after(9), date(2026, 3, 10)) == "The day planned for ASSET_DISCOVERY, 2026-03-10, has passed."
    early = replace(CYCLE, stage=Stage.EARLY_SUPPORT, target_at=datetime(2026, 5, 30, 22, 0, tzinfo=UTC))
    assert said(early, after(80)).startswith("Day 90, 2026-05-30, is ahead")


def test_a_clock_that_was_set_back_makes_nothing_stale() -> None:
    found = reading(replace(CYCLE, active_at=after(9)), RULES, MONDAY, CALENDAR)
    assert found is not None
    assert (found.pace, found.silent_business_days) == (Pace.ON_TRACK, 0.0)
