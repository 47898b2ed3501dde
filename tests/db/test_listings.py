"""Listings: every order offered is one that an index serves, policies and all."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db import clients, contacts, contracts, devices, members, services, ticket_lists, tokens
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
    "tickets": ticket_lists.LISTING,
    "tokens": tokens.LISTING,
}
CASES = [(name, order, descending) for name, one in LISTINGS.items() for order in one.orders for descending in (0, 1)]
OF_ALL_PARENTS = {("tickets", "RECORDED_AT")}
"""Orders of a list that is cut by parents, in which only the whole list comes."""


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
        if listing.parent is None or (name, order) in OF_ALL_PARENTS:
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


FILTERS = {
    "kinds": "ix_ticket_kind",
    "categories": "ix_ticket_category",
    "teams": "ix_ticket_team",
    "agents": "ix_ticket_agent",
    "tiers": "ix_ticket_tier",
    "sites": "ix_ticket_site",
    "devices": "ix_ticket_device",
    "escalated": "ix_ticket_escalated",
    "escalation_kinds": "ix_escalation_kind",
    "open": "ix_ticket_open_logged",
    "waiting": "ix_ticket_waiting",
    "reopened": "ix_ticket_reopened",
    "sla_missed": "ix_ticket_missed",
    "overdue": "ix_ticket_overdue",
    "excluded": "ix_ticket_excluded",
    "unmapped": "ix_ticket_unmapped",
    "ended_from": "ix_ticket_course",
    "ended_to": "ix_ticket_course",
    "updated_since": "ix_ticket_recorded",
    "systems": "uq_ticket_tenant_id_system_external_id",
    "external_ids": None,
    "clients": "ix_ticket_tenant_id_client_id_logged_at_id",
    "stages": "ix_ticket_tenant_id_stage_logged_at_id",
    "phases": "ix_ticket_tenant_id_phase_logged_at_id",
    "priorities": "ix_ticket_tenant_id_priority_logged_at_id",
    "sources": None,
    "logged_from": "ix_ticket_tenant_id_logged_at_id",
    "logged_to": "ix_ticket_tenant_id_logged_at_id",
}
"""The index by which each filter of tickets is found, where few tickets have what it asks for; without one it narrows
what another finds, or most tickets have it."""


OTHERS = """
    select i.indexrelid::regclass::text as index, c.conname as constraint
    from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.conrelid = i.indrelid
    where i.indrelid = 'ticket'::regclass and i.indexrelid <> $1::text::regclass
"""


@pytest.mark.parametrize("name", [name for name, index in FILTERS.items() if index])
async def test_a_filter_of_tickets_can_be_read_off_the_index_named(
    provider: Provider, worker_database: str, name: str
) -> None:
    listing, index = ticket_lists.LISTING, str(FILTERS[name])
    sql, names, defaults = _compiled(listing._stretch("LOGGED_AT", listing._shape(Asked(), descending=True), (name,)))
    samples: dict[str, Any] = {key: [uuid4()] for key in ("sites", "devices", "clients")} | {"tiers": [2]}
    instants = ("overdue", "ended_from", "ended_to", "updated_since", "logged_from", "logged_to")
    samples |= dict.fromkeys(instants, provider.clock.now)
    given = {"tenant": provider.tenant_id, "limit": 11, name: samples.get(name, ["A"])}
    connection = await asyncpg.connect(worker_database)
    undone = connection.transaction()
    await undone.start()
    try:
        # Of an empty table every index costs the same: without the others the plan says whether this one fits.
        for other, constraint in await connection.fetch(OTHERS, index):
            dropping = (
                f"alter table ticket drop constraint {constraint} cascade" if constraint else f"drop index {other}"
            )
            await connection.execute(dropping)
        await connection.execute("set local enable_seqscan = off")
        rows = await connection.fetch(f"explain {sql}", *(given.get(one, defaults.get(one)) for one in names))
    finally:
        await undone.rollback()
        await connection.close()
    shown = "\n".join(row[0] for row in rows)
    assert index in shown, shown
    # What is found among escalations is then looked up by its id.
    assert "Seq Scan on ticket " not in shown or index == "ix_escalation_kind", shown


def test_every_filter_of_tickets_says_by_which_index_it_is_found() -> None:
    conditions = {name for name in ticket_lists.LISTING.conditions if not name.startswith("not_")}
    assert conditions == set(FILTERS)
