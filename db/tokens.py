"""Tokens in the database: what is known of a credential, and the door by which its hash finds it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, text

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.tenancy import TokenRow
from domain.tokens import Token

ROWS = Rows(TokenRow, Token)
_T = TokenRow.__table__.c
LISTING = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"ID": (_T.id,)},
    conditions={"holder": _T.member_id == bindparam("holder", type_=_T.member_id.type)},
)
DOOR_KIND = "TOKEN"
OPEN = text("insert into door (hash, kind, tenant_id, subject_id) values (:hash, :kind, :tenant, :token)")
CLOSE = text(
    "delete from door where tenant_id = :tenant and kind = :kind and subject_id = any(cast(:tokens as uuid[]))"
)
EVERY = select(*ROWS.columns).where(_T.tenant_id == bindparam("tenant")).order_by(_T.id)
LIVE_OF_MEMBER = text("""
    select id from token where tenant_id = :tenant and member_id = :member and revoked_at is null order by id for update
""")
REVOKE = text("""
    update token set revoked_at = :now, version = version + 1
    where tenant_id = :tenant and id = any(cast(:tokens as uuid[])) and revoked_at is null
""")

get = ROWS.get
lock = ROWS.lock
many = ROWS.many


async def add(tx: Transaction, token: Token, secret_hash: bytes) -> None:
    """Write a new token and open its door."""
    await ROWS.add(tx, token)
    await _open(tx, token.id, secret_hash)


async def replace_secret(tx: Transaction, token: Token, secret_hash: bytes) -> None:
    """Write a token over its locked row, shut the door of its old secret and open that of the new."""
    await ROWS.save(tx, token.id, token)
    await tx.run(CLOSE, tenant=tx.tenant, kind=DOOR_KIND, tokens=[token.id])
    await _open(tx, token.id, secret_hash)


async def revoke(tx: Transaction, tokens: list[UUID], now: datetime) -> None:
    """Mark tokens as revoked and shut their doors."""
    await tx.run(REVOKE, tenant=tx.tenant, tokens=tokens, now=now)
    await tx.run(CLOSE, tenant=tx.tenant, kind=DOOR_KIND, tokens=tokens)


async def lock_live_of(tx: Transaction, member: UUID) -> list[UUID]:
    """Return the tokens of a member that are not revoked, locked."""
    return [row["id"] for row in await tx.rows(LIVE_OF_MEMBER, tenant=tx.tenant, member=member)]


async def listed(tx: Transaction, stretch: Stretch, holder: UUID | None = None) -> list[Token]:
    """Return a stretch of the tokens by age; of one member, or of everybody and every program."""
    where = {"holder": holder} if holder else None
    return [ROWS.read(row) for row in await LISTING.rows(tx, "ID", stretch, where)]


async def every(tx: Transaction) -> list[Token]:
    """Return all tokens of the provider by age, revoked ones included."""
    return [ROWS.read(row) for row in await tx.rows(EVERY, tenant=tx.tenant)]


async def count(tx: Transaction, holder: UUID | None = None) -> int:
    """Return how many tokens there are, revoked ones included."""
    return await LISTING.count(tx, {"holder": holder} if holder else None)


async def _open(tx: Transaction, token: UUID, secret_hash: bytes) -> None:
    await tx.run(OPEN, tenant=tx.tenant, kind=DOOR_KIND, token=token, hash=secret_hash)
