"""People work on tickets over GraphQL: every verb, its refusals, who may, and what it does to figures."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from db.session import Transaction
from domain.access import Role
from domain.ids import IdKind, public
from domain.kpis import Kpi, Where
from domain.tickets import EscalationKind, Exclusion
from tests.support.asking import asked
from tests.support.providers import Provider, done, sent
from tests.support.ticket_work import commanded, opened, refusals, worked
from tests.support.tickets import number, report, ticket
from workflows.clients import UpdateClient
from workflows.clients import update as update_client
from workflows.sites import CreateSite
from workflows.sites import create as create_site


async def figures(provider: Provider, *clients: UUID) -> list[float | None]:
    return [await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) for client in clients]


async def test_a_ticket_is_opened_with_the_next_number_and_counts_at_once(provider: Provider) -> None:
    client = await provider.client()
    first = await opened(provider, client, team="Desk", tier=1, agent="ada", category="Printing", priority="P2")
    second = await opened(provider, client)
    assert (first["system"], first["externalId"], second["externalId"]) == ("STEADYSTATE", "1", "2")
    assert (first["team"], first["tier"], first["agent"]) == ("Desk", 1, "ada")
    assert (first["kind"], first["priority"], first["version"]) == ("INCIDENT", "P2", 1)
    assert await figures(provider, client) == [2]


async def test_a_ticket_goes_its_way_from_hand_to_hand(provider: Provider) -> None:
    client = await provider.client()
    id_ = (await opened(provider, client, team="Desk", tier=1))["id"]
    provider.clock.forward(hours=1)
    assert (await worked(provider, "ticketRespond", id_))["responseMinutes"] is not None
    shown = await worked(provider, "ticketAssign", id_, agent="ada")
    assert (shown["team"], shown["tier"], shown["agent"]) == ("Desk", 1, "ada")
    shown = await worked(provider, "ticketUpdate", id_, title="Printer burns", kind="PROBLEM", category=None)
    assert (shown["title"], shown["kind"], shown["category"]) == ("Printer burns", "PROBLEM", None)
    assert (await worked(provider, "ticketHold", id_, on="VENDOR"))["waitingOn"] == "VENDOR"
    provider.clock.forward(hours=1)
    shown = await worked(provider, "ticketResume", id_)
    assert (shown["waitingOn"], shown["waits"][0]["on"]) == (None, "VENDOR")
    shown = await worked(provider, "ticketResolve", id_)
    assert shown["resolvedAt"] is not None
    provider.clock.forward(hours=2)
    shown = await worked(provider, "ticketReopen", id_)
    assert (shown["resolvedAt"], shown["timesReopened"], len(shown["resolutions"])) == (None, 1, 1)
    await worked(provider, "ticketHold", id_)
    provider.clock.forward(hours=2)
    shown = await worked(provider, "ticketResolve", id_)
    assert (len(shown["resolutions"]), shown["waits"][1]["end"]) == (2, shown["resolvedAt"])
    assert shown["version"] == 10


async def test_an_escalation_counts_once_whether_the_rule_sees_it_or_not(provider: Provider) -> None:
    client = await provider.client()
    id_ = (await opened(provider, client, team="Desk", tier=1))["id"]
    provider.clock.forward(hours=1)
    shown = await worked(provider, "ticketEscalate", id_, toTeam="Servers", toTier=2, reason="No rights")
    assert (shown["team"], shown["tier"], shown["timesEscalated"]) == ("Servers", 2, 1)
    (seen,) = shown["escalations"]
    assert (seen["kind"], seen["fromTeam"], seen["toTeam"], seen["reason"]) == (
        "FUNCTIONAL", "Desk", "Servers", "No rights",
    )  # fmt: skip
    provider.clock.forward(hours=1)
    shown = await worked(provider, "ticketEscalate", id_, kind="HIERARCHICAL", toTeam="Managers")
    assert (shown["team"], shown["timesEscalated"]) == ("Servers", 2)
    provider.clock.forward(hours=1)
    shown = await worked(provider, "ticketEscalate", id_, kind="VENDOR", toTeam="Fires Ltd")
    assert (shown["team"], [one["kind"] for one in shown["escalations"]]) == (
        "Fires Ltd", ["FUNCTIONAL", "HIERARCHICAL", "VENDOR"],
    )  # fmt: skip
    assert await number(provider, Kpi.ESCALATIONS) == 1
    assert await number(provider, Kpi.ESCALATIONS, Where(escalation_kind=EscalationKind.VENDOR)) == 1


async def test_an_escalation_that_hands_the_ticket_to_nobody_higher_is_refused(provider: Provider) -> None:
    client = await provider.client()
    id_ = (await opened(provider, client, team="Servers", tier=2))["id"]
    provider.clock.forward(hours=1)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "toTeam"),
        ({"kind": "VENDOR"}, "toTeam"),
        ({"toTeam": "Servers"}, "toTeam"),
        ({"toTier": 2}, "toTeam"),
        ({"toTeam": "Desk", "toTier": 1}, "toTier"),
    )
    for given, path in cases:
        assert await refusals(provider, "ticketEscalate", ticketId=id_, **given) == [("INVALID", [path])], given
    nobodys = (await opened(provider, client))["id"]
    assert await refusals(provider, "ticketEscalate", ticketId=nobodys, toTier=2) == [("INVALID", ["toTeam"])]
    assert await number(provider, Kpi.ESCALATIONS) == 0


async def test_what_does_not_fit_how_the_ticket_stands_is_refused(provider: Provider) -> None:
    client = await provider.client()
    id_ = (await opened(provider, client, team="Desk"))["id"]
    provider.clock.forward(hours=1)
    conflict = [("CONFLICT", ["ticketId"])]
    for verb in ("ticketResume", "ticketReopen", "ticketRestore"):
        assert await refusals(provider, verb, ticketId=id_) == conflict, verb
    await worked(provider, "ticketRespond", id_)
    assert await refusals(provider, "ticketRespond", ticketId=id_) == conflict
    await worked(provider, "ticketHold", id_)
    assert await refusals(provider, "ticketHold", ticketId=id_) == conflict
    await worked(provider, "ticketResolve", id_)
    for verb in ("ticketResolve", "ticketHold", "ticketEscalate"):
        assert await refusals(provider, verb, ticketId=id_) == conflict, verb
    await worked(provider, "ticketExclude", id_, reason="SPAM")
    for verb in ("ticketReopen", "ticketRespond"):
        assert await refusals(provider, verb, ticketId=id_) == conflict, verb
    assert await refusals(provider, "ticketAssign", ticketId=id_, team="Servers") == conflict
    assert await refusals(provider, "ticketExclude", ticketId=id_, reason="SPAM") == [("CONFLICT", ["reason"])]
    assert await refusals(provider, "ticketExclude", ticketId=id_, reason="DELETED") == conflict


async def test_odd_words_and_moments_are_refused_where_they_stand(provider: Provider) -> None:
    client = await provider.client()
    id_ = (await opened(provider, client, team="Desk"))["id"]
    later = (provider.clock() + timedelta(days=1)).isoformat()
    before = (provider.clock() - timedelta(days=1)).isoformat()
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("ticketResolve", {"at": later}, "at"),
        ("ticketResolve", {"at": before}, "at"),
        ("ticketAssign", {"team": "x" * 201}, "team"),
        ("ticketAssign", {"team": "a\nb"}, "team"),
        ("ticketAssign", {"team": "Desk", "tier": 0}, "tier"),
        ("ticketAssign", {}, "team"),
        ("ticketUpdate", {"title": ""}, "title"),
        ("ticketUpdate", {"title": "x" * 501}, "title"),
        ("ticketUpdate", {"category": "\u0000"}, "category"),
        ("ticketEscalate", {"reason": "x" * 2001}, "reason"),
        ("ticketEscalate", {"toTeam": "T", "toTier": 99}, "toTier"),
        ("ticketExclude", {"reason": "MERGED"}, "reason"),
    )
    for mutation, given, path in cases:
        assert await refusals(provider, mutation, ticketId=id_, **given) == [("INVALID", [path])], (mutation, given)


async def test_a_ticket_is_about_a_site_and_a_device_of_its_own_client_alone(provider: Provider) -> None:
    here, there = await provider.client("Here"), await provider.client("There")
    id_ = (await opened(provider, here))["id"]
    nobodys = f"sit_{'0' * 32}"
    site = done(await create_site(provider.context, provider.admin, sent(), CreateSite(here, "Head office")))
    theirs = done(await create_site(provider.context, provider.admin, sent(), CreateSite(there, "Warehouse")))
    shown = await worked(provider, "ticketUpdate", id_, siteId=public(IdKind.SITE, site))
    assert shown["siteId"] == public(IdKind.SITE, site)
    assert (await worked(provider, "ticketRespond", id_))["siteId"] == shown["siteId"]
    for foreign in (nobodys, public(IdKind.SITE, theirs)):
        assert await refusals(provider, "ticketUpdate", ticketId=id_, siteId=foreign) == [("NOT_FOUND", ["siteId"])]
    assert await refusals(provider, "ticketUpdate", ticketId=id_, deviceId=f"dev_{'0' * 32}") == [
        ("NOT_FOUND", ["deviceId"])
    ]
    moved = await worked(provider, "ticketMove", id_, client={"id": public(IdKind.CLIENT, there)})
    assert moved["siteId"] is None


async def test_a_merged_ticket_counts_no_longer_and_no_merge_leads_back(provider: Provider) -> None:
    client, other = await provider.client("Here"), await provider.client("There")
    one, two, three = [(await opened(provider, client))["id"] for _ in range(3)]
    theirs = (await opened(provider, other))["id"]
    foreseen = await commanded(provider, "ticketMerge", ticketId=one, intoTicketId=two, dryRun=True)
    assert (foreseen["errors"], foreseen["ticket"]["exclusion"]) == ([], None)
    assert [(one["kind"], one["name"], one["after"]) for one in foreseen["changes"]] == [
        ("TICKET", "exclusion", "MERGED"),
        ("CLIENT", "figures", None),
    ]
    assert await figures(provider, client) == [3]
    shown = await worked(provider, "ticketMerge", one, intoTicketId=two)
    assert (shown["exclusion"], shown["mergedInto"]) == ("MERGED", {"externalId": "2"})
    assert await figures(provider, client) == [2]
    conflict = [("CONFLICT", ["intoTicketId"])]
    for into in (two, one, theirs):
        assert await refusals(provider, "ticketMerge", ticketId=two, intoTicketId=into) == conflict, into
    await worked(provider, "ticketMerge", two, intoTicketId=three)
    assert await refusals(provider, "ticketMerge", ticketId=three, intoTicketId=one) == conflict
    shown = await worked(provider, "ticketRestore", one)
    assert (shown["exclusion"], shown["mergedInto"]) == (None, None)
    assert await figures(provider, client) == [2]


async def test_a_moved_ticket_stays_where_a_person_put_it_whatever_its_source_says(provider: Provider) -> None:
    here, there = await provider.client("Here"), await provider.client("There")
    await report(provider, ticket(1, tiers=(1, 2)), client=here)
    (id_,) = [public(IdKind.TICKET, one) for one in await _tickets(provider)]
    to: dict[str, Any] = {"client": {"id": public(IdKind.CLIENT, there)}}
    foreseen = await commanded(provider, "ticketMove", ticketId=id_, dryRun=True, **to)
    assert [(one["kind"], one["name"]) for one in foreseen["changes"]] == [
        ("TICKET", "client"), ("CLIENT", "figures"), ("CLIENT", "figures"),
    ]  # fmt: skip
    assert await figures(provider, here, there) == [1, 0]
    shown = await worked(provider, "ticketMove", id_, **to)
    assert (shown["clientId"], shown["clientPinned"]) == (to["client"]["id"], True)
    assert await figures(provider, here, there) == [0, 1]
    await report(provider, ticket(1, tiers=(1, 2, 3)), client=here)
    assert await figures(provider, here, there) == [0, 1]
    assert await number(provider, Kpi.ESCALATIONS, Where(clients=(there,))) == 2


async def test_what_a_person_left_out_or_let_count_stays_so_whatever_its_source_says(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1), ticket(2, exclusion=Exclusion.SPAM), client=client)
    counting, spam = [public(IdKind.TICKET, one) for one in await _tickets(provider)]
    await worked(provider, "ticketExclude", counting, reason="DELETED")
    await worked(provider, "ticketRestore", spam)
    await report(provider, ticket(1, tiers=(1, 2)), ticket(2, tiers=(1, 2), exclusion=Exclusion.SPAM), client=client)
    assert await figures(provider, client) == [1]
    assert await number(provider, Kpi.ESCALATIONS) == 1


async def test_another_systems_next_word_replaces_what_a_person_did(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1), client=client)
    (id_,) = [public(IdKind.TICKET, one) for one in await _tickets(provider)]
    assert (await worked(provider, "ticketResolve", id_))["resolvedAt"] is not None
    await report(provider, ticket(1, title="Still open"), client=client)
    shown = await worked(provider, "ticketRespond", id_)
    assert (shown["resolvedAt"], shown["title"]) == (None, "Still open")


async def test_agents_work_on_their_own_teams_clients_tickets_alone(provider: Provider) -> None:
    agent = await provider.invited(Role.AGENT)
    both = await provider.invited(Role.AGENT, Role.VIEWER)
    own, others = await provider.client("Own"), await provider.client("Others")
    for person in (agent, both):
        done(await update_client(provider.context, provider.admin, sent(), UpdateClient(own, owner_id=person.id)))
        known = await provider.signed_in(await provider.token_of(person.id))
        mine = (await opened(provider, own, known))["id"]
        theirs = (await opened(provider, others))["id"]
        assert (await worked(provider, "ticketRespond", mine, known))["firstRespondedAt"] is not None
        unreached = ("NOT_ALLOWED", ["ticketId"]) if person is both else ("NOT_FOUND", ["ticketId"])
        assert await refusals(provider, "ticketRespond", known, ticketId=theirs) == [unreached]
        there = {"client": {"id": public(IdKind.CLIENT, others)}}
        unreached = ("NOT_ALLOWED", ["client"]) if person is both else ("NOT_FOUND", ["client"])
        assert await refusals(provider, "ticketMove", known, ticketId=mine, **there) == [unreached]
        assert await refusals(provider, "ticketCreate", known, title="Not mine", **there) == [unreached]


async def test_another_providers_ticket_is_as_unknown_as_one_that_nobody_has(
    provider: Provider, other_provider: Provider
) -> None:
    theirs = (await opened(other_provider, await other_provider.client()))["id"]
    mine = (await opened(provider, await provider.client()))["id"]
    unknown = [("NOT_FOUND", ["ticketId"])]
    for id_ in (theirs, f"tic_{'0' * 32}"):
        assert await refusals(provider, "ticketResolve", ticketId=id_) == unknown
        assert await refusals(provider, "ticketMerge", ticketId=mine, intoTicketId=id_) == [
            ("NOT_FOUND", ["intoTicketId"])
        ]


async def test_of_two_who_decided_on_the_same_version_one_learns_of_the_other(provider: Provider) -> None:
    id_ = (await opened(provider, await provider.client()))["id"]
    answers = await asyncio.gather(
        *(commanded(provider, "ticketAssign", ticketId=id_, team=team, expectedVersion=1) for team in ("A", "B"))
    )
    refused = [one for one in answers if one["errors"]]
    assert [(one["errors"][0]["code"], one["errors"][0]["current"]) for one in refused] == [("STALE_VERSION", 2)]


async def test_two_merges_into_each_other_leave_one_that_counts(provider: Provider) -> None:
    client = await provider.client()
    one, two = [(await opened(provider, client))["id"] for _ in range(2)]
    answers = await asyncio.gather(
        commanded(provider, "ticketMerge", ticketId=one, intoTicketId=two),
        commanded(provider, "ticketMerge", ticketId=two, intoTicketId=one),
    )
    assert sorted(len(answer["errors"]) for answer in answers) == [0, 1]
    assert await figures(provider, client) == [1]


async def test_sent_again_with_its_key_a_command_is_done_once(provider: Provider) -> None:
    client = await provider.client()
    given: dict[str, Any] = {"client": {"id": public(IdKind.CLIENT, client)}, "title": "Once", "idempotencyKey": "k"}
    first, again = [await commanded(provider, "ticketCreate", **given) for _ in range(2)]
    assert first["ticket"]["id"] == again["ticket"]["id"]
    assert await figures(provider, client) == [1]


async def test_a_command_costs_the_same_statements_however_long_the_ticket_has_been_going_round(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = await provider.client("Here"), await provider.client("There")
    counts: dict[str, set[int]] = {}
    for rounds in (1, 30):
        one, two = [(await opened(provider, client, team="Desk", tier=1))["id"] for _ in range(2)]
        for turn in range(rounds):
            provider.clock.forward(minutes=1)
            await worked(provider, "ticketAssign", one, team=f"Team {turn}", tier=1 + turn % 3)
        commands: tuple[tuple[str, dict[str, Any]], ...] = (
            ("ticketUpdate", {"title": "Better said"}),
            ("ticketAssign", {"team": "Last"}),
            ("ticketEscalate", {"toTeam": "Top", "toTier": 3}),
            ("ticketRespond", {}),
            ("ticketHold", {}),
            ("ticketResume", {}),
            ("ticketResolve", {}),
            ("ticketReopen", {}),
            ("ticketMerge", {"intoTicketId": two}),
            ("ticketRestore", {}),
            ("ticketMove", {"client": {"id": public(IdKind.CLIENT, other)}}),
            ("ticketExclude", {"reason": "SPAM"}),
        )
        for mutation, given in commands:
            provider.clock.forward(minutes=1)
            with counting(monkeypatch) as seen:
                taken = f"{mutation[0].upper()}{mutation[1:]}Input!"
                document = f"mutation ($input: {taken}) {{ {mutation}(input: $input) {{ eventId }} }}"
                payload = await asked(provider, document, {"input": {"ticketId": one} | given})
            assert payload[mutation]["eventId"] is not None, mutation
            counts.setdefault(mutation, set()).add(len(seen))
    assert {mutation: found for mutation, found in counts.items() if max(found) > 32} == {}
    # A ticket that has not gone to anybody new needs no names looked up, and one that was not escalated no rows of it.
    assert {mutation for mutation, found in counts.items() if max(found) - min(found) > 2} == set()


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect the statements that are run meanwhile."""
    seen: list[str] = []
    run = Transaction.rows

    async def counted(self: Transaction, statement: Any, **params: object) -> Any:
        seen.append(str(statement))
        return await run(self, statement, **params)

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "rows", counted)
        yield seen


async def _tickets(provider: Provider) -> list[UUID]:
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx.rows(
            text("select id from ticket where tenant_id = :tenant order by external_id"), tenant=tx.tenant
        )
    return [row["id"] for row in rows]
