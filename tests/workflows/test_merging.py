"""Two clients that are one company become one: nothing of either is lost, and nothing counts twice."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text

from db import external_refs
from domain.access import Reach, Role, Scope
from domain.clients import ExternalKey
from domain.consequences import Consequence, ConsequenceKind, untold
from domain.errors import Outcome
from domain.ids import IdKind, public
from domain.kpis import Dimension, Kpi, Where
from domain.moves import Move
from domain.onboarding import EndReason
from domain.questions import Question
from tests.support.merging import RMM, doubled, logged, merged, seen
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from tests.support.tickets import DESK, YEAR, ask, fold, number, report, ticket
from workflows.clients import SAME_NAMES, CreateClient, UpdateClient
from workflows.clients import create as create_client
from workflows.clients import update as update_client
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.merging import MergeClients, merge
from workflows.opening import OpenCommand, open_cycle
from workflows.undoing import UndoCommand, undo

OWNED = ("contact", "site", "service", "device", "service_device", "discovery_run", "note", "contract", "amendment")
RECOUNT = text("""
    select client_id, stage, phase, count(*) as tickets, count(*) filter (where escalations > 0) as escalated
    from ticket where tenant_id = :tenant and exclusion is null and source = 'PERSON' group by 1, 2, 3
""")


async def owned(provider: Provider, client: UUID) -> dict[str, int]:
    """Return how much of each sort a client has."""
    async with provider.context.database.reading(provider.admin) as tx:
        return {
            table: await tx.value(
                text(f"select count(*) from {table} where tenant_id = :tenant and client_id = :client"),  # noqa: S608
                tenant=tx.tenant,
                client=client,
            )
            for table in (*OWNED, "contract_turn", "calendar", "external_ref", "ticket", "escalation", "hand_over")
        }


def told(outcome: Outcome, kind: ConsequenceKind) -> list[Consequence]:
    return [change for change in untold(outcome.facts) if change.kind is kind]


async def recounted(provider: Provider) -> dict[tuple[UUID, str, str], tuple[int, int]]:
    """Count all tickets the slow way."""
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx.rows(RECOUNT, tenant=tx.tenant)
    return {(row["client_id"], row["stage"], row["phase"]): (row["tickets"], row["escalated"]) for row in rows}


async def figures(provider: Provider) -> dict[tuple[UUID, str, str], tuple[int, int]]:
    """Ask the figures for the same, one client and dimension at a time."""
    found = {}
    for client, stage, phase in await recounted(provider):
        where = Where(clients=(client,), stages=(stage,))
        total = (await ask(provider, Question(Kpi.ESCALATION_RATE, YEAR, where=where))).series[0].series.total
        found[client, stage, phase] = (int(total.denominator or 0), int(total.numerator or 0))
    return found


async def test_all_that_is_the_duplicates_own_goes_over(provider: Provider) -> None:
    kept, duplicate = await doubled(provider, "Acme", mark="one"), await doubled(provider, "Acme BV", mark="two")
    before, theirs = await owned(provider, kept), await owned(provider, duplicate)
    outcome = await merged(provider, kept, duplicate)
    assert done(outcome) == kept
    assert await owned(provider, kept) == {table: before[table] + theirs[table] for table in before}
    assert set((await owned(provider, duplicate)).values()) == {0}
    gone = await seen(provider, duplicate)
    assert (gone.merged_into, gone.merged_at, gone.merge_reason) == (kept, provider.clock(), "entered twice")
    assert {change.kind: change.count for change in untold(outcome.facts) if change.count} == {
        ConsequenceKind.CONTACT: 1,
        ConsequenceKind.DEVICE: 1,
        ConsequenceKind.SERVICE: 1,
        ConsequenceKind.SITE: 1,
        ConsequenceKind.NOTE: 1,
        ConsequenceKind.CALENDAR: 2,
        ConsequenceKind.TICKET: 3,
    }
    ours = public(IdKind.CLIENT, kept)
    assert [change.after for change in told(outcome, ConsequenceKind.CONTRACT)] == [ours]
    assert [(c.name, c.after) for c in told(outcome, ConsequenceKind.EXTERNAL_REF)] == [("PSA two two", ours)]


async def test_a_dry_run_tells_what_then_happens_and_changes_nothing(provider: Provider) -> None:
    one, other = await opened(provider), await opened(provider)
    await logged(provider, other.client, "x")
    before = await owned(provider, one.client), await owned(provider, other.client), await figures(provider)
    foretold = await merged(provider, one.client, other.client, dry_run=True)
    assert (await owned(provider, one.client), await owned(provider, other.client), await figures(provider)) == before
    assert (await seen(provider, other.client)).merged_into is None
    assert foretold.event is None
    outcome = await merged(provider, one.client, other.client)
    assert untold(foretold.facts) == untold(outcome.facts)
    assert told(outcome, ConsequenceKind.STAGE) != []


async def test_an_onboarding_in_contracting_is_discarded_and_keeps_its_contract(provider: Provider) -> None:
    one, other = await opened(provider), await opened(provider)
    outcome = await merged(provider, one.client, other.client)
    done(outcome)
    cycle = await other.seen()
    assert (cycle.client_id, cycle.outcome, cycle.contract_id) == (other.client, EndReason.DUPLICATE, other.contract)
    assert (await owned(provider, other.client))["contract"] == 1
    (stays,) = told(outcome, ConsequenceKind.CONTRACT)
    assert (stays.name, stays.before, stays.after) == ("history", *[public(IdKind.CLIENT, other.client)] * 2)
    provider.clock.forward(minutes=1)
    undone = await undo(provider.context, provider.admin, sent(), UndoCommand(other.cycle, cycle.version))
    assert codes(undone) == ["MOVE_NOT_POSSIBLE"]
    assert "merged" in undone.errors[0].message


async def test_an_onboarding_further_on_stands_in_the_way_and_is_named(provider: Provider) -> None:
    one, other = await opened(provider), await opened(provider)
    await other.forward()
    refusal = await merged(provider, one.client, other.client)
    assert codes(refusal) == ["CONFLICT"]
    assert public(IdKind.ONBOARDING, other.cycle) in refusal.errors[0].message
    assert done(await merged(provider, other.client, one.client)) == other.client


async def test_tickets_are_placed_by_the_history_of_the_client_that_is_kept(provider: Provider) -> None:
    one, other = await opened(provider), await opened(provider)
    await one.forward()
    provider.clock.forward(hours=1)
    await report(provider, ticket(1, logged_at=provider.clock()), client=other.client)
    await logged(provider, other.client, "x")
    await fold(provider)
    before = await number(provider, Kpi.TICKETS_LOGGED), await number(provider, Kpi.ESCALATION_RATE)
    assert await figures(provider) == await recounted(provider)
    done(await merged(provider, one.client, other.client))
    assert (await number(provider, Kpi.TICKETS_LOGGED), await number(provider, Kpi.ESCALATION_RATE)) == before
    assert await figures(provider) == await recounted(provider)
    assert {client for client, _, _ in await recounted(provider)} == {one.client}
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(other.client,))) == 0
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(stages=("ASSET_DISCOVERY",))) == 1
    await fold(provider)
    assert await figures(provider) == await recounted(provider)
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(one.client,))) == before[0]


async def test_what_is_written_under_the_old_id_or_key_reaches_the_client_that_is_kept(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    key = ExternalKey(DESK, "77")
    kept = await provider.client("Acme")
    duplicate = done(await create_client(context, admin, sent(), CreateClient("Acme BV", external=(key,))))
    third = await provider.client("Acme Holding")
    done(await merged(provider, kept, duplicate))
    done(await create_contact(context, admin, sent(), CreateContact(duplicate, "Pat")))
    done(await create_contact(context, admin, sent(), CreateContact(key, "Chris")))
    await report(provider, ticket(1, client="77"), ticket(2, client="77"))
    await report(provider, ticket(3), client=duplicate)
    assert {name: n for name, n in (await owned(provider, kept)).items() if n} == {
        "contact": 2,
        "ticket": 3,
        "hand_over": 3,
        "external_ref": 1,
    }
    assert done(await update_client(context, admin, sent(), UpdateClient(duplicate, industry="Retail"))) == kept
    done(await merged(provider, third, kept))
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    done(await open_cycle(context, admin, sent(), OpenCommand(duplicate, lead.id)))
    assert (await seen(provider, third)).cycle_id is not None
    assert done(await update_client(context, admin, sent(), UpdateClient(duplicate, seats=9))) == third


async def test_the_client_that_is_kept_takes_over_what_it_lacks(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    owner, other = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.ONBOARDING_LEAD)
    ours = CreateClient("Acme", industry="Retail", owner_id=owner.id)
    theirs = CreateClient("Acme", industry="Food", seats=40, owner_id=other.id, account_manager_id=other.id)
    kept = done(await create_client(context, admin, sent(), ours))
    duplicate = done(await create_client(context, admin, sent(), theirs))
    outcome = await merged(provider, kept, duplicate)
    client = await seen(provider, kept)
    assert (client.industry, client.seats, client.owner_id) == ("Retail", 40, owner.id)
    assert client.account_manager_id == other.id
    filled = {(c.name, c.after) for c in told(outcome, ConsequenceKind.CLIENT)}
    assert {("seats", "40"), ("accountManagerId", public(IdKind.MEMBER, other.id))} < filled
    assert len(filled) == 3


async def test_a_key_that_devices_of_both_have_stays_with_the_device_of_the_kept_one(provider: Provider) -> None:
    kept = await doubled(provider, "Acme", mark="one", device="same")
    duplicate = await doubled(provider, "Acme BV", mark="two", device="same")
    async with provider.context.database.reading(provider.admin) as tx:
        holder = (await external_refs.of_a_client(tx, IdKind.DEVICE, kept, RMM, ["same"]))["same"].subject_id
        freed = (await external_refs.of_a_client(tx, IdKind.DEVICE, duplicate, RMM, ["same"]))["same"].subject_id
    outcome = await merged(provider, kept, duplicate)
    assert (await owned(provider, kept))["device"] == 2
    async with provider.context.database.reading(provider.admin) as tx:
        assert (await external_refs.of_a_client(tx, IdKind.DEVICE, kept, RMM, ["same"]))["same"].subject_id == holder
    change = next(c for c in told(outcome, ConsequenceKind.EXTERNAL_REF) if c.name == "RMM same")
    assert (change.before, change.after) == (public(IdKind.DEVICE, freed), public(IdKind.DEVICE, holder))


async def test_what_cannot_be_merged_is_refused_and_said_why(provider: Provider, other_provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    kept, duplicate, third = [await provider.client(name) for name in ("Acme", "Acme BV", "Acme Holding")]
    foreign = await other_provider.client("Acme")

    async def tried(
        kept: UUID, duplicate: UUID, *, reason: str = "twice", version: int = 1, theirs: int = 1
    ) -> Outcome:
        return await merge(context, admin, sent(), MergeClients(kept, duplicate, reason, version, theirs))

    assert codes(await tried(kept, kept)) == ["INVALID"]
    assert codes(await tried(kept, duplicate, reason=" ")) == ["INVALID"]
    assert codes(await tried(kept, foreign)) == ["NOT_FOUND"]
    assert codes(await tried(foreign, kept)) == ["NOT_FOUND"]
    assert codes(await tried(kept, duplicate, version=2)) == ["STALE_VERSION"]
    stale = await tried(kept, duplicate, theirs=2)
    assert [(error.code, error.path) for error in stale.errors] == [("STALE_VERSION", ("duplicateExpectedVersion",))]
    done(await tried(kept, duplicate))
    for again in (await tried(third, duplicate, theirs=2), await tried(duplicate, third, version=2)):
        assert codes(again) == ["CONFLICT"]
        assert public(IdKind.CLIENT, kept) in again.errors[0].message


async def test_a_system_that_knows_both_is_named(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    kept, duplicate = [
        done(await create_client(context, admin, sent(), CreateClient("Acme", external=(ExternalKey("PSA", key),))))
        for key in ("17", "18")
    ]
    refusal = await merged(provider, kept, duplicate)
    assert codes(refusal) == ["CONFLICT"]
    assert "PSA knows both" in refusal.errors[0].message
    assert "'18'" in refusal.errors[0].message


async def test_only_whoever_reaches_every_client_merges(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    kept, duplicate = await provider.client("Acme", lead), await provider.client("Acme", lead)
    assert codes(await merged(provider, kept, duplicate, by=lead)) == ["NOT_ALLOWED"]
    one = await provider.program(Scope.CLIENTS_WRITE, clients=(kept,))
    assert codes(await merged(provider, kept, duplicate, by=one, key="1")) == ["NOT_FOUND"]
    both = await provider.program(Scope.CLIENTS_WRITE, clients=(kept, duplicate))
    outcome = await merged(provider, kept, duplicate, by=both, key="2")
    assert done(outcome) == kept
    assert told(outcome, ConsequenceKind.TOKEN)[0].count == 1


async def test_discarding_along_takes_the_right_to_end(provider: Provider) -> None:
    one, other = await opened(provider), await opened(provider)
    scopes = {Scope.CLIENTS_WRITE: Reach.ALL}
    by = replace(provider.admin, scopes=scopes)
    assert codes(await merged(provider, one.client, other.client, by=by)) == ["NOT_ALLOWED"]
    assert not (await other.seen()).ended


async def test_a_merge_sent_again_with_its_key_is_done_once(provider: Provider) -> None:
    kept, duplicate = await provider.client("Acme"), await provider.client("Acme")
    command = MergeClients(kept, duplicate, "twice", 1, 1)
    outcomes = [await merge(provider.context, provider.admin, sent("k"), command) for _ in range(2)]
    assert outcomes[0] == outcomes[1]
    assert done(outcomes[0]) == kept


@pytest.mark.parametrize("crossed", [False, True])
async def test_of_two_merges_of_one_pair_at_once_one_is_refused(provider: Provider, crossed: bool) -> None:
    one, other = await opened(provider), await opened(provider)
    pairs = [(one.client, other.client), (other.client, one.client) if crossed else (one.client, other.client)]
    version = (await seen(provider, one.client)).version
    assert (await seen(provider, other.client)).version == version
    commands = [MergeClients(kept, duplicate, "twice", version, version) for kept, duplicate in pairs]
    outcomes = await asyncio.gather(*(merge(provider.context, provider.admin, sent(), each) for each in commands))
    refused = [outcome for outcome in outcomes if outcome.errors]
    assert len(refused) == 1
    assert codes(refused[0])[0] in ("CONFLICT", "STALE_VERSION", "BUSY")
    gone = [(await seen(provider, client)).merged_into is not None for client in (one.client, other.client)]
    assert sorted(gone) == [False, True]


async def test_whatever_is_written_while_a_merge_runs_ends_with_the_client_that_is_kept(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    for n in range(5):
        key = ExternalKey(DESK, f"key-{n}")
        kept = await provider.client("Acme")
        duplicate = done(await create_client(context, admin, sent(), CreateClient("Acme", external=(key,))))
        said = replace(ticket(n, client=f"key-{n}"), external_id=f"at-once-{n}")
        outcome, contact, opening, _ = await asyncio.gather(
            merged(provider, kept, duplicate),
            create_contact(context, admin, sent(), CreateContact(duplicate, "Pat")),
            open_cycle(context, admin, sent(), OpenCommand(duplicate, lead.id)),
            report(provider, said),
        )
        done(contact)
        done(opening)
        done(outcome)
        assert {name: n for name, n in (await owned(provider, duplicate)).items() if n} == {}
        assert (await owned(provider, kept))["ticket"] == 1


async def test_an_ended_onboarding_stays_history_and_counts_as_no_client_lost(provider: Provider) -> None:
    one, other = await opened(provider), await opened(provider)
    done(await other.move(Move.LOSE, by=provider.admin, reason="cold", outcome=EndReason.PRICE))
    assert await number(provider, Kpi.CLIENTS_LOST) == 1
    outcome = await merged(provider, one.client, other.client)
    done(outcome)
    (history,) = told(outcome, ConsequenceKind.ONBOARDING)
    assert (history.name, history.subject) == ("history", public(IdKind.ONBOARDING, other.cycle))
    assert (await other.seen()).client_id == other.client
    assert await number(provider, Kpi.CLIENTS_LOST) == 0
    answer = await ask(provider, Question(Kpi.CLIENTS_LOST, YEAR, by=(Dimension.CLIENT,)))
    assert all(not line.series.total.value for line in answer.series)


async def test_subscribers_are_told_by_ids_alone(provider: Provider) -> None:
    kept, duplicate = await provider.client("Acme"), await provider.client("Acme")
    outcome = await merged(provider, kept, duplicate)
    async with provider.context.database.relaying() as tx:
        body = await tx.value(text("select body from pending where event_id = :e"), e=outcome.event)
    assert body["type"] == "client.merged"
    assert body["subject"]["id"] == public(IdKind.CLIENT, kept)
    assert body["data"] == {"duplicate": public(IdKind.CLIENT, duplicate), "fields": []}


async def test_neither_merged_nor_discarded_clients_are_warned_of(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    kept, duplicate = await provider.client("Acme"), await provider.client("Acme")
    mistaken: Onboarding = await opened(provider)
    done(await update_client(context, admin, sent(), UpdateClient(mistaken.client, name="Acme")))
    done(await merged(provider, kept, duplicate))
    done(await mistaken.move(Move.DISCARD, by=admin, reason="typo", outcome=EndReason.MISTAKE))
    outcome = await create_client(context, admin, sent(), CreateClient("ACME"))
    assert outcome.facts[SAME_NAMES] == [kept.hex]
