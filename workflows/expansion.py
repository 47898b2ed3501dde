"""Expansion: an onboarding of one more site or service of a client that is in service."""

from dataclasses import dataclass, replace
from uuid import UUID

from db import amendments, clients, contracts, cycles, services, sites
from db.session import Transaction
from domain.access import Principal
from domain.amendments import Amendment, AmendmentStatus
from domain.clients import Contract, ContractStatus
from domain.errors import ErrorCode, Outcome, UserError, invalid, refused
from domain.ids import IdKind, public
from domain.moves import MOVES, Move
from domain.onboarding import ENTERED_IN_ERROR, Cycle, ScopeKind
from domain.stages import Stage
from workflows.audit import not_yours
from workflows.beginning import Beginning, Team, begin
from workflows.checks import RefusedError, fit, found, refusable, running_again_on_duplicates
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.teams import inactive

IN_SERVICE = (Stage.EARLY_SUPPORT, Stage.STEADY_STATE)


@dataclass(frozen=True, slots=True)
class ExpandCommand:
    """Open a cycle of one site or one service, under a contract of its own or an amendment that names it."""

    client: UUID
    team: Team
    site: UUID | None = None
    service: UUID | None = None
    contract: UUID | None = None
    amendment: UUID | None = None


async def expand(context: Context, principal: Principal, request: Request, named: ExpandCommand) -> Outcome:
    """Open a cycle of a site or a service in CONTRACTING, pinned to the newest definition.

    Raises:
        ForbiddenError: the caller may not move onboardings.
    """
    principal.require(MOVES[Move.EXPAND].scope)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        # The whole client's onboarding is held: it cannot end while this one opens.
        holding = found(await clients.hold_kept(tx, named.client), "client", "clientId")
        command = replace(named, client=holding.client.id)
        if not principal.reaches(MOVES[Move.EXPAND].scope, holding.team):
            fit([not_yours(Move.EXPAND)])
        fit([error] if (error := await inactive(tx, command.team.everybody)) else [])
        agreed, amendment = await _locked_agreement(tx, command)
        await _lock_place(tx, command)
        kind, place = _scope(command)
        contract = _given(agreed)
        # Read once all is locked: whoever held some of it a moment ago may have opened a cycle.
        others = (await cycles.of_clients(tx, [command.client])).get(command.client, [])
        fit(_standing_faults(others, holding.client.cycle_id))
        fit(_open_faults(others, kind, place))
        fit(_agreement_faults(contract, amendment, kind, place, others))
        beginning = Beginning(command.client, command.team, contract.id, kind, place, command.amendment)
        with running_again_on_duplicates():
            return await begin(context, principal, request, tx, beginning, Move.EXPAND)

    return await perform(context, principal, request, "onboardingExpand", named, act)


def _scope(command: ExpandCommand) -> tuple[ScopeKind, UUID]:
    site, service = command.site, command.service
    if site is not None and service is None:
        return ScopeKind.SITE, site
    if service is not None and site is None:
        return ScopeKind.SERVICE, service
    message = "An expansion is of one site or of one service; give siteId or serviceId, and not both."
    raise RefusedError(refused(invalid(message, "siteId")))


def _standing_faults(others: list[Cycle], latest: UUID | None) -> list[UserError]:
    """Tell why a client's service cannot grow: it has none, or it is about to end."""
    whole = next((cycle for cycle in others if cycle.id == latest), None)
    if whole is None:
        message = "This client was never onboarded as a whole; open its onboarding first."
        return [UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))]
    if whole.stage not in IN_SERVICE:
        message = f"This client is in {whole.stage}; only one in {' or '.join(IN_SERVICE)} is expanded."
        return [UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))]
    if whole.notice_id is not None:
        message = "This client is under notice; withdraw the notice before its service grows."
        return [UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))]
    return []


async def _locked_agreement(tx: Transaction, command: ExpandCommand) -> tuple[Contract | None, Amendment | None]:
    """Return the contract named and the amendment, so that no other cycle takes either meanwhile."""
    seen = await amendments.get(tx, command.amendment) if command.amendment else None
    named = command.contract or (seen.contract_id if seen else None)
    if command.amendment is not None:
        fitting = seen is not None and seen.client_id == command.client and seen.contract_id == named
        found(seen if fitting else None, "amendment of this contract", "amendmentId")
    if named is None:
        return None, None
    contract = await contracts.lock(tx, named)
    own = contract is not None and contract.client_id == command.client
    found(contract if own else None, "contract of this client", "contractId")
    return contract, await amendments.lock(tx, command.amendment) if command.amendment else None


def _given(contract: Contract | None) -> Contract:
    if contract is None:
        message = "An expansion takes a new contract, or an amendment that names the site or the service; give one."
        raise RefusedError(refused(invalid(message, "contractId")))
    return contract


def _agreement_faults(
    contract: Contract, amendment: Amendment | None, kind: ScopeKind, place: UUID, others: list[Cycle]
) -> list[UserError]:
    """Tell why an agreement cannot be that of a new cycle; one that was entered in error has taken none."""
    if contract.status is ContractStatus.ENDED:
        return [UserError(ErrorCode.CONFLICT, "This contract has ended; name one that has not.", ("contractId",))]
    real = [cycle for cycle in others if cycle.outcome not in ENTERED_IN_ERROR]
    if amendment is None:
        taken = next((cycle for cycle in real if cycle.contract_id == contract.id), None)
        return [_taken("contract", taken, ("contractId",))] if taken else []
    path = ("amendmentId",)
    if amendment.status is AmendmentStatus.ENDED:
        return [UserError(ErrorCode.CONFLICT, "This amendment has ended; name one that has not.", path)]
    if place != (amendment.site_id if kind is ScopeKind.SITE else amendment.service_id):
        message = f"Amendment {amendment.number} does not name this {kind.lower()}; name one that adds it."
        return [UserError(ErrorCode.CONFLICT, message, path)]
    taken = next((cycle for cycle in real if cycle.amendment_id == amendment.id), None)
    return [_taken("amendment", taken, path)] if taken else []


def _taken(what: str, by: Cycle, path: tuple[str, ...]) -> UserError:
    id_ = public(IdKind.ONBOARDING, by.id)
    message = f"The onboarding {id_} names this {what} already; an expansion takes a new contract or amendment."
    return UserError(ErrorCode.CONFLICT, message, path)


async def _lock_place(tx: Transaction, command: ExpandCommand) -> None:
    """Refuse a site or service that is not the client's, and keep a site from being archived meanwhile."""
    if command.site is not None:
        site = await sites.lock(tx, command.site)
        usable = site is not None and site.client_id == command.client and site.archived_at is None
        found(site if usable else None, "site of this client that is in use", "siteId")
    if command.service is not None:
        service = await services.lock(tx, command.service)
        own = service is not None and service.client_id == command.client
        found(service if own else None, "service of this client", "serviceId")


def _open_faults(others: list[Cycle], kind: ScopeKind, place: UUID) -> list[UserError]:
    going_on = next((cycle for cycle in others if cycle.place_id == place and not cycle.ended), None)
    if going_on is None:
        return []
    id_ = public(IdKind.ONBOARDING, going_on.id)
    message = f"The onboarding {id_} of this {kind.lower()} is open already; move that one."
    return [UserError(ErrorCode.ALREADY_EXISTS, message, (f"{kind.lower()}Id",))]
