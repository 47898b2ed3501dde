"""Terms: what sources call categories, teams and agents; the name stands in one place, figures know it by its id."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction, columns


class TermKind(StrEnum):
    """What a term names."""

    CATEGORY = "CATEGORY"
    TEAM = "TEAM"
    AGENT = "AGENT"


@dataclass(frozen=True, slots=True)
class Term:
    """One name; an agent's is a key of the system that knows the person, others hold for all systems."""

    kind: TermKind
    name: str
    system: str | None = None

    @property
    def key(self) -> bytes:
        """16 bytes that stand for the name, also after it was taken back."""
        said = "\x00".join((self.kind.value, self.system or "", self.name))
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).digest()


FIND = text("""
    select key, id from ticket_term where tenant_id = :tenant and kind = any(:kinds) and key = any(:keys)
""")

# In the order of the key, so that two batches with the same new names wait for each other instead of deadlocking.
ADD = text("""
    insert into ticket_term (tenant_id, id, kind, key, system, name)
    select :tenant, n.* from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:keys as bytea[]),
                                    cast(:systems as text[]), cast(:names as text[])) as n(id, kind, key, system, name)
    order by n.kind, n.key
    on conflict (tenant_id, kind, key) do nothing
""")

NAMES = text("select id, name from ticket_term where tenant_id = :tenant and id = any(cast(:ids as uuid[]))")

CALLED = text("""
    select id from ticket_term where tenant_id = :tenant and kind = :kind and name = any(cast(:names as text[]))
""")


async def named(tx: Transaction, terms: Iterable[Term], new_id: Callable[[], UUID]) -> dict[Term, UUID]:
    """Return the ids of terms; those that nobody has used before are added."""
    keys = {term: term.key for term in terms}
    if not keys:
        return {}
    found = await _find(tx, keys.values())
    fresh = [term for term, key in keys.items() if key not in found]
    if fresh:
        rows = [(new_id(), term.kind, keys[term], term.system, term.name) for term in fresh]
        names = ("ids", "kinds", "keys", "systems", "names")
        await tx.run(ADD, tenant=tx.tenant, **dict(zip(names, columns(rows, len(names)), strict=True)))
        found |= await _find(tx, [keys[term] for term in fresh])
    return {term: found[key] for term, key in keys.items()}


async def names(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return what terms are called, by id."""
    return {row["id"]: row["name"] for row in await tx.rows(NAMES, tenant=tx.tenant, ids=list(ids))}


async def called(tx: Transaction, kind: TermKind, wanted: Sequence[str]) -> list[UUID]:
    """Return the ids of the terms of one kind that have one of these names."""
    rows = await tx.rows(CALLED, tenant=tx.tenant, kind=kind.value, names=list(wanted))
    return [row["id"] for row in rows]


async def _find(tx: Transaction, keys: Iterable[bytes]) -> dict[bytes, UUID]:
    rows = await tx.rows(FIND, tenant=tx.tenant, kinds=[kind.value for kind in TermKind], keys=list(keys))
    return {row["key"]: row["id"] for row in rows}
