"""Migrations of items: whatever the versions say, nothing done is lost and no two items become one."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.access import PrincipalKind
from domain.calendars import Calendar
from domain.checklists import Item
from domain.definitions import ChecklistItem, Owner, Rules
from domain.errors import UserError
from domain.migrations import RETIRED, Carrying, Journey, carry, retire
from domain.onboarding import Cycle, ScopeKind
from domain.stages import Stage

ENTERED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = ENTERED + timedelta(days=10)
STAGES = (Stage.CONTRACTING, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT, Stage.OFFBOARDED)
NOBODY = UUID(int=1)


def cycle(*, notice: bool) -> Cycle:
    return Cycle(
        id=uuid4(),
        client_id=uuid4(),
        number=1,
        scope_kind=ScopeKind.WHOLE_CLIENT,
        scope_key="",
        contract_id=None,
        definition_id=uuid4(),
        lead_id=NOBODY,
        account_manager_id=None,
        technical_lead_id=None,
        engineer_ids=(),
        stage=Stage.ASSET_DISCOVERY,
        visit_id=uuid4(),
        opened_at=ENTERED,
        entered_at=ENTERED,
        target_at=None,
        held_at=None,
        ended_at=None,
        outcome=None,
        version=1,
        active_at=ENTERED,
        notice_id=uuid4() if notice else None,
    )


@dataclass(frozen=True, slots=True)
class Case:
    """One onboarding on its way, with its items and what is said of their keys."""

    journey: Journey
    items: list[Item]
    retired: list[Item]
    mapping: dict[str, str | None]


def item(of: Cycle, stage: Stage, key: str, *, done: bool = False, own: bool = False) -> Item:
    return Item(
        id=uuid4(),
        client_id=of.client_id,
        cycle_id=of.id,
        stage=stage,
        key=key,
        title=key,
        owner=Owner.LEAD,
        required=True,
        proves=None,
        own=own,
        assignee_id=NOBODY,
        due_on=None,
        added_at=ENTERED,
        done_at=NOW if done else None,
        done_by_kind=PrincipalKind.PERSON if done else None,
        done_by=NOBODY if done else None,
        note=None,
        link=None,
        removed_at=None,
        version=1,
    )


KEYS = st.sampled_from("abcdefgh")


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    placed = draw(st.dictionaries(KEYS, st.tuples(st.sampled_from(STAGES), st.none() | st.integers(0, 20))))
    lists: dict[Stage, tuple[ChecklistItem, ...]] = {}
    for key, (stage, due) in placed.items():
        lists[stage] = (*lists.get(stage, ()), ChecklistItem(key, f"Do {key}", due_business_days=due))
    return Rules(checklists=lists)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    of = cycle(notice=draw(st.booleans()))
    before, after = draw(rules()), draw(rules())
    calendar = Calendar.weekdays(ZoneInfo("Europe/Amsterdam"))
    live = draw(st.dictionaries(KEYS, st.tuples(st.sampled_from(STAGES), st.booleans())))
    items = [item(of, stage, key, done=done) for key, (stage, done) in live.items()]
    items += [item(of, draw(st.sampled_from(STAGES)), "own-1", own=True)] * draw(st.integers(0, 1))
    asleep = [retire(item(of, Stage.ASSET_DISCOVERY, key, done=True), ENTERED) for key in draw(st.sets(KEYS))]
    heirs = st.none() | st.sampled_from(sorted(i.key for every in after.checklists.values() for i in every) or ["a"])
    return Case(
        Journey(of, before, after, calendar, NOW), items, asleep, draw(st.dictionaries(KEYS, heirs, max_size=4))
    )


def outcome(case: Case, carrying: Carrying) -> list[Item]:
    """Return the items that an onboarding has afterwards."""
    gone = {one.id for one in carrying.retired}
    becomes = {before.id: after for before, after in carrying.changed}
    kept = [becomes.get(one.id, one) for one in case.items if one.id not in gone]
    added = [item(case.journey.cycle, stage, words.key) for stage, words, _ in carrying.added]
    return [*kept, *(after for _, after in carrying.revived), *added]


@given(cases())
def test_nothing_done_is_lost_unless_it_was_named(case: Case) -> None:
    carrying = carry(case.journey, case.items, case.retired, case.mapping)
    known = {i.key for every in case.journey.after.checklists.values() for i in every}
    orphans = {one.key for one in case.items if one.done and not one.own} - known - set(case.mapping)
    if isinstance(carrying, UserError):
        assert orphans or "go on as one" in carrying.message
        return
    assert orphans == set()
    after = {one.id: one for one in outcome(case, carrying)}
    for one in case.items:
        if one.id in after:
            assert (after[one.id].done_at, after[one.id].done_by) == (one.done_at, one.done_by)
        else:
            assert not one.own
            assert not one.done or (one.key in case.mapping and case.mapping[one.key] not in known)


@given(cases())
def test_afterwards_every_item_is_one_of_the_new_version_or_the_onboardings_own(case: Case) -> None:
    carrying = carry(case.journey, case.items, case.retired, case.mapping)
    if isinstance(carrying, UserError):
        return
    after = outcome(case, carrying)
    words = {i.key: (stage, i.title) for stage, every in case.journey.after.checklists.items() for i in every}
    assert max(Counter(one.key for one in after).values(), default=1) == 1
    for one in after:
        assert one.own or one.key in words
        if not one.own and one.title != one.key:
            assert (one.stage, one.title) == words[one.key]
        assert RETIRED not in one.key
        assert one.removed_at is None
    stages = {Stage.ASSET_DISCOVERY, *([Stage.OFFBOARDED] if case.journey.cycle.notice_id else [])}
    asked = {key for key, (stage, _) in words.items() if stage in stages}
    assert asked <= {one.key for one in after}


@given(cases())
def test_migrating_once_more_changes_nothing(case: Case) -> None:
    carrying = carry(case.journey, case.items, case.retired, case.mapping)
    if isinstance(carrying, UserError):
        return
    lists = case.journey.after.checklists
    titled = {i.key: i.title for every in lists.values() for i in every}
    after = [replace(one, title=titled.get(one.key, one.title), required=one.own) for one in outcome(case, carrying)]
    again = carry(replace(case.journey, before=case.journey.after), after, [], {})
    assert isinstance(again, Carrying)
    assert (again.changed, again.retired, again.revived, again.added) == ((), (), (), ())
