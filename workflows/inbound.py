"""Inbound: what another system sends is proved to be its own, and kept as it came, once, before it is interpreted."""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from db import inbound_messages, inbound_sources
from db.inbound_messages import Taken
from domain.access import system
from domain.inbound import InboundSource, Sent, Signing, address_hash
from integrations import signatures
from integrations.adapters import ADAPTERS
from workflows.context import Context, new_id

REPEATED_WITHIN = timedelta(minutes=5)
"""For so long an equal body is the same message again, where nothing that its sender vouches for tells them apart."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)
DELIVERY_CHARACTERS = 200

_ADDRESS = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True)
class Gate:
    """Where an address leads: a source of a provider."""

    tenant_id: UUID
    source: InboundSource


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a message is kept: under which id, and whether it was before."""

    message: UUID
    duplicate: bool


class UnprovedError(Exception):
    """Nothing shows that the source itself has sent this."""


class DisabledError(Exception):
    """The source may send no more."""


async def gate(context: Context, address: str) -> Gate | None:
    """Return where an address leads, or `None`: what is no address and what was never one are the same.

    Raises:
        DisabledError: the source may send no more.
    """
    if not _ADDRESS.fullmatch(address):
        return None
    async with context.database.entering() as entering:
        behind = await inbound_sources.behind(entering, address_hash(address))
    if behind is None:
        return None
    async with context.database.reading(system(behind[0])) as tx:
        source = await inbound_sources.get(tx, behind[1])
    if source is not None and source.disabled_at is not None:
        raise DisabledError
    return Gate(behind[0], source) if source else None


async def receive(context: Context, gate: Gate, sent: Sent) -> Receipt:
    """Keep a message that a source has sent, once however often it is sent.

    Raises:
        UnprovedError: its signature is missing, wrong, or of another time.
        DisabledError: the source was disabled meanwhile.
    """
    now = context.clock()
    principal = system(gate.tenant_id)
    adapter = ADAPTERS[gate.source.adapter]
    async with context.database.reading(principal) as tx:
        kept = await inbound_sources.secrets(tx, gate.source.id, now)
    vouched = signatures.vouched(adapter.signing, sent, kept, now)
    if vouched is None:
        raise UnprovedError
    delivery = _delivery(sent.headers.get(adapter.delivery_header))
    digest = hashlib.sha256(vouched).digest()
    async with context.database.writing(principal) as tx:
        # Messages of a source come in one after another: so each is seen by the next, and has its number.
        source = await inbound_sources.lock(tx, gate.source.id)
        if source is None or source.disabled_at is not None:
            raise DisabledError
        since = _same_since(adapter.signing, delivery, now)
        known = await inbound_messages.duplicate(tx, source.id, delivery, digest, since)
        if known is not None:
            await inbound_sources.count_duplicate(tx, source.id, now)
            return Receipt(known, duplicate=True)
        number = await inbound_sources.count_message(tx, source.id, now)
        taken = Taken(new_id(), source.id, number, delivery, digest, legible(sent.body), len(sent.body))
        await inbound_messages.add(tx, taken, now)
    return Receipt(taken.id, duplicate=False)


def legible(body: bytes) -> str:
    """Return a body as it is kept: JSON without escapes, so that a name in it is found however it was written."""
    if b"\\u" in body:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
            body = msgspec.json.encode(msgspec.json.decode(body))
    return body.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _delivery(header: str | None) -> str | None:
    """Return the id under which a message was delivered, if it is one that can be kept."""
    if header is None or not 1 <= len(header) <= DELIVERY_CHARACTERS or not header.isprintable():
        return None
    return header


def _same_since(signing: Signing, delivery: str | None, now: datetime) -> datetime:
    """Return since when what is equal is the same.

    What a signature covers tells messages apart by itself: it holds a moment, or the id of the delivery. A body beside
    a secret may be equal because the same happened once more.
    """
    if signing is not Signing.TOKEN:
        return EVER
    return now - REPEATED_WITHIN if delivery is None else now
