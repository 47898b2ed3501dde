"""The hand-off record: written field by field, complete when nothing is left unsaid, and never holding a secret."""

import pytest

from db import timeline
from domain.access import Role
from domain.errors import Outcome
from domain.gates import Answer
from domain.hand_off import HandOffContact, HandOffField
from domain.moves import Gate, Move
from domain.onboarding import EndReason
from tests.support.checklists import contact_of, hand_over, record_of
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, new_provider, sent
from workflows.hand_offs import UpdateHandOff, update
from workflows.readiness import judged

F = HandOffField


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def write(onboarding: Onboarding, given: object = None, *none: HandOffField, **details: object) -> Outcome:
    command = UpdateHandOff(onboarding.cycle, given or {}, none, **details)  # type: ignore[arg-type]
    return await update(onboarding.provider.context, onboarding.lead, sent(), command)


async def hand_off_gate(onboarding: Onboarding) -> tuple[Answer, str]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        moves = (await judged(tx, [onboarding.cycle], onboarding.provider.clock()))[onboarding.cycle].moves
    return next((v.answer, v.reason) for move in moves for v in move.gates if v.gate is Gate.HAND_OFF_COMPLETE)


async def test_the_gate_lists_what_is_missing_until_each_field_is_filled_or_declared_none(
    onboarding: Onboarding,
) -> None:
    answer, reason = await hand_off_gate(onboarding)
    assert answer is Answer.FAIL
    assert all(f in reason for f in F)
    done(await write(onboarding, {F.SCOPE_SOLD: " Everything. "}, F.INCUMBENT, F.VIPS))
    answer, reason = await hand_off_gate(onboarding)
    assert answer is Answer.FAIL
    assert not {"SCOPE_SOLD", "INCUMBENT", "VIPS"} & set(reason.replace(",", " ").split())
    await hand_over(onboarding)
    assert (await hand_off_gate(onboarding))[0] is Answer.PASS
    record = await record_of(onboarding)
    assert record is not None
    assert record.complete
    assert record.missing == ()


async def test_a_value_takes_back_that_there_is_none_and_the_other_way_round(onboarding: Onboarding) -> None:
    done(await write(onboarding, {}, F.INCUMBENT))
    done(await write(onboarding, {F.INCUMBENT: "Bytes & Sons, until the end of May"}))
    record = await record_of(onboarding)
    assert record is not None
    assert (record.incumbent, record.declared_none) == ("Bytes & Sons, until the end of May", ())
    done(await write(onboarding, {}, F.INCUMBENT))
    record = await record_of(onboarding)
    assert record is not None
    assert (record.incumbent, record.declared_none) == (None, (F.INCUMBENT,))
    assert F.INCUMBENT not in record.missing
    done(await write(onboarding, {F.INCUMBENT: None}))
    record = await record_of(onboarding)
    assert record is not None
    assert F.INCUMBENT in record.missing
    assert codes(await write(onboarding, {F.RISKS: "Old firewall"}, F.RISKS)) == ["INVALID"]


async def test_secrets_are_refused_by_field_and_nothing_is_written(onboarding: Onboarding) -> None:
    given = {F.RISKS: "Firewall\npassword: hunter2", F.SECRETS_PLACE: "-----BEGIN RSA PRIVATE KEY-----"}
    outcome = await write(onboarding, given)
    assert [error.path for error in outcome.errors] == [("risks",), ("secretsPlace",)]
    assert "hunter2" not in outcome.errors[0].message
    assert "Line 2" in outcome.errors[0].message
    assert await record_of(onboarding) is None


async def test_contacts_of_another_client_are_refused_by_field(onboarding: Onboarding) -> None:
    own = await contact_of(onboarding)
    beside = await contact_of(await opened(onboarding.provider))
    stranger = await contact_of(await opened(await new_provider(onboarding.provider.context.database)))
    for foreign in (beside, stranger):
        given = {
            F.CONTACTS: (HandOffContact("TECHNICAL", foreign),),  # type: ignore[arg-type]
            F.APPROVERS: (own, foreign),
            F.VIPS: (own,),
        }
        outcome = await write(onboarding, given)
        assert [(e.code.value, e.path) for e in outcome.errors] == [
            ("NOT_FOUND", ("contacts",)),
            ("NOT_FOUND", ("approverIds",)),
        ]
    done(await write(onboarding, {F.APPROVERS: (own, own)}))
    record = await record_of(onboarding)
    assert record is not None
    assert record.approvers == (own,)


async def test_a_record_counts_its_versions_and_what_is_the_same_writes_nothing(onboarding: Onboarding) -> None:
    first = await write(onboarding, {F.RISKS: "Old firewall"}, expected_version=0)
    done(first)
    assert (first.version, (await write(onboarding, {F.RISKS: "Old firewall"})).event) == (1, None)
    stale = await write(onboarding, {F.RISKS: "None"}, expected_version=0)
    assert codes(stale) == ["STALE_VERSION"]
    done(await write(onboarding, {F.RISKS: "New firewall"}, expected_version=1))


async def test_whoever_is_not_on_the_team_writes_no_record_and_an_ended_one_stays(onboarding: Onboarding) -> None:
    stranger = await onboarding.provider.invited(Role.ONBOARDING_LEAD)
    command = UpdateHandOff(onboarding.cycle, {F.RISKS: "x"})
    assert codes(await update(onboarding.provider.context, stranger, sent(), command)) == ["NOT_ALLOWED"]
    done(await onboarding.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    assert codes(await write(onboarding, {F.RISKS: "x"})) == ["MOVE_NOT_POSSIBLE"]


async def test_the_timeline_tells_who_changed_which_fields_and_not_to_what(onboarding: Onboarding) -> None:
    done(await write(onboarding, {F.PROMISES: "New printers", F.RISKS: "Old firewall"}, F.VIPS))
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        found = (await timeline.timelines(tx, [onboarding.cycle], Everything()))[onboarding.cycle]
    (entry,) = [e for e in found if e.kind == "HAND_OFF_CHANGED"]
    assert (entry.detail, entry.actor_id) == ("PROMISES, VIPS, RISKS", onboarding.lead.id)
