"""Cycles: read with their visits, locked for a move, listed for the board."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import Boolean, Text, Uuid, any_, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from db import calendars, definitions
from db.keyset import Listing, Stretch
from db.session import Transaction
from db.tables.onboarding import CycleRow
from domain.baselines import Baseline
from domain.definitions import Definition
from domain.onboarding import Cycle, EndReason, Hold, HoldReason, ScopeKind, Visit, Window
from domain.stages import Stage
from domain.tenants import TenantSettings

_COLUMNS = """
    c.id, c.client_id, c.number, c.scope_kind, c.scope_key, c.contract_id, c.definition_id, c.lead_id,
    c.account_manager_id, c.technical_lead_id, c.engineer_ids, c.stage, c.visit_id, c.opened_at, c.entered_at,
    c.target_at, c.held_at, c.ended_at, c.outcome, c.version, c.active_at, c.amendment_id, c.notice_id
"""

_NAMES = [name.strip().removeprefix("c.") for name in _COLUMNS.split(",")]

LOCK = text(f"select {_COLUMNS} from cycle c where c.tenant_id = :tenant and c.id = :id for no key update")

LOCK_TO_MOVE = text(f"""
    select {_COLUMNS}, d.number as definition_number, d.body as definition_body, d.created_at as defined_at, t.settings,
           o.site_id as own_site_id, o.contract_id as own_contract_id, o.body as own_calendar,
           (select max(recorded_at) from transition s where s.tenant_id = :tenant and s.cycle_id = c.id) as recorded_at
    from cycle c
    join definition d on d.tenant_id = :tenant and d.id = c.definition_id
    join tenant t on t.id = :tenant
    left join lateral (
        select k.site_id, k.contract_id, k.body from calendar k
        where k.tenant_id = :tenant and k.client_id = c.client_id and k.valid_to is null and k.body is not null
          and (k.site_id = case when c.scope_kind = 'SITE' then cast(c.scope_key as uuid) end
               or k.contract_id = c.contract_id)
        order by k.site_id nulls last limit 1
    ) as o on true
    where c.tenant_id = :tenant and c.id = :id
    for no key update of c
""")

LOCK_UNDER_WAY = text(f"""
    select {_COLUMNS} from cycle c
    where c.tenant_id = :tenant and c.ended_at is null and c.stage = any(cast(:stages as text[]))
      and (cast(:client as uuid) is null or c.client_id = :client)
    order by c.client_id, c.id
    for no key update
""")

BY_IDS = text(f"""
    select {_COLUMNS} from cycle c where c.tenant_id = :tenant and c.id = any(cast(:ids as uuid[]))
""")

STAGES = text("select id, stage from cycle where tenant_id = :tenant and id = any(cast(:ids as uuid[]))")

OF_CLIENTS = text(f"""
    select {_COLUMNS} from cycle c
    where c.tenant_id = :tenant and c.client_id = any(cast(:clients as uuid[]))
    order by c.client_id, c.number
""")

OTHERS_OPEN = text("""
    select exists (
        select from cycle
        where tenant_id = :tenant and client_id = :client and scope_kind = :scope_kind and scope_key = :scope_key
          and ended_at is null and id <> :cycle
    )
""")

LAST_NUMBER = text("""
    select coalesce(max(number), 0) from cycle where tenant_id = :tenant and client_id = :client
""")

VISITS = text("""
    select id, cycle_id, stage, entered_at, left_at, superseded_at, target_at from visit
    where tenant_id = :tenant and cycle_id = any(cast(:ids as uuid[]))
    order by cycle_id, entered_at, id
""")

HOLDS = text("""
    select id, cycle_id, reason, note, held_at, expected_resume_on, resumed_at from hold
    where tenant_id = :tenant and cycle_id = any(cast(:ids as uuid[]))
    order by cycle_id, held_at, id
""")

WINDOWS = text("""
    select id, cycle_id, opened_at, closed_at from escalation_window
    where tenant_id = :tenant and cycle_id = any(cast(:ids as uuid[]))
    order by cycle_id, opened_at
""")

GRADUATED = """
    not exists (
        select from transition u
        where u.tenant_id = :tenant and u.cycle_id = b.cycle_id and u.accepted and u.move = 'UNDO'
          and u.from_stage = 'STEADY_STATE' and u.recorded_at > b.as_of
          and not exists (
              select from transition g
              where g.tenant_id = :tenant and g.cycle_id = b.cycle_id and g.accepted and g.move = 'GRADUATE'
                and g.recorded_at > b.as_of and g.recorded_at < u.recorded_at
          )
    )
