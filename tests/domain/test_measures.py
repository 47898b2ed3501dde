"""What a ticket's way comes to, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.calendars import Calendar
from domain.measures import Decided, Measured, measure
from domain.tickets import HandOver, ReportedTicket, Resolution, SlaResult, SlaTarget, Wait

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = NINE + timedelta(days=30)
WEEK = Calendar.weekdays(ZoneInfo("UTC"))
TICKET = ReportedTicket("T", None, NINE)


def at(hours: float) -> datetime:
    return NINE + timedelta(hours=hours)


def of(now: datetime = NOW, *, escalated: bool = False, **said: object) -> Measured:
    return measure(replace(TICKET, **said), WEEK, now, escalated=escalated)  # type: ignore[arg-type]


def test_time_to_resolve_is_worked_time_without_waits_and_gaps() -> None:
    assert of(resolutions=(Resolution(at(24)),)).resolve_minutes == 8 * 60
    waits = (Wait(at(1), at(3)), Wait(at(2), at(4)))
    assert of(resolutions=(Resolution(at(6)),), waits=waits).resolve_minutes == 3 * 60
    again = (Resolution(at(1), at(3)), Resolution(at(5)))
    assert of(resolutions=again).resolve_minutes == 3 * 60
    assert of(resolutions=again, waits=(Wait(at(2), at(4)),)).resolve_minutes == 2 * 60


def test_what_is_open_or_ended_before_it_began_has_no_time() -> None:
    assert of().resolve_minutes is None
    assert of(resolutions=(Resolution(at(1), at(2)),)).resolve_minutes is None
    assert of(resolutions=(Resolution(at(-1)),)).resolve_minutes is None
    assert of(first_responded_at=at(-1)).response_minutes is None
    assert of(first_responded_at=at(0.5)).response_minutes == 30


def test_closing_ends_what_nobody_resolved() -> None:
    assert of(closed_at=at(2)).endings == (Resolution(at(2)),)
    assert of(closed_at=at(2), resolutions=(Resolution(at(1)),)).endings == (Resolution(at(1)),)
    assert of(closed_at=at(5), resolutions=(Resolution(at(1), at(3)),)).ended_at == at(5)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, None),
        ({"resolutions": (Resolution(NINE),)}, True),
        ({"resolutions": (Resolution(NINE),), "first_contact": False}, False),
        ({"resolutions": (Resolution(NINE),), "escalated": True, "first_contact": True}, False),
        ({"resolutions": (Resolution(NINE),), "hand_overs": (HandOver(NINE, "A"), HandOver(NINE, "B"))}, False),
        ({"resolutions": (Resolution(NINE),), "waits": (Wait(NINE, NINE),)}, False),
        ({"resolutions": (Resolution(NINE, NINE + timedelta(hours=72)),)}, False),
        ({"resolutions": (Resolution(NINE, NINE + timedelta(hours=72, minutes=1)),)}, True),
        ({"resolutions": (Resolution(NINE),), "times_reopened": 1}, False),
    ],
)
def test_a_first_contact_resolves_if_nothing_came_after_it(said: dict[str, object], expected: bool | None) -> None:
    assert of(**said).first_contact is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "done", "now", "expected"),
    [
        (SlaTarget(at(4)), None, at(4), None),
        (SlaTarget(at(4)), None, at(5), Decided(SlaResult.MISSED, at(4))),
        (SlaTarget(at(4)), at(4), at(9), Decided(SlaResult.MET, at(4))),
        (SlaTarget(at(4)), at(5), at(9), Decided(SlaResult.MISSED, at(4))),
        (SlaTarget(at(4), SlaResult.MET), at(5), at(9), Decided(SlaResult.MET, at(5))),
        (SlaTarget(None, SlaResult.MISSED), at(5), at(9), Decided(SlaResult.MISSED, at(5))),
        (SlaTarget(None, SlaResult.MISSED), None, at(9), Decided(SlaResult.MISSED, NINE)),
        (SlaTarget(), at(5), at(9), None),
        (None, at(5), at(9), None),
    ],
)
def test_a_target_is_met_missed_or_neither_yet(
    target: SlaTarget | None, done: datetime | None, now: datetime, expected: Decided | None
) -> None:
    resolutions = () if done is None else (Resolution(done),)
    assert of(now, resolution_sla=target, resolutions=resolutions).resolution == expected
    assert of(now, response_sla=target, first_responded_at=done).response == expected


def test_while_somebody_else_is_to_act_no_time_runs_out() -> None:
    waiting = (Wait(at(1)),)
    assert of(at(9), resolution_sla=SlaTarget(at(4)), waits=waiting).resolution is None
    ended = (Wait(at(1), at(2)),)
    assert of(at(9), resolution_sla=SlaTarget(at(4)), waits=ended).resolution == Decided(SlaResult.MISSED, at(4))
