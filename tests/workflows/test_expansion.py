"""Expansion: a site or a service of a client in service is onboarded on its own."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from db import clients, cycles, effects
from domain.access import Role, Scope
from domain.amendments import AmendmentStatus
from domain.errors import ForbiddenError
from domain.moves import Gate, Move
from domain.onboarding import Cycle, EndReason, ScopeKind
from domain.stages import Stage
from tests.support.expansions import Served, served
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from tests.support.tickets import report, ticket
from workflows.amendments import UpdateAmendment
from workflows.amendments import update as update_amendment
from workflows.opening import OpenCommand, open_cycle
from workflows.sites import ArchiveSite, archive
from workflows.teams import TeamCommand, change_team
from workflows.undoing import UndoCommand, undo

STAMPS = text("select stage, cycle_id from ticket where tenant_id = :tenant")


@pytest.fixture
async def world(provider: Provider) -> Served:
    return await served(provider)


async def cycles_of(provider: Provider, client: UUID) -> list[Cycle]:
    async with provider.context.database.reading(provider.admin) as tx:
        return (await cycles.of_clients(tx, [client]))[client]


async def test_a_site_is_onboarded_from_contracting_on_while_the_client_stays_in_service(world: Served) -> None:
    provider, site, contract = world.provider, await world.site(), await world.contract()
    outcome = await world.expand(site=site, contract=contract)
    whole, part = await cycles_of(provider, world.whole.client)
    assert (part.id, part.number, part.stage, part.version) == (outcome.subject, 2, Stage.CONTRACTING, 1)
    assert (part.scope_kind, part.place_id, part.contract_id, part.amendment_id) == ("SITE", site, contract, None)
    assert (whole.stage, whole.place_id) == (Stage.EARLY_SUPPORT, None)
    async with provider.context.database.reading(provider.admin) as tx:
        client = await clients.get(tx, world.whole.client)
    assert client is not None
    assert client.cycle_id == whole.id


async def test_a_service_is_onboarded_under_an_amendment_that_names_it(world: Served) -> None:
    service = await world.service()
    amendment = await world.amendment(service_id=service)
    outcome = await world.expand(service=service, amendment=amendment)
    part = (await cycles_of(world.provider, world.whole.client))[1]
    assert (part.id, part.scope_kind, part.place_id) == (outcome.subject, ScopeKind.SERVICE, service)
    assert (part.contract_id, part.amendment_id) == (world.whole.contract, amendment)


async def test_it_takes_an_agreement_that_no_other_onboarding_has(world: Served) -> None:
    site, other = await world.site(), await world.site("Hall")
    assert codes(await world.expand(site=site)) == ["INVALID"]
    assert codes(await world.expand(site=site, contract=world.whole.contract)) == ["CONFLICT"]
    strange = await world.amendment(site_id=other)
    refused = await world.expand(site=site, amendment=strange)
    assert codes(refused) == ["CONFLICT"]
    assert "does not name this site" in refused.errors[0].message
    ended = await world.amendment(site_id=site, status=AmendmentStatus.ENDED)
    assert codes(await world.expand(site=site, amendment=ended)) == ["CONFLICT"]
    unlike = await world.expand(site=other, amendment=strange, contract=await world.contract())
    assert (codes(unlike), unlike.errors[0].path) == (["NOT_FOUND"], ("amendmentId",))
    done(await world.expand(site=other, amendment=strange, contract=world.whole.contract))


async def test_it_is_of_one_site_or_one_service(world: Served) -> None:
    contract = await world.contract()
    both = await world.expand(site=await world.site(), service=await world.service(), contract=contract)
    assert [codes(outcome) for outcome in (both, await world.expand(contract=contract))] == [["INVALID"]] * 2


async def test_a_site_has_one_open_onboarding_and_another_once_that_has_ended(world: Served) -> None:
    site = await world.site()
    part = await world.expanded(await world.contract(), site=site)
    again = await world.expand(site=site, contract=await world.contract())
    assert (codes(again), again.errors[0].path) == (["ALREADY_EXISTS"], ("siteId",))
    done(await part.move(Move.LOSE, reason="Not this year.", outcome=EndReason.NO_DECISION))
    assert codes(await world.expand(site=site, contract=part.contract)) == ["CONFLICT"]
    done(await world.expand(site=site, contract=await world.contract()))
    found = [(c.number, c.place_id, c.ended) for c in await cycles_of(world.provider, world.whole.client)]
    assert found == [(1, None, False), (2, site, True), (3, site, False)]


async def test_what_was_expanded_by_mistake_leaves_its_contract_free(world: Served) -> None:
    site = await world.site()
    part = await world.expanded(await world.contract(), site=site)
    discarded = await part.move(
        Move.DISCARD, by=world.provider.admin, reason="The wrong button.", outcome=EndReason.MISTAKE
    )
    done(discarded)
    done(await world.expand(site=site, contract=part.contract))


async def test_two_who_expand_to_the_same_site_at_once_open_one_onboarding(world: Served) -> None:
    site = await world.site()
    contracts = [await world.contract() for _ in range(4)]
    outcomes = await asyncio.gather(*(world.expand(site=site, contract=contract) for contract in contracts))
    assert sorted(codes(outcome) for outcome in outcomes) == [[], *[["ALREADY_EXISTS"]] * 3]
    assert len(await cycles_of(world.provider, world.whole.client)) == 2


async def test_two_who_expand_to_two_sites_under_one_contract_at_once_open_one_onboarding(world: Served) -> None:
    contract = await world.contract()
    sites = [await world.site(), await world.site("Hall")]
    outcomes = await asyncio.gather(*(world.expand(site=site, contract=contract) for site in sites))
    assert sorted(codes(outcome) for outcome in outcomes) == [[], ["CONFLICT"]]


async def test_only_a_client_in_service_is_expanded(provider: Provider) -> None:
    world = Served(await opened(provider))
    site = await world.site()
    early = await world.expand(site=site, contract=await world.contract())
    assert codes(early) == ["MOVE_NOT_POSSIBLE"]
    assert "CONTRACTING" in early.errors[0].message
    never = Onboarding(provider, world.whole.lead, await provider.client("New"), UUID(int=0), UUID(int=0), 0)
    apart = Served(never)
    outcome = await apart.expand(by=provider.admin, site=await apart.site(), contract=await apart.contract())
    assert codes(outcome) == ["MOVE_NOT_POSSIBLE"]


async def test_a_site_that_is_archived_or_another_clients_is_not_onboarded(
    world: Served, other_provider: Provider
) -> None:
    provider, contract = world.provider, await world.contract()
    gone = await world.site()
    done(await archive(provider.context, provider.admin, sent(), ArchiveSite(gone)))
    neighbour = await served(provider)
    foreign = Served(await opened(other_provider))
    for site in (gone, await neighbour.site(), await foreign.site()):
        assert codes(await world.expand(site=site, contract=contract)) == ["NOT_FOUND"]
    for service in (await neighbour.service(), await foreign.service()):
        assert codes(await world.expand(service=service, contract=contract)) == ["NOT_FOUND"]
    for strange in (await neighbour.contract(), await foreign.contract()):
        outcome = await world.expand(site=await world.site(), contract=strange)
        assert (codes(outcome), outcome.errors[0].path) == (["NOT_FOUND"], ("contractId",))
    site = await neighbour.site()
    strange = await neighbour.amendment(site_id=site)
    assert codes(await world.expand(site=await world.site(), amendment=strange)) == ["NOT_FOUND"]


async def test_a_lead_expands_clients_of_their_own(world: Served) -> None:
    provider, site, contract = world.provider, await world.site(), await world.contract()
    stranger, viewer = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.VIEWER)
    assert codes(await world.expand(by=stranger, site=site, contract=contract)) == ["NOT_ALLOWED"]
    with pytest.raises(ForbiddenError, match=Scope.ONBOARDING_MOVE):
        await world.expand(by=viewer, site=site, contract=contract)
    assert codes(await world.expand(lead=UUID(int=1), site=site, contract=contract)) == ["INVALID"]
    done(await world.expand(site=site, contract=contract, lead=stranger.id))


async def test_a_client_is_not_ended_as_a_whole_while_a_site_is_open(world: Served) -> None:
    part = await world.expanded(await world.contract(), site=await world.site())
    end: dict[str, Any] = {"by": world.provider.admin, "reason": "Moved away.", "outcome": EndReason.CONTRACT_ENDED}
    refused = await world.whole.move(Move.OFF_BOARD, **end)
    assert codes(refused) == ["MOVE_NOT_POSSIBLE"]
    assert f"onb_{part.cycle.hex}" in refused.errors[0].message
    done(await part.move(Move.LOSE, reason="Moved away.", outcome=EndReason.CONTRACT_ENDED))
    assert codes(await world.whole.move(Move.OFF_BOARD, **end)) == ["TRANSITION_BLOCKED"]


async def test_a_client_comes_back_as_a_whole_whatever_was_onboarded_of_it_in_parts(world: Served) -> None:
    provider, whole = world.provider, world.whole
    part = await world.expanded(await world.contract(), site=await world.site())
    done(await part.move(Move.LOSE, reason="Not this year.", outcome=EndReason.NO_DECISION))
    await past(whole, Move.OFF_BOARD, by=provider.admin, reason="Left.", outcome=EndReason.PRICE)
    back = OpenCommand(whole.client, whole.lead.id, await world.contract(), reopen=True)
    done(await open_cycle(provider.context, provider.admin, sent(), back))
    stages = [(c.number, c.scope_kind, c.stage) for c in await cycles_of(provider, whole.client)]
    assert stages == [(1, "WHOLE_CLIENT", "OFFBOARDED"), (2, "SITE", "LOST"), (3, "WHOLE_CLIENT", "CONTRACTING")]


async def test_tickets_take_stage_phase_and_onboarding_from_the_whole_client(world: Served) -> None:
    provider = world.provider
    part = await world.expanded(await world.signed_contract(provider.clock().date()), site=await world.site())
    assert await part.forward() is Stage.ASSET_DISCOVERY
    provider.clock.forward(hours=1)
    await report(provider, ticket(1, logged_at=provider.clock()), client=world.whole.client)
    assert await part.forward() is Stage.EARLY_SUPPORT
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx.rows(STAMPS, tenant=tx.tenant)
        windows = await cycles.windows(tx, [part.cycle])
    assert [(row["stage"], row["cycle_id"]) for row in rows] == [("EARLY_SUPPORT", world.whole.cycle)]
    assert len(windows[part.cycle]) == 1


async def test_days_of_early_support_count_from_the_amendment_and_follow_it(world: Served) -> None:
    provider, site, today = world.provider, await world.site(), world.provider.clock().date()
    amendment = await world.signed_amendment(today + timedelta(days=10), site_id=site)
    outcome = await world.expand(site=site, amendment=amendment)
    part = Onboarding(
        provider, world.whole.lead, world.whole.client, world.whole.contract, done(outcome), outcome.version or 0
    )
    for move in (Move.BEGIN_DISCOVERY, Move.GO_LIVE):
        assert Gate.CONTRACT_SIGNED not in await past(part, move)
    whole = await world.whole.seen()
    assert (await day_ninety(part)).date() == today + timedelta(days=99)
    later = UpdateAmendment(amendment, starts_on=today + timedelta(days=20))
    done(await update_amendment(provider.context, provider.admin, sent(), later))
    assert (await day_ninety(part)).date() == today + timedelta(days=109)
    assert (await world.whole.seen()).target_at == whole.target_at


async def test_the_end_of_a_part_is_undone_only_while_the_client_and_the_site_are_in_use(world: Served) -> None:
    provider, site = world.provider, await world.site()
    part = await world.expanded(await world.contract(), site=site)
    lost: dict[str, Any] = {"reason": "Not this year.", "outcome": EndReason.NO_DECISION}
    done(await part.move(Move.LOSE, **lost))
    back = await undo(provider.context, world.whole.lead, sent(), UndoCommand(part.cycle, part.version))
    done(back)
    part.version = back.version or 0
    done(await part.move(Move.LOSE, **lost))
    done(await archive(provider.context, provider.admin, sent(), ArchiveSite(site)))
    archived = await undo(provider.context, world.whole.lead, sent(), UndoCommand(part.cycle, part.version))
    assert (codes(archived), archived.errors[0].message) == (["MOVE_NOT_POSSIBLE"], "The site was archived since.")
    await past(world.whole, Move.OFF_BOARD, by=provider.admin, reason="Left.", outcome=EndReason.PRICE)
    ended = await undo(provider.context, world.whole.lead, sent(), UndoCommand(part.cycle, part.version))
    assert codes(ended) == ["MOVE_NOT_POSSIBLE"]
    assert "as a whole has ended" in ended.errors[0].message


async def test_an_onboarding_under_an_amendment_keeps_its_contract(world: Served) -> None:
    site = await world.site()
    amendment = await world.amendment(site_id=site)
    part = done(await world.expand(site=site, amendment=amendment))
    other = TeamCommand(part, 1, contract=await world.contract())
    outcome = await change_team(world.provider.context, world.whole.lead, sent(), other)
    assert codes(outcome) == ["CONFLICT"]


async def past(onboarding: Onboarding, move: Move, **details: Any) -> list[Gate]:
    """Make a move past its gates, and return those that had to be waived."""
    shut = [Gate(blocker.gate) for blocker in (await onboarding.move(move, **details)).errors[0].blockers]  # type: ignore[attr-defined]
    for gate in shut:
        await onboarding.waive(move, gate)
    done(await onboarding.move(move, **details))
    return shut


async def day_ninety(onboarding: Onboarding) -> datetime:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        found = (await effects.of_cycles(tx, [onboarding.cycle]))[onboarding.cycle]
    return next(effect.due_at.astimezone(UTC) for effect in found if effect.name == "DAY_90")
