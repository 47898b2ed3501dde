"""Tickets by the batch over GraphQL: a result for every row, odd input named where it stands, nothing twice."""

from typing import Any

import msgspec
import pytest

from db.session import Transaction
from domain.access import Principal, Role, Scope
from domain.clients import ExternalKey
from domain.ids import IdKind, public
from domain.kpis import Kpi, Where
from tests.support.asking import asked
from tests.support.providers import Provider, done, sent
from tests.support.tickets import number
from workflows.clients import CreateClient, UpdateClient
from workflows.clients import create as create_client
from workflows.clients import update as update_client

UPSERT = """
mutation ($input: TicketBulkUpsertInput!) {
  ticketBulkUpsert(input: $input) {
    eventId errors { code message path }
    results { index status id errors { code message path } }
  }
}
"""


def row(number: int, **said: Any) -> dict[str, Any]:
    return {"externalId": f"T-{number}", "loggedAt": "2026-03-01T12:00:00+01:00", "client": "ACME"} | said


async def upsert(provider: Provider, principal: Principal | None = None, **given: Any) -> Any:
    given = {"system": "HALO"} | given
    return (await asked(provider, UPSERT, {"input": given}, principal))["ticketBulkUpsert"]


def statuses(payload: Any) -> list[str]:
    return [result["status"] for result in payload["results"]]


async def acme(provider: Provider, name: str = "Acme", key: str = "ACME") -> Any:
    command = CreateClient(name, external=(ExternalKey("HALO", key),))
    return done(await create_client(provider.context, provider.admin, sent(), command))


async def test_tickets_come_in_by_number_and_again_change_only_what_differs(provider: Provider) -> None:
    client = await acme(provider)
    rows = [row(n, handOvers=[{"at": "2026-03-01T12:00:00Z", "team": "Desk"}]) for n in range(3)]
    first = await upsert(provider, payload=rows)
    assert (statuses(first), first["errors"]) == (["CREATED"] * 3, [])
    assert all(result["id"].startswith("tic_") for result in first["results"])
    again = await upsert(provider, payload={"tickets": rows})
    assert (statuses(again), again["eventId"]) == (["UNCHANGED"] * 3, None)
    assert [one["id"] for one in again["results"]] == [one["id"] for one in first["results"]]
    changed = await upsert(provider, payload=msgspec.json.encode([row(0, priority="P1"), *rows[1:]]).decode())
    assert statuses(changed) == ["UPDATED", "UNCHANGED", "UNCHANGED"]
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == 3


async def test_typed_input_says_the_same_as_a_payload(provider: Provider) -> None:
    await acme(provider)
    whole = row(
        1,
        kind="INCIDENT",
        priority="P2",
        title="Printer",
        changedAt="2026-03-03T12:00:00Z",
        firstRespondedAt="2026-03-01T12:30:00Z",
        handOvers=[{"at": "2026-03-01T12:00:00Z", "team": "Desk", "tier": 1, "agent": "ada"}],
        waits=[{"start": "2026-03-01T13:00:00Z", "end": "2026-03-01T14:00:00Z", "on": "CUSTOMER"}],
        resolutions=[{"at": "2026-03-02T12:00:00Z"}],
        escalations=[{"at": "2026-03-01T15:00:00Z", "kind": "VENDOR", "toTeam": "Cable Ltd"}],
        resolutionSla={"dueAt": "2026-03-02T13:00:00Z"},
    )
    assert statuses(await upsert(provider, tickets=[whole])) == ["CREATED"]
    assert statuses(await upsert(provider, payload=[whole])) == ["UNCHANGED"]


async def test_a_payload_and_typed_input_exclude_each_other(provider: Provider) -> None:
    both: dict[str, Any] = {"payload": [row(1)], "tickets": [row(1)]}
    for given in ({}, both):
        payload = await upsert(provider, **given)
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID", ["payload"])]


async def test_a_bad_row_rejects_all_or_itself_alone(provider: Provider) -> None:
    client = await acme(provider)
    rows: list[Any] = [
        row(1),
        row(2, priority="P9"),
        row(1),
        row(3, handOvers=[{"at": "2026-03-01T12:00:00Z"}, {"at": "noon"}]),
        "no ticket",
        row(4, colour="red"),
        row(5, title="\u0000"),
        row(6, loggedAt="2026-03-01T12:00:00"),
    ]
    rejected = await upsert(provider, payload=rows)
    assert statuses(rejected) == ["LEFT_OUT", *["FAILED"] * 7]
    assert [error["path"] for error in rejected["errors"]] == [
        ["payload", "1", "priority"],
        ["payload", "2", "externalId"],
        ["payload", "3", "handOvers", "1", "at"],
        ["payload", "4"],
        ["payload", "5"],
        ["payload", "6", "title"],
        ["payload", "7", "loggedAt"],
    ]
    assert "'P9'" in rejected["errors"][0]["message"]
    assert "expected one of P1, P2" in rejected["errors"][0]["message"]
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == 0
    taken = await upsert(provider, payload=rows, policy="REJECT_FAILED")
    assert (statuses(taken), taken["errors"]) == (["CREATED", *["FAILED"] * 7], [])
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == 1


