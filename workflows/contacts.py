"""Contacts: the people of a client."""

from dataclasses import dataclass, replace
from uuid import UUID

from db import contacts
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import contact_faults
from domain.clients import ClientRef, Contact, ContactRole
from domain.errors import Outcome, erased
from domain.events import ContactChanged
from domain.timeline import TimelineKind
from workflows.belongings import Edited, held, noted, place_faults, told
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform
from workflows.context import Context, Request, new_id


@dataclass(frozen=True, slots=True)
class CreateContact:
    client: ClientRef
    name: str
    email: str | None = None
    phone: str | None = None
    roles: tuple[ContactRole, ...] = ()
    language: str | None = None
    opted_out: bool = False
    site_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UpdateContact:
    contact_id: UUID
    name: Change[str] = UNCHANGED
    email: Change[str | None] = UNCHANGED
    phone: Change[str | None] = UNCHANGED
    roles: Change[tuple[ContactRole, ...]] = UNCHANGED
    language: Change[str | None] = UNCHANGED
    opted_out: Change[bool] = UNCHANGED
    site_id: Change[UUID | None] = UNCHANGED
    expected_version: int | None = None


async def create(context: Context, principal: Principal, request: Request, command: CreateContact) -> Outcome:
    """Note a person of a client."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client = (await held(tx, principal, command.client, "client", alone=True)).client
        contact = _tidy(
            Contact(
                id=new_id(),
                client_id=client.id,
                name=command.name,
                email=command.email,
                phone=command.phone,
                roles=command.roles,
                language=command.language,
                opted_out=command.opted_out,
                created_at=now,
                version=1,
                site_id=command.site_id,
            )
        )
        fit([*contact_faults(contact), *await place_faults(tx, client.id, command.site_id, "siteId")])
        await contacts.add(tx, contact)
        event = ContactChanged(created=True, fields=("name", "roles"))
        await noted(tx, principal, request, Edited(TimelineKind.CONTACT_ADDED, contact.id, client.id), now)
        return await told(tx, principal, request, event, contact, client.id, now)

    return await perform(context, principal, request, "contactCreate", command, act)


async def update(context: Context, principal: Principal, request: Request, command: UpdateContact) -> Outcome:
    """Change what is known of a person of a client."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        seen = found(await contacts.get(tx, command.contact_id), "contact", "contactId")
        await held(tx, principal, seen.client_id, "contactId", alone=True)
        contact = found(await contacts.lock(tx, command.contact_id), "contact", "contactId")
        fresh(contact, command.expected_version)
        fit([erased("contact", "contactId")] if contact.erased else (), contact.id)
        names = ("name", "email", "phone", "roles", "language", "opted_out", "site_id")
        wanted = _tidy(replace(contact, **differences(contact, {name: getattr(command, name) for name in names})))
        changes = differences(contact, {name: getattr(wanted, name) for name in names})
        if not changes:
            return Outcome(contact.id, contact.version)
        fit(contact_faults(wanted), contact.id)
        fit(await place_faults(tx, contact.client_id, changes.get("site_id"), "siteId"), contact.id)
        changed = replace(wanted, version=contact.version + 1)
        await contacts.save(tx, changed)
        event = ContactChanged(created=False, fields=tuple(changes))
        edited = Edited(TimelineKind.CONTACT_EDITED, contact.id, contact.client_id, event.fields)
        await noted(tx, principal, request, edited, now)
        return await told(tx, principal, request, event, changed, contact.client_id, now)

    return await perform(context, principal, request, "contactUpdate", command, act)


def _tidy(contact: Contact) -> Contact:
    """Return the contact without stray spaces, each role once and in the order of the trade."""
    return replace(
        contact,
        name=contact.name.strip(),
        email=contact.email.strip() if contact.email else None,
        phone=contact.phone.strip() if contact.phone else None,
        roles=tuple(role for role in ContactRole if role in contact.roles),
    )
