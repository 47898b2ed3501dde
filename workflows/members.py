"""Members: inviting, changing and deactivating the provider's people."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import absences, members, teams, tenants, tokens
from db.errors import RetryableError
from db.session import Transaction
from domain.absences import comes_round
from domain.access import Principal, Role, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.clients import NAME_LIMIT, is_email
from domain.definitions import Owner
from domain.errors import ErrorCode, Outcome, UserError, erased, invalid, not_found
from domain.events import MemberChanged
from domain.ids import IdKind, public
from domain.members import Member
from domain.texts import is_line
from workflows.checks import fit, found, fresh, refusable, running_again_on_duplicates
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id
from workflows.handing_over import hand_over

NAMED_MOST = 20
"""Onboardings that a refusal calls by their id."""


@dataclass(frozen=True, slots=True)
class InviteMember:
    """Bring a person in; one who was deactivated comes back as who they were."""

    name: str
    email: str
    roles: tuple[Role, ...]
    deputy_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UpdateMember:
    member_id: UUID
    name: Change[str] = UNCHANGED
    email: Change[str] = UNCHANGED
    roles: Change[tuple[Role, ...]] = UNCHANGED
    deputy_id: Change[UUID | None] = UNCHANGED
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class DeactivateMember:
    """End a member's access; what they lead and work on goes to `reassign_to`."""

    member_id: UUID
    expected_version: int | None = None
    reassign_to: UUID | None = None


