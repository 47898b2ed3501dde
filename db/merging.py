"""Merging in the database: two clients locked with their onboardings, and what is the one's moved to the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from db import clients, cycles
from db.session import Transaction
from domain.clients import Client, ExternalKey
from domain.ids import IdKind
from domain.onboarding import Cycle

MOVED = ("contact", "device", "discovery_run", "external_ref", "inbound_source", "service", "service_device", "site")
"""Tables of which every row goes over to the kept client."""

MOVED_UNLESS_OF_AN_ONBOARDING = {
    "amendment": "with its contract",
    "calendar": "with its site or its contract",
    "client_edit": "unless it was of one of the duplicate's onboardings",
    "contract": "unless one of the duplicate's onboardings names it",
    "contract_turn": "with its contract, by the reference between them",
    "note": "unless it is on one of the duplicate's onboardings",
}
"""Tables of which rows go over, but for those that belong to the duplicate's onboardings."""

RESTATED = ("escalation", "hand_over", "ticket")
"""Tables whose rows are placed anew by the kept client's history."""

STAYING = {
    "attestation": "of an onboarding",
    "baseline": "of an onboarding, and never edited",
    "checklist_item": "of an onboarding",
    "checklist_step": "of an onboarding, and append-only",
    "cycle": "the onboardings of the duplicate stay its history",
    "cycle_change": "of an onboarding, and append-only",
    "effect": "of an onboarding",
    "escalation_window": "of an onboarding",
    "event_log": "what was said of the duplicate was said of it",
    "follow_up": "of an onboarding",
    "hand_off": "of an onboarding",
    "hand_off_change": "of an onboarding, and append-only",
    "hold": "of an onboarding",
    "kpi_target": "what was wanted of the duplicate; append-only",
    "notice": "of an onboarding",
    "pending": "what was said of the duplicate was said of it",
    "planned_date": "of an onboarding, and append-only",
    "ticket_cell": "summed from the deltas that the tickets write as they are placed anew",
    "ticket_delta": "as the cells; append-only",
    "ticket_time": "as the deltas",
    "transition": "of an onboarding, and append-only",
    "unfolded_delta": "as the cells",
    "visit": "of an onboarding",
    "waiver": "of an onboarding",
}
"""Tables of which no row goes over, and why."""

LOCK_CYCLES = text("""
    select id from cycle where tenant_id = :tenant and client_id = any(cast(:clients as uuid[]))
    order by client_id, id for no key update
""")

CLASHES = text("""
    select d.system, d.key as duplicates, k.key as kept
    from external_ref d
    join external_ref k on k.tenant_id = :tenant and k.kind = 'CLIENT' and k.system = d.system and k.client_id = :kept
    where d.tenant_id = :tenant and d.kind = 'CLIENT' and d.client_id = :duplicate
    order by d.system, d.key, k.key
""")

# A key of something else than the client is unique within its client: what the kept one has under it keeps it.
FREE_KEYS = text("""
    delete from external_ref d using external_ref k
    where d.tenant_id = :tenant and d.client_id = :duplicate and d.kind <> 'CLIENT'
      and k.tenant_id = :tenant and k.client_id = :kept
      and k.kind = d.kind and k.system = d.system and k.key = d.key
    returning d.kind, d.system, d.key, d.subject_id as freed, k.subject_id as holder
""")

MOVE_KEYS = text("""
    update external_ref
    set client_id = :kept, subject_id = case when kind = 'CLIENT' then :kept else subject_id end
    where tenant_id = :tenant and client_id = :duplicate
    returning kind, system, key
""")

NAMED = "select contract_id from cycle where tenant_id = :tenant and client_id = :duplicate and contract_id is not null"

CONTRACTS = text("""
    select k.id, exists (
        select from cycle c where c.tenant_id = :tenant and c.client_id = :duplicate and c.contract_id = k.id
    ) as stays
    from contract k where k.tenant_id = :tenant and k.client_id = :duplicate
    order by k.created_at, k.id
""")


def _moving(table: str, *, counts_changes: bool, where: str = "true") -> str:
    """Return the statement that moves rows of a table and counts them; where it counts its changes, this is one."""
    changes = ", version = version + 1" if counts_changes else ""
    return f"""
        with moved as (
            update {table} set client_id = :kept{changes}
            where tenant_id = :tenant and client_id = :duplicate and {where}
            returning 1
        )
        select count(*) from moved
    """


