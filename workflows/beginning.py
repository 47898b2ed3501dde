"""Beginnings: what opening a cycle writes, whatever it is about and whoever opens it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import calendars, cycles, definitions, steps, tenants
from db.session import Transaction
from domain.access import Principal
from domain.effects import target_of
from domain.errors import Outcome
from domain.gates import Evidence, judge
from domain.moves import Move
from domain.onboarding import Cycle, ScopeKind, Visit
from domain.stages import Stage
from domain.steps import Step
from domain.tenants import TenantSettings
from workflows.audit import Attempt, moved_event, transition
from workflows.context import Context, Request, new_id
from workflows.stage_checklists import lay_out


@dataclass(frozen=True, slots=True)
class Team:
    """Who works on a cycle from its opening on."""

    lead: UUID
    account_manager: UUID | None = None
    technical_lead: UUID | None = None
    engineers: tuple[UUID, ...] = ()

    @property
    def everybody(self) -> tuple[UUID | None, ...]:
        return (self.lead, self.account_manager, self.technical_lead, *self.engineers)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A cycle to be opened: of the whole client, or of one of its sites or services, which `place` then names."""

    client: UUID
    team: Team
    contract: UUID | None
    scope_kind: ScopeKind = ScopeKind.WHOLE_CLIENT
    place: UUID | None = None
    amendment: UUID | None = None


async def begin(
    context: Context, principal: Principal, request: Request, tx: Transaction, beginning: Beginning, move: Move
) -> Outcome:
    """Write a new cycle in CONTRACTING, pinned to the newest definition, with all that follows from its opening.

    Raises:
        DuplicateError: another is open for the same, or has just taken the client's next number.
    """
    now = context.clock()
    definition = await definitions.newest(tx)
    if definition is None:
        msg = "a tenant always has a definition"
        raise LookupError(msg)
    settings = (await tenants.get(tx)).settings
    visit = Visit(new_id(), new_id(), Stage.CONTRACTING, now, None, None)
    cycle = Cycle(
        id=visit.cycle_id,
        client_id=beginning.client,
        number=await cycles.next_number(tx, beginning.client),
        scope_kind=beginning.scope_kind,
        scope_key=beginning.place.hex if beginning.place else "",
        contract_id=beginning.contract,
        definition_id=definition.id,
        lead_id=beginning.team.lead,
        account_manager_id=beginning.team.account_manager,
        technical_lead_id=beginning.team.technical_lead,
        engineer_ids=beginning.team.engineers,
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
        amendment_id=beginning.amendment,
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
