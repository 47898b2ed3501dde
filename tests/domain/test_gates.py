"""Gates judge evidence and give their reasons; effects follow from the same facts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from domain import diagrams
from domain.calendars import Calendar
from domain.clients import ContractScope, ContractStatus
from domain.definitions import DayNinetyFrom, Hardness, Rules
from domain.effects import EffectState, effects, held_business_days, target_of
from domain.gates import Answer, ContractFacts, Evidence, blockers, judge
from domain.moves import MOVES, Gate, Move, targets_of
from domain.onboarding import Cycle, Hold, HoldReason, ScopeKind, possible_moves
from domain.stages import Stage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
AMSTERDAM = Calendar.weekdays(ZoneInfo("Europe/Amsterdam"))
RULES = Rules()
SIGNED = ContractFacts(ContractStatus.SIGNED, date(2026, 3, 1), None, "Mon-Fri 08:00-18:00", (ContractScope.ENDPOINTS,))

CYCLE = Cycle(
    id=uuid4(),
    client_id=uuid4(),
    number=1,
    scope_kind=ScopeKind.WHOLE_CLIENT,
    scope_key="",
    contract_id=uuid4(),
    definition_id=uuid4(),
    lead_id=uuid4(),
    account_manager_id=None,
    technical_lead_id=None,
    engineer_ids=(),
    stage=Stage.CONTRACTING,
    visit_id=uuid4(),
    opened_at=NOW,
    entered_at=NOW,
    target_at=None,
    held_at=None,
    ended_at=None,
    outcome=None,
    version=1,
    active_at=NOW,
)

EVIDENCE = Evidence(
    now=NOW,
    today=NOW.date(),
    entered_on=NOW.date(),
    contract=SIGNED,
    lead_active=True,
    primary_contacts=1,
    surveyable=(UUID(int=1),),
    devices_discovered=100,
    devices_managed=95,
    devices_explained=0,
    devices_pending_overdue=0,
    last_discovery_at=NOW - timedelta(days=7),
    critical_services=1,
    critical_unmapped=(),
    open_priority_1=0,
    recent_tickets=20,
    recent_escalated=2,
    escalation_rate_limit=0.1,
    attested={},
    waived={},
)


def answer(gate: Gate, rules: Rules = RULES, cycle: Cycle = CYCLE, **changed: Any) -> tuple[Answer, str]:
    evidence = replace(EVIDENCE, **changed)
    move = next(m for m, rule in MOVES.items() if gate in rule.gates)
    verdict = next(v for v in judge(move, cycle, rules, evidence) if v.gate is gate)
    return verdict.answer, verdict.reason


@pytest.mark.parametrize(
    ("gate", "changed", "expected", "said"),
    [
        (Gate.CONTRACT_SIGNED, {}, Answer.PASS, "Signed, starting 2026-03-01."),
        (Gate.CONTRACT_SIGNED, {"contract": None}, Answer.FAIL, "names no contract"),
        (Gate.CONTRACT_SIGNED, {"contract": replace(SIGNED, starts_on=None)}, Answer.FAIL, "no start date"),
        (Gate.CONTRACT_SIGNED, {"contract": replace(SIGNED, status=ContractStatus.SENT)}, Answer.FAIL, "is SENT"),
        (Gate.COVERAGE_HOURS, {"contract": replace(SIGNED, coverage_hours=None)}, Answer.FAIL, "no coverage hours"),
        (Gate.DEVICES_MANAGED, {}, Answer.PASS, "95 of 100"),
        (Gate.DEVICES_MANAGED, {"devices_managed": 94}, Answer.FAIL, "6 gaps have no reason"),
        (Gate.DEVICES_MANAGED, {"devices_managed": 90, "devices_explained": 10}, Answer.PASS, "every gap has a reason"),
        (Gate.DEVICES_MANAGED, {"devices_discovered": 0}, Answer.FAIL, "No device"),
        (
            Gate.DEVICES_MANAGED,
            {"contract": replace(SIGNED, scope=(ContractScope.SERVICE_DESK,))},
            Answer.NOT_APPLICABLE,
            "neither endpoints",
        ),
        (Gate.DISCOVERY_FRESH, {}, Answer.PASS, "2026-02-23 09:00 UTC"),
        (Gate.DISCOVERY_FRESH, {"last_discovery_at": NOW - timedelta(days=7, seconds=1)}, Answer.FAIL, "more than 7"),
        (Gate.DEVICES_DECIDED, {"devices_pending_overdue": 3}, Answer.FAIL, "3 devices"),
        (Gate.CRITICAL_SERVICES_MAPPED, {"critical_services": 0}, Answer.NOT_APPLICABLE, "critical"),
        (Gate.CRITICAL_SERVICES_MAPPED, {"critical_unmapped": ("mail",)}, Answer.FAIL, "1 of 1"),
        (Gate.NO_OPEN_PRIORITY_1, {"open_priority_1": 1}, Answer.FAIL, "1 priority-1"),
        (Gate.ESCALATION_RATE_IN_LIMIT, {}, Answer.PASS, "2 of 20"),
        (Gate.ESCALATION_RATE_IN_LIMIT, {"recent_escalated": 3}, Answer.FAIL, "15.0%"),
        (Gate.ESCALATION_RATE_IN_LIMIT, {"recent_tickets": 19, "recent_escalated": 19}, Answer.PASS, "too few"),
        (Gate.ESCALATION_RATE_IN_LIMIT, {"escalation_rate_limit": None}, Answer.NOT_MEASURED, "No limit"),
        (Gate.BACKUP_VERIFIED, {}, Answer.NOT_MEASURED, "attest it, or waive"),
        (Gate.SERVICE_END_REACHED, {}, Answer.FAIL, "no end date"),
        (Gate.DEVICES_RELEASED, {"devices_managed": 0}, Answer.PASS, "No device"),
    ],
)
def test_a_gate_answers_with_its_reason(gate: Gate, changed: dict[str, Any], expected: Answer, said: str) -> None:
    found, reason = answer(gate, **changed)
    assert found is expected
    assert said in reason


def test_day_ninety_counts_from_the_contract_or_from_service() -> None:
    early = replace(CYCLE, stage=Stage.EARLY_SUPPORT)
    assert answer(Gate.DAY_90_REACHED, cycle=early, today=date(2026, 5, 29))[0] is Answer.FAIL
    assert answer(Gate.DAY_90_REACHED, cycle=early, today=date(2026, 5, 30))[0] is Answer.PASS
    service = Rules(day_ninety_from=DayNinetyFrom.SERVICE_START)
    assert answer(Gate.DAY_90_REACHED, service, early, today=date(2026, 5, 30))[0] is Answer.FAIL
    assert answer(Gate.DAY_90_REACHED, service, early, today=date(2026, 5, 31))[0] is Answer.PASS


def test_days_in_the_stage_are_local_days() -> None:
    # Noon to noon over the change to summer time is thirty days, though an hour short of thirty times 24 hours.
    early = replace(CYCLE, stage=Stage.EARLY_SUPPORT, entered_at=datetime(2026, 3, 2, 11, 0, tzinfo=UTC))
    now = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
    assert answer(Gate.DAYS_IN_STAGE, cycle=early, now=now, today=date(2026, 4, 1))[0] is Answer.PASS
    assert answer(Gate.DAYS_IN_STAGE, cycle=early, now=now, today=date(2026, 3, 31))[0] is Answer.FAIL


def test_a_definition_hardens_and_switches_off_but_never_softens_the_contract() -> None:
    rules = Rules(gates={Gate.COVERAGE_HOURS: Hardness.HARD, Gate.PRIMARY_CONTACT: Hardness.OFF})
    assert rules.hardness(Gate.COVERAGE_HOURS) is Hardness.HARD
    assert answer(Gate.PRIMARY_CONTACT, rules, primary_contacts=0)[0] is Answer.NOT_APPLICABLE
    assert Rules(gates={Gate.CONTRACT_SIGNED: Hardness.OFF}).hardness(Gate.CONTRACT_SIGNED) is Hardness.HARD


def test_an_attestation_meets_only_what_nothing_measures() -> None:
    word = uuid4()
    evidence = replace(EVIDENCE, contract=None, attested={Gate.THRESHOLD_SET: word, Gate.CONTRACT_SIGNED: word})
    verdicts = {v.gate: v for v in judge(Move.BEGIN_DISCOVERY, CYCLE, RULES, evidence)}
    assert verdicts[Gate.THRESHOLD_SET].open
    assert not verdicts[Gate.CONTRACT_SIGNED].open


def test_every_blocker_says_who_may_waive_it() -> None:
    evidence = replace(EVIDENCE, contract=None)
    found = {b.gate: b.waivable_by for b in blockers(judge(Move.BEGIN_DISCOVERY, CYCLE, RULES, evidence))}
    assert found["CONTRACT_SIGNED"] == ("a second person: SERVICE_MANAGER or ADMIN",)
    assert "SERVICE_MANAGER" in found["COVERAGE_HOURS"]


def test_going_live_plans_the_days_of_the_contract_at_local_midnight() -> None:
    cycle = replace(CYCLE, stage=Stage.ASSET_DISCOVERY)
    planned = effects(Move.GO_LIVE, Stage.EARLY_SUPPORT, cycle, RULES, EVIDENCE, AMSTERDAM)
    days = {e.key: e.due_at for e in planned if e.key.startswith("DAY_")}
    # Day 30 is 31 March, in summer time; midnight there is 22:00 UTC.
    assert days["DAY_30"] == datetime(2026, 3, 30, 22, 0, tzinfo=UTC)
    assert days["DAY_90"] == datetime(2026, 5, 29, 22, 0, tzinfo=UTC)


def test_a_timer_whose_day_has_passed_is_skipped_and_says_so() -> None:
    contract = replace(SIGNED, starts_on=date(2026, 1, 20))
    evidence = replace(EVIDENCE, contract=contract)
    planned = effects(Move.GO_LIVE, Stage.EARLY_SUPPORT, CYCLE, RULES, evidence, AMSTERDAM)
    by_key = {e.key: (e.state, e.reason) for e in planned}
    assert by_key["DAY_30"] == (EffectState.SKIPPED, "PAST")
    assert by_key["DAY_60"] == (EffectState.PLANNED, None)


def test_a_survey_without_anybody_to_ask_is_skipped_and_says_so() -> None:
    planned = effects(Move.OFF_BOARD, Stage.OFFBOARDED, CYCLE, RULES, replace(EVIDENCE, surveyable=()), AMSTERDAM)
    assert [(e.state, e.reason) for e in planned] == [(EffectState.SKIPPED, "NO_RECIPIENT")]


def test_what_is_brought_in_from_the_past_sets_nothing_off() -> None:
    planned = effects(Move.BEGIN_DISCOVERY, Stage.ASSET_DISCOVERY, CYCLE, RULES, EVIDENCE, AMSTERDAM, historical=True)
    surveys = [(e.state, e.reason) for e in planned if e.key != "TARGET"]
    assert set(surveys) == {(EffectState.SKIPPED, "IMPORTED")}


def hold(starts: datetime, ends: datetime) -> Hold:
    return Hold(uuid4(), CYCLE.id, HoldReason.CLIENT, None, starts, None, ends)


def test_a_target_is_the_end_of_the_last_business_day_or_of_day_ninety() -> None:
    assert target_of(Stage.CONTRACTING, NOW, RULES, EVIDENCE, AMSTERDAM) == datetime(2026, 3, 16, 23, 0, tzinfo=UTC)
    # Day 90 is 30 May: whoever graduates on it is on time.
    assert target_of(Stage.EARLY_SUPPORT, NOW, RULES, EVIDENCE, AMSTERDAM) == datetime(2026, 5, 30, 22, 0, tzinfo=UTC)


def test_holds_move_a_target_by_the_business_days_they_add_up_to() -> None:
    def target(*holds: Hold) -> datetime | None:
        held = held_business_days(holds, NOW, NOW + timedelta(days=30), AMSTERDAM)
        return target_of(Stage.CONTRACTING, NOW, RULES, EVIDENCE, AMSTERDAM, held_business_days=held)

    friday, monday = datetime(2026, 3, 6, 12, 0, tzinfo=UTC), datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
    assert target(hold(friday, monday)) == datetime(2026, 3, 17, 23, 0, tzinfo=UTC)
    moments = [datetime(2026, 3, 3, hour, 0, tzinfo=UTC) for hour in range(9, 14)]
    assert target(*(hold(at, at + timedelta(minutes=2)) for at in moments)) == target()
    before = hold(NOW - timedelta(days=9), NOW - timedelta(days=2))
    assert target(before) == target()


def test_the_table_of_moves_reaches_every_stage_and_leaves_no_end() -> None:
    assert {t for rule in MOVES.values() for t in rule.targets} == set(Stage)
    for end in (Stage.LOST, Stage.OFFBOARDED):
        assert possible_moves(replace(CYCLE, stage=end, ended_at=NOW)) == ()
    assert targets_of(Move.ROLL_BACK, Stage.STEADY_STATE) == (
        Stage.CONTRACTING,
        Stage.ASSET_DISCOVERY,
        Stage.EARLY_SUPPORT,
    )


def test_on_hold_only_resuming_or_ending_is_possible() -> None:
    assert set(possible_moves(replace(CYCLE, held_at=NOW))) == {Move.RESUME, Move.LOSE, Move.DISCARD}


def test_the_diagram_has_every_move_of_the_table() -> None:
    drawn = diagrams.machine(RULES)
    for move in (Move.BEGIN_DISCOVERY, Move.GO_LIVE, Move.GRADUATE, Move.LOSE, Move.OFF_BOARD, Move.ROLL_BACK):
        assert MOVES[move].title in drawn