# References between these rows are checked only at the end, so that their order is of no matter. What belongs to a
# contract goes where the contract goes: it has gone by then.
MOVES = {
    table: text(statement)
    for table, statement in {
        "site": _moving("site", counts_changes=True),
        "contact": _moving("contact", counts_changes=True),
        "service": _moving("service", counts_changes=True),
        "device": _moving("device", counts_changes=True),
        "service_device": _moving("service_device", counts_changes=False),
        "discovery_run": _moving("discovery_run", counts_changes=False),
        "inbound_source": _moving("inbound_source", counts_changes=True),
        "contract": _moving("contract", counts_changes=True, where=f"id not in ({NAMED})"),
        "amendment": _moving("amendment", counts_changes=True, where=f"contract_id not in ({NAMED})"),
        "calendar": _moving(
            "calendar", counts_changes=False, where=f"(contract_id is null or contract_id not in ({NAMED}))"
        ),
        "note": _moving("note", counts_changes=True, where="cycle_id is null"),
        "client_edit": _moving("client_edit", counts_changes=False, where="cycle_id is null"),
    }.items()
}
DEFER = text("set constraints all deferred")
CHECK = text("set constraints all immediate")

KEYS_OF = text("""
    select count(*) from external_ref
    where tenant_id = :tenant and kind = 'CLIENT' and client_id = any(cast(:clients as uuid[]))
""")

TOKENS = text("""
    select count(*) from token where tenant_id = :tenant and :duplicate = any(clients) and revoked_at is null
""")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two clients and all their onboardings, kept from changing until the transaction ends."""

    kept: Client | None
    duplicate: Client | None
    cycles: tuple[Cycle, ...]
    """The duplicate's, oldest first."""


@dataclass(frozen=True, slots=True)
class FreedKey:
    """A key that two things of the two clients have in one system: the kept client's keeps it."""

    kind: IdKind
    system: str
    key: str
    freed: UUID
    holder: UUID


@dataclass(frozen=True, slots=True)
class Moved:
    """What went over: rows by table, contracts that went and that stayed, keys of the client, and keys set free."""

    rows: dict[str, int]
    contracts: tuple[UUID, ...]
    staying: tuple[UUID, ...]
    keys: tuple[ExternalKey, ...]
    freed: tuple[FreedKey, ...]


async def lock(tx: Transaction, kept: UUID, duplicate: UUID) -> Pair:
    """Return two clients with their onboardings, all locked in one order, whichever of them is kept.

    Nothing is written about either until this transaction ends, for whoever writes holds the client.
    """
    both = [kept, duplicate]
    await tx.rows(LOCK_CYCLES, tenant=tx.tenant, clients=both)
    held = await clients.ROWS.lock_many(tx, both)
    # Another onboarding may have been opened before the clients were locked, and none is from here on.
    await tx.rows(LOCK_CYCLES, tenant=tx.tenant, clients=both)
    found = await cycles.of_clients(tx, [duplicate])
    return Pair(held.get(kept), held.get(duplicate), tuple(found.get(duplicate, ())))


async def clashes(tx: Transaction, kept: UUID, duplicate: UUID) -> list[tuple[str, str, str]]:
    """Return systems that know both clients, each with the duplicate's key and that of the kept one."""
    rows = await tx.rows(CLASHES, tenant=tx.tenant, kept=kept, duplicate=duplicate)
    return [(row["system"], row["duplicates"], row["kept"]) for row in rows]


async def keys_of(tx: Transaction, wanted: Sequence[UUID]) -> int:
    """Return by how many keys other systems know clients, together."""
    return int(await tx.value(KEYS_OF, tenant=tx.tenant, clients=list(wanted)))


async def move(tx: Transaction, kept: UUID, duplicate: UUID) -> Moved:
    """Give the kept client what is the duplicate's own, all but its tickets and its onboardings."""
    both = {"tenant": tx.tenant, "kept": kept, "duplicate": duplicate}
    contracts = await tx.rows(CONTRACTS, tenant=tx.tenant, duplicate=duplicate)
    freed = [FreedKey(IdKind[row["kind"]], *row[1:]) for row in await tx.rows(FREE_KEYS, **both)]
    keys = await tx.rows(MOVE_KEYS, **both)
    await tx.run(DEFER)
    rows = {table: int(await tx.value(statement, **both)) for table, statement in MOVES.items()}
    await tx.run(CHECK)
    return Moved(
        rows=rows,
        contracts=tuple(row["id"] for row in contracts if not row["stays"]),
        staying=tuple(row["id"] for row in contracts if row["stays"]),
        keys=tuple(ExternalKey(*key) for key in sorted((r["system"], r["key"]) for r in keys if r["kind"] == "CLIENT")),
        freed=tuple(sorted(freed, key=lambda one: (one.kind, one.system, one.key))),
    )


async def tokens(tx: Transaction, duplicate: UUID) -> int:
    """Return how many tokens in use are limited to clients among which the duplicate is."""
    return int(await tx.value(TOKENS, tenant=tx.tenant, duplicate=duplicate))
