"""Opening: a client's first onboarding, or a new one for a client that came back."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import calendars, cycles, definitions, steps, tenants
from db.session import Transaction
from domain.access import Principal
from domain.effects import target_of
from domain.errors import ErrorCode, Outcome, UserError, not_found, refused
from domain.gates import Evidence, judge
from domain.moves import MOVES, Move
from domain.onboarding import Cycle, ScopeKind, Visit
from domain.stages import Stage
from domain.steps import Step
from domain.tenants import TenantSettings
from workflows.audit import Attempt, moved_event, not_yours, transition
from workflows.checks import running_again_on_duplicates
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.stage_checklists import lay_out
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


async def open_cycle(context: Context, principal: Principal, request: Request, command: OpenCommand) -> Outcome:
    """Open a cycle in CONTRACTING, pinned to the newest definition.

    Raises:
        ForbiddenError: the caller may not move (or, to reopen, not end and reopen) onboardings.
    """
    move = Move.REOPEN if command.reopen else Move.OPEN
    principal.require(MOVES[move].scope)

    async def act(tx: Transaction) -> Outcome:
        standing = await cycles.standing(tx, command.client, command.contract)
        if standing is None:
            return refused(not_found("client", "clientId"))
        if not principal.reaches(MOVES[move].scope, (standing.owner_id, standing.account_manager_id)):
            return refused(not_yours(move))
        if command.contract and not standing.has_contract:
            return refused(not_found("contract of this client", "contractId"))
        if error := await _unopenable(tx, command):
            return refused(error)
        with running_again_on_duplicates():
            return await _open(context, principal, request, tx, command, move)

    name = "onboardingReopen" if command.reopen else "onboardingOpen"
    return await perform(context, principal, request, name, command, act)


async def _unopenable(tx: Transaction, command: OpenCommand) -> UserError | None:
    team = (command.lead, command.account_manager, command.technical_lead, *command.engineers)
    if error := await inactive(tx, team):
        return error
    earlier = (await cycles.of_clients(tx, [command.client])).get(command.client, [])
    if any(not c.ended for c in earlier):
        return _already_open()
    if earlier and not command.reopen:
        message = "This client had an onboarding before; reopen it to begin a new one."
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))
    if command.reopen and not earlier:
        message = "This client never had an onboarding; open its first one."
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))
    return None


async def _open(
    context: Context, principal: Principal, request: Request, tx: Transaction, command: OpenCommand, move: Move
) -> Outcome:
    now = context.clock()
    definition = await definitions.newest(tx)
    if definition is None:
        msg = "a tenant always has a definition"
        raise LookupError(msg)
    settings = (await tenants.get(tx)).settings
    visit = Visit(new_id(), new_id(), Stage.CONTRACTING, now, None, None)
    cycle = Cycle(
        id=visit.cycle_id,
        client_id=command.client,
        number=await cycles.next_number(tx, command.client),
        scope_kind=ScopeKind.WHOLE_CLIENT,
        scope_key="",
        contract_id=command.contract,
        definition_id=definition.id,
        lead_id=command.lead,
        account_manager_id=command.account_manager,
        technical_lead_id=command.technical_lead,
        engineer_ids=command.engineers,
        stage=Stage.CONTRACTING,
        visit_id=visit.id,
        opened_at=now,
        entered_at=now,
        target_at=None,
        held_at=None,
        ended_at=None,
        outcome=None,
        version=0,
        active_at=now,
    )
    settings = replace(settings, calendar=(await calendars.in_force(tx, [cycle.client_id])).of(cycle))
    facts = before_any_evidence(now, settings)
    verdicts = judge(move, cycle, definition.rules, facts)
    attempt = Attempt(context, principal, request, cycle, move, None, None, now)
    planned = attempt.planned(Stage.CONTRACTING, definition.rules, facts, settings.calendar)
    opened = replace(
        cycle,
        target_at=target_of(Stage.CONTRACTING, now, definition.rules, facts, settings.calendar),
        version=1,
    )
    event = moved_event(attempt, opened, from_stage=None, waivers=())
    audit = transition(attempt, opened, None, definition, verdicts, planned, event)
    await steps.take(tx, Step(opened, audit, event, opened=True, entered_visit=visit, effects=planned))
    await lay_out(tx, opened, definition.rules, opened.stage, now, settings.calendar)
    return Outcome(subject=opened.id, version=opened.version, event=event.id)


def _already_open() -> UserError:
    message = "This client already has an open onboarding; move that one."
    return UserError(ErrorCode.ALREADY_EXISTS, message, ("clientId",))


def before_any_evidence(now: datetime, settings: TenantSettings) -> Evidence:
    """Return what is known when a cycle opens: an active lead, and nothing else that a gate asks for."""
    today = now.astimezone(settings.zone).date()
    return Evidence(
        now=now,
        today=today,
        entered_on=today,
        contract=None,
        lead_active=True,
        primary_contacts=0,
        surveyable=(),
        devices_discovered=0,
        devices_managed=0,
        devices_explained=0,
        devices_pending_overdue=0,
        last_discovery_at=None,
        critical_services=0,
        critical_unmapped=(),
        open_priority_1=0,
        recent_tickets=0,
        recent_escalated=0,
        escalation_rate_limit=None,
        attested={},
        waived={},
    )
