"""Retention: once the period after its end is over, a client's data goes, and its figures stay."""

from datetime import date

import asyncpg
import pytest

from db import clients, privacy
from db.session import Database
from domain.clients import Client
from domain.ids import IdKind, public
from domain.moves import Move
from domain.onboarding import EndReason
from domain.privacy import DataSubject, ErasureReason, PrivacyAct, RetentionClass
from domain.redaction import ERASED
from domain.stages import Stage
from tests.support.asking import asked
from tests.support.every_figure import every_figure
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.onboarding_life import passed
from tests.support.providers import Provider, codes, done, new_provider, sent
from tests.support.words import tables_with, write_everywhere
from workflows import notes, retention, tenants
from workflows.clients import UpdateClient
from workflows.clients import update as update_client
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.notes import AddNote
from workflows.tenants import UpdateSettings


@pytest.fixture
async def alone(fresh_database: Database) -> Provider:
    """Make a provider that has a database to itself, whose clock can go on for years."""
    return await new_provider(fresh_database)


async def test_a_lost_prospect_is_erased_after_a_year_and_a_client_after_three(alone: Provider) -> None:
    lost, served = await _lost(alone), await _off_boarded(alone)
    alone.clock.forward(days=364)
    assert await retention.keep(alone.context) == 0

    alone.clock.forward(days=2)
    assert await retention.keep(alone.context) == 1
    assert [(await _client(alone, one)).erased for one in (lost, served)] == [True, False]

    alone.clock.forward(days=2 * 366)
    assert await retention.keep(alone.context) == 1
    assert (await _client(alone, served)).erased
    assert await retention.keep(alone.context) == 0


async def test_what_is_due_is_told_beforehand_with_the_day(alone: Provider) -> None:
    lost, served = await _lost(alone), await _off_boarded(alone)

    assert await retention.due(alone.context, alone.admin, None, 10) == []
    found = await retention.due(alone.context, alone.admin, date(2030, 1, 1), 10)

    assert [(one.client_id, one.retention, one.due_on, one.contacts) for one in found] == [
        (lost.client, RetentionClass.LOST_PROSPECT, date(2027, 3, 2), 1),
        (served.client, RetentionClass.OFF_BOARDED, date(2029, 3, 2), 1),
    ]
    seen = await asked(alone, '{ retentionDue(until: "2030-01-01") { retention dueOn contacts client { name } } }')
    assert [one["dueOn"] for one in seen["retentionDue"]] == ["2027-03-02", "2029-03-02"]


async def test_nothing_of_the_clients_words_and_people_is_left(alone: Provider, database_url: str) -> None:
    onboarding = await _lost(alone)
    words = "Quixotron Metalworks of Old Harbour"
    change = UpdateClient(onboarding.client, name=words)
    done(await update_client(alone.context, alone.admin, sent(), change))
    person = CreateContact(onboarding.client, "Quirina Vanderbilt", "quirina@metal.example", "+31 6 1111 2222")
    done(await create_contact(alone.context, alone.admin, sent(), person))
    await write_everywhere(database_url, alone.tenant_id, onboarding.client, words)
    note = AddNote("Quirina Vanderbilt (quirina@metal.example) would rather not", client=onboarding.client)
    done(await notes.add(alone.context, alone.admin, sent(), note))
    traces = ("Quirina", "Vanderbilt", "quirina@metal.example", "+31 6 1111 2222", "rather not")
    assert all((await tables_with(database_url, *traces)).values())

    alone.clock.forward(days=366)
    assert await retention.keep(alone.context) == 1

    assert await tables_with(database_url, *traces) == {trace: set() for trace in traces}
    # What the provider and its systems call things is not the client's, and stays.
    own_terms = {
        "definition",
        "device",
        "discovery_run",
        "escalation",
        "hand_over",
        "inbound_source",
        "ticket",
        "client",
    }
    assert set().union(*(await tables_with(database_url, words)).values()) <= own_terms
    client = await _client(alone, onboarding)
    assert (client.name, client.erased) == (ERASED, True)


async def test_the_figures_of_an_erased_client_stay(alone: Provider) -> None:
    await _lost(alone)
    await _off_boarded(alone)
    alone.clock.forward(days=4 * 366)
    before = await every_figure(alone)

    assert await retention.keep(alone.context) == 2

    assert await every_figure(alone) == before


