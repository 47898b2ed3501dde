"""Mutations of contacts and contracts."""

from datetime import date, datetime
from typing import Any

import strawberry

from api import client_loaders as loaders
from api.belongings import Contact, Contract
from api.changing import EXPECTED, Payload, change, change_as, id_of
from api.clients import ClientRef
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from api.scalars import EmailAddress
from domain.access import Scope
from domain.clients import ContactRole, ContractScope, ContractStatus, ContractType, Party
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from workflows import contacts, contracts
from workflows.contacts import CreateContact, UpdateContact
from workflows.contracts import CreateContract, UpdateContract

CREATING = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED)
UPDATING = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION)
STATUS_AT = "When it came into this status; left out, now."
TURN_AT = "Since when the new status or turn holds, not before the one that it follows; left out, now."


@strawberry.input(description="A person of a client to be noted.")
class ContactCreateInput:
    client: ClientRef = strawberry.field(description="The client.")
    name: str = strawberry.field(description="Their name: 1 to 200 characters.")
    email: EmailAddress | None = strawberry.field(default=None, description="Where they are written to.")
    phone: str | None = strawberry.field(default=None, description="Where they are called.")
    roles: list[ContactRole] | None = strawberry.field(default=None, description="What they are to the work.")
    language: str | None = strawberry.field(default=None, description="The language they are written to in.")
    opted_out: bool = strawberry.field(default=False, description="Whether they want no surveys.")
    site_id: strawberry.ID | None = strawberry.field(default=None, description="The site where they work.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of a contact; what is left out stays as it is.")
class ContactUpdateInput:
    contact_id: strawberry.ID = strawberry.field(description="The contact.")
    name: strawberry.Maybe[str] = strawberry.field(default=None, description="Their name.")
    email: strawberry.Maybe[EmailAddress | None] = strawberry.field(
        default=None, description="Where they are written to."
    )
    phone: strawberry.Maybe[str | None] = strawberry.field(default=None, description="Where they are called.")
    roles: strawberry.Maybe[list[ContactRole]] = strawberry.field(default=None, description="All their roles anew.")
    language: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The language they are written to in."
    )
    opted_out: strawberry.Maybe[bool] = strawberry.field(default=None, description="Whether they want no surveys.")
    site_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The site where they work; `null` for no one site."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A contract to be noted.")
class ContractCreateInput:
    client: ClientRef = strawberry.field(description="The client.")
    title: str = strawberry.field(description="What it is called: 1 to 200 characters.")
    type: ContractType = strawberry.field(description="How the work is shared.")
    scope: list[ContractScope] | None = strawberry.field(default=None, description="What it covers.")
    status: ContractStatus = strawberry.field(default=ContractStatus.DRAFT, description="How far it is.")
    status_at: datetime | None = strawberry.field(default=None, description=STATUS_AT)
    seats: int | None = strawberry.field(default=None, description="For how many seats.")
    coverage_hours: str | None = strawberry.field(
        default=None, description="When help is there: `24x7`, or spans such as `Mon-Fri 08:00-18:00, Sat 09:00-12:00`."
    )
    starts_on: date | None = strawberry.field(default=None, description="Its first day.")
    ends_on: date | None = strawberry.field(default=None, description="Its last day.")
    renews_on: date | None = strawberry.field(default=None, description="The day it renews.")
    waiting_on: Party | None = strawberry.field(default=None, description="Whose turn it is.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of a contract; what is left out stays as it is.")
