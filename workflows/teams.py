"""Teams: who works on a cycle, and for which contract."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import activity, calendars, checklists, contracts, cycles, effects, follow_ups, members, tenants
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change
from domain.consequences import Consequence, ConsequenceKind, told
from domain.cycle_changes import ChangedField, Difference, differences
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found, refused, stale
from domain.events import OnboardingChanged
from domain.ids import IdKind, public
from domain.onboarding import Cycle
from domain.retargeting import UNDER_WAY
from domain.stages import Stage
from workflows.commands import perform, publish
from workflows.context import Context, Request
from workflows.early_support import follow_start
from workflows.retargeting import retarget
from workflows.trail import Trail


@dataclass(frozen=True, slots=True)
class TeamCommand:
    """Change a cycle's contract or team; a field that is left out stays as it is.

    Account manager and technical lead may be set to nobody; contract and lead only to another.
    """

    cycle: UUID
    expected_version: int | None
    contract: UUID | None = None
    lead: UUID | None = None
    account_manager: Change[UUID | None] = UNCHANGED
    technical_lead: Change[UUID | None] = UNCHANGED
    engineers: tuple[UUID, ...] | None = None


async def change_team(context: Context, principal: Principal, request: Request, command: TeamCommand) -> Outcome:
    """Name another contract, lead, account manager, technical lead or other engineers.

    Raises:
        ForbiddenError: the caller may not move onboardings at all.
    """
    principal.require(Scope.ONBOARDING_MOVE)

    async def act(tx: Transaction) -> Outcome:
        cycle = await cycles.lock(tx, command.cycle)
        if cycle is None:
            return refused(not_found("onboarding", "onboardingId"))
        return await change_team_in(tx, Trail(principal, request, cycle, context.clock()), command)

    return await perform(context, principal, request, "onboardingUpdate", command, act)


async def change_team_in(tx: Transaction, trail: Trail, command: TeamCommand) -> Outcome:
    """Change the team of a cycle whose row is locked, as part of whatever else its transaction does.

    Whoever leaves the team leaves its work to whom it falls now: the lead's timers, items and follow-ups still open.
    What changed is told among the facts; a refused change is kept in the trail and has written nothing else.
    """
    cycle, principal = trail.cycle, trail.principal
    wanted = _changed(cycle, command)
    changes = differences(cycle, wanted)
    if error := await _unchangeable(tx, principal, cycle, command):
        return await trail.refuse(tx, error, changes)
    if not changes:
        return Outcome(subject=cycle.id, version=cycle.version, facts=told([]))
    changed = replace(wanted, version=cycle.version + 1)
    await cycles.update(tx, changed)
    await activity.touch(tx, trail.now, cycle=cycle.id)
    readdressed = (
        await effects.readdress(tx, cycle.id, cycle.lead_id, changed.lead_id) if changed.lead_id != cycle.lead_id else 0
    )
    handed = {
        ConsequenceKind.TIMER: readdressed,
        ConsequenceKind.CHECKLIST_ITEM: await checklists.hand_on(tx, cycle, changed),
        ConsequenceKind.FOLLOW_UP: await follow_ups.hand_on(tx, cycle, changed),
    }
    if changed.contract_id and changed.contract_id != cycle.contract_id:
        contract = await contracts.get(tx, changed.contract_id)
        await follow_start(tx, changed, contract.starts_on if contract else None, trail.now)
        await _follow_calendar(tx, changed, trail.now)
    event = await publish(
        tx,
        principal,
        trail.request,
        OnboardingChanged(change="TEAM"),
        subject=cycle.id,
        version=changed.version,
        client=cycle.client_id,
        now=trail.now,
    )
    await trail.record(tx, changes, changed.version, event)
    return Outcome(cycle.id, changed.version, event, facts=told(_consequences(cycle, changes, handed)))


def _consequences(
    cycle: Cycle, changes: Iterable[Difference], handed: Mapping[ConsequenceKind, int]
) -> Iterator[Consequence]:
    subject = public(IdKind.ONBOARDING, cycle.id)
    for change in changes:
        contract = change.field is ChangedField.CONTRACT
        kind, of = (ConsequenceKind.CONTRACT, IdKind.CONTRACT) if contract else (ConsequenceKind.TEAM, IdKind.MEMBER)
        before, after = (" ".join(public(of, one) for one in side) or None for side in (change.before, change.after))
        yield Consequence(kind, change.field.value, before, after, subject=subject)
    for kind, count in handed.items():
        if count:
            yield Consequence(kind, "HANDED_ON", count=count, subject=subject)


async def _follow_calendar(tx: Transaction, cycle: Cycle, now: datetime) -> None:
    """Set the target anew where the contract named now has other working hours; early support has followed already."""
    if cycle.stage in UNDER_WAY and cycle.stage is not Stage.EARLY_SUPPORT:
        counting = await calendars.in_force(tx, [cycle.client_id])
        await retarget(tx, [cycle], counting, (await tenants.get(tx)).settings, now)


async def inactive(tx: Transaction, team: Iterable[UUID | None]) -> UserError | None:
    """Return the refusal of a team that names somebody who is no active member, or `None`."""
    named = {member for member in team if member}
    missing = named - await members.active_among(tx, list(named))
    if not missing:
        return None
    return invalid(f"{len(missing)} of the people named are not active members; name active ones.", "team")


def _changed(cycle: Cycle, command: TeamCommand) -> Cycle:
    manager, technical = command.account_manager, command.technical_lead
    return replace(
        cycle,
        contract_id=command.contract or cycle.contract_id,
        lead_id=command.lead or cycle.lead_id,
        account_manager_id=cycle.account_manager_id if manager is UNCHANGED else manager,
        technical_lead_id=cycle.technical_lead_id if technical is UNCHANGED else technical,
        engineer_ids=cycle.engineer_ids if command.engineers is None else command.engineers,
    )


async def _unchangeable(tx: Transaction, principal: Principal, cycle: Cycle, command: TeamCommand) -> UserError | None:
    if not principal.reaches(Scope.ONBOARDING_MOVE, cycle.team):
        return UserError(ErrorCode.NOT_ALLOWED, "You may change only onboardings on whose team you are.")
    if command.expected_version not in (None, cycle.version):
        return stale(cycle.version)
    if cycle.ended:
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, f"This onboarding ended as {cycle.stage} and does not change.")
    if command.contract:
        standing = await cycles.standing(tx, cycle.client_id, command.contract)
        if standing is None or not standing.has_contract:
            return not_found("contract of this client", "contractId")
        if cycle.amendment_id is not None and command.contract != cycle.contract_id:
            message = "This onboarding works towards an amendment of its contract, which no other contract has."
            return UserError(ErrorCode.CONFLICT, message, ("contractId",))
    others = (one for one in (command.account_manager, command.technical_lead) if one is not UNCHANGED)
    return await inactive(tx, (command.lead, *others, *(command.engineers or ())))
