from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.escalations import (
    ClientHistory,
    EscalationRule,
    EscalationTest,
    InvalidRule,
    Phase,
    Stay,
    Window,
    derive,
    escalations,
)
from domain.tickets import EscalationKind, HandOver, Priority, ReportedEscalation, ReportedTicket, hand_overs

START = datetime(2026, 3, 1, tzinfo=UTC)
TIERS = EscalationRule(EscalationTest.TIER_RAISED)
TEAMS = EscalationRule(EscalationTest.REASSIGNED)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def through(*tiers: int | None) -> list[HandOver]:
    return [HandOver(day(n), f"team {tier}", tier) for n, tier in enumerate(tiers)]


def among(*teams: str | None) -> list[HandOver]:
    return [HandOver(day(n), team) for n, team in enumerate(teams)]


def test_the_first_assignment_to_any_tier_is_no_escalation() -> None:
    assert derive(TIERS, through(3)) == ()
    assert derive(TEAMS, among("A")) == ()


def test_re_routing_inside_a_tier_is_no_escalation() -> None:
    assert derive(TIERS, [HandOver(day(0), "A", 1), HandOver(day(1), "B", 1)]) == ()


def test_a_higher_tier_is_an_escalation_each_time_and_stepping_down_erases_none() -> None:
    found = derive(TIERS, through(1, 2, 1, 2, 3))
    assert [(one.from_tier, one.to_tier) for one in found] == [(1, 2), (1, 2), (2, 3)]
    assert [one.at for one in found] == [day(1), day(3), day(4)]


def test_a_rule_may_count_only_what_the_first_line_pushed_on() -> None:
    rule = EscalationRule(EscalationTest.TIER_RAISED, from_tier=1)
    assert len(derive(rule, through(2, 3))) == 0
    assert len(derive(rule, through(1, 2, 3))) == 1


def test_an_unnamed_tier_is_skipped_not_guessed() -> None:
    assert [one.hand_over for one in derive(TIERS, through(1, None, 2))] == [2]


def test_a_known_change_of_team_is_a_reassignment() -> None:
    found = derive(TEAMS, among("A", "B", None, "B", "A"))
    assert [(one.from_team, one.to_team) for one in found] == [("A", "B"), ("B", "A")]


def test_the_sources_own_count_wins_over_the_names_of_teams() -> None:
    counted = [HandOver(day(n), "A", reassignments=count) for n, count in enumerate((0, 0, 2, 2))]
    assert [one.times for one in derive(TEAMS, counted)] == [2]


def test_a_rule_may_count_from_the_second_reassignment() -> None:
    rule = EscalationRule(EscalationTest.REASSIGNED, from_reassignment=2)
    assert len(derive(rule, among("A", "B"))) == 0
    assert len(derive(rule, among("A", "B", "C", "D"))) == 2
    jumped = [HandOver(day(0), "A", reassignments=0), HandOver(day(1), "B", reassignments=3)]
    assert derive(rule, jumped)[0].times == 2


@given(st.lists(st.integers(0, 4), max_size=12))
def test_counted_reassignments_add_up_to_the_last_count(rises: list[int]) -> None:
    count, seen = 0, [HandOver(day(0), "A", reassignments=0)]
    for number, rise in enumerate(rises, start=1):
        count += rise
        seen.append(HandOver(day(number), f"T{number % 3}", reassignments=count))
    assert sum(one.times for one in derive(TEAMS, hand_overs(seen))) == count


@given(st.lists(st.sampled_from([None, 1, 2, 3]), max_size=12))
def test_dropping_sightings_that_say_nothing_new_loses_no_escalation(tiers: list[int | None]) -> None:
    seen = [HandOver(day(n), None if tier is None else f"T{tier}", tier) for n, tier in enumerate(tiers)]
    assert len(derive(TIERS, hand_overs(seen))) == len(derive(TIERS, seen))


def test_impossible_rules_are_refused_and_good_ones_come_back_from_storage() -> None:
    with pytest.raises(InvalidRule, match="first line is 1"):
        EscalationRule(EscalationTest.TIER_RAISED, from_tier=0)
    with pytest.raises(InvalidRule, match="not at 0"):
        EscalationRule(EscalationTest.REASSIGNED, from_reassignment=0)
    rule = EscalationRule(EscalationTest.REASSIGNED, version=3, from_reassignment=2)
    assert EscalationRule.from_data(rule.to_data()) == rule


def test_a_ticket_is_stamped_as_of_the_moment_it_was_logged() -> None:
    cycle = uuid4()
    history = ClientHistory(
        stays=(
            Stay("CONTRACTING", cycle, day(0), day(10)),
            Stay("EARLY_SUPPORT", cycle, day(10), day(100)),
            Stay("STEADY_STATE", cycle, day(100), day(300)),
        ),
        windows=(Window(day(10), day(100)),),
    )
    stamped = [(history.stamp(day(n)).stage, history.stamp(day(n)).phase) for n in (-1, 0, 10, 99.9, 100, 300)]
    assert stamped == [
        ("UNKNOWN", Phase.UNKNOWN),
        ("CONTRACTING", Phase.BEFORE_SERVICE),
        ("EARLY_SUPPORT", Phase.EARLY),
        ("EARLY_SUPPORT", Phase.EARLY),
        ("STEADY_STATE", Phase.STEADY),
        ("UNKNOWN", Phase.AFTER),
    ]


def test_a_rolled_back_stay_still_holds_the_tickets_of_its_days() -> None:
    first, second = uuid4(), uuid4()
    history = ClientHistory(
        stays=(Stay("ASSET_DISCOVERY", first, day(0), day(5)), Stay("EARLY_SUPPORT", second, day(3), None)),
        windows=(Window(day(3), day(4)),),
    )
    assert history.stamp(day(3.5)).phase is Phase.EARLY
    assert history.stamp(day(4.5)).stage == "EARLY_SUPPORT"


def test_a_report_said_again_has_the_same_digest_and_a_changed_one_another() -> None:
    report = ReportedTicket("1", "Acme", START, hand_overs=(HandOver(START, "A"),))
    assert report.digest() == ReportedTicket("1", "Acme", START, hand_overs=(HandOver(START, "A"),)).digest()
    assert report.digest() != ReportedTicket("1", "Acme", START, priority=Priority.P1).digest()
    assert (
        report.digest() == ReportedTicket("1", "Acme", START, changed_at=day(3), hand_overs=report.hand_overs).digest()
    )


def test_a_target_that_passed_escalates_once_though_the_source_names_it_too() -> None:
    named = ReportedEscalation(day(2), EscalationKind.SLA, reason="The resolution was overdue.")
    ticket = ReportedTicket("T", None, START, escalations=(named,))
    watched = EscalationRule(EscalationTest.TIER_RAISED, sla_missed=True)
    assert [(one.at, one.reason) for one in escalations(watched, ticket, day(2))] == [(day(2), named.reason)]
    assert [one.at for one in escalations(watched, ticket, day(3))] == [day(2), day(3)]
    assert [one.at for one in escalations(watched, ReportedTicket("T", None, START), day(3))] == [day(3)]
