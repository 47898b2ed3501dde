"""Definitions: edited and brought in as new versions, which onboardings under way do not feel."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from db import definitions, effects
from domain.access import PrincipalKind, Role, Scope
from domain.consequences import untold
from domain.default_checklists import first_rules
from domain.definition_documents import write
from domain.definitions import Definition, Hardness
from domain.effects import EffectKind
from domain.errors import ForbiddenError, Outcome
from domain.moves import Gate, Move
from domain.onboarding import EndReason
from domain.stages import Stage
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.definitions import (
    UNCHANGED_FACT,
    EditDefinition,
    ImportDefinition,
    edit_definition,
    import_definition,
)
from workflows.tenants import UpdateSettings, update_settings
from workflows.waivers import AttestCommand, WaiverCommand, WaiverDecision, attest, grant_waiver, request_waiver


async def edit(provider: Provider, expected: int = 1, **change: Any) -> Outcome:
    return await edit_definition(provider.context, provider.admin, sent(), EditDefinition(expected, change))


async def newest(provider: Provider) -> Definition:
    async with provider.context.database.reading(provider.admin) as tx:
        found = await definitions.newest(tx)
    assert found is not None
    return found


async def test_an_edit_makes_the_next_version_and_keeps_who_why_and_from_which(provider: Provider) -> None:
    manager = await provider.invited(Role.SERVICE_MANAGER)
    provider.clock.forward(hours=1)
    command = EditDefinition(1, {"targets": {"CONTRACTING": 7}}, note="  We got faster.  ")
    outcome = await edit_definition(provider.context, manager, sent(), command)
    assert outcome.errors == ()
    found = await newest(provider)
    assert (found.id, found.number, found.created_at) == (outcome.subject, 2, provider.clock())
    assert found.authorship is not None
    assert (found.authorship.kind, found.authorship.id) == (PrincipalKind.PERSON, manager.id)
    assert (found.authorship.note, found.authorship.based_on) == ("We got faster.", 1)
    assert found.rules.target_business_days == {Stage.CONTRACTING: 7, Stage.ASSET_DISCOVERY: 20}
    (change,) = untold(outcome.facts)
    assert (change.name, change.before, change.after) == ("targets.CONTRACTING", "10", "7")


async def test_the_first_version_is_the_products_own(provider: Provider) -> None:
    found = await newest(provider)
    assert found.number == 1
    assert found.authorship is not None
    assert found.authorship.kind is PrincipalKind.SYSTEM
    assert found.rules == first_rules()


async def test_an_edit_that_changes_nothing_makes_no_version_and_says_so(provider: Provider) -> None:
    outcome = await edit(provider, targets={"CONTRACTING": 10}, gates={"BACKUP_VERIFIED": "SOFT"})
    assert (outcome.errors, outcome.event, outcome.version) == ((), None, 1)
    assert outcome.facts[UNCHANGED_FACT] is True
    assert untold(outcome.facts) == []
    assert (await newest(provider)).number == 1


async def test_an_edit_decided_on_an_older_version_is_stale(provider: Provider) -> None:
    done(await edit(provider, timerDays=[30]))
    outcome = await edit(provider, expected=1, timerDays=[60])
    assert codes(outcome) == ["STALE_VERSION"]
    assert outcome.errors[0].path == ("expectedNumber",)
    assert outcome.errors[0].current == 2  # type: ignore[attr-defined]


async def test_of_two_edits_at_once_one_is_made_and_the_other_is_stale(provider: Provider) -> None:
    outcomes = await asyncio.gather(*(edit(provider, timerDays=[day]) for day in (10, 20, 30, 40)))
    assert sorted(codes(outcome) for outcome in outcomes) == [[], *[["STALE_VERSION"]] * 3]
    assert (await newest(provider)).number == 2


async def test_a_dry_run_tells_the_change_and_makes_none(provider: Provider) -> None:
    command = EditDefinition(1, {"gates": {"BACKUP_VERIFIED": "HARD"}}, dry_run=True)
    outcome = await edit_definition(provider.context, provider.admin, sent(), command)
    assert (outcome.errors, outcome.version, outcome.event) == ((), 2, None)
    (change,) = untold(outcome.facts)
    assert (change.name, change.before, change.after) == ("gates.BACKUP_VERIFIED", "SOFT", "HARD")
    assert (await newest(provider)).number == 1


async def test_the_same_edit_sent_again_is_done_once(provider: Provider) -> None:
    command = EditDefinition(1, {"timerDays": [45]})
    first = await edit_definition(provider.context, provider.admin, sent("once"), command)
    again = await edit_definition(provider.context, provider.admin, sent("once"), command)
    assert first.errors == again.errors == ()
    assert (again.subject, again.version) == (first.subject, 2)
    assert (await newest(provider)).number == 2


REFUSED: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [
    ({"gates": {"CONTRACT_SIGNED": "SOFT"}}, ("gates", "CONTRACT_SIGNED")),
    ({"gates": {"LEAD_SET": "OFF"}}, ("gates", "LEAD_SET")),
    ({"targets": {"EARLY_SUPPORT": 30}}, ("targets", "EARLY_SUPPORT")),
    ({"targets": {"CONTRACTING": 400}}, ("targets", "CONTRACTING")),
    ({"timerDays": [30, 30]}, ("timerDays", "1")),
    ({"atRiskShare": 1.5}, ("atRiskShare",)),
]


@pytest.mark.parametrize(("change", "path"), REFUSED, ids=[str(change) for change, _ in REFUSED])
async def test_a_wrong_edit_is_refused_by_the_path_of_its_value(
    provider: Provider, change: Mapping[str, Any], path: tuple[str, ...]
) -> None:
    outcome = await edit(provider, **change)
    assert codes(outcome) == ["INVALID"]
    assert outcome.errors[0].path == path
    assert (await newest(provider)).number == 1


async def test_a_note_has_an_end(provider: Provider) -> None:
    command = EditDefinition(1, {"timerDays": [1]}, note="x" * 2001)
    outcome = await edit_definition(provider.context, provider.admin, sent(), command)
    assert (codes(outcome), outcome.errors[0].path) == (["INVALID"], ("note",))


async def test_a_lead_writes_no_policies(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    with pytest.raises(ForbiddenError, match=Scope.POLICIES_WRITE):
        await edit_definition(provider.context, lead, sent(), EditDefinition(1, {"timerDays": [1]}))
    with pytest.raises(ForbiddenError, match=Scope.POLICIES_WRITE):
        await import_definition(provider.context, lead, sent(), ImportDefinition({}))


async def test_a_token_that_sees_some_clients_writes_no_rules_for_all(provider: Provider) -> None:
    client = await provider.client()
    program = await provider.program(Scope.POLICIES_WRITE, clients=(client,))
    with pytest.raises(ForbiddenError, match="sees only some"):
        await edit_definition(provider.context, program, sent("k"), EditDefinition(1, {"timerDays": [1]}))


async def test_what_one_provider_exports_another_imports(provider: Provider, other_provider: Provider) -> None:
    done(await edit(provider, timerDays=[15, 45], gates={"BACKUP_VERIFIED": "HARD"}, checklists={"STEADY_STATE": []}))
    document = write((await newest(provider)).rules)
    command = ImportDefinition(document, note="as the others do")
    outcome = await import_definition(other_provider.context, other_provider.admin, sent(), command)
    assert outcome.errors == ()
    theirs = await newest(other_provider)
    assert (theirs.number, theirs.rules) == (2, (await newest(provider)).rules)
    again = await import_definition(other_provider.context, other_provider.admin, sent(), command)
    assert again.facts[UNCHANGED_FACT] is True
    assert (await newest(other_provider)).number == 2


async def test_a_wrong_document_is_refused_with_all_its_wrong_paths(provider: Provider) -> None:
    document = write(first_rules()) | {"timerDays": [0], "colour": "red"}
    del document["targets"]
    outcome = await import_definition(provider.context, provider.admin, sent(), ImportDefinition(document))
    assert {error.path for error in outcome.errors} == {
        ("document", "timerDays", "0"),
        ("document", "colour"),
        ("document", "targets"),
    }
    assert (await newest(provider)).number == 1


async def test_an_onboarding_opened_before_an_edit_keeps_its_rules(provider: Provider) -> None:
    early = await opened(provider)
    done(await edit(provider, targets={"CONTRACTING": 3}, triggers=[], timerDays=[45], gates={"COVERAGE_HOURS": "OFF"}))
    late = await opened(provider, lead=early.lead)
    before, after = await early.seen(), await late.seen()
    assert before.definition_id != after.definition_id
    assert before.target_at is not None
    assert after.target_at is not None
    assert after.target_at < before.target_at
    for onboarding in (early, late):
        await onboarding.forward()
        await onboarding.forward()
    assert await planned(early, EffectKind.TIMER) == {"DAY_30", "DAY_60", "DAY_90"}
    assert await planned(late, EffectKind.TIMER) == {"DAY_45"}
    assert await planned(early, EffectKind.SURVEY) == {"CONTRACTING", "HAND_OFF", "DISCOVERY", "GO_LIVE_AGENTS"}
    assert await planned(late, EffectKind.SURVEY) == set()


async def planned(onboarding: Onboarding, kind: EffectKind) -> set[str]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        found = (await effects.of_cycles(tx, [onboarding.cycle])).get(onboarding.cycle, [])
    return {effect.key for effect in found if effect.kind is kind and effect.key != "TARGET"}


async def answers(onboarding: Onboarding, move: Move) -> dict[str, tuple[str, str]]:
    """Return how each gate holds a move and what it answers, as the trail of an attempt tells."""
    outcome = await onboarding.move(move)
    return {b.gate: (b.hardness, b.answer) for b in outcome.errors[0].blockers}  # type: ignore[attr-defined]


async def test_a_gate_that_is_switched_off_does_not_apply(provider: Provider) -> None:
    before = await opened(provider)
    done(await edit(provider, gates={"COVERAGE_HOURS": "OFF"}))
    after = await opened(provider)
    assert "COVERAGE_HOURS" in await answers(before, Move.BEGIN_DISCOVERY)
    assert "COVERAGE_HOURS" not in await answers(after, Move.BEGIN_DISCOVERY)
    asked = WaiverCommand(after.cycle, Move.BEGIN_DISCOVERY, Gate.COVERAGE_HOURS, "why not")
    outcome = await request_waiver(provider.context, after.lead, sent(), asked)
    assert codes(outcome) == ["INVALID"]
    assert "switched off" in outcome.errors[0].message


async def test_a_hardened_gate_takes_a_second_person_to_waive(provider: Provider) -> None:
    done(await edit(provider, gates={"COVERAGE_HOURS": "HARD"}))
    onboarding = await opened(provider)
    assert (await answers(onboarding, Move.BEGIN_DISCOVERY))["COVERAGE_HOURS"] == ("HARD", "FAIL")
    asked = WaiverCommand(onboarding.cycle, Move.BEGIN_DISCOVERY, Gate.COVERAGE_HOURS, "agreed")
    waiver = done(await request_waiver(provider.context, onboarding.lead, sent(), asked))
    assert "COVERAGE_HOURS" in await answers(onboarding, Move.BEGIN_DISCOVERY)
    done(await grant_waiver(provider.context, provider.admin, sent(), WaiverDecision(waiver)))
    assert "COVERAGE_HOURS" not in await answers(onboarding, Move.BEGIN_DISCOVERY)


@pytest.fixture
async def hardened(provider: Provider) -> Onboarding:
    """Return an onboarding whose threshold, which nothing measures, holds hard."""
    done(await edit(provider, gates={"THRESHOLD_SET": "HARD"}))
    return await opened(provider)


async def word(onboarding: Onboarding, by: Any) -> Outcome:
    provider = onboarding.provider
    command = AttestCommand(onboarding.cycle, Gate.THRESHOLD_SET, "I saw it", provider.clock().date())
    return await attest(provider.context, by, sent(), command)


async def test_the_word_of_one_person_does_not_open_a_hardened_gate(provider: Provider, hardened: Onboarding) -> None:
    done(await word(hardened, hardened.lead))
    assert (await answers(hardened, Move.BEGIN_DISCOVERY))["THRESHOLD_SET"] == ("HARD", "NOT_MEASURED")
    blocked = await hardened.move(Move.BEGIN_DISCOVERY)
    reason = next(b.reason for b in blocked.errors[0].blockers if b.gate == "THRESHOLD_SET")  # type: ignore[attr-defined]
    assert "takes a second person's word" in reason
    again = await word(hardened, hardened.lead)
    assert codes(again) == ["SECOND_PERSON_REQUIRED"]
    done(await word(hardened, provider.admin))
    assert "THRESHOLD_SET" not in await answers(hardened, Move.BEGIN_DISCOVERY)


async def test_a_token_made_by_whoever_attested_is_no_second_person(provider: Provider, hardened: Onboarding) -> None:
    done(await word(hardened, provider.admin))
    # The lead's token was made by the admin, who may still hold it.
    outcome = await word(hardened, hardened.lead)
    assert codes(outcome) == ["SECOND_PERSON_REQUIRED"]
    assert "rotate it" in outcome.errors[0].message


async def test_where_one_person_waives_hard_gates_one_word_opens_them(provider: Provider, hardened: Onboarding) -> None:
    done(await update_settings(provider.context, provider.admin, sent(), UpdateSettings(hard_waiver_persons=1)))
    done(await word(hardened, hardened.lead))
    assert "THRESHOLD_SET" not in await answers(hardened, Move.BEGIN_DISCOVERY)


async def test_a_soft_gate_is_met_by_one_word(provider: Provider) -> None:
    onboarding = await opened(provider)
    done(await word(onboarding, onboarding.lead))
    assert "THRESHOLD_SET" not in await answers(onboarding, Move.BEGIN_DISCOVERY)


async def test_two_words_of_an_earlier_stay_do_not_count_in_a_later_one(
    provider: Provider, hardened: Onboarding
) -> None:
    done(await word(hardened, hardened.lead))
    done(await word(hardened, provider.admin))
    await hardened.forward()
    done(await hardened.move(Move.ROLL_BACK, to=Stage.CONTRACTING, reason="once more"))
    assert (await answers(hardened, Move.BEGIN_DISCOVERY))["THRESHOLD_SET"] == ("HARD", "NOT_MEASURED")


async def test_how_many_open_onboardings_keep_to_each_version_is_counted(provider: Provider) -> None:
    first, ended = await opened(provider), await opened(provider)
    done(await ended.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    done(await edit(provider, timerDays=[45]))
    await opened(provider)
    old, new = (await first.seen()).definition_id, (await newest(provider)).id
    async with provider.context.database.reading(provider.admin) as tx:
        assert await definitions.open_cycles(tx, [old, new]) == {old: 1, new: 1}


def test_hardness_of_gates_that_always_hold_hard_is_not_stored() -> None:
    assert Gate.CONTRACT_SIGNED not in first_rules().gates
    assert first_rules().hardness(Gate.CONTRACT_SIGNED) is Hardness.HARD
