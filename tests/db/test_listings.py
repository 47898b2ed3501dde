"""Listings: every order offered is one that an index serves, policies and all."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from db import clients, contacts, contracts, devices, members, services, tokens
from db.keyset import Listing
from db.session import _compiled
from tests.support.providers import Provider

LISTINGS = {
    "clients": clients.LISTING,
    "contacts": contacts.LISTING,
    "contracts": contracts.LISTING,
    "devices": devices.LISTING,
    "discovery runs": devices.RUN_LISTING,
    "members": members.LISTING,
    "services": services.LISTING,
    "tokens": tokens.LISTING,
}
CASES = [(name, order, descending) for name, one in LISTINGS.items() for order in one.orders for descending in (0, 1)]


@dataclass(frozen=True)
class Asked:
    """A stretch of a list, as the API asks for one."""

    after: tuple[Any, ...] | None = None
    backward: bool = False
    before: tuple[Any, ...] | None = None
    limit: int = 11


def place(provider: Provider, listing: Listing, order: str) -> tuple[Any, ...]:
    """Return some place in an order, of the types that its columns have."""
    samples = {datetime: provider.clock.now, str: "m", UUID: uuid4()}
    return tuple(samples[column.type.python_type] for column in listing.orders[order])


async def plan(provider: Provider, statement: Any, **params: Any) -> str:
    """Return the plan that the database would choose if there were many rows, as the app's own login."""
    sql, names, defaults = _compiled(statement)
    async with provider.context.database.reading(provider.admin) as tx:
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_hashagg", "enable_sort"):
            await tx._connection.execute(f"set local {setting} = off")
        rows = await tx._connection.fetch(f"explain {sql}", *(params.get(name, defaults.get(name)) for name in names))
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(("name", "order", "descending"), CASES)
async def test_an_order_is_read_off_an_index_from_any_place(
    provider: Provider, name: str, order: str, descending: int
) -> None:
    listing = LISTINGS[name]
    edge = place(provider, listing, order)
    for stretch in (Asked(), Asked(after=edge), Asked(before=edge, backward=True)):
        shape = listing._shape(stretch, descending=bool(descending))
        places: dict[str, Any] = {"tenant": provider.tenant_id, "limit": stretch.limit}
        for side in ("after", "before"):
            places |= {f"{side}_{number}": value for number, value in enumerate(edge)}
        if listing.parent is None:
            shown = await plan(provider, listing._stretch(order, shape, ()), **places)
        else:
            shown = await plan(provider, listing._stretches(order, shape, ()), parents=[uuid4()], **places)
        inner = shown.partition("Limit")[2]
        assert "Index" in inner, shown
        assert "Sort" not in inner, shown
        if stretch.after or stretch.before:
            assert re.search(r"Index Cond: .*(ROW\(|(id|email) [<>] )", inner), shown


@pytest.mark.parametrize("where", [("name_below", "name_from"), ("owner",), ("account_manager",)])
async def test_a_condition_on_clients_is_read_off_an_index_too(provider: Provider, where: tuple[str, ...]) -> None:
    values = {"name_from": "a", "name_below": "b", "owner": uuid4(), "account_manager": uuid4()}
    statement = clients.LISTING._stretch("NAME", clients.LISTING._shape(Asked(), descending=False), where)
    given = {name: values[name] for name in where}
    shown = await plan(provider, statement, tenant=provider.tenant_id, limit=11, **given)

    assert "Sort" not in shown
    column = {"owner": "owner_id", "account_manager": "account_manager_id"}.get(where[0], "name_key")
    assert re.search(rf"Index Cond: .*{column}", shown), shown


async def test_what_is_set_aside_is_left_out_of_a_list_of_clients_row_by_row(provider: Provider) -> None:
    listing = clients.LISTING
    statement = listing._stretch("NAME", listing._shape(Asked(), descending=False), ("kept",))
    found = await plan(provider, statement, tenant=provider.tenant_id, kept=True, limit=11)
    assert "ix_client_tenant_id_name_key_id" in found
    assert "hashed SubPlan" not in found
    assert re.search(r"Index.* Scan using \S+ on cycle", found), found