"""
"""Of baselines `b` those whose graduation was not undone; what was recorded of the others stays, and counts nowhere."""

BASELINES = text(f"""
    select b.cycle_id, b.client_id, b.kpi, b.value, b.numerator, b.denominator, b.low, b.high, b.opened_at, b.closed_at,
           b.as_of
    from baseline b
    where b.tenant_id = :tenant and b.cycle_id = any(cast(:ids as uuid[])) and {GRADUATED}
    order by b.cycle_id, b.as_of, b.kpi
""")

STANDING = text("""
    select c.owner_id, c.account_manager_id,
           exists (
               select from contract k
               where k.tenant_id = :tenant and k.client_id = c.id and k.id = cast(:contract as uuid)
           ) as has_contract,
           c.merged_into
    from client c where c.tenant_id = :tenant and c.id = :client
    for key share of c
""")

UPDATE = text("""
    update cycle set contract_id = :contract, lead_id = :lead, account_manager_id = :account_manager,
        technical_lead_id = :technical_lead, engineer_ids = cast(:engineers as uuid[]), version = :version
    where tenant_id = :tenant and id = :cycle
""")

_C = CycleRow.__table__.c

LISTING = Listing(
    columns=[_C[name] for name in _NAMES],
    tenant=_C.tenant_id,
    orders={"OPENED": (_C.opened_at, _C.id)},
    conditions={
        "stages": _C.stage == any_(bindparam("stages", type_=ARRAY(Text))),
        "lead": _C.lead_id == bindparam("lead", type_=Uuid()),
        "client": _C.client_id == bindparam("client", type_=Uuid()),
        "scope_kinds": _C.scope_kind == any_(bindparam("scope_kinds", type_=ARRAY(Text))),
        "open": _C.ended_at.is_(None) == bindparam("open", type_=Boolean()),
        "held": _C.held_at.is_not(None) == bindparam("held", type_=Boolean()),
    },
)


async def lock(tx: Transaction, cycle: UUID) -> Cycle | None:
    """Return a cycle with its row locked until the transaction ends; writers of gate evidence wait for it.

    Raises:
        LockTimeoutError: somebody else is moving it.
    """
    row = await tx.one(LOCK, tenant=tx.tenant, id=cycle)
    return _cycle(row) if row else None


@dataclass(frozen=True, slots=True)
class Locked:
    """A cycle whose row is held, what its moves are judged by, and when its trail was last written.

    The calendar of `settings` is the one that counts for this cycle: its site's or contract's own, if they have one.
    """

    cycle: Cycle
    definition: Definition
    settings: TenantSettings
    recorded_at: datetime


async def lock_to_move(tx: Transaction, cycle: UUID) -> Locked | None:
    """Return a cycle with its row locked, and in the same statement what else a move takes.

    After a wait for somebody else's move `recorded_at` may be of before it; by its version the cycle then tells.

    Raises:
        LockTimeoutError: somebody else is moving it.
    """
    # A row whose definition became another while this waited for it fits its join no more, and is gone; asked again,
    # it is there under its new one.
    row = await tx.one(LOCK_TO_MOVE, tenant=tx.tenant, id=cycle) or await tx.one(
        LOCK_TO_MOVE, tenant=tx.tenant, id=cycle
    )
    if row is None:
        return None
    definition = definitions.read(
        row["definition_id"], row["definition_number"], row["definition_body"], row["defined_at"]
    )
    settings = TenantSettings.from_data(row["settings"])
    if row["own_calendar"]:
        own = calendars.own(row["own_site_id"], row["own_contract_id"], row["own_calendar"])
        settings = replace(settings, calendar=own)
    return Locked(_cycle(row), definition, settings, row["recorded_at"])


async def lock_under_way(tx: Transaction, stages: Sequence[Stage], client: UUID | None = None) -> list[Cycle]:
    """Return the open cycles of some stages, of one client or of all, with their rows locked in one order."""
    rows = await tx.rows(LOCK_UNDER_WAY, tenant=tx.tenant, stages=[s.value for s in stages], client=client)
    return [_cycle(row) for row in rows]


async def by_ids(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Cycle]:
    """Return cycles by id, in one statement."""
    rows = await tx.rows(BY_IDS, tenant=tx.tenant, ids=list(ids))
    return {row["id"]: _cycle(row) for row in rows}


async def stages(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Stage]:
    """Return in which stage cycles stand, by id."""
    rows = await tx.rows(STAGES, tenant=tx.tenant, ids=list(ids))
    return {row["id"]: Stage(row["stage"]) for row in rows}


async def of_clients(tx: Transaction, clients: Iterable[UUID]) -> dict[UUID, list[Cycle]]:
    """Return the cycles of clients, oldest first."""
    found: dict[UUID, list[Cycle]] = {}
    for row in await tx.rows(OF_CLIENTS, tenant=tx.tenant, clients=list(clients)):
        found.setdefault(row["client_id"], []).append(_cycle(row))
    return found


async def others_open(tx: Transaction, cycle: Cycle) -> bool:
    """Tell whether another cycle of the same scope goes on."""
    found: bool = await tx.value(
        OTHERS_OPEN,
        tenant=tx.tenant,
        client=cycle.client_id,
        scope_kind=cycle.scope_kind.value,
        scope_key=cycle.scope_key,
        cycle=cycle.id,
    )
    return found


async def next_number(tx: Transaction, client: UUID) -> int:
    """Return the number that the client's next cycle gets."""
    last: int = await tx.value(LAST_NUMBER, tenant=tx.tenant, client=client)
    return last + 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What opening a cycle needs to know of a client: whose it is, and whether the contract named is its own."""

    owner_id: UUID | None
    account_manager_id: UUID | None
    has_contract: bool
    merged_into: UUID | None = None


async def standing(tx: Transaction, client: UUID, contract: UUID | None) -> Standing | None:
    """Return a client's standing, or `None` where no such client is visible; none is merged until this ends."""
    row = await tx.one(STANDING, tenant=tx.tenant, client=client, contract=contract)
    return Standing(**dict(row)) if row else None


