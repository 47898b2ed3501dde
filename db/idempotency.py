"""Stored outcomes of commands, so that the same command sent again gets its first answer."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import text

from db.session import Transaction
from domain.errors import Outcome, StaleVersion, TransitionBlocked, UserError

CLAIM = text("""
    insert into idempotency (tenant_id, principal_id, mutation, key, digest, outcome, created_at)
    values (:tenant, :principal, :mutation, :key, :digest, null, :now)
    on conflict do nothing
    returning 1
""")

FIND = text("""
    select digest, outcome from idempotency
    where tenant_id = :tenant and principal_id = :principal and mutation = :mutation and key = :key
""")

RECORD = text("""
    update idempotency set outcome = :outcome
    where tenant_id = :tenant and principal_id = :principal and mutation = :mutation and key = :key
""")

PURGE = text("delete from idempotency where created_at < :before")

_ERRORS: dict[str, type[UserError]] = {c.__name__: c for c in (UserError, StaleVersion, TransitionBlocked)}


@dataclass(frozen=True, slots=True)
class Claim:
    """What identifies one command of one caller."""

    principal: UUID
    mutation: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the first command with this key came to, and whether it was the same command."""

    same: bool
    outcome: Outcome


async def claim(tx: Transaction, wanted: Claim, now: datetime) -> Earlier | None:
    """Take the key, or return what came of it earlier.

    A second command with the same key waits here for the first; the wait ends with the lock timeout.

    Raises:
        LockTimeoutError: the first command is still running.
    """
    names = {"tenant": tx.tenant, "principal": wanted.principal, "mutation": wanted.mutation, "key": wanted.key}
    if await tx.value(CLAIM, **names, digest=wanted.digest, now=now):
        return None
    row = await tx.one(FIND, **names)
    if row is None or row["outcome"] is None:
        return None
    return Earlier(same=row["digest"] == wanted.digest, outcome=_read(row["outcome"]))


async def record(tx: Transaction, claimed: Claim, outcome: Outcome) -> None:
    """Store what the command came to, in its own transaction."""
    await tx.run(
        RECORD,
        tenant=tx.tenant,
        principal=claimed.principal,
        mutation=claimed.mutation,
        key=claimed.key,
        outcome=_write(outcome),
    )


async def purge(tx: Transaction, before: datetime) -> None:
    """Forget the keys of commands older than the instant given."""
    await tx.run(PURGE, before=before)


def _write(outcome: Outcome) -> dict[str, object]:
    written = cast("dict[str, object]", msgspec.to_builtins(outcome))
    errors = [
        {"type": type(error).__name__} | {f.name: msgspec.to_builtins(getattr(error, f.name)) for f in fields(error)}
        for error in outcome.errors
    ]
    return written | {"errors": errors}


def _read(stored: dict[str, object]) -> Outcome:
    errors = cast("list[dict[str, object]]", stored["errors"])
    outcome = msgspec.convert({**stored, "errors": []}, Outcome)
    restored = tuple(
        msgspec.convert({k: v for k, v in error.items() if k != "type"}, _ERRORS[str(error["type"])])
        for error in errors
    )
    return Outcome(outcome.subject, outcome.version, outcome.event, restored, outcome.facts)
