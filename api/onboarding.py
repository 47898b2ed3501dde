"""Onboardings as the API shows them: where each stands, how it got there and what comes next."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders, onboarding_enums  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.absences import ActingLead
from api.audit import Transition
from api.calendars import CountingCalendar
from api.checklists import OnboardingChecklist
from api.context import Info
from api.definitions import OnboardingDefinition
from api.fields import FieldPrice, id_field, member_id_field, optional_id_field, query_field, resolved, window
from api.follow_ups import OnboardingFollowUps
from api.gates import Attestation, MoveReadiness, Waiver
from api.hand_offs import OnboardingHandOff
from api.members import Member
from api.nodes import Node, nodes_of
from api.note_fields import OnboardingNotes
from api.notice_fields import OnboardingNotices
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from api.plan_fields import PlanFields
from api.scopes import OnboardingScope
from api.timelines import OnboardingTimeline
from api.user_errors import Blocker
from db import cycles, histories
from domain import baselines, diagrams, effects, onboarding
from domain.access import Scope
from domain.effects import EffectKind, EffectState
from domain.errors import Blocker as BlockerValue
from domain.ids import IdKind, parse, public
from domain.moves import Move, scope_for
from domain.onboarding import EndReason, HoldReason, ScopeKind, possible_moves
from domain.readiness import FORWARD
from domain.stages import Stage

if TYPE_CHECKING:
    from api.clients import Client

BY_OPENED = Ordering("onboardings by opening", (datetime, UUID))
BY_RECORDED = Ordering("transitions", (datetime, UUID))

PER_CYCLE = FieldPrice(list_size=10)


@window(onboarding.Visit, description="One stay in one stage.")
class StageVisit:
    id: strawberry.ID = id_field(IdKind.VISIT, description="The visit's id.")
    stage: Stage = strawberry.field(description="The stage.")
    entered_at: datetime = strawberry.field(description="When it was entered.")
    left_at: datetime | None = strawberry.field(description="When it was left; `null` for the present stay.")
    superseded_at: datetime | None = strawberry.field(description="When a roll-back set this stay aside, if one did.")


@window(onboarding.Hold, description="An interval in which the clock of the stage's target stands still.")
class OnboardingHold:
    id: strawberry.ID = id_field(IdKind.HOLD, description="The hold's id.")
    reason: HoldReason = strawberry.field(description="Whom or what it waits for.")
    held_at: datetime = strawberry.field(description="When it began.")
    expected_resume_on: date | None = strawberry.field(description="The local day on which it is expected to end.")
    resumed_at: datetime | None = strawberry.field(description="When it ended; `null` while it lasts.")

    @resolved(description="What was said about it.", scope=Scope.AUDIT_READ)
    def note(root: Any) -> str | None:  # noqa: N805 -- the root is a domain value, not this class
        note: str | None = root.note
        return note


@window(onboarding.Window, description="The escalation window: a ticket logged inside stays in it.")
class EscalationWindow:
    id: strawberry.ID = id_field(IdKind.WINDOW, description="The window's id.")
    opened_at: datetime = strawberry.field(description="When it opened; a ticket logged at this instant is inside.")
    closed_at: datetime | None = strawberry.field(description="When it closed; a ticket logged then is outside.")


@window(baselines.Baseline, description="A KPI of the escalation window as it was at graduation; never edited.")
class BaselineFigure:
    kpi: str = strawberry.field(description="The KPI's key.")
    value: float | None = strawberry.field(description="The value; shares are between 0 and 1.")
    numerator: float | None = strawberry.field(description="What was counted.")
    denominator: float | None = strawberry.field(description="Out of how many.")
    low: float | None = strawberry.field(description="Lower end of the 95 % interval.")
    high: float | None = strawberry.field(description="Upper end of the 95 % interval.")
    opened_at: datetime = strawberry.field(description="When the window opened.")
    closed_at: datetime = strawberry.field(description="When the window closed.")
    as_of: datetime = strawberry.field(description="As of when the figure was taken.")

    @resolved(description="The value as it would be now, with tickets that came late or were escalated since.", cost=2)
    async def restated(root: Any, info: Info) -> float | None:  # noqa: N805 -- the root is a domain value
        tally = await info.context.loader(loaders.tallied).load(root.span)
        now = baselines.figures(root.span, tally, loaders.now(info.context))
        return next((figure.value for figure in now if figure.kpi == root.kpi), None)


@window(effects.Effect, description="Something that a move set off for now or later.")
class OnboardingEffect:
    id: strawberry.ID = id_field(IdKind.EFFECT, description="The effect's id.")
    kind: EffectKind = strawberry.field(description="What sort of thing it is.")
    name: str = strawberry.field(description="Which: `DAY_30`, `TARGET`, `HOLD_REVIEW`, or the survey's name.")
    due_at: datetime = strawberry.field(description="When it is due.")
    state: EffectState = strawberry.field(description="What became of it.")
    reason: str | None = strawberry.field(description="Why it was skipped or cancelled.")
    settled_at: datetime | None = strawberry.field(description="When it happened, or was called off.")


@window(
    onboarding.Cycle,
    description="One onboarding of a client, from its opening to its end. A client that comes back gets a new one.",
)
class Onboarding(
    OnboardingScope,
    OnboardingNotes,
    OnboardingTimeline,
    PlanFields,
    ActingLead,
    OnboardingChecklist,
    OnboardingHandOff,
    OnboardingFollowUps,
    CountingCalendar,
    OnboardingNotices,
    Node,
):
    id: strawberry.ID = id_field(IdKind.ONBOARDING, description="The onboarding's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client being onboarded.")
    number: int = strawberry.field(description="Which onboarding of this client it is, counted from 1.")
    scope_kind: ScopeKind = strawberry.field(description="What it is about.")
    contract_id: strawberry.ID | None = optional_id_field(
        IdKind.CONTRACT, "contract_id", description="The contract it works towards."
    )
    lead_id: strawberry.ID | None = member_id_field("lead_id", description="The member who leads it.")
    account_manager_id: strawberry.ID | None = member_id_field(
        "account_manager_id", description="The account manager on its team."
    )
    technical_lead_id: strawberry.ID | None = member_id_field(
        "technical_lead_id", description="The technical lead on its team."
    )
    stage: Stage = strawberry.field(description="Where it stands.")
    opened_at: datetime = strawberry.field(description="When it was opened.")
    entered_at: datetime = strawberry.field(description="When it entered its present stage.")
    target_at: datetime | None = strawberry.field(
        description="When its present stage should be over; holds move it, except for day 90."
    )
    held_at: datetime | None = strawberry.field(description="Since when it is on hold; `null` when it is not.")
    ended_at: datetime | None = strawberry.field(description="When it ended.")
    outcome: EndReason | None = strawberry.field(description="Why it ended.")
    version: int = strawberry.field(description="Its version; give it as `expectedVersion` with the next move.")

    @resolved(description="The client being onboarded.")
    async def client(root: Any, info: Info) -> Annotated["Client", strawberry.lazy("api.clients")] | None:  # noqa: N805 -- the root is a domain value, not this class
        return await info.context.loader(client_loaders.client).load(root.client_id)  # type: ignore[return-value]

    @resolved(description="The member who leads it.", scope=Scope.MEMBERS_READ)
    async def lead(root: Any, info: Info) -> Member | None:  # noqa: N805
        return await info.context.loader(client_loaders.member).load(root.lead_id)  # type: ignore[return-value]

    @resolved(description="The account manager on its team.", scope=Scope.MEMBERS_READ)
    async def account_manager(root: Any, info: Info) -> Member | None:  # noqa: N805
        manager = root.account_manager_id
        return await info.context.loader(client_loaders.member).load(manager) if manager else None  # type: ignore[return-value]

    @resolved(description="The technical lead on its team.", scope=Scope.MEMBERS_READ)
    async def technical_lead(root: Any, info: Info) -> Member | None:  # noqa: N805
        lead = root.technical_lead_id
        return await info.context.loader(client_loaders.member).load(lead) if lead else None  # type: ignore[return-value]

    @resolved(description="The engineers on its team.", scope=Scope.MEMBERS_READ)
    def engineer_ids(root: Any) -> list[strawberry.ID] | None:  # noqa: N805
        return [strawberry.ID(public(IdKind.MEMBER, member)) for member in root.engineer_ids]

    @resolved(description="The engineers on its team.", scope=Scope.MEMBERS_READ, cost=PER_CYCLE)
    async def engineers(root: Any, info: Info) -> list[Member] | None:  # noqa: N805
        found = await info.context.loader(client_loaders.member).load_many(root.engineer_ids)
        return [member for member in found if member is not None]  # type: ignore[misc]

    @resolved(description="The version of the definition that it keeps to until it is migrated.")
    async def definition(root: Any, info: Info) -> OnboardingDefinition:  # noqa: N805
        return await info.context.loader(loaders.definition).load(root.definition_id)  # type: ignore[return-value]

    @resolved(
        description="Every possible next move: each gate with its evidence, who may waive it, and exactly what the "
        "move would trigger.",
        cost=PER_CYCLE,
    )
    async def readiness(root: Any, info: Info) -> list[MoveReadiness]:  # noqa: N805
        return list((await info.context.loader(loaders.judged).load(root.id)).moves)  # type: ignore[arg-type]

    @resolved(
        description="What holds its next move forward back; empty when it is ready, held, in service or ended.",
        cost=PER_CYCLE,
    )
    async def blockers(root: Any, info: Info) -> list[Blocker]:  # noqa: N805
        return await _blockers(root, info)  # type: ignore[return-value]

    @resolved(description="The moves that you may make from here, gates apart.")
    def viewer_can(root: Any, info: Info) -> list[Move]:  # noqa: N805
        who = info.context.principal
        return [move for move in possible_moves(root) if who.reaches(scope_for(move, root.stage), root.team)]

    @resolved(description="Its stays in stages, oldest first.", cost=PER_CYCLE)
    async def visits(root: Any, info: Info) -> list[StageVisit]:  # noqa: N805
        return list(await info.context.loader(loaders.visits).load(root.id))  # type: ignore[arg-type]

    @resolved(description="Its holds, oldest first.", cost=PER_CYCLE)
    async def holds(root: Any, info: Info) -> list[OnboardingHold]:  # noqa: N805
        return await info.context.loader(loaders.holds).load(root.id)  # type: ignore[return-value]

    @resolved(description="Its escalation windows, oldest first; more than one after a roll-back.", cost=PER_CYCLE)
    async def escalation_windows(root: Any, info: Info) -> list[EscalationWindow]:  # noqa: N805
        return await info.context.loader(loaders.windows).load(root.id)  # type: ignore[return-value]

    @resolved(description="The KPIs of its window as they were when it graduated.", cost=PER_CYCLE)
    async def baseline(root: Any, info: Info) -> list[BaselineFigure]:  # noqa: N805
        return await info.context.loader(loaders.baselines).load(root.id)  # type: ignore[return-value]

    @resolved(description="What its moves set off, by when it is due.", cost=FieldPrice(list_size=20))
    async def effects(root: Any, info: Info) -> list[OnboardingEffect]:  # noqa: N805
        return await info.context.loader(loaders.planned).load(root.id)  # type: ignore[return-value]

    @resolved(description="The waivers asked for, oldest first.", scope=Scope.AUDIT_READ, cost=PER_CYCLE)
    async def waivers(root: Any, info: Info) -> list[Waiver] | None:  # noqa: N805
        return await info.context.loader(loaders.waived).load(root.id)  # type: ignore[return-value]

    @resolved(description="The attestations given, oldest first.", scope=Scope.AUDIT_READ, cost=PER_CYCLE)
    async def attestations(root: Any, info: Info) -> list[Attestation] | None:  # noqa: N805
        return await info.context.loader(loaders.attested).load(root.id)  # type: ignore[return-value]

    @resolved(
        description="The audit trail: every attempted move, refused ones too, oldest first.", scope=Scope.AUDIT_READ
    )
    async def transitions(
        root: Any,  # noqa: N805
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Transition] | None:
        page = page_of(BY_RECORDED, first=first, after=after, last=last, before=before)
        rows = await info.context.loader(loaders.history, page).load(root.id)

        async def count() -> int:
            return await info.context.loader(loaders.lengths, histories.HISTORY).load(root.id)

        return connection(page, rows, key=lambda t: (t.recorded_at, t.id), count=count)

    @resolved(description="Its path through the stages as a Mermaid flowchart.")
    async def mermaid(root: Any, info: Info) -> str:  # noqa: N805
        stays = await info.context.loader(loaders.visits).load(root.id)
        return diagrams.path(stays, root.stage if root.ended else None, loaders.now(info.context))


async def _blockers(cycle: onboarding.Cycle, info: Info) -> list[BlockerValue]:
    forward = FORWARD.get(cycle.stage)
    judged = await info.context.loader(loaders.judged).load(cycle.id)
    return [blocker for move in judged.moves if move.move is forward for blocker in move.blockers]


@strawberry.input(description="Which onboardings; every condition given must hold.")
class OnboardingWhere:
    stages: list[Stage] | None = strawberry.field(default=None, description="In one of these stages.")
    lead_id: strawberry.ID | None = strawberry.field(default=None, description="Led by this member.")
    client_id: strawberry.ID | None = strawberry.field(default=None, description="Of this client.")
    scope_kinds: list[ScopeKind] | None = strawberry.field(
        default=None, description="About one of these: the whole client, a site, a service."
    )
    open: bool | None = strawberry.field(default=None, description="Still going on (`true`) or ended (`false`).")
    held: bool | None = strawberry.field(default=None, description="On hold (`true`) or not (`false`).")

    def conditions(self) -> dict[str, object]:
        """Return what is given as conditions of the listing."""
        given: dict[str, object | None] = {
            "stages": None if self.stages is None else [stage.value for stage in self.stages],
            "lead": None if self.lead_id is None else parse(IdKind.MEMBER, self.lead_id),
            "client": None if self.client_id is None else parse(IdKind.CLIENT, self.client_id),
            "scope_kinds": None if self.scope_kinds is None else [kind.value for kind in self.scope_kinds],
            "open": self.open,
            "held": self.held,
        }
        return {name: value for name, value in given.items() if value is not None}


nodes_of(IdKind.ONBOARDING, loaders.cycle, Scope.CLIENTS_READ)


@strawberry.type
class OnboardingQuery:
    @query_field(scope=Scope.CLIENTS_READ, description="One onboarding by its id; `null` if none is visible to you.")
    async def onboarding(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The onboarding's id.")]
    ) -> Onboarding | None:
        return await info.context.loader(loaders.cycle).load(parse(IdKind.ONBOARDING, id))  # type: ignore[return-value]

    @query_field(scope=Scope.CLIENTS_READ, description="Onboardings, the longest open first.")
    async def onboardings(
        self,
        info: Info,
        where: Annotated[OnboardingWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Onboarding] | None:
        page = page_of(BY_OPENED, first=first, after=after, last=last, before=before)
        conditions = where.conditions() if where else {}

        async def count() -> int:
            async with info.context.reading() as tx:
                return await cycles.count(tx, conditions)

        async with info.context.reading() as tx:
            rows = await cycles.listed(tx, conditions, page)
        return connection(page, rows, key=lambda c: (c.opened_at, c.id), count=count)