async def update(tx: Transaction, cycle: Cycle) -> None:
    """Write the contract, the team and the version over the locked row."""
    await tx.run(
        UPDATE,
        tenant=tx.tenant,
        cycle=cycle.id,
        contract=cycle.contract_id,
        lead=cycle.lead_id,
        account_manager=cycle.account_manager_id,
        technical_lead=cycle.technical_lead_id,
        engineers=list(cycle.engineer_ids),
        version=cycle.version,
    )


async def visits(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, tuple[Visit, ...]]:
    """Return the visits of cycles, oldest first."""
    found: dict[UUID, tuple[Visit, ...]] = {}
    for row in await tx.rows(VISITS, tenant=tx.tenant, ids=list(cycles)):
        visit = Visit(
            row["id"],
            row["cycle_id"],
            Stage(row["stage"]),
            row["entered_at"],
            row["left_at"],
            row["superseded_at"],
            row["target_at"],
        )
        found[visit.cycle_id] = (*found.get(visit.cycle_id, ()), visit)
    return found


async def holds(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Hold]]:
    """Return the holds of cycles, oldest first."""
    found: dict[UUID, list[Hold]] = {}
    for row in await tx.rows(HOLDS, tenant=tx.tenant, ids=list(cycles)):
        hold = Hold(
            row["id"],
            row["cycle_id"],
            HoldReason(row["reason"]),
            row["note"],
            row["held_at"],
            row["expected_resume_on"],
            row["resumed_at"],
        )
        found.setdefault(hold.cycle_id, []).append(hold)
    return found


async def windows(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Window]]:
    """Return the escalation windows of cycles, oldest first."""
    found: dict[UUID, list[Window]] = {}
    for row in await tx.rows(WINDOWS, tenant=tx.tenant, ids=list(cycles)):
        window = Window(row["id"], row["cycle_id"], row["opened_at"], row["closed_at"])
        found.setdefault(window.cycle_id, []).append(window)
    return found


async def baselines(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Baseline]]:
    """Return what was recorded of the windows when the cycles graduated."""
    found: dict[UUID, list[Baseline]] = {}
    for row in await tx.rows(BASELINES, tenant=tx.tenant, ids=list(cycles)):
        values = dict(row)
        found.setdefault(values.pop("cycle_id"), []).append(Baseline(**values))
    return found


async def listed(tx: Transaction, where: Mapping[str, object], stretch: Stretch) -> list[Cycle]:
    """Return a stretch of the cycles, the longest open first; `where` names conditions of the listing."""
    return [_cycle(row) for row in await LISTING.rows(tx, "OPENED", stretch, where)]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many cycles there are, up to the limit of counting."""
    return await LISTING.count(tx, where)


def _cycle(row: asyncpg.Record) -> Cycle:
    values = {name: row[name] for name in _NAMES}
    values["scope_kind"] = ScopeKind(row["scope_kind"])
    values["stage"] = Stage(row["stage"])
    values["outcome"] = EndReason(row["outcome"]) if row["outcome"] else None
    values["engineer_ids"] = tuple(row["engineer_ids"])
    return Cycle(**values)
