"""Teams: who works on a cycle, and for which contract."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from db import cycles, members
from db.session import Transaction
from domain.access import Principal, Scope
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found, refused, stale
from domain.events import OnboardingChanged
from domain.onboarding import Cycle
from workflows.commands import perform, publish
from workflows.context import Context, Request


@dataclass(frozen=True, slots=True)
class TeamCommand:
    """Change a cycle's contract or team; a field that is left out stays as it is."""

    cycle: UUID
    expected_version: int
    contract: UUID | None = None
    lead: UUID | None = None
    account_manager: UUID | None = None
    technical_lead: UUID | None = None
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
        if error := await _unchangeable(tx, principal, cycle, command):
            return refused(error, subject=cycle.id)
        changed = replace(
            cycle,
            contract_id=command.contract or cycle.contract_id,
            lead_id=command.lead or cycle.lead_id,
            account_manager_id=command.account_manager or cycle.account_manager_id,
            technical_lead_id=command.technical_lead or cycle.technical_lead_id,
            engineer_ids=cycle.engineer_ids if command.engineers is None else command.engineers,
            version=cycle.version + 1,
        )
        await cycles.update(tx, changed)
        event = await publish(
            tx,
            principal,
            request,
            OnboardingChanged(change="TEAM"),
            subject=cycle.id,
            version=changed.version,
            client=cycle.client_id,
            now=context.clock(),
        )
        return Outcome(subject=cycle.id, version=changed.version, event=event)

    return await perform(context, principal, request, "onboardingUpdate", command, act)


async def inactive(tx: Transaction, team: Iterable[UUID | None]) -> UserError | None:
    """Return the refusal of a team that names somebody who is no active member, or `None`."""
    named = {member for member in team if member}
    missing = named - await members.active_among(tx, list(named))
    if not missing:
        return None
    return invalid(f"{len(missing)} of the people named are not active members; name active ones.", "team")


async def _unchangeable(tx: Transaction, principal: Principal, cycle: Cycle, command: TeamCommand) -> UserError | None:
    if not principal.reaches(Scope.ONBOARDING_MOVE, cycle.team):
        return UserError(ErrorCode.NOT_ALLOWED, "You may change only onboardings on whose team you are.")
    if command.expected_version != cycle.version:
        return stale(cycle.version)
    if cycle.ended:
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, f"This onboarding ended as {cycle.stage} and does not change.")
    if command.contract:
        standing = await cycles.standing(tx, cycle.client_id, command.contract)
        if standing is None or not standing.has_contract:
            return not_found("contract of this client", "contractId")
    team = (command.lead, command.account_manager, command.technical_lead, *(command.engineers or ()))
    return await inactive(tx, team)
