"""Batches of clients: by other systems' keys, with a result for every row, in a constant number of statements."""

import asyncio
from typing import Any

import pytest

from db.session import Transaction
from domain.access import Role
from domain.bulk import BulkPolicy
from domain.clients import ExternalKey
from domain.errors import Outcome
from tests.support.providers import Provider, codes, sent
from workflows import client_batches
from workflows.client_batches import ClientRow, UpsertClients


def row(number: int, **values: Any) -> ClientRow:
    return ClientRow(ExternalKey("HALO", str(number)), **{"name": f"Client {number}", **values})


def statuses(outcome: Outcome) -> list[str]:
    results: Any = outcome.facts["results"]
    return [result["status"] for result in results]


async def upsert(
    provider: Provider, *rows: ClientRow, policy: BulkPolicy = BulkPolicy.REJECT_ALL, key: str | None = None
) -> Outcome:
    command = UpsertClients(rows, policy)
    return await client_batches.upsert(provider.context, provider.admin, sent(key), command)


async def test_clients_come_in_by_key_and_again_change_only_what_differs(provider: Provider) -> None:
    rows = [row(n, seats=n) for n in range(3)]
    assert statuses(await upsert(provider, *rows)) == ["CREATED"] * 3
    assert statuses(await upsert(provider, *rows)) == ["UNCHANGED"] * 3
    assert statuses(await upsert(provider, row(0, name="New name"), *rows[1:])) == [
        "UPDATED",
        "UNCHANGED",
        "UNCHANGED",
    ]


async def test_a_retry_gives_the_first_results(provider: Provider) -> None:
    first, again = [await upsert(provider, row(1), key="key") for _ in range(2)]

    assert statuses(first) == statuses(again) == ["CREATED"]


async def test_a_bad_row_rejects_all_or_itself_alone(provider: Provider) -> None:
    rows = [row(1), row(2, name=""), row(1, name="Twin"), row(3, owner_id=provider.tenant_id)]
    rejected = await upsert(provider, *rows)
    assert statuses(rejected) == ["LEFT_OUT", "FAILED", "FAILED", "FAILED"]
    assert [error.path for error in rejected.errors] == [
        ("rows", "1", "name"),
        ("rows", "2", "external"),
        ("rows", "3", "ownerId"),
    ]

    partly = await upsert(provider, *rows, policy=BulkPolicy.REJECT_FAILED)
    assert statuses(partly) == ["CREATED", "FAILED", "FAILED", "FAILED"]
    assert partly.errors == ()


async def test_the_same_batch_five_times_at_once_makes_each_client_once(provider: Provider) -> None:
    rows = [row(n) for n in range(20)]
    outcomes = await asyncio.gather(*(upsert(provider, *rows[::step]) for step in (1, -1, 1, -1, 1)))

    assert [codes(outcome) for outcome in outcomes] == [[]] * 5
    assert sum(statuses(outcome).count("CREATED") for outcome in outcomes) == 20


@pytest.mark.parametrize("size", [0, 1_001])
async def test_a_batch_has_one_to_a_thousand_rows(provider: Provider, size: int) -> None:
    assert codes(await upsert(provider, *(row(n) for n in range(size)))) == ["INVALID"]


async def test_a_lead_brings_in_own_clients_and_not_others(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    await upsert(provider, row(1))
    command = UpsertClients((row(1, seats=3), row(2, owner_id=lead.id), row(3)), BulkPolicy.REJECT_FAILED)
    outcome = await client_batches.upsert(provider.context, lead, sent(), command)

    assert statuses(outcome) == ["FAILED", "CREATED", "FAILED"]
    results: Any = outcome.facts["results"]
    assert [result["errors"][0]["code"] for result in (results[0], results[2])] == ["NOT_ALLOWED"] * 2


async def test_the_statements_do_not_grow_with_the_rows(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    rows_of = Transaction.rows

    async def counting(self: Transaction, statement: Any, **params: Any) -> Any:
        counted[-1] += 1
        return await rows_of(self, statement, **params)

    monkeypatch.setattr(Transaction, "rows", counting)
    for size in (2, 200):
        for seats in (size, size + 1):
            counted.append(0)
            await upsert(provider, *(row(size * 1000 + n, seats=seats) for n in range(size)))

    assert counted[:2] == counted[2:]
