"""Absences: on which days somebody of the provider is away, told by themselves or by an admin."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from db import absences, members
from db.session import Transaction
from domain.absences import Absence, AbsenceReason, absence_faults
from domain.access import Principal, Scope
from domain.errors import ErrorCode, Outcome, UserError, not_found
from domain.events import MemberChanged
from domain.members import Member
from workflows.checks import fit, found, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id


@dataclass(frozen=True, slots=True)
class AddAbsence:
    """Somebody is away from one local day to another, both included; without the other until it is ended."""

    member_id: UUID
    starts_on: date
    ends_on: date | None
    reason: AbsenceReason


@dataclass(frozen=True, slots=True)
class EndAbsence:
    """Give an absence another last day."""

    absence_id: UUID
    ends_on: date


@dataclass(frozen=True, slots=True)
class RemoveAbsence:
    absence_id: UUID


async def add(context: Context, principal: Principal, request: Request, command: AddAbsence) -> Outcome:
    """Write an absence down; of others it takes the right to change members.

    Raises:
        ForbiddenError: the caller is no person.
    """
    principal.require(Scope.SELF_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_reach_faults(principal, command.member_id, "memberId"))
        member = found(await members.lock(tx, command.member_id), "member", "memberId")
        fit(() if member.active else [not_found("active member", "memberId")], member.id)
        others = (await absences.of_members(tx, [member.id])).get(member.id, [])
        wanted = Absence(new_id(), member.id, command.starts_on, command.ends_on, command.reason, now, 1)
        fit(absence_faults(wanted, others), member.id)
        await absences.add(tx, wanted)
        return await _told(tx, principal, request, member, wanted, now)

    return await perform(context, principal, request, "absenceAdd", command, act)


async def end(context: Context, principal: Principal, request: Request, command: EndAbsence) -> Outcome:
    """Give an absence another last day, sooner or later.

    Raises:
        ForbiddenError: the caller is no person.
    """
    principal.require(Scope.SELF_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        absence, member = await _held(tx, principal, command.absence_id)
        if absence.ends_on == command.ends_on:
            return Outcome(absence.id, absence.version)
        others = (await absences.of_members(tx, [member.id])).get(member.id, [])
        changed = replace(absence, ends_on=command.ends_on, version=absence.version + 1)
        fit(absence_faults(changed, others), absence.id)
        await absences.save(tx, changed)
        return await _told(tx, principal, request, member, changed, now)

    return await perform(context, principal, request, "absenceEnd", command, act)


async def remove(context: Context, principal: Principal, request: Request, command: RemoveAbsence) -> Outcome:
    """Remove an absence that was none.

    Raises:
        ForbiddenError: the caller is no person.
    """
    principal.require(Scope.SELF_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        absence, member = await _held(tx, principal, command.absence_id)
        await absences.remove(tx, absence.id)
        return await _told(tx, principal, request, member, absence, now)

    return await perform(context, principal, request, "absenceRemove", command, act)


async def _held(tx: Transaction, principal: Principal, absence: UUID) -> tuple[Absence, Member]:
    """Return an absence with its member's row locked; that of somebody else is nobody's to whom it isn't shown."""
    seen = await absences.get(tx, absence)
    hidden = seen is not None and bool(_reach_faults(principal, seen.member_id))
    member = await members.lock(tx, found(None if hidden else seen, "absence", "absenceId").member_id)
    return found(await absences.get(tx, absence), "absence", "absenceId"), found(member, "absence", "absenceId")


def _reach_faults(principal: Principal, member: UUID, *path: str) -> list[UserError]:
    if member == principal.member_id or principal.has(Scope.MEMBERS_WRITE):
        return []
    message = "You may tell only of your own absences; ask an admin to tell of somebody else's."
    return [UserError(ErrorCode.NOT_ALLOWED, message, path)]


async def _told(
    tx: Transaction, principal: Principal, request: Request, member: Member, absence: Absence, now: datetime
) -> Outcome:
    # Why somebody is away is in no event: whoever reads members reads those.
    event = MemberChanged(created=False, active=member.active, roles=tuple(role.value for role in member.roles))
    told = await publish(tx, principal, request, event, subject=member.id, version=member.version, client=None, now=now)
    return Outcome(absence.id, absence.version, told)
