"""Access in the database: from the hash of a secret to who holds it and what they see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db import members, tokens
from db.session import Transaction
from domain.members import Member
from domain.tokens import Token

DOOR = text("select kind, tenant_id, subject_id from open_door(:hash)")
TEAM_CLIENTS = text("""
    select id from client
    where tenant_id = :tenant
      and (owner_id = any(cast(:members as uuid[])) or account_manager_id = any(cast(:members as uuid[])))
    union
    select client_id from cycle
    where tenant_id = :tenant and ended_at is null
      and (lead_id = any(cast(:members as uuid[])) or account_manager_id = any(cast(:members as uuid[]))
           or technical_lead_id = any(cast(:members as uuid[])) or engineer_ids && cast(:members as uuid[]))
""")
USED = text("""
    update token set last_used_at = :now
    where tenant_id = :tenant and id in (
        select id from token
        where tenant_id = :tenant and id = :token and (last_used_at is null or last_used_at <= :before)
        for update skip locked)
""")
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Door:
    """Where a secret leads: the tenant, and the token's id there."""

    tenant_id: UUID
    token_id: UUID


@dataclass(frozen=True, slots=True)
class Holder:
    """A token with the member behind it, if there is one."""

    token: Token
    member: Member | None


async def door(entering: Transaction, secret_hash: bytes) -> Door | None:
    """Return where a secret's hash leads, before any tenant is known."""
    row = await entering.one(DOOR, hash=secret_hash)
    return Door(row["tenant_id"], row["subject_id"]) if row and row["kind"] == tokens.DOOR_KIND else None


async def holder(tx: Transaction, token_id: UUID) -> Holder | None:
    """Return the token and its member as they are now."""
    token = await tokens.get(tx, token_id)
    if token is None:
        return None
    member = await members.get(tx, token.member_id) if token.member_id else None
    return Holder(token, member)


async def team_clients(tx: Transaction, members: Sequence[UUID]) -> frozenset[UUID]:
    """Return the clients whose team any of some members is on: by the client itself, or by an open onboarding."""
    rows = await tx.rows(TEAM_CLIENTS, tenant=tx.tenant, members=list(members))
    return frozenset(row["id"] for row in rows)


async def note_use(tx: Transaction, token: UUID, now: datetime) -> None:
    """Record that a token was used, at most once a minute and never waiting for another."""
    await tx.run(USED, tenant=tx.tenant, token=token, now=now, before=now - USE_NOTED_EVERY)
