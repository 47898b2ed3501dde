"""Existing clients brought in: what is known of them beforehand, and all that each becomes, one statement a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text

from db import many
from db.checklists import WITHOUT_DAY
from db.contacts import ROWS as CONTACTS
from db.contracts import ROWS as CONTRACTS
from db.session import Transaction
from db.tables.checklists import ChecklistItemRow
from db.tables.clients import ClientRow, ContactRow, ContractRow, ContractTurnRow
from db.tables.onboarding import BaselineRow, CycleRow, EffectRow, HoldRow, TransitionRow, VisitRow, WindowRow
from domain.backfill import Backfill
from domain.baselines import Baseline
from domain.checklists import Item
from domain.clients import Client, Contact, Contract, name_key
from domain.contract_turns import first_turns
from domain.onboarding import ENTERED_IN_ERROR, Transition

# Two imports of one provider take turns, for a client that is known by its name alone has no key that would clash.
TAKE_TURN = text("select pg_advisory_xact_lock(hashtextextended('moving in ' || cast(:tenant as text), 0))")

MEMBERS = text("""
    select id, email from member where tenant_id = :tenant and active and email = any(cast(:emails as text[]))
""")

# Clients that were merged into another, or discarded, are nobody's to be known again by their names.
OF_NAMES = text("""
    select c.id, c.name_key from client c
    where c.tenant_id = :tenant and c.name_key = any(cast(:names as text[])) and c.merged_into is null
      and (c.cycle_id is null or exists (
          select from cycle y
          where y.tenant_id = :tenant and y.client_id = c.id and coalesce(y.outcome <> all(:never), true)
      ))
    order by c.id
""")

ONBOARDED = text("""
    select distinct client_id from cycle
    where tenant_id = :tenant and client_id = any(cast(:clients as uuid[]))
""")

CONTACTS_OF = text(f"""
    select {", ".join(column.name for column in CONTACTS.columns)} from contact
    where tenant_id = :tenant and client_id = any(cast(:clients as uuid[])) order by client_id, id
""")

CONTRACTS_OF = text(f"""
    select {", ".join(column.name for column in CONTRACTS.columns)} from contract
    where tenant_id = :tenant and client_id = any(cast(:clients as uuid[])) order by client_id, created_at, id
""")

LATEST = text("""
    update client set cycle_id = c.cycle_id
    from unnest(cast(:clients as uuid[]), cast(:cycles as uuid[])) as c(client_id, cycle_id)
    where client.tenant_id = :tenant and client.id = c.client_id
