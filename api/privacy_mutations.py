"""Mutations of privacy: erase a person, hand out what is held about them."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from api import client_loaders as loaders
from api import privacy  # noqa: F401 -- publishes the enums named here
from api.belongings import Contact
from api.changing import EXPECTED, Payload
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import mutation_field
from api.members import Member
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.privacy import DataSubject, ErasureReason
from workflows.privacy import (
    SAME_ADDRESS,
    EraseContact,
    EraseMember,
    ExportSubject,
    contact_erase,
    export,
    member_erase,
)

ALSO_KNOWN_AS = "Further names under which they were written about, such as a former one: up to 10."
REASON = "Why."
FAILING = (ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT)


@strawberry.input(description="A contact who is to be erased, which cannot be taken back.")
class ContactEraseInput:
    contact_id: strawberry.ID = strawberry.field(description="The contact.")
    reason: ErasureReason = strawberry.field(default=ErasureReason.REQUESTED, description=REASON)
    also_known_as: list[str] | None = strawberry.field(default=None, description=ALSO_KNOWN_AS)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A deactivated member who is to be erased, which cannot be taken back.")
class MemberEraseInput:
    member_id: strawberry.ID = strawberry.field(description="The member.")
    reason: ErasureReason = strawberry.field(default=ErasureReason.REQUESTED, description=REASON)
    also_known_as: list[str] | None = strawberry.field(default=None, description=ALSO_KNOWN_AS)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(one_of=True, description="One person: a contact, or a member of the provider.")
class SubjectRef:
    contact_id: strawberry.Maybe[strawberry.ID] = strawberry.field(default=None, description="The contact.")
    member_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        default=None, description="The member; takes MEMBERS_WRITE as well."
    )

    def value(self) -> ExportSubject:
        """Return whom the input names.

        Raises:
            MalformedIdError: it is no id of this kind.
        """
        if self.contact_id is not None:
            return ExportSubject(DataSubject.CONTACT, parse(IdKind.CONTACT, self.contact_id.value))
        if self.member_id is not None:
            return ExportSubject(DataSubject.MEMBER, parse(IdKind.MEMBER, self.member_id.value))
        raise AssertionError


@strawberry.input(description="Somebody about whom everything that is held is to be handed out.")
class SubjectExportInput:
    subject: SubjectRef = strawberry.field(description="Whose data.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="What is left of the contact, or why nothing was erased.")
class ContactErasePayload(ForeseeingPayload):
    contact: Contact | None = strawberry.field(
        description="The contact as it is now, where it is known and you may read contacts."
    )
    same_address: list[Contact] = strawberry.field(
        description="Other contacts who had the same address, and stay: erase them too if they are the same person."
    )


@strawberry.type(description="What is left of the member, or why nothing was erased.")
class MemberErasePayload(ForeseeingPayload):
    member: Member | None = strawberry.field(
        description="The member as they are now, where they are known and you may read members."
    )


@strawberry.type(description="Everything that is held about somebody, or why nothing was handed out.")
class SubjectExportPayload(Payload):
    document: JSON | None = strawberry.field(
        description="Their own row and keys, surveys, the texts that name them, where they are referred to, what they "
        "did, the events about them, and what was done with their data."
    )


@strawberry.type
class PrivacyMutation:
    @mutation_field(
        scope=Scope.PRIVACY_WRITE,
        description="Erase a contact: name, addresses, keys, unsent surveys, and their name wherever it was written. "
        "Ids, answers and figures stay. It cannot be taken back.",
        may_fail=FAILING,
    )
    async def contact_erase(self, info: Info, input: ContactEraseInput) -> ContactErasePayload:
        command = EraseContact(
            contact_id=parse(IdKind.CONTACT, input.contact_id),
            reason=input.reason,
            also_known_as=tuple(input.also_known_as or ()),
            expected_version=input.expected_version,
            dry_run=input.dry_run,
        )
        outcome = await info.context.perform(contact_erase, info.context.command(input.idempotency_key), command)
        readable = info.context.principal.has(Scope.CONTACTS_READ)
        load = info.context.loader(loaders.contact).load
        named: Any = outcome.facts.get(SAME_ADDRESS) or ()
        twins = [await load(parse(IdKind.CONTACT, twin)) for twin in named] if readable else []
        return ContactErasePayload(
            contact=await load(outcome.subject) if readable and outcome.subject else None,  # type: ignore[arg-type]
            same_address=[twin for twin in twins if twin is not None],  # type: ignore[misc]
            **_told(outcome),
        )

    @mutation_field(
        scope=Scope.MEMBERS_WRITE,
        description="Erase a deactivated member who is on no open onboarding's team: name, address, tokens, and their "
        "name wherever somebody wrote it. What they did stays under their id. It cannot be taken back.",
        may_fail=FAILING,
    )
    async def member_erase(self, info: Info, input: MemberEraseInput) -> MemberErasePayload:
        command = EraseMember(
            member_id=parse(IdKind.MEMBER, input.member_id),
            reason=input.reason,
            also_known_as=tuple(input.also_known_as or ()),
            expected_version=input.expected_version,
            dry_run=input.dry_run,
        )
        outcome = await info.context.perform(member_erase, info.context.command(input.idempotency_key), command)
        readable = outcome.subject is not None and info.context.principal.has(Scope.MEMBERS_READ)
        member: Any = await info.context.loader(loaders.member).load(outcome.subject) if readable else None
        return MemberErasePayload(member=member, **_told(outcome))

    @mutation_field(
        scope=Scope.PRIVACY_WRITE,
        description="Hand out everything that is held about a person; that it was handed out is kept.",
        may_fail=(ErrorCode.NOT_FOUND,),
    )
    async def subject_export(self, info: Info, input: SubjectExportInput) -> SubjectExportPayload:
        request = info.context.command(input.idempotency_key)
        outcome, document = await info.context.perform(export, request, input.subject.value())
        told: dict[str, Any] = {"event_id": event_id(outcome), "errors": list(outcome.errors)}
        return SubjectExportPayload(document=None if document is None else JSON(document), **told)


def _told(outcome: Outcome) -> dict[str, Any]:
    return {"event_id": event_id(outcome), "errors": list(outcome.errors), "changes": changes_of(outcome.facts)}
