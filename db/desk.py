"""The desk and the board in the database: whose onboardings go on, and who may grant what they wait for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db import cycles
from db.session import Transaction
from domain.clients import ContractStatus, Party
from domain.onboarding import Cycle
from domain.stages import ORDER, Stage

# In steady state only what somebody has to see to: a notice, or a follow-up.
ON_DESK = text("""
    select c.id from cycle c
    where c.tenant_id = :tenant and c.ended_at is null and (
        (c.lead_id = any(cast(:members as uuid[])) and (
            c.stage <> 'STEADY_STATE' or c.notice_id is not null
            or exists (
                select from follow_up f where f.tenant_id = :tenant and f.cycle_id = c.id and f.closed_at is null
            )
            or exists (
                select from checklist_item i
                where i.tenant_id = :tenant and i.cycle_id = c.id and i.done_at is null and i.removed_at is null
            )
        ))
        or (cast(:grants as boolean) and exists (
            select from waiver w
            where w.tenant_id = :tenant and w.cycle_id = c.id and w.visit_id = c.visit_id and w.granted_at is null
              and w.withdrawn_at is null and w.expires_at > :now
        ))
    )
    order by c.stage = 'STEADY_STATE', c.opened_at, c.id
    limit :limit
""")

GRANTING = text("""
    select id from member where tenant_id = :tenant and active and roles && cast(:roles as text[]) order by id
""")

WAITING_ON = text("""
    select id, status, waiting_on from contract where tenant_id = :tenant and id = any(cast(:contracts as uuid[]))
""")

_SHOWN = """
    tenant_id = :tenant
      and (cast(:stages as text[]) is null or stage = any(cast(:stages as text[])))
      and (cast(:lead as uuid) is null or lead_id = :lead)
      and (cast(:held as boolean) is null or (held_at is not null) = :held)
      and (cast(:in_notice as boolean) is null or (notice_id is not null) = :in_notice)
      and (cast(:scope_kinds as text[]) is null or scope_kind = any(cast(:scope_kinds as text[])))
"""

BOARD = text(f"""
    select id from cycle
    where {_SHOWN} and ended_at is null and stage = any(cast(:in_flight as text[]))
    order by opened_at, id
    limit :limit
""")

STAGE_COUNTS = text(f"select stage, count(*) as cycles from cycle where {_SHOWN} group by stage")


async def on_desk(tx: Transaction, members: Collection[UUID], *, grants: bool, now: datetime, limit: int) -> list[UUID]:
    """Return the open onboardings that members lead and, for who grants waivers, those that wait for one."""
    rows = await tx.rows(ON_DESK, tenant=tx.tenant, members=sorted(members), grants=grants, now=now, limit=limit)
    return [row["id"] for row in rows]


async def granting(tx: Transaction, roles: Sequence[str]) -> list[UUID]:
    """Return the active members who have one of some roles."""
    return [row["id"] for row in await tx.rows(GRANTING, tenant=tx.tenant, roles=list(roles))]


async def waiting_on(tx: Transaction, contracts: Collection[UUID]) -> dict[UUID, Party]:
    """Return whose turn it is with contracts that are not signed; what nobody has sent is the provider's turn."""
    rows = await tx.rows(WAITING_ON, tenant=tx.tenant, contracts=list(contracts))
    found: dict[UUID, Party] = {}
    for row in rows:
        if row["waiting_on"]:
            found[row["id"]] = Party(row["waiting_on"])
        elif row["status"] == ContractStatus.DRAFT.value:
            found[row["id"]] = Party.PROVIDER
    return found


async def board(tx: Transaction, stages: Sequence[Stage], where: Mapping[str, object], limit: int) -> list[Cycle]:
    """Return the open cycles of some stages that meet conditions, the longest open first."""
    rows = await tx.rows(
        BOARD, tenant=tx.tenant, in_flight=[stage.value for stage in stages], limit=limit, **_conditions(where)
    )
    ids = [row["id"] for row in rows]
    found = await cycles.by_ids(tx, ids)
    return [found[key] for key in ids]


async def stage_counts(tx: Transaction, where: Mapping[str, object]) -> dict[Stage, int]:
    """Return how many cycles that meet conditions stand in each of the four stages."""
    rows = await tx.rows(STAGE_COUNTS, tenant=tx.tenant, **_conditions(where))
    counts = {Stage(row["stage"]): row["cycles"] for row in rows}
    return {stage: counts.get(stage, 0) for stage in ORDER}


def _conditions(where: Mapping[str, object]) -> dict[str, object]:
    return {name: where.get(name) for name in ("stages", "lead", "held", "in_notice", "scope_kinds")}
