"""Rows of existing clients: the good ones come in, once, and each bad one is named."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from domain.access import Role, Scope
from domain.clients import ExternalKey
from domain.consequences import ConsequenceKind, untold
from domain.errors import ForbiddenError
from domain.moves import Move
from domain.moving_in import ArrivalStatus, ToldContact, ToldHold
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage
from tests.support.moving_in import CONTRACT, LOST, OFFBOARDED, STEADY, bare, brought, counted, lead_of, row, stories_of
from tests.support.onboarding import opened
from tests.support.providers import Provider, codes, done, sent, without
from workflows.clients import CreateClient
from workflows.clients import create as create_client
from workflows.moving_in import ImportClients, import_clients, results_of


async def test_a_second_run_does_nothing(provider: Provider) -> None:
    lead = await lead_of(provider)
    rows = (row(lead, 1), row(lead, 2, external=None), row(lead, 3, stage=None, live_on=None, lead_email=None))
    first = await brought(provider, *rows)
    assert {one.status for one in first} == {ArrivalStatus.CREATED}
    before = await counted(provider)
    again = await brought(provider, *rows)
    assert [(one.status, one.client) for one in again] == [(ArrivalStatus.EXISTS, one.client) for one in first]
    assert await counted(provider) == before
    assert await stories_of(provider, first[2].client) == []


async def test_bad_rows_are_named_and_the_good_ones_come_in(provider: Provider) -> None:
    lead = await lead_of(provider)
    gone = date(2030, 1, 1)
    bad = {
        ("leadEmail",): row(lead, lead_email="nobody@provider.example"),
        ("name",): row(lead, name=" "),
        ("liveOn",): row(lead, live_on=gone),
        ("steadyOn",): row(lead, steady_on=date(2026, 2, 20)),
        ("outcome",): row(lead, **OFFBOARDED | {"outcome": EndReason.MISTAKE}),
        ("stage",): row(lead, **LOST | {"live_on": date(2025, 9, 15)}),
        ("endedOn",): row(lead, **LOST | {"ended_on": date(2025, 8, 1)}),
        ("hold", "since"): row(lead, hold=ToldHold(date(2026, 2, 1), HoldReason.CLIENT)),
        ("contract", "signedOn"): row(lead, contract=replace(CONTRACT, signed_on=gone)),
        ("contract", "coverageHours"): row(lead, contract=replace(CONTRACT, coverage_hours="always")),
        ("contacts", "0", "email"): row(lead, contacts=(ToldContact("Pat", "pat"),)),
        ("external", "key"): row(lead, external=ExternalKey("PSA", "")),
        ("discoveryOn",): row(lead, stage=Stage.ASSET_DISCOVERY, live_on=None),
    }
    rows = [
        replace(
            one, external=one.external and replace(one.external, key=f"{one.external.key}{n}" * bool(one.external.key))
        )
        for n, one in enumerate(bad.values())
    ]
    arrived = await brought(provider, row(lead, 99), *rows, row(lead, 99))
    assert [one.status for one in arrived] == [ArrivalStatus.CREATED, *[ArrivalStatus.FAILED] * (len(bad) + 1)]
    for path, one in zip(bad, arrived[1:], strict=False):
        assert [error.path[2:] for error in one.errors] == [path], one
    assert arrived[-1].errors[0].message.startswith("This client stands in row 0 already")
    assert (await counted(provider))["client"] == 1


async def test_names_that_read_the_same_are_a_warning_with_keys_and_an_error_without(provider: Provider) -> None:
    lead = await lead_of(provider)
    for _ in range(2):
        done(await create_client(provider.context, provider.admin, sent(), CreateClient("Twice")))
    keyed, bare = await brought(provider, row(lead, 1, name="twice"), row(lead, 2, name="TWICE", external=None))
    assert (keyed.status, len(keyed.warnings)) == (ArrivalStatus.CREATED, 1)
    assert bare.errors[0].message.startswith("2 clients have this name")


async def test_a_client_that_was_discarded_is_not_known_again_by_its_name(provider: Provider) -> None:
    mistake = await opened(provider)
    await mistake.move(Move.DISCARD, by=provider.admin, reason="No such client.", outcome=EndReason.MISTAKE)
    assert (await mistake.seen()).outcome is EndReason.MISTAKE
    (came,) = await brought(provider, row(await lead_of(provider), 1, name="Acme", external=None))
    assert (came.status, came.client != mistake.client, came.warnings) == (ArrivalStatus.CREATED, True, ())


async def test_a_dry_run_tells_what_the_run_does_and_changes_nothing(provider: Provider) -> None:
    lead = await lead_of(provider)
    rows = (row(lead, 1), row(lead, 2, **STEADY), row(lead, 3, live_on=None), row(lead, 2))
    before = await counted(provider)
    command = ImportClients(rows, dry_run=True)
    foreseen = await import_clients(provider.context, provider.admin, sent(), command)
    assert (await counted(provider), foreseen.event) == (before, None)
    came = await import_clients(provider.context, provider.admin, sent(), replace(command, dry_run=False))
    assert came.event is not None
    assert untold(foreseen.facts) == untold(came.facts)
    assert [bare(one) for one in results_of(foreseen)] == [bare(one) for one in results_of(came)]
    sums = {(c.kind, c.name): c.count for c in untold(came.facts)}
    assert (sums[ConsequenceKind.CLIENT, None], sums[ConsequenceKind.WINDOW, None]) == (2, 2)


async def test_sent_again_with_its_key_it_answers_the_same(provider: Provider) -> None:
    lead = await lead_of(provider)
    program = await provider.program(Scope.CLIENTS_WRITE, Scope.ONBOARDING_END)
    command = ImportClients((row(lead, 1), row(lead, 2, name="")))
    keyless = await import_clients(provider.context, program, sent(), command)
    assert codes(keyless) == ["IDEMPOTENCY_KEY_REQUIRED"]
    first = await import_clients(provider.context, program, sent("k"), command)
    again = await import_clients(provider.context, program, sent("k"), command)
    assert results_of(again) == results_of(first)
    assert [one.status for one in results_of(first)] == [ArrivalStatus.CREATED, ArrivalStatus.FAILED]


async def test_it_takes_whoever_may_take_on_and_end_any_client(provider: Provider) -> None:
    lead = await lead_of(provider)
    command = ImportClients((row(lead),))
    for role in (Role.ONBOARDING_LEAD, Role.ACCOUNT_MANAGER, Role.VIEWER):
        with pytest.raises(ForbiddenError, match="ONBOARDING_END"):
            await import_clients(provider.context, await provider.invited(role), sent(), command)
    with pytest.raises(ForbiddenError, match="CLIENTS_WRITE"):
        await import_clients(provider.context, without(provider.admin, Scope.CLIENTS_WRITE), sent(), command)
    client = await provider.client("Own")
    program = await provider.program(Scope.CLIENTS_WRITE, Scope.ONBOARDING_END, clients=(client,))
    assert codes(await import_clients(provider.context, program, sent("k"), command)) == ["NOT_ALLOWED"]
    many = ImportClients(command.rows * 201)
    assert codes(await import_clients(provider.context, provider.admin, sent(), many)) == ["INVALID"]


async def test_another_providers_keys_and_members_mean_nothing(provider: Provider, other_provider: Provider) -> None:
    lead, stranger = await lead_of(provider), await lead_of(other_provider)
    (theirs,) = await brought(other_provider, row(stranger))
    (ours,) = await brought(provider, row(lead))
    assert (theirs.status, ours.status) == (ArrivalStatus.CREATED, ArrivalStatus.CREATED)
    assert theirs.client != ours.client
    (refused,) = await brought(provider, row(stranger, 2))
    assert [error.path for error in refused.errors] == [("rows", "0", "leadEmail")]


async def test_events_say_that_they_tell_of_the_past(provider: Provider) -> None:
    lead = await lead_of(provider)
    await brought(provider, row(lead, **STEADY))
    bodies = text("select body from pending where tenant_id = :tenant and body->>'historical' = 'true' order by id")
    async with provider.context.database.relaying() as tx:
        told = [r["body"] for r in await tx.rows(bodies, tenant=provider.tenant_id)]
    assert [one["type"] for one in told] == [
        "client.upserted",
        "contract.changed",
        "contact.changed",
        *["onboarding.moved"] * 4,
    ]
    assert told[-1]["data"]["move"] == "IMPORT"
    assert told[-1]["occurredAt"] < told[-1]["recordedAt"]