class ContractUpdateInput:
    contract_id: strawberry.ID = strawberry.field(description="The contract.")
    status: strawberry.Maybe[ContractStatus] = strawberry.field(default=None, description="How far it is.")
    status_at: datetime | None = strawberry.field(default=None, description=TURN_AT)
    title: strawberry.Maybe[str] = strawberry.field(default=None, description="What it is called.")
    type: strawberry.Maybe[ContractType] = strawberry.field(default=None, description="How the work is shared.")
    scope: strawberry.Maybe[list[ContractScope]] = strawberry.field(
        default=None, description="Everything it covers anew."
    )
    seats: strawberry.Maybe[int | None] = strawberry.field(default=None, description="For how many seats.")
    coverage_hours: strawberry.Maybe[str | None] = strawberry.field(default=None, description="When help is there.")
    starts_on: strawberry.Maybe[date | None] = strawberry.field(default=None, description="Its first day.")
    ends_on: strawberry.Maybe[date | None] = strawberry.field(default=None, description="Its last day.")
    renews_on: strawberry.Maybe[date | None] = strawberry.field(default=None, description="The day it renews.")
    waiting_on: strawberry.Maybe[Party | None] = strawberry.field(default=None, description="Whose turn it is.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


CONTACT = "The contact as it is now, where it is known and you may read contacts."
CONTRACT = "The contract as it is now, where it is known."


@strawberry.type(description="The new contact, or why none was noted.")
class ContactCreatePayload(Payload):
    contact: Contact | None = strawberry.field(description=CONTACT)


@strawberry.type(description="The contact after the change, or why nothing changed.")
class ContactUpdatePayload(Payload):
    contact: Contact | None = strawberry.field(description=CONTACT)


@strawberry.type(description="The new contract, or why none was noted.")
class ContractCreatePayload(Payload):
    contract: Contract | None = strawberry.field(description=CONTRACT)


@strawberry.type(description="The contract after the change, or why nothing changed.")
class ContractUpdatePayload(ForeseeingPayload):
    contract: Contract | None = strawberry.field(description=CONTRACT)


@strawberry.type
class ContactsMutation:
    @mutation_field(scope=Scope.CLIENTS_WRITE, description="Note a person of a client.", may_fail=CREATING)
    async def contact_create(self, info: Info, input: ContactCreateInput) -> ContactCreatePayload:
        command = CreateContact(
            client=input.client.value(),
            name=input.name,
            email=input.email,
            phone=input.phone,
            roles=tuple(input.roles or ()),
            language=input.language,
            opted_out=input.opted_out,
            site_id=id_of(IdKind.SITE, input.site_id),
        )
        outcome = await info.context.perform(contacts.create, info.context.command(input.idempotency_key), command)
        return ContactCreatePayload(contact=await _contact(info, outcome), **_told(outcome))

    @mutation_field(scope=Scope.CLIENTS_WRITE, description="Change a person of a client.", may_fail=UPDATING)
    async def contact_update(self, info: Info, input: ContactUpdateInput) -> ContactUpdatePayload:
        command = UpdateContact(
            contact_id=parse(IdKind.CONTACT, input.contact_id),
            name=change(input.name),
            email=change(input.email),
            phone=change(input.phone),
            roles=change_as(input.roles, tuple),
            language=change(input.language),
            opted_out=change(input.opted_out),
            site_id=change_as(input.site_id, lambda given: id_of(IdKind.SITE, given)),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(contacts.update, info.context.command(input.idempotency_key), command)
        return ContactUpdatePayload(contact=await _contact(info, outcome), **_told(outcome))


@strawberry.type
class ContractsMutation:
    @mutation_field(scope=Scope.CLIENTS_WRITE, description="Note a contract with a client.", may_fail=CREATING)
    async def contract_create(self, info: Info, input: ContractCreateInput) -> ContractCreatePayload:
        command = CreateContract(
            client=input.client.value(),
            title=input.title,
            type=input.type,
            scope=tuple(input.scope or ()),
            status=input.status,
            status_at=input.status_at,
            seats=input.seats,
            coverage_hours=input.coverage_hours,
            starts_on=input.starts_on,
            ends_on=input.ends_on,
            renews_on=input.renews_on,
            waiting_on=input.waiting_on,
        )
        outcome = await info.context.perform(contracts.create, info.context.command(input.idempotency_key), command)
        return ContractCreatePayload(contract=await _contract(info, outcome), **_told(outcome))

    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Change a contract's terms or status. What is signed is never unsigned; what has ended stays. "
        "Another start day moves the target and the timers of early support.",
        may_fail=(*UPDATING, ErrorCode.CONFLICT),
    )
    async def contract_update(self, info: Info, input: ContractUpdateInput) -> ContractUpdatePayload:
        command = UpdateContract(
            contract_id=parse(IdKind.CONTRACT, input.contract_id),
            status=change(input.status),
            status_at=input.status_at,
            title=change(input.title),
            type=change(input.type),
            scope=change_as(input.scope, tuple),
            seats=change(input.seats),
            coverage_hours=change(input.coverage_hours),
            starts_on=change(input.starts_on),
            ends_on=change(input.ends_on),
            renews_on=change(input.renews_on),
            waiting_on=change(input.waiting_on),
            expected_version=input.expected_version,
            dry_run=input.dry_run,
        )
        outcome = await info.context.perform(contracts.update, info.context.command(input.idempotency_key), command)
        changes = changes_of(outcome.facts)
        return ContractUpdatePayload(contract=await _contract(info, outcome), changes=changes, **_told(outcome))


async def _contact(info: Info, outcome: Outcome) -> Any:
    readable = outcome.subject is not None and info.context.principal.has(Scope.CONTACTS_READ)
    return await info.context.loader(loaders.contact).load(outcome.subject) if readable else None


async def _contract(info: Info, outcome: Outcome) -> Any:
    readable = outcome.subject is not None and info.context.principal.has(Scope.CLIENTS_READ)
    return await info.context.loader(loaders.contract).load(outcome.subject) if readable else None


def _told(outcome: Outcome) -> dict[str, Any]:
    return {"event_id": event_id(outcome), "errors": list(outcome.errors)}
