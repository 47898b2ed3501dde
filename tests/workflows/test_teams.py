"""The contract and the team change, and what changed stays told."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from db import cycles, effects, timeline
from db.errors import StatementFailedError
from domain.access import Role
from domain.clients import ContractStatus, ContractType
from domain.effects import EffectState
from domain.errors import Outcome
from domain.moves import Move
from domain.onboarding import EndReason, HoldReason
from domain.timeline import TimelineEntry, TimelineKind
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.contracts import CreateContract
from workflows.contracts import create as create_contract
from workflows.teams import TeamCommand, change_team

ROWS = text("""
    select field, before, after, accepted, refusal, version, actor_kind, actor_id, channel, request_id, event_id
    from cycle_change where tenant_id = :tenant and cycle_id = :cycle order by id
""")


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def changed(onboarding: Onboarding, **wanted: object) -> Outcome:
    command = TeamCommand(onboarding.cycle, onboarding.version, **wanted)  # type: ignore[arg-type]
    outcome = await change_team(onboarding.provider.context, onboarding.provider.admin, sent(), command)
    if not outcome.errors and outcome.version:
        onboarding.version = outcome.version
    return outcome


async def told(onboarding: Onboarding, *kinds: TimelineKind) -> list[TimelineEntry]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        entries = (await timeline.timelines(tx, [onboarding.cycle], Everything()))[onboarding.cycle]
    return [entry for entry in entries if entry.kind in kinds]


async def test_every_field_that_changes_is_kept_with_who_from_what_and_to_what(
    provider: Provider, onboarding: Onboarding
) -> None:
    first, lead = await onboarding.seen(), await provider.invited(Role.ONBOARDING_LEAD)
    engineer = await provider.invited(Role.AGENT)
    outcome = await changed(onboarding, lead=lead.id, engineers=(engineer.id, onboarding.lead.id))
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx.rows(ROWS, tenant=tx.tenant, cycle=onboarding.cycle)
    assert [(row["field"], row["before"], row["after"]) for row in rows] == [
        ("LEAD", [first.lead_id], [lead.id]),
        ("ENGINEERS", [], [engineer.id, onboarding.lead.id]),
    ]
    kept = {(row["accepted"], row["version"], row["actor_id"], row["channel"], row["event_id"]) for row in rows}
    assert kept == {(True, first.version + 1, provider.admin.id, "API", outcome.event)}
    shown = {entry.key: entry for entry in await told(onboarding, TimelineKind.TEAM_CHANGED)}
    assert (shown["LEAD"].before, shown["LEAD"].after) == ((first.lead_id,), (lead.id,))
    assert (shown["ENGINEERS"].before, shown["ENGINEERS"].after) == ((), (engineer.id, onboarding.lead.id))
    assert {entry.actor_id for entry in shown.values()} == {provider.admin.id}


async def test_what_is_kept_of_a_change_cannot_be_changed(provider: Provider, onboarding: Onboarding) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    done(await changed(onboarding, lead=lead.id))
    for statement in ("update cycle_change set after = before", "delete from cycle_change"):
        with pytest.raises(StatementFailedError, match="permission denied"):
            async with provider.context.database.writing(provider.admin) as tx:
                await tx.run(text(statement))


async def test_the_timers_to_come_go_to_the_new_lead_and_those_that_came_stay(
    provider: Provider, onboarding: Onboarding
) -> None:
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    done(await onboarding.move(Move.RESUME))
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    done(await changed(onboarding, lead=lead.id))
    async with provider.context.database.reading(provider.admin) as tx:
        found = (await effects.of_cycles(tx, [onboarding.cycle]))[onboarding.cycle]
    timers = {(e.name, e.state, e.recipient) for e in found if e.name in ("TARGET", "HOLD_REVIEW")}
    assert timers == {
        ("TARGET", EffectState.PLANNED, str(lead.id)),
        ("HOLD_REVIEW", EffectState.CANCELLED, str(onboarding.lead.id)),
    }


async def test_account_manager_and_technical_lead_may_be_set_to_nobody(
    provider: Provider, onboarding: Onboarding
) -> None:
    manager = await provider.invited(Role.ACCOUNT_MANAGER)
    done(await changed(onboarding, account_manager=manager.id, technical_lead=onboarding.lead.id))
    done(await changed(onboarding, account_manager=None))
    seen = await onboarding.seen()
    assert (seen.account_manager_id, seen.technical_lead_id) == (None, onboarding.lead.id)
    done(await changed(onboarding, technical_lead=None))
    assert (await onboarding.seen()).technical_lead_id is None


async def test_a_change_that_changes_nothing_is_no_new_version(onboarding: Onboarding) -> None:
    before = await onboarding.seen()
    outcome = await changed(onboarding, lead=before.lead_id, technical_lead=None)
    assert (outcome.event, outcome.version) == (None, before.version)
    assert await onboarding.seen() == before


async def test_a_change_refused_for_rights_or_state_is_kept_and_one_of_wrong_input_is_not(
    provider: Provider, onboarding: Onboarding
) -> None:
    stranger, context = await provider.invited(Role.ONBOARDING_LEAD), provider.context
    take_over = TeamCommand(onboarding.cycle, onboarding.version, lead=stranger.id)
    assert codes(await change_team(context, stranger, sent(), take_over)) == ["NOT_ALLOWED"]
    assert codes(await changed(onboarding, lead=onboarding.cycle)) == ["INVALID"]
    done(await onboarding.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    assert codes(await changed(onboarding, technical_lead=stranger.id)) == ["MOVE_NOT_POSSIBLE"]
    entries = await told(onboarding, TimelineKind.TEAM_CHANGED, TimelineKind.TEAM_CHANGE_REFUSED)
    assert [(entry.kind, entry.key, entry.detail, entry.actor_id) for entry in entries] == [
        ("TEAM_CHANGE_REFUSED", "LEAD", "NOT_ALLOWED", stranger.id),
        ("TEAM_CHANGE_REFUSED", "TECHNICAL_LEAD", "MOVE_NOT_POSSIBLE", provider.admin.id),
    ]
    async with context.database.reading(provider.admin) as tx:
        assert (await cycles.by_ids(tx, [onboarding.cycle]))[onboarding.cycle].lead_id == onboarding.lead.id


async def test_naming_another_contract_in_early_support_plans_its_days(provider: Provider) -> None:
    onboarding = await opened(provider)
    await onboarding.forward()
    await onboarding.forward()
    other = CreateContract(
        onboarding.client, "Extended", ContractType.MANAGED, status=ContractStatus.SIGNED, starts_on=date(2026, 4, 1)
    )
    contract = done(await create_contract(provider.context, provider.admin, sent(), other))
    done(await changed(onboarding, contract=contract))
    async with provider.context.database.reading(provider.admin) as tx:
        planned = {e.name: e.due_at for e in (await effects.of_cycles(tx, [onboarding.cycle]))[onboarding.cycle]}
    assert planned["DAY_90"] == datetime(2026, 6, 29, 22, 0, tzinfo=UTC)
    assert (await onboarding.seen()).target_at == datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