async def test_an_erasure_by_period_is_recorded_for_the_client_and_its_people(alone: Provider) -> None:
    onboarding = await _lost(alone)
    alone.clock.forward(days=366)
    assert await retention.keep(alone.context) == 1

    async with alone.context.database.reading(alone.admin) as tx:
        records = await privacy.listed(tx, Everything())
    assert {(one.act, one.subject_kind, one.reason, one.channel) for one in records} == {
        (PrivacyAct.ERASED, DataSubject.CLIENT, ErasureReason.RETENTION, "SYSTEM"),
        (PrivacyAct.ERASED, DataSubject.CONTACT, ErasureReason.RETENTION, "SYSTEM"),
    }
    text = "{ clients(first: 10) { nodes { id } } onboardings(first: 10) { nodes { client { name erased } } } }"
    seen = await asked(alone, text)
    assert seen["clients"]["nodes"] == []
    assert [one["client"] for one in seen["onboardings"]["nodes"]] in ([], [{"name": ERASED, "erased": True}])
    person = CreateContact(onboarding.client, "Somebody New")
    assert codes(await create_contact(alone.context, alone.admin, sent(), person)) == ["CONFLICT"]


async def test_a_client_that_came_back_is_kept(alone: Provider) -> None:
    onboarding = await _lost(alone)
    alone.clock.forward(days=300)
    text = """mutation ($client: ID!, $lead: ID!) {
        onboardingReopen(input: {clientId: $client, leadId: $lead}) { errors { code } } }"""
    given = {"client": public(IdKind.CLIENT, onboarding.client), "lead": public(IdKind.MEMBER, onboarding.lead.id)}
    seen = await asked(alone, text, given)
    assert seen["onboardingReopen"]["errors"] == []

    alone.clock.forward(days=800)
    assert await retention.keep(alone.context) == 0


async def test_whoever_was_merged_into_a_client_goes_with_it(alone: Provider, database_url: str) -> None:
    kept, double = await _lost(alone), await _lost(alone)
    connection = await asyncpg.connect(database_url)
    try:
        merged = "update client set merged_into = $1, name = 'Quixotron Metalworks' where id = $2"
        await connection.execute(merged, kept.client, double.client)
    finally:
        await connection.close()

    alone.clock.forward(days=366)
    assert await retention.keep(alone.context) == 1

    assert await tables_with(database_url, "Quixotron") == {"Quixotron": set()}
    assert await retention.keep(alone.context) == 0


async def test_a_provider_may_keep_it_longer_or_for_ever(alone: Provider) -> None:
    await _lost(alone)
    await _off_boarded(alone)
    await _periods(alone, lost=24)
    alone.clock.forward(days=400)
    assert await retention.keep(alone.context) == 0

    await _periods(alone, lost=None, off_boarded=None)
    alone.clock.forward(days=3_000)
    assert await retention.keep(alone.context) == 0
    assert await retention.due(alone.context, alone.admin, date(2090, 1, 1), 10) == []

    wrong = UpdateSettings(retention_lost_months=0, retention_off_boarded_months=241)
    outcome = await tenants.update_settings(alone.context, alone.admin, sent(), wrong)
    assert [error.path for error in outcome.errors] == [("retentionLostMonths",), ("retentionOffBoardedMonths",)]


async def _periods(provider: Provider, *, lost: int | None, off_boarded: int | None = 36) -> None:
    command = UpdateSettings(retention_lost_months=lost, retention_off_boarded_months=off_boarded)
    done(await tenants.update_settings(provider.context, provider.admin, sent(), command))


async def _lost(provider: Provider) -> Onboarding:
    onboarding = await opened(provider)
    done(await onboarding.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    return onboarding


async def _off_boarded(provider: Provider) -> Onboarding:
    onboarding = await opened(provider)
    while await onboarding.forward() is not Stage.STEADY_STATE:
        pass
    await passed(onboarding, Move.OFF_BOARD, reason="cheaper elsewhere", outcome=EndReason.PRICE)
    return onboarding


async def _client(provider: Provider, onboarding: Onboarding) -> Client:
    async with provider.context.database.reading(provider.admin) as tx:
        found = await clients.get(tx, onboarding.client)
    assert found is not None
    return found
