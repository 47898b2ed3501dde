"""Mutations of members: invite, update, deactivate."""

from typing import Any

import strawberry

from api import client_loaders as loaders
from api.changing import EXPECTED, Payload, change, change_as, id_of
from api.context import Info
from api.fields import mutation_field
from api.members import Member
from api.payloads import KEY, event_id
from api.scalars import EmailAddress
from domain.access import Role, Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from workflows import members
from workflows.members import DeactivateMember, InviteMember, UpdateMember


@strawberry.input(description="A person to be invited.")
class MemberInviteInput:
    name: str = strawberry.field(description="Their name: 1 to 200 characters.")
    email: EmailAddress = strawberry.field(description="Their address, one member each.")
    roles: list[Role] = strawberry.field(description="What they are to the provider: at least one.")
    deputy_id: strawberry.ID | None = strawberry.field(
        default=None, description="The member who stands in while they are away."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of a member; what is left out stays as it is.")
class MemberUpdateInput:
    member_id: strawberry.ID = strawberry.field(description="The member.")
    name: strawberry.Maybe[str] = strawberry.field(default=None, description="Their name.")
    email: strawberry.Maybe[EmailAddress] = strawberry.field(default=None, description="Their address.")
    roles: strawberry.Maybe[list[Role]] = strawberry.field(default=None, description="All their roles anew.")
    deputy_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The member who stands in; `null` for nobody."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A member who is to sign in no more.")
class MemberDeactivateInput:
    member_id: strawberry.ID = strawberry.field(description="The member.")
    reassign_to: strawberry.ID | None = strawberry.field(
        default=None,
        description="The member who takes over whatever they lead or work on; needed while they lead an onboarding.",
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


MEMBER = "The member as they are now, where they are known."


@strawberry.type(description="The invited member, or why nobody was invited.")
class MemberInvitePayload(Payload):
    member: Member | None = strawberry.field(description=MEMBER)


@strawberry.type(description="The member after the change, or why nothing changed.")
class MemberUpdatePayload(Payload):
    member: Member | None = strawberry.field(description=MEMBER)


@strawberry.type(description="The member after the end of their access, or why nothing changed.")
class MemberDeactivatePayload(Payload):
    member: Member | None = strawberry.field(description=MEMBER)


@strawberry.type
class MembersMutation:
    @mutation_field(
        scope=Scope.MEMBERS_WRITE,
        description="Make a person a member. One who was deactivated comes back as who they were. "
        "`tokenCreate` makes their first token.",
        may_fail=(ErrorCode.ALREADY_EXISTS, ErrorCode.NOT_FOUND),
    )
    async def member_invite(self, info: Info, input: MemberInviteInput) -> MemberInvitePayload:
        command = InviteMember(input.name, input.email, tuple(input.roles), id_of(IdKind.MEMBER, input.deputy_id))
        outcome = await info.context.perform(members.invite, info.context.command(input.idempotency_key), command)
        return MemberInvitePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.MEMBERS_WRITE,
        description="Change a member's name, address, roles or deputy. The last admin stays one.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.ALREADY_EXISTS, ErrorCode.CONFLICT),
    )
    async def member_update(self, info: Info, input: MemberUpdateInput) -> MemberUpdatePayload:
        command = UpdateMember(
            member_id=parse(IdKind.MEMBER, input.member_id),
            name=change(input.name),
            email=change_as(input.email, str),
            roles=change_as(input.roles, tuple),
            deputy_id=change_as(input.deputy_id, lambda given: id_of(IdKind.MEMBER, given)),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(members.update, info.context.command(input.idempotency_key), command)
        return MemberUpdatePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.MEMBERS_WRITE,
        description="End a member's access: none of their tokens opens anything from now on. Whoever leads open "
        "onboardings is refused with which, unless `reassignTo` takes them over.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def member_deactivate(self, info: Info, input: MemberDeactivateInput) -> MemberDeactivatePayload:
        command = DeactivateMember(
            parse(IdKind.MEMBER, input.member_id), input.expected_version, id_of(IdKind.MEMBER, input.reassign_to)
        )
        outcome = await info.context.perform(members.deactivate, info.context.command(input.idempotency_key), command)
        return MemberDeactivatePayload(**await _shown(info, outcome))


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    subject = outcome.subject if info.context.principal.has(Scope.MEMBERS_READ) else None
    member = await info.context.loader(loaders.member).load(subject) if subject else None
    return {"member": member, "event_id": event_id(outcome), "errors": list(outcome.errors)}
