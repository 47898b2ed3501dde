"""Erasing: what is left of a person or a client is an id, and whatever was counted stays as it is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import absences, clients, contacts, members, privacy, redaction
from db.redaction import Place
from db.session import Transaction
from domain.access import Principal
from domain.clients import Client, Contact
from domain.consequences import Consequence, ConsequenceKind
from domain.events import ClientErased, ContactErased, Event, MemberErased
from domain.ids import IdKind, public
from domain.members import Member
from domain.privacy import ERASED, DataSubject, ErasureReason, PrivacyAct, PrivacyRecord
from domain.redaction import Person, known_by
from workflows.commands import publish
from workflows.context import Request, new_id


@dataclass(frozen=True, slots=True)
class Erasing:
    """Who erases, how, when and why."""

    principal: Principal
    request: Request
    now: datetime
    reason: ErasureReason


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure changed, and the event that tells of it."""

    changes: tuple[Consequence, ...]
    version: int
    event: UUID


async def erase_contact(
    tx: Transaction, erasing: Erasing, contact: Contact, also_known_as: Iterable[str] = ()
) -> Erased:
    """Erase a contact whose row is locked, whose client's onboardings are held still, and who is not erased yet."""
    surveys = await privacy.call_off_surveys(tx, contact.client_id, contact.id, erasing.now)
    cycles = await privacy.take_from_hand_offs(tx, contact.client_id, contact.id, erasing.now)
    places = await redaction.cut_out(tx, await privacy.search_for(tx, contact, also_known_as))
    refs = await privacy.remove_refs_of(tx, contact.id)
    gone = replace(
        contact,
        name=ERASED,
        email=None,
        phone=None,
        roles=(),
        language=None,
        opted_out=True,
        erased_at=erasing.now,
        version=contact.version + 1,
    )
    await contacts.save(tx, gone)
    changes = [
        _gone(ConsequenceKind.CONTACT, IdKind.CONTACT, contact.id),
        *_counted(ConsequenceKind.SURVEY, surveys),
        *(_no_longer_handed_off(cycle) for cycle in cycles),
        *_counted(ConsequenceKind.EXTERNAL_REF, refs),
    ]
    told = ContactErased(reason=erasing.reason.value)
    return await _done(tx, erasing, DataSubject.CONTACT, gone, told, changes, places, client=contact.client_id)


async def erase_member(tx: Transaction, erasing: Erasing, member: Member, also_known_as: Iterable[str] = ()) -> Erased:
    """Erase a member whose row is locked; nothing of theirs opens anything, and their id stays with what they did."""
    places = await redaction.cut_out(tx, await privacy.search_for(tx, member, also_known_as))
    tokens = await privacy.remove_tokens(tx, member.id)
    await privacy.remove_absences(tx, member.id)
    await privacy.stand_down(tx, member.id)
    await absences.remove_of(tx, member.id)
    # No two members share an address: that of nobody is made of the id, in a domain that can never exist (RFC 2606).
    nobody = f"{member.id.hex}@erased.invalid"
    gone = replace(
        member,
        name=ERASED,
        email=nobody,
        roles=(),
        active=False,
        deputy_id=None,
        erased_at=erasing.now,
        version=member.version + 1,
    )
    await members.save(tx, gone)
    changes = [
        _gone(ConsequenceKind.MEMBER, IdKind.MEMBER, member.id),
        *_counted(ConsequenceKind.TOKEN, tokens),
    ]
    told = MemberErased(reason=erasing.reason.value)
    return await _done(tx, erasing, DataSubject.MEMBER, gone, told, changes, places)


async def erase_client(tx: Transaction, erasing: Erasing, client: Client) -> Erased:
    """Erase a client that is locked: its people, its name, and whatever was written; what was counted stays.

    Whoever was merged into it goes with it: what was written under the other name is its history.
    """
    aliases = await clients.ROWS.lock_many(tx, await privacy.merged_into(tx, client.id))
    merged = [await _erase_alone(tx, erasing, alias) for alias in aliases.values() if not alias.erased]
    erased = await _erase_alone(tx, erasing, client)
    return replace(erased, changes=(*erased.changes, *(change for one in merged for change in one.changes)))


async def _erase_alone(tx: Transaction, erasing: Erasing, client: Client) -> Erased:
    people = []
    for person in await privacy.people_of(tx, client.id):
        contact = await contacts.lock(tx, person)
        if contact is not None and not contact.erased:
            people.append(await erase_contact(tx, erasing, contact))
    places = await redaction.cut_out_of_shared(tx, known_by(Person((client.name,))))
    places += await redaction.clear(tx, client.id)
    refs = await privacy.remove_refs(tx, client.id)
    cleared = await clients.ROWS.get(tx, client.id) or client
    gone = replace(cleared, name=ERASED, erased_at=erasing.now, version=client.version + 1)
    await clients.save(tx, gone)
    changes = [
        _gone(ConsequenceKind.CLIENT, IdKind.CLIENT, client.id),
        *(change for one in people for change in one.changes),
        *_counted(ConsequenceKind.EXTERNAL_REF, refs),
    ]
    told = ClientErased(reason=erasing.reason.value)
    return await _done(tx, erasing, DataSubject.CLIENT, gone, told, changes, places, client=client.id)


async def record(
    tx: Transaction,
    erasing: Erasing,
    act: PrivacyAct,
    kind: DataSubject,
    subject: UUID,
    *,
    texts: int = 0,
    event: UUID | None = None,
) -> UUID:
    """Keep that something was done with somebody's data."""
    kept = PrivacyRecord(
        id=new_id(),
        act=act,
        subject_kind=kind,
        subject_id=subject,
        reason=erasing.reason if act is PrivacyAct.ERASED else None,
        texts=texts,
        recorded_at=erasing.now,
        actor_kind=erasing.principal.kind.value,
        actor_id=erasing.principal.id,
        channel=erasing.request.channel.value,
        request_id=erasing.request.id,
        event_id=event,
    )
    await privacy.add(tx, kept)
    return kept.id


async def _done(
    tx: Transaction,
    erasing: Erasing,
    kind: DataSubject,
    gone: Contact | Member | Client,
    told: Event,
    changes: Iterable[Consequence],
    places: Counter[Place],
    *,
    client: UUID | None = None,
) -> Erased:
    event = await publish(
        tx,
        erasing.principal,
        erasing.request,
        told,
        subject=gone.id,
        version=gone.version,
        client=client,
        now=erasing.now,
    )
    await record(tx, erasing, PrivacyAct.ERASED, kind, gone.id, texts=places.total(), event=event)
    texts = [
        Consequence(ConsequenceKind.FREE_TEXT, name=f"{table}.{column}", after=ERASED, count=count)
        for (table, column), count in sorted(places.items())
    ]
    return Erased((*changes, *texts), gone.version, event)


def _gone(what: ConsequenceKind, kind: IdKind, subject: UUID) -> Consequence:
    return Consequence(what, before="KNOWN", after="ERASED", subject=public(kind, subject))


def _no_longer_handed_off(cycle: UUID) -> Consequence:
    return Consequence(ConsequenceKind.ONBOARDING, name="HAND_OFF", subject=public(IdKind.ONBOARDING, cycle))


def _counted(what: ConsequenceKind, count: int) -> list[Consequence]:
    return [Consequence(what, count=count)] if count else []
