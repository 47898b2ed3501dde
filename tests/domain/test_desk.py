"""The desk: what is to be done for one onboarding, and what comes first over all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from domain.checklists import Item
from domain.clients import Party
from domain.definitions import Hardness, Owner, Rules
from domain.desk import Action, ActionKind, CycleFile, Sitting, Urgency, actions_of, ranked
from domain.follow_ups import FollowUp, FollowUpKind
from domain.gates import Answer, Verdict
from domain.moves import Gate, Move
from domain.onboarding import Cycle, EndReason, Hold, HoldReason, Notice, ScopeKind
from domain.pace import Pace, PaceReading
from domain.readiness import Readiness
from domain.stages import Stage
from domain.waivers import Waiver

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
TODAY = date(2026, 3, 18)
ME, OTHER = UUID(int=1), UUID(int=2)
SITTING = Sitting(ME, frozenset({ME}), grants=False, now=NOW, zone=ZoneInfo("Europe/Amsterdam"))


def cycle(stage: Stage = Stage.CONTRACTING, **fields: object) -> Cycle:
    opened = NOW - timedelta(days=20)
    made = Cycle(
        id=uuid4(),
        client_id=uuid4(),
        number=1,
        scope_kind=ScopeKind.WHOLE_CLIENT,
        scope_key="",
        contract_id=None,
        definition_id=uuid4(),
        lead_id=ME,
        account_manager_id=None,
        technical_lead_id=None,
        engineer_ids=(),
        stage=stage,
        visit_id=UUID(int=9),
        opened_at=opened,
        entered_at=opened,
        target_at=None,
        held_at=None,
        ended_at=None,
        outcome=None,
        version=1,
        active_at=opened,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def file(
    one: Cycle, *, shut: Sequence[Gate] = (), pace: Pace = Pace.ON_TRACK, silent: float = 0, **more: object
) -> CycleFile:
    verdicts = tuple(Verdict(gate, Hardness.SOFT, Answer.FAIL, "missing") for gate in shut)
    move = {Stage.CONTRACTING: Move.BEGIN_DISCOVERY, Stage.EARLY_SUPPORT: Move.GRADUATE}.get(one.stage)
    moves = (Readiness(one.id, move, Stage.ASSET_DISCOVERY, verdicts, ()),) if move else ()
    read = PaceReading(pace, "on its way", one.target_at, silent)
    return CycleFile(one, Rules(), moves, read, **more)  # type: ignore[arg-type]


def item(due: date | None, *, stage: Stage = Stage.CONTRACTING, done: bool = False) -> Item:
    return Item(
        id=uuid4(),
        client_id=uuid4(),
        cycle_id=uuid4(),
        stage=stage,
        key="k",
        title="Collect logins",
        owner=Owner.LEAD,
        required=True,
        proves=None,
        own=False,
        assignee_id=ME,
        due_on=due,
        added_at=NOW,
        done_at=NOW if done else None,
        done_by_kind=None,
        done_by=None,
        note=None,
        link=None,
        removed_at=None,
        version=1,
    )


def promise(due: date, kind: FollowUpKind = FollowUpKind.OTHER) -> FollowUp:
    return FollowUp(uuid4(), uuid4(), uuid4(), kind, uuid4(), ME, due, NOW, None, None, None, 1, "Send the plan")


def waiver(by: UUID) -> Waiver:
    return Waiver(
        id=uuid4(),
        client_id=uuid4(),
        cycle_id=uuid4(),
        visit_id=UUID(int=9),
        move=Move.BEGIN_DISCOVERY,
        gate=Gate.CONTRACT_SIGNED,
        hardness=Hardness.HARD,
        reason="agreed",
        requested_by=by,
        requested_at=NOW,
        granted_by=None,
        granted_at=None,
        four_eyes=False,
        expires_at=NOW + timedelta(days=14),
        withdrawn_at=None,
        withdrawn_by=None,
        used_by=None,
    )


def held(days: int, resume_on: date | None) -> CycleFile:
    since = NOW - timedelta(days=days)
    hold = Hold(uuid4(), uuid4(), HoldReason.CLIENT, None, since, resume_on, None)
    return file(cycle(held_at=since), holds=[hold], shut=[Gate.PRIMARY_CONTACT])


def noticed(ends_on: date) -> CycleFile:
    notice = Notice(uuid4(), uuid4(), Party.CLIENT, None, TODAY, ends_on, EndReason.PRICE, "too dear", NOW, None)
    return file(cycle(Stage.STEADY_STATE, notice_id=notice.id), notice=notice)


YESTERDAY, TOMORROW, LATER = TODAY - timedelta(days=1), TODAY + timedelta(days=1), TODAY + timedelta(days=9)
AGO, AHEAD = NOW - timedelta(days=3), NOW + timedelta(days=3)
SHUT = {"shut": [Gate.PRIMARY_CONTACT]}


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (file(cycle()), [("ADVANCE_READY", "READY", "onboardingAdvance")]),
        (file(cycle(target_at=AGO), pace=Pace.LATE), [("ADVANCE_READY", "OVERDUE", "onboardingAdvance")]),
        (file(cycle(), **SHUT), [("GATE_BLOCKED", "LATER", "waiverRequest")]),  # type: ignore[arg-type]
        (
            file(cycle(target_at=AGO), pace=Pace.LATE, **SHUT),  # type: ignore[arg-type]
            [("TARGET_LATE", "OVERDUE", "onboardingAdvance"), ("GATE_BLOCKED", "LATER", "waiverRequest")],
        ),
        (
            file(cycle(target_at=AHEAD), pace=Pace.AT_RISK, **SHUT),  # type: ignore[arg-type]
            [("TARGET_NEAR", "AT_RISK", "onboardingAdvance"), ("GATE_BLOCKED", "LATER", "waiverRequest")],
        ),
        (
            file(cycle(Stage.EARLY_SUPPORT, target_at=AHEAD), pace=Pace.AT_RISK, shut=[Gate.DAY_90_REACHED]),
            [("DAY_90_NEAR", "AT_RISK", "onboardingAdvance"), ("GATE_BLOCKED", "LATER", "waiverRequest")],
        ),
        (
            file(cycle(), planned={Stage.ASSET_DISCOVERY: YESTERDAY}, **SHUT),  # type: ignore[arg-type]
            [("PLANNED_DATE_PASSED", "OVERDUE", "onboardingPlan"), ("GATE_BLOCKED", "LATER", "waiverRequest")],
        ),
        (
            file(cycle(), silent=6, pace=Pace.STALE, **SHUT),
            [("STALE", "AT_RISK", "noteAdd"), ("GATE_BLOCKED", "LATER", "waiverRequest")],
        ),
        (held(3, None), []),
        (held(15, None), [("HOLD_TO_REVIEW", "OVERDUE", "onboardingResume")]),
        (held(3, TODAY), [("HOLD_TO_REVIEW", "TODAY", "onboardingResume")]),
        (held(30, TOMORROW), []),
        (noticed(LATER), [("NOTICE_TO_SAVE", "AT_RISK", "followUpOpen")]),
        (noticed(YESTERDAY), [("NOTICE_TO_SAVE", "OVERDUE", "onboardingOffBoard")]),
        (
            file(cycle(Stage.STEADY_STATE), items=[item(YESTERDAY), item(TODAY), item(LATER), item(None)]),
            [
                ("CHECKLIST_OVERDUE", "OVERDUE", "checklistItemComplete"),
                ("CHECKLIST_DUE", "TODAY", "checklistItemComplete"),
            ],
        ),
        (file(cycle(Stage.STEADY_STATE), items=[item(YESTERDAY, done=True)]), []),
        (file(cycle(Stage.STEADY_STATE), items=[item(YESTERDAY, stage=Stage.OFFBOARDED)]), []),
        (
            file(cycle(Stage.STEADY_STATE), follow_ups=[promise(YESTERDAY), promise(TOMORROW), promise(LATER)]),
            [("FOLLOW_UP_DUE", "OVERDUE", "followUpClose"), ("FOLLOW_UP_DUE", "LATER", "followUpClose")],
        ),
        (
            file(cycle(Stage.STEADY_STATE), follow_ups=[promise(LATER, FollowUpKind.SAVE_CLIENT)]),
            [("NOTICE_TO_SAVE", "AT_RISK", "followUpClose")],
        ),
    ],
)
def test_every_onboarding_says_what_is_to_be_done_and_how_urgent_it_is(
    of: CycleFile, expected: list[tuple[str, str, str]]
) -> None:
    assert [(one.kind, one.urgency, one.call) for one in ranked([of], SITTING)] == expected


def test_a_waiver_is_granted_by_a_manager_who_did_not_ask_for_it_whoever_leads() -> None:
    one = file(cycle(lead_id=OTHER), waivers=[waiver(OTHER), waiver(ME)])
    assert list(actions_of(one, SITTING)) == []
    manager = replace(SITTING, grants=True)
    assert [action.kind for action in actions_of(one, manager)] == [ActionKind.WAIVER_TO_GRANT]


def test_whoever_stands_in_finds_the_work_of_the_absent_on_their_desk() -> None:
    one = file(cycle(lead_id=OTHER))
    assert ranked([one], SITTING) == []
    assert len(ranked([one], replace(SITTING, members=frozenset({ME, OTHER})))) == 1


def test_a_blocked_move_names_its_gates_and_the_onboarding_of_each() -> None:
    one = file(cycle(), shut=[Gate.PRIMARY_CONTACT, Gate.COVERAGE_HOURS])
    (action,) = ranked([one], SITTING)
    assert [(blocker.gate, blocker.cycle_id) for blocker in action.blockers] == [
        ("PRIMARY_CONTACT", one.cycle.id),
        ("COVERAGE_HOURS", one.cycle.id),
    ]


def test_the_longest_overdue_comes_first_then_today_then_what_is_ready_then_what_is_at_risk_then_the_rest() -> None:
    week_ago = TODAY - timedelta(days=7)
    files = [
        file(cycle(), **SHUT),  # type: ignore[arg-type]
        file(cycle(target_at=AHEAD), pace=Pace.AT_RISK, **SHUT),  # type: ignore[arg-type]
        file(cycle()),
        file(cycle(Stage.STEADY_STATE), items=[item(TODAY)]),
        file(cycle(Stage.STEADY_STATE), items=[item(YESTERDAY)]),
        file(cycle(Stage.STEADY_STATE), follow_ups=[promise(week_ago)]),
    ]
    found: list[Action] = ranked(files, SITTING)
    assert [(one.urgency, one.kind) for one in found] == [
        (Urgency.OVERDUE, ActionKind.FOLLOW_UP_DUE),
        (Urgency.OVERDUE, ActionKind.CHECKLIST_OVERDUE),
        (Urgency.TODAY, ActionKind.CHECKLIST_DUE),
        (Urgency.READY, ActionKind.ADVANCE_READY),
        (Urgency.AT_RISK, ActionKind.TARGET_NEAR),
        (Urgency.LATER, ActionKind.GATE_BLOCKED),
        (Urgency.LATER, ActionKind.GATE_BLOCKED),
    ]
    assert ranked(reversed(files), SITTING) == found


def test_a_local_day_is_due_until_it_is_over_where_the_provider_is() -> None:
    one = file(cycle(Stage.STEADY_STATE), items=[item(TODAY)])
    late = replace(SITTING, now=datetime(2026, 3, 18, 22, 59, tzinfo=UTC))
    assert [action.urgency for action in ranked([one], late)] == [Urgency.TODAY]
    over = replace(SITTING, now=datetime(2026, 3, 18, 23, 0, tzinfo=UTC))
    assert [action.urgency for action in ranked([one], over)] == [Urgency.OVERDUE]