async def invite(context: Context, principal: Principal, request: Request, command: InviteMember) -> Outcome:
    """Make a person of the provider a member; their first token is made apart."""
    principal.require(Scope.MEMBERS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        wanted = _tidy(
            Member(new_id(), command.name, command.email, command.roles, True, command.deputy_id, now, 1)  # noqa: FBT003
        )
        fit([*_faults(wanted), *await _deputy_faults(tx, wanted)])
        known = await members.id_of_email(tx, wanted.email)
        before = await members.lock(tx, known) if known else None
        if before is None:
            with running_again_on_duplicates():
                await members.add(tx, wanted)
            return await _told(tx, principal, request, wanted, now, created=True)
        fit([_taken(wanted.email)] if before.active else (), before.id)
        member = replace(wanted, id=before.id, created_at=before.created_at, version=before.version + 1)
        await members.save(tx, member)
        return await _told(tx, principal, request, member, now, created=False)

    return await perform(context, principal, request, "memberInvite", command, act)


async def update(context: Context, principal: Principal, request: Request, command: UpdateMember) -> Outcome:
    """Change a member; the last admin stays one."""
    principal.require(Scope.MEMBERS_WRITE)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        await tenants.lock(tx)  # two admins who demote each other at once take turns here
        member = found(await members.lock(tx, command.member_id), "member", "memberId")
        fresh(member, command.expected_version)
        fit([erased("member", "memberId")] if member.erased else (), member.id)
        wanted = {name: getattr(command, name) for name in ("name", "email", "roles", "deputy_id")}
        changed = _tidy(replace(member, **differences(member, wanted)))
        if changed == member:
            return Outcome(member.id, member.version)
        fit([*_faults(changed), *await _deputy_faults(tx, changed)], member.id)
        if member.is_admin and not changed.is_admin:
            fit(await _last_admin_faults(tx, member, "roles"), member.id)
        if await members.id_of_email(tx, changed.email) not in (None, member.id):
            fit([_taken(changed.email)], member.id)
        changed = replace(changed, version=member.version + 1)
        with running_again_on_duplicates():
            await members.save(tx, changed)
        return await _told(tx, principal, request, changed, context.clock(), created=False)

    return await perform(context, principal, request, "memberUpdate", command, act)


async def deactivate(context: Context, principal: Principal, request: Request, command: DeactivateMember) -> Outcome:
    """End a member's access: from now on none of their tokens opens anything.

    Whoever still leads open onboardings stays until somebody takes them over.
    """
    principal.require(Scope.MEMBERS_WRITE)

    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        await tenants.lock(tx)
        member = found(await members.lock(tx, command.member_id), "member", "memberId")
        fresh(member, command.expected_version)
        fit(() if member.active else [_gone(member)], member.id)
        if member.is_admin:
            fit(await _last_admin_faults(tx, member, "memberId"), member.id)
        await _hand_over_all(tx, principal, request, command, now)
        changed = replace(member, active=False, version=member.version + 1)
        await members.save(tx, changed)
        await tokens.revoke(tx, await tokens.lock_live_of(tx, member.id), now)
        return await _told(tx, principal, request, changed, now, created=False)

    return await perform(context, principal, request, "memberDeactivate", command, act)


async def _hand_over_all(
    tx: Transaction, principal: Principal, request: Request, command: DeactivateMember, now: datetime
) -> None:
    """Give all of a member's roles in open onboardings to whoever takes over, or refuse while they lead any."""
    member, to = command.member_id, command.reassign_to
    if to is None:
        led = await teams.working_on(tx, member, {Owner.LEAD})
        fit([_leading(led)] if led else (), member)
        return
    if to == member or to not in await members.active_among(tx, [to]):
        fit([not_found("other active member", "reassignTo")], member)
    for cycle in await teams.working_on(tx, member, frozenset(Owner)):
        outcome = await hand_over(tx, principal, request, now, cycle, (member, to, frozenset(Owner)))
        if outcome.errors:
            raise RetryableError("an onboarding changed while its team was being handed over")


def _leading(led: list[UUID]) -> UserError:
    named = ", ".join(public(IdKind.ONBOARDING, cycle) for cycle in led[:NAMED_MOST])
    more = f" and {len(led) - NAMED_MOST} more" if len(led) > NAMED_MOST else ""
    message = f"They lead open onboardings, {len(led)} of them; name who takes over as reassignTo: {named}{more}."
    return UserError(ErrorCode.CONFLICT, message, ("reassignTo",))


async def _told(
    tx: Transaction, principal: Principal, request: Request, member: Member, now: datetime, *, created: bool
) -> Outcome:
    event = MemberChanged(created=created, active=member.active, roles=tuple(role.value for role in member.roles))
    told = await publish(tx, principal, request, event, subject=member.id, version=member.version, client=None, now=now)
    return Outcome(member.id, member.version, told)


def _tidy(member: Member) -> Member:
    roles = tuple(role for role in Role if role in member.roles)
    return replace(member, name=member.name.strip(), email=member.email.strip().lower(), roles=roles)


def _faults(member: Member) -> list[UserError]:
    errors = []
    if not 1 <= len(member.name) <= NAME_LIMIT or not is_line(member.name):
        errors.append(invalid(f"A name has 1 to {NAME_LIMIT} printable characters; give one.", "name"))
    if not is_email(member.email):
        errors.append(invalid(f"{member.email[:60]!r} is no e-mail address; give one like ada@example.org.", "email"))
    if not member.roles:
        errors.append(invalid("A member needs at least one role; to end all access, deactivate the member.", "roles"))
    return errors


async def _deputy_faults(tx: Transaction, member: Member) -> list[UserError]:
    if member.deputy_id is None:
        return []
    if member.deputy_id == member.id:
        return [invalid("Nobody is their own deputy; name somebody else, or none.", "deputyId")]
    if member.deputy_id not in await members.active_among(tx, [member.deputy_id]):
        return [not_found("active member", "deputyId")]
    if comes_round(member.id, member.deputy_id, await absences.deputies(tx)):
        message = "Their deputies come round to the member themselves; name somebody for whom they don't stand in."
        return [UserError(ErrorCode.CONFLICT, message, ("deputyId",))]
    return []


def _taken(email: str) -> UserError:
    message = f"There is a member with the address {email} already; change that one, or give another address."
    return UserError(ErrorCode.ALREADY_EXISTS, message, ("email",))


def _gone(member: Member) -> UserError:
    message = f"This member is deactivated already, at version {member.version}; there is nothing to do."
    return UserError(ErrorCode.CONFLICT, message, ("memberId",))


async def _last_admin_faults(tx: Transaction, member: Member, *path: str) -> list[UserError]:
    if await members.has_other_admin(tx, member.id):
        return []
    message = "This is the last admin, without whom nobody could let anybody in; make somebody else an admin first."
    return [UserError(ErrorCode.CONFLICT, message, path)]
