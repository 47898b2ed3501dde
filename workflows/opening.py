"""Opening: a client's first onboarding, or a new one for a client that came back."""

from dataclasses import dataclass, replace
from uuid import UUID

from db import clients, cycles
from db.session import Transaction
from domain.access import Principal
from domain.errors import ErrorCode, Outcome, UserError, not_found, refused
from domain.moves import MOVES, Move
from workflows.audit import not_yours
from workflows.beginning import Beginning, Team, begin
from workflows.checks import running_again_on_duplicates
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.teams import inactive


@dataclass(frozen=True, slots=True)
class OpenCommand:
    """Open a client's onboarding, or with `reopen` a new cycle for one that came back."""

    client: UUID
    lead: UUID
    contract: UUID | None = None
    account_manager: UUID | None = None
    technical_lead: UUID | None = None
    engineers: tuple[UUID, ...] = ()
    reopen: bool = False

    @property
    def team(self) -> Team:
        return Team(self.lead, self.account_manager, self.technical_lead, self.engineers)


async def open_cycle(context: Context, principal: Principal, request: Request, named: OpenCommand) -> Outcome:
    """Open a cycle in CONTRACTING, pinned to the newest definition.

    Raises:
        ForbiddenError: the caller may not move (or, to reopen, not end and reopen) onboardings.
    """
    move = Move.REOPEN if named.reopen else Move.OPEN
    principal.require(MOVES[move].scope)

    async def act(tx: Transaction) -> Outcome:
        standing = await cycles.standing(tx, named.client, named.contract)
        command = named
        if standing is not None and standing.merged_into is not None:
            leading = await clients.follow(tx, [named.client])
            command = replace(named, client=leading.get(named.client, named.client))
            standing = await cycles.standing(tx, command.client, command.contract) if leading else None
        if standing is None:
            return refused(not_found("client", "clientId"))
        if not principal.reaches(MOVES[move].scope, (standing.owner_id, standing.account_manager_id)):
            return refused(not_yours(move))
        if command.contract and not standing.has_contract:
            return refused(not_found("contract of this client", "contractId"))
        if error := await _unopenable(tx, command):
            return refused(error)
        beginning = Beginning(command.client, command.team, command.contract)
        with running_again_on_duplicates():
            return await begin(context, principal, request, tx, beginning, move)

    name = "onboardingReopen" if named.reopen else "onboardingOpen"
    return await perform(context, principal, request, name, named, act)


async def _unopenable(tx: Transaction, command: OpenCommand) -> UserError | None:
    if error := await inactive(tx, command.team.everybody):
        return error
    of_client = (await cycles.of_clients(tx, [command.client])).get(command.client, [])
    earlier = [cycle for cycle in of_client if cycle.place_id is None]
    if any(not c.ended for c in earlier):
        return _already_open()
    if earlier and not command.reopen:
        message = "This client had an onboarding before; reopen it to begin a new one."
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))
    if command.reopen and not earlier:
        message = "This client never had an onboarding; open its first one."
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))
    return None


def _already_open() -> UserError:
    message = "This client already has an open onboarding; move that one."
    return UserError(ErrorCode.ALREADY_EXISTS, message, ("clientId",))
