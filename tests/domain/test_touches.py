from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from domain.envelopes import EVENT_TYPES
from domain.feed import EventActor, EventSubject, LoggedEvent
from domain.kpis import Kpi
from domain.touches import EVERY, MOST_NAMED, OF_ONBOARDING, OF_TICKETS, TOUCHING, Touch, narrowed, touch_of

TOUCHING_NOTHING = {
    "client.changed": "figures know clients by their ids",
    "client.upserted": "as client.changed",
    "client.erased": "figures stay",
    "contact.changed": "no figure knows contacts",
    "contact.erased": "no figure knows contacts",
    "definition.changed": "onboardings keep the rules they were opened with",
    "device.changed": "no figure knows devices yet",
    "device.upserted": "as device.changed",
    "discovery.ran": "no figure knows runs",
    "escalation_rule.changed": "the job that goes through the tickets by it tells of each client that it restates",
    "inbound_source.changed": "a source brings tickets, which are told of themselves",
    "job.changed": "what a job writes is told of by itself",
    "member.changed": "figures know members by their ids",
    "member.erased": "figures stay",
    "onboarding.timer_fired": "what follows from a timer is an event of its own",
    "service.changed": "no figure knows services",
    "ticket.changed": "tickets.ingested tells of the same change, with its days",
    "token.changed": "no figure knows tokens",
}


def logged(type_: str, client: str | None = "cli_1", **data: Any) -> LoggedEvent:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return LoggedEvent(
        seq=1,
        client=None,
        scope="KPIS_READ",
        id="evt_1",
        cursor="here",
        type=type_,
        schema_version=1,
        client_id=client,
        subject=EventSubject("CLIENT", "cli_1", 1),
        actor=EventActor("SYSTEM", None, None),
        occurred_at=at,
        recorded_at=at,
        request_id="req",
        caused_by=None,
        historical=False,
        data=data,
    )


def touched(event: LoggedEvent) -> Touch:
    touch = touch_of(event)
    assert touch is not None
    return touch


def test_every_kind_of_event_touches_figures_or_says_why_not() -> None:
    silent = {type_ for type_ in EVENT_TYPES if type_ not in TOUCHING or touch_of(logged(type_)) is None}
    assert silent - {"kpi.target_changed"} == set(TOUCHING_NOTHING)


def test_a_batch_of_tickets_touches_the_figures_of_tickets_on_its_days() -> None:
    touch = touched(logged("tickets.ingested", created=1, updated=0, days=["2026-03-01", "2026-02-27"]))
    assert (touch.kpis, touch.clients) == (OF_TICKETS, frozenset({"cli_1"}))
    assert touch.days == frozenset({date(2026, 3, 1), date(2026, 2, 27)})


def test_a_move_touches_the_figures_of_onboarding_on_any_day() -> None:
    touch = touched(logged("onboarding.moved"))
    assert (touch.kpis, touch.days) == (OF_ONBOARDING, None)
    assert OF_ONBOARDING | OF_TICKETS == EVERY


def test_a_smaller_change_of_an_onboarding_touches_what_it_is_about() -> None:
    assert touched(logged("onboarding.changed", change="PLAN")).kpis == {Kpi.RE_PLANS}
    assert touch_of(logged("onboarding.changed", change="NOTE")) is None
    assert touched(logged("onboarding.changed", change="HELD")).kpis == OF_ONBOARDING


def test_a_target_touches_its_own_figure_and_an_unknown_one_none() -> None:
    assert touched(logged("kpi.target_changed", None, kpi="ESCALATION_RATE")).kpis == {Kpi.ESCALATION_RATE}
    assert touch_of(logged("kpi.target_changed", kpi="OF_A_LATER_RELEASE")) is None


def test_two_touches_are_one_with_all_of_both_at_the_later_place() -> None:
    one = Touch("1", frozenset({Kpi.ESCALATIONS}), frozenset({"a"}), frozenset({date(2026, 3, 1)}))
    other = Touch("2", frozenset({Kpi.RE_PLANS}), frozenset({"b"}), None)
    assert one.with_(other) == Touch("2", frozenset({Kpi.ESCALATIONS, Kpi.RE_PLANS}), frozenset({"a", "b"}), None)
    many = replace(one, clients=frozenset(str(place) for place in range(MOST_NAMED)))
    assert many.with_(one).clients is None


def test_what_was_not_asked_for_is_no_touch() -> None:
    touch = Touch("1", frozenset({Kpi.ESCALATIONS}), frozenset({"a"}), None)
    assert narrowed(touch, frozenset({Kpi.RE_PLANS}), None) is None
    assert narrowed(touch, None, frozenset({"b"})) is None
    assert narrowed(touch, frozenset({Kpi.ESCALATIONS, Kpi.RE_PLANS}), frozenset({"a", "b"})) == touch
    of_any = replace(touch, clients=None)
    assert narrowed(of_any, None, frozenset({"b"})) == of_any