@pytest.mark.parametrize(
    "payload", [[], {}, 5, "{", "[" * 100_000, {"tickets": [], "more": 1}, [row(n) for n in range(1001)]]
)
async def test_what_is_no_batch_is_refused_as_a_whole(provider: Provider, payload: Any) -> None:
    refused = await upsert(provider, payload=payload)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("INVALID", ["payload"])]
    assert refused["results"] == []


async def test_a_system_has_a_name_and_is_not_ours(provider: Provider) -> None:
    for system in ("", " ", "x" * 41, "STEADYSTATE"):
        refused = await upsert(provider, system=system, payload=[row(1)])
        assert [error["path"] for error in refused["errors"]] == [["system"]], system


async def test_a_batch_can_be_of_one_client_whatever_its_rows_say(provider: Provider) -> None:
    client = await provider.client()
    await upsert(provider, payload=[row(1)], client={"id": public(IdKind.CLIENT, client)})
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == 1
    nobodys = await upsert(provider, payload=[row(1)], client={"id": f"cli_{'0' * 32}"})
    assert [(error["code"], error["path"]) for error in nobodys["errors"]] == [("NOT_FOUND", ["client"])]


async def test_snapshots_tell_how_tickets_stand_and_keep_their_past(provider: Provider) -> None:
    await acme(provider)
    seen = row(1, changedAt="2026-03-02T12:00:00Z", handOvers=[{"at": "2026-03-02T12:00:00Z", "team": "A", "tier": 1}])
    later = row(1, changedAt="2026-03-03T12:00:00Z", handOvers=[{"at": "2026-03-03T12:00:00Z", "team": "B", "tier": 2}])
    await upsert(provider, payload=[seen], snapshot=True)
    assert statuses(await upsert(provider, payload=[later], snapshot=True)) == ["UPDATED"]
    assert await number(provider, Kpi.ESCALATIONS) == 1
    undated = await upsert(provider, payload=[row(2)], snapshot=True)
    assert [error["path"] for error in undated["errors"]] == [["payload", "0", "snapshot"]]


async def test_sent_again_with_its_key_a_batch_gives_the_first_results(provider: Provider) -> None:
    program = await provider.program(Scope.TICKETS_WRITE, Scope.TICKETS_READ)
    first, again = [await upsert(provider, program, payload=[row(1)], idempotencyKey="k") for _ in range(2)]
    assert statuses(first) == statuses(again) == ["CREATED"]
    other = await upsert(provider, program, payload=[row(2)], idempotencyKey="k")
    assert [error["code"] for error in other["errors"]] == ["IDEMPOTENCY_MISMATCH"]
    without = await upsert(provider, program, payload=[row(2)])
    assert [error["code"] for error in without["errors"]] == ["IDEMPOTENCY_KEY_REQUIRED"]


async def test_a_program_writes_tickets_of_its_own_clients_alone(provider: Provider) -> None:
    own, others = await acme(provider), await acme(provider, "Others", "OTHERS")
    program = await provider.program(Scope.TICKETS_WRITE, clients=(own,))
    await upsert(provider, payload=[row(1, client="OTHERS"), row(2)])
    rows = [row(1), row(2, priority="P1"), row(3), row(4, client="OTHERS"), row(5, client="nobody")]
    taken = await upsert(provider, program, payload=rows, policy="REJECT_FAILED", idempotencyKey="a")
    assert statuses(taken) == ["FAILED", "UPDATED", "CREATED", "FAILED", "FAILED"]
    assert {error["code"] for result in taken["results"] for error in result["errors"]} == {"NOT_ALLOWED"}
    rejected = await upsert(provider, program, payload=rows, idempotencyKey="b")
    assert statuses(rejected) == ["FAILED", "LEFT_OUT", "LEFT_OUT", "FAILED", "FAILED"]
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(others,))) == 1


async def test_agents_write_batches_for_their_own_teams_clients_alone(provider: Provider) -> None:
    agent = await provider.invited(Role.AGENT, Role.VIEWER)
    own, _ = await acme(provider), await acme(provider, "Others", "OTHERS")
    done(await update_client(provider.context, provider.admin, sent(), UpdateClient(own, owner_id=agent.id)))
    taken = await upsert(provider, agent, payload=[row(1), row(2, client="OTHERS")], policy="REJECT_FAILED")
    assert statuses(taken) == ["CREATED", "FAILED"]


async def test_a_thousand_tickets_cost_as_many_statements_as_ten(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await acme(provider)
    seen: list[str] = []
    run = Transaction.rows

    async def counted(self: Transaction, statement: Any, **params: object) -> Any:
        seen.append(str(statement))
        return await run(self, statement, **params)

    monkeypatch.setattr(Transaction, "rows", counted)
    counts = []
    for rows in (range(10), range(10, 1010), range(1010, 1020)):
        seen.clear()
        handed = [{"at": f"2026-03-01T1{tier}:00:00Z", "team": f"T{tier}", "tier": tier} for tier in (1, 2)]
        payload = [row(n, handOvers=handed, category=f"C{n % 3}") for n in rows]
        assert set(statuses(await upsert(provider, payload=payload))) == {"CREATED"}
        counts.append(len(seen))
    assert counts[1] == counts[2] <= 30
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == 1020
