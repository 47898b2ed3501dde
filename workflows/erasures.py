"""Erasures kept outside the database, so that they can be done again after an older back-up was restored."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from db import clients, contacts, members, privacy, tenants
from db.session import Transaction
from domain.access import system
from domain.privacy import DataSubject, ErasureReason
from workflows.context import Context, Request
from workflows.erasing import Erasing, erase_client, erase_contact, erase_member


@dataclass(frozen=True, slots=True)
class Erasure:
    """That somebody was erased: ids and a code, so that the list of erasures may be kept anywhere."""

    tenant_id: UUID
    kind: DataSubject
    subject_id: UUID
    reason: ErasureReason
    at: datetime


class Again(StrEnum):
    """What became of an erasure that was done again."""

    ERASED = "ERASED"
    """The person was back, and is erased again."""
    STILL_ERASED = "STILL_ERASED"
    UNKNOWN = "UNKNOWN"
    """This database does not have them: they were noted after the back-up was made."""


async def listed(context: Context, tenant: UUID | None = None) -> AsyncIterator[Erasure]:
    """Yield everybody who was erased, of one provider or of all, oldest first of each."""
    async with context.database.relaying() as relaying:
        providers = [tenant] if tenant else [one.id for one in await tenants.every(relaying)]
    for provider in providers:
        async with context.database.reading(system(provider)) as tx:
            found = await privacy.erasures(tx)
        for one in sorted(found, key=lambda record: (record.recorded_at, record.id)):
            reason = one.reason or ErasureReason.REQUESTED
            yield Erasure(provider, one.subject_kind, one.subject_id, reason, one.recorded_at)


async def again(
    context: Context, request: Request, erasures: Iterable[Erasure]
) -> AsyncIterator[tuple[Erasure, Again]]:
    """Do erasures again, each in a transaction of its own; whoever is erased already stays as they are."""
    for erasure in erasures:
        principal = system(erasure.tenant_id)
        erasing = Erasing(principal, request, context.clock(), erasure.reason)
        async with context.database.writing(principal) as tx:
            done = await _AGAIN[erasure.kind](tx, erasing, erasure.subject_id)
        yield erasure, done


async def _contact(tx: Transaction, erasing: Erasing, subject: UUID) -> Again:
    seen = await contacts.get(tx, subject)
    if seen is None:
        return Again.UNKNOWN
    await clients.hold(tx, seen.client_id)
    contact = await contacts.lock(tx, subject)
    if contact is None or contact.erased:
        return Again.STILL_ERASED
    await erase_contact(tx, erasing, contact)
    return Again.ERASED


async def _member(tx: Transaction, erasing: Erasing, subject: UUID) -> Again:
    member = await members.lock(tx, subject)
    if member is None:
        return Again.UNKNOWN
    if member.erased:
        return Again.STILL_ERASED
    # They had been erased: that they can sign in and lead again is what the restore brought back.
    await erase_member(tx, erasing, member)
    return Again.ERASED


async def _client(tx: Transaction, erasing: Erasing, subject: UUID) -> Again:
    client = await clients.ROWS.lock(tx, subject)
    if client is None:
        return Again.UNKNOWN
    if client.erased:
        return Again.STILL_ERASED
    await erase_client(tx, erasing, client)
    return Again.ERASED


_AGAIN = {DataSubject.CONTACT: _contact, DataSubject.MEMBER: _member, DataSubject.CLIENT: _client}
