"""Hand-off records as the API shows them: what sales told, what is still left unsaid, and how it is written."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api import client_enums, client_loaders  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.belongings import Contact
from api.changing import EXPECTED, Payload, ids_of
from api.context import Info, OperationContext
from api.enums import described
from api.fields import FieldPrice, id_field, mutation_field, resolved, window
from api.payloads import KEY, event_id
from db import hand_offs as stored
from domain import hand_off
from domain.access import Scope
from domain.clients import ContactRole
from domain.errors import ErrorCode
from domain.hand_off import HandOffField
from domain.ids import IdKind, parse, public
from workflows.hand_offs import UpdateHandOff, update

SOME = FieldPrice(list_size=5)

described(
    HandOffField,
    "What the hand-off record says; each is filled, or declared to be none.",
    SCOPE_SOLD="What was sold.",
    PROMISES="What was promised beside the contract.",
    INCUMBENT="Who provides today, and how that ends.",
    CONTACTS="Who is to be asked, by role.",
    SUPPORT="How the client is to be reached, and reaches support.",
    APPROVERS="Who approves costs and changes.",
    VIPS="Who is to be treated with particular care.",
    RISKS="What may go wrong.",
    SECRETS_PLACE="Where secrets lie; never a secret.",
)


async def of_cycle(context: OperationContext, keys: Sequence[UUID]) -> list[hand_off.HandOff]:
    """Load the records of onboardings; one that nobody has written to leaves everything unsaid."""
    async with context.reading() as tx:
        found = await stored.of_cycles(tx, keys)
    return [found.get(key) or hand_off.HandOff(id=key, client_id=key, cycle_id=key) for key in keys]


@window(hand_off.HandOffContact, description="A person of the client, and in which role they are to be asked.")
class HandOffContact:
    role: ContactRole = strawberry.field(description="In which role.")
    contact_id: strawberry.ID = id_field(IdKind.CONTACT, "contact_id", description="The contact.")

    @resolved(description="The contact.", scope=Scope.CONTACTS_READ)
    async def contact(root: Any, info: Info) -> Contact | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(client_loaders.contact).load(root.contact_id)  # type: ignore[return-value]


@window(hand_off.HandOff, description="What sales told those who do the work of one onboarding.")
class HandOff:
    onboarding_id: strawberry.ID = id_field(IdKind.ONBOARDING, "cycle_id", description="The onboarding.")
    scope_sold: str | None = strawberry.field(description="What was sold.")
    promises: str | None = strawberry.field(description="What was promised beside the contract.")
    incumbent: str | None = strawberry.field(description="Who provides today, and how that ends.")
    contacts: list[HandOffContact] = strawberry.field(description="Who is to be asked, by role.")
    support: str | None = strawberry.field(description="How the client is to be reached, and reaches support.")
    risks: str | None = strawberry.field(description="What may go wrong.")
    secrets_place: str | None = strawberry.field(description="Where secrets lie; never a secret.")
    declared_none: list[HandOffField] = strawberry.field(description="What was declared to be none.")
    missing: list[HandOffField] = strawberry.field(description="What is neither filled nor declared to be none.")
    complete: bool = strawberry.field(description="Whether nothing is left unsaid.")
    updated_at: datetime | None = strawberry.field(description="When it was written to last.")
    version: int = strawberry.field(
        description="Its version, 0 before anybody wrote to it; `expectedVersion` of a change, where you give one."
    )

    @resolved(description="Who approves costs and changes.")
    def approver_ids(root: Any) -> list[strawberry.ID]:  # noqa: N805
        return _contact_ids(root.approvers)

    @resolved(description="Who approves costs and changes.", scope=Scope.CONTACTS_READ, cost=SOME)
    async def approvers(root: Any, info: Info) -> list[Contact] | None:  # noqa: N805
        return await _contacts(info, root.approvers)

    @resolved(description="Who is to be treated with particular care.")
    def vip_ids(root: Any) -> list[strawberry.ID]:  # noqa: N805
        return _contact_ids(root.vips)

    @resolved(description="Who is to be treated with particular care.", scope=Scope.CONTACTS_READ, cost=SOME)
    async def vips(root: Any, info: Info) -> list[Contact] | None:  # noqa: N805
        return await _contacts(info, root.vips)


@strawberry.type
class OnboardingHandOff:
    """What sales told, as a field of an onboarding."""

    @resolved(description="What sales told those who do the work, and what is left unsaid.", scope=Scope.AUDIT_READ)
    async def hand_off(root: Any, info: Info) -> HandOff | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(of_cycle).load(root.id)  # type: ignore[return-value]


@strawberry.input(description="A person of the client, and in which role they are to be asked.")
class HandOffContactInput:
    role: ContactRole = strawberry.field(description="In which role.")
    contact_id: strawberry.ID = strawberry.field(description="The contact; one of this client.")


@strawberry.input(
    description="Fields of the record to be written; what is left out stays as it is, and `null` empties a field."
)
class HandOffUpdateInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    scope_sold: strawberry.Maybe[str | None] = strawberry.field(default=None, description="What was sold.")
    promises: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="What was promised beside the contract."
    )
    incumbent: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="Who provides today, and how that ends."
    )
    contacts: strawberry.Maybe[list[HandOffContactInput] | None] = strawberry.field(
        default=None, description="Everybody who is to be asked, anew."
    )
    support: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="How the client is to be reached, and reaches support."
    )
    approver_ids: strawberry.Maybe[list[strawberry.ID] | None] = strawberry.field(
        default=None, description="Every contact who approves costs and changes, anew."
    )
    vip_ids: strawberry.Maybe[list[strawberry.ID] | None] = strawberry.field(
        default=None, description="Every contact to be treated with particular care, anew."
    )
    risks: strawberry.Maybe[str | None] = strawberry.field(default=None, description="What may go wrong.")
    secrets_place: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="Where secrets lie. What looks like a secret is refused."
    )
    declare_none: list[HandOffField] | None = strawberry.field(
        default=None, description="Fields of which there is none, such as no incumbent; what they said is dropped."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)

    def given(self) -> dict[HandOffField, Any]:
        """Return the fields that are given, as values of the domain."""
        texts = {f: getattr(self, f.attribute) for f in hand_off.TEXTS}
        found = {f: given.value for f, given in texts.items() if given is not None}
        people: tuple[tuple[HandOffField, Any, Callable[[Any], Any]], ...] = (
            (HandOffField.CONTACTS, self.contacts, _named),
            (HandOffField.APPROVERS, self.approver_ids, lambda ids: ids_of(IdKind.CONTACT, ids)),
            (HandOffField.VIPS, self.vip_ids, lambda ids: ids_of(IdKind.CONTACT, ids)),
        )
        return found | {f: convert(given.value) for f, given, convert in people if given is not None}


@strawberry.type(description="What came of `handOffUpdate`.")
class HandOffUpdatePayload(Payload):
    hand_off: HandOff | None = strawberry.field(description="The record as it is now, where you may read it.")


@strawberry.type
class HandOffMutation:
    @mutation_field(
        scope=Scope.CHECKLIST_WRITE,
        description="Write fields of an onboarding's hand-off record, or declare that there is none of something. "
        "Texts say where secrets lie; what looks like a secret is refused.",
        may_fail=(
            ErrorCode.NOT_FOUND,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.MOVE_NOT_POSSIBLE,
            ErrorCode.STALE_VERSION,
        ),
    )
    async def hand_off_update(self, info: Info, input: HandOffUpdateInput) -> HandOffUpdatePayload:
        command = UpdateHandOff(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            given=input.given(),
            declare_none=tuple(input.declare_none or ()),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(update, info.context.command(input.idempotency_key), command)
        readable = outcome.subject is not None and info.context.principal.has(Scope.AUDIT_READ)
        # Somebody else's onboarding is as if it did not exist, and so is its record.
        visible = readable and await info.context.loader(loaders.cycle).load(outcome.subject) is not None
        found = await info.context.loader(of_cycle).load(outcome.subject) if visible else None
        return HandOffUpdatePayload(hand_off=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]


def _named(given: Sequence[HandOffContactInput] | None) -> tuple[hand_off.HandOffContact, ...]:
    return tuple(hand_off.HandOffContact(one.role, parse(IdKind.CONTACT, one.contact_id)) for one in given or ())


def _contact_ids(contacts: Sequence[UUID]) -> list[strawberry.ID]:
    return [strawberry.ID(public(IdKind.CONTACT, contact)) for contact in contacts]


async def _contacts(info: Info, contacts: Sequence[UUID]) -> list[Contact]:
    found = await info.context.loader(client_loaders.contact).load_many(list(contacts))
    return [contact for contact in found if contact is not None]  # type: ignore[misc]