""")


@dataclass(frozen=True, slots=True)
class Past:
    """The past of one onboarding with its audit trail."""

    backfill: Backfill
    trail: tuple[Transition, ...]


@dataclass(slots=True)
class Written:
    """All that a batch of existing clients becomes; a client that was known already is not among the new ones."""

    clients: list[Client] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    pasts: list[Past] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    baselines: list[tuple[UUID, UUID, UUID, Baseline]] = field(default_factory=list)
    """Each with its id, its cycle and its visit."""


async def take_turn(tx: Transaction) -> None:
    """Wait until no other import of this provider's clients is under way.

    Raises:
        LockTimeoutError: another takes too long.
    """
    await tx.run(TAKE_TURN, tenant=str(tx.tenant))


async def members_of(tx: Transaction, emails: Iterable[str]) -> dict[str, UUID]:
    """Return the active members that have these addresses."""
    rows = await tx.rows(MEMBERS, tenant=tx.tenant, emails=sorted(set(emails)))
    return {row["email"]: row["id"] for row in rows}


async def of_names(tx: Transaction, names: Iterable[str]) -> dict[str, list[UUID]]:
    """Return the clients whose names read as these do, by the key of the name."""
    found: dict[str, list[UUID]] = {}
    never = sorted(outcome.value for outcome in ENTERED_IN_ERROR)
    for row in await tx.rows(OF_NAMES, tenant=tx.tenant, names=sorted(set(names)), never=never):
        found.setdefault(row["name_key"], []).append(row["id"])
    return found


async def onboarded(tx: Transaction, clients: Iterable[UUID]) -> frozenset[UUID]:
    """Return those of the clients that have, or had, an onboarding."""
    rows = await tx.rows(ONBOARDED, tenant=tx.tenant, clients=sorted(set(clients)))
    return frozenset(row["client_id"] for row in rows)


async def contacts_of(tx: Transaction, clients: Sequence[UUID]) -> dict[UUID, list[Contact]]:
    """Return the contacts of clients."""
    found: dict[UUID, list[Contact]] = {}
    for row in await tx.rows(CONTACTS_OF, tenant=tx.tenant, clients=list(clients)) if clients else ():
        found.setdefault(row["client_id"], []).append(CONTACTS.read(row))
    return found


async def contracts_of(tx: Transaction, clients: Sequence[UUID]) -> dict[UUID, list[Contract]]:
    """Return the contracts of clients, the oldest first."""
    found: dict[UUID, list[Contract]] = {}
    for row in await tx.rows(CONTRACTS_OF, tenant=tx.tenant, clients=list(clients)) if clients else ():
        found.setdefault(row["client_id"], []).append(CONTRACTS.read(row))
    return found


async def write(tx: Transaction, batch: Written) -> None:
    """Write a whole batch, in as many statements as there are tables.

    Raises:
        DuplicateError: somebody opened an onboarding for one of the clients meanwhile.
    """
    await many.insert(tx, ClientRow, [many.values(c, name_key=name_key(c.name)) for c in batch.clients])
    await many.insert(tx, ContractRow, [many.values(c) for c in batch.contracts])
    await many.insert(tx, ContractTurnRow, [turn for c in batch.contracts for turn in _turns(c)])
    await many.insert(tx, ContactRow, [many.values(c, name_key=name_key(c.name)) for c in batch.contacts])
    pasts = [past.backfill for past in batch.pasts]
    await many.insert(tx, CycleRow, [many.values(past.cycle) for past in pasts])
    await many.insert(tx, VisitRow, [row for past in pasts for row in _visits(past)])
    await many.insert(tx, WindowRow, [row for past in pasts for row in _windows(past)])
    await many.insert(tx, HoldRow, [_hold(past) for past in pasts if past.hold])
    await many.insert(tx, EffectRow, [row for past in pasts for row in _effects(past)])
    await many.insert(tx, TransitionRow, [many.values(move) for past in batch.pasts for move in past.trail])
    await many.insert(tx, ChecklistItemRow, [many.values(i, due_key=i.due_on or WITHOUT_DAY) for i in batch.items])
    await many.insert(
        tx,
        BaselineRow,
        [many.values(b, id=id_, cycle_id=cycle, visit_id=visit) for id_, cycle, visit, b in batch.baselines],
    )
    if pasts:
        clients, cycles = [past.cycle.client_id for past in pasts], [past.cycle.id for past in pasts]
        await tx.run(LATEST, tenant=tx.tenant, clients=clients, cycles=cycles)


def _turns(contract: Contract) -> list[dict[str, object]]:
    return [
        {
            "client_id": contract.client_id,
            "contract_id": contract.id,
            "position": place,
            "status": turn.status,
            "waiting_on": turn.waiting_on,
            "at": turn.at,
            "recorded_at": contract.created_at,
        }
        for place, turn in enumerate(first_turns(contract), start=1)
    ]


def _visits(past: Backfill) -> list[dict[str, object]]:
    return [many.values(visit, client_id=past.cycle.client_id) for visit in past.visits]


def _windows(past: Backfill) -> list[dict[str, object]]:
    client = past.cycle.client_id
    return [many.values(window, client_id=client, visit_id=visit) for visit, window in past.windows]


def _hold(past: Backfill) -> dict[str, object]:
    if past.hold is None:
        msg = "only what is on hold has a hold to write"
        raise ValueError(msg)
    return many.values(past.hold, client_id=past.cycle.client_id, visit_id=past.cycle.visit_id)


def _effects(past: Backfill) -> list[dict[str, object]]:
    cycle = past.cycle
    return [
        many.values(
            effect,
            id=key,
            client_id=cycle.client_id,
            cycle_id=cycle.id,
            visit_id=move.visit,
            settled_at=None if effect.state == "PLANNED" else cycle.active_at,
        )
        for move in past.moves
        for key, effect in move.effects
    ]
