"""Reassigning: many onboardings go from one person to another, for a leave or because somebody has too many."""

from dataclasses import dataclass
from uuid import UUID

from db import cycles, members, teams
from db.session import Transaction
from domain.access import Principal, Scope
from domain.bulk import BulkPolicy
from domain.definitions import Owner
from domain.errors import Outcome, UserError, invalid, not_found, refused
from domain.members import Member
from domain.texts import REASON_LIMIT
from workflows.checks import RefusedError, fit, found, refusable
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.cycle_batches import CYCLES_MOST, RESULTS, Rows, each
from workflows.handing_over import hand_over

REMAINING = "remaining"


@dataclass(frozen=True, slots=True)
class Reassign:
    """Give one member's roles in onboardings to another: to the deputy, if nobody is named.

    Without `cycles` it is all open ones in which the member has one of the roles, the first 200 of them.
    """

    former: UUID
    to: UUID | None = None
    roles: tuple[Owner, ...] = tuple(Owner)
    cycles: tuple[UUID, ...] | None = None
    reason: str | None = None
    policy: BulkPolicy = BulkPolicy.REJECT_ALL
    dry_run: bool = False


async def reassign(context: Context, principal: Principal, request: Request, command: Reassign) -> Outcome:
    """Let one person take another's place in many teams; timers, open items and follow-ups go with it.

    Raises:
        ForbiddenError: the caller may not move onboardings, or gives a reason without the right to write notes.
    """
    principal.require(Scope.ONBOARDING_MOVE)
    if command.reason is not None:
        principal.require(Scope.NOTES_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_faults(command))
        former = found(await members.get(tx, command.former), "member", "fromMemberId")
        to = await _successor(tx, principal, command, former)
        roles = frozenset(command.roles)
        every = list(command.cycles) if command.cycles is not None else await teams.working_on(tx, former.id, roles)
        ids, reason = tuple(every), (command.reason or "").strip() or None
        if command.cycles is None:
            ids = ids[:CYCLES_MOST]
        if not ids and command.cycles is None:
            return Outcome(facts={RESULTS: [], REMAINING: 0})

        async def step(_index: int, cycle: UUID) -> Outcome:
            return await hand_over(tx, principal, request, now, cycle, (former.id, to, roles), reason)

        outcome = await each(tx, Rows(ids), command.policy, step)
        facts = {**outcome.facts, REMAINING: len(every) - len(ids)}
        return Outcome(event=outcome.event, errors=outcome.errors, facts=facts)

    return await perform(context, principal, request, "onboardingsReassign", command, act, dry_run=command.dry_run)


def _faults(command: Reassign) -> list[UserError]:
    faults = []
    if not command.roles:
        faults.append(invalid(f"Name at least one role of {', '.join(Owner)}.", "roles"))
    if command.reason is not None and len(command.reason) > REASON_LIMIT:
        message = f"A reason has at most {REASON_LIMIT} characters; this one has {len(command.reason)}."
        faults.append(invalid(message, "reason"))
    if command.to == command.former:
        faults.append(invalid("Whoever takes over is somebody else; name another member.", "toMemberId"))
    return faults


async def _successor(tx: Transaction, principal: Principal, command: Reassign, former: Member) -> UUID:
    """Return who takes over; who the deputy is, is used only for whoever may know it."""
    to = command.to or (former.deputy_id if principal.has(Scope.MEMBERS_READ) else None)
    if to is not None and to in await members.active_among(tx, [to]):
        return to
    fault = not_found("active member", "toMemberId")
    if to is None:
        fault = invalid("No deputy of this member is known to you; name who takes over.", "toMemberId")
    raise RefusedError(refused(fault, *await _unknown(tx, command)))


async def _unknown(tx: Transaction, command: Reassign) -> list[UserError]:
    """Name every onboarding that is not visible to the caller, so that all that is wrong is told at once."""
    seen = await cycles.by_ids(tx, command.cycles or ())
    return [
        not_found("onboarding", "onboardingIds", str(index))
        for index, cycle in enumerate(command.cycles or ())
        if cycle not in seen
    ]
