"""Planned dates and pace, as fields of an onboarding."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.context import Info, OperationContext
from api.fields import FieldPrice, resolved, window
from db import calendars
from db import plans as stored
from domain import pace as paces
from domain import plans
from domain.access import PrincipalKind, Scope
from domain.ids import IdKind, public
from domain.onboarding import Cycle
from domain.pace import Pace
from domain.stages import Stage


@window(plans.PlannedDate, description="One change of a stage's planned date; nobody can change what is told of it.")
class PlannedDateChange:
    planned_on: date | None = strawberry.field(description="The local day planned since; `null` for a withdrawal.")
    previous_on: date | None = strawberry.field(description="The local day that was planned until then.")
    re_plan: bool = strawberry.field(description="Whether a day that stood was changed or withdrawn.")

    @resolved(description="When it was planned so.")
    def set_at(root: Any) -> datetime:  # noqa: N805 -- the root is a domain value, not this class
        at: datetime = root.recorded_at
        return at

    @resolved(description="Why it was changed.", scope=Scope.AUDIT_READ)
    def reason(root: Any) -> str | None:  # noqa: N805
        reason: str | None = root.reason
        return reason

    @resolved(description="The member or token that planned it.", scope=Scope.MEMBERS_READ)
    def actor_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        kind = IdKind.MEMBER if root.actor_kind == PrincipalKind.PERSON else IdKind.TOKEN
        return None if root.actor_kind == PrincipalKind.SYSTEM else strawberry.ID(public(kind, root.actor_id))


@window(plans.StagePlan, description="The day on which a stage is meant to be entered, and how it came about.")
class PlannedDate:
    stage: Stage = strawberry.field(description="The stage.")
    planned_on: date | None = strawberry.field(description="The local day that stands; `null` once it was withdrawn.")
    set_at: datetime = strawberry.field(description="When it last changed.")
    re_plans: int = strawberry.field(description="How often a day that stood was changed or withdrawn.")

    @resolved(description="Its changes, oldest first.", cost=FieldPrice(list_size=5))
    def history(root: Any) -> list[PlannedDateChange]:  # noqa: N805 -- the root is a domain value, not this class
        return list(root.history)


async def planned(context: OperationContext, keys: Sequence[UUID]) -> list[tuple[plans.StagePlan, ...]]:
    """Load the plans of onboardings."""
    async with context.reading() as tx:
        found = await stored.of_cycles(tx, keys)
    return [plans.plan_of(found.get(key, ())) for key in keys]


async def paced(context: OperationContext, keys: Sequence[Cycle]) -> list[paces.PaceReading | None]:
    """Read the pace of onboardings."""
    pinned = await context.loader(loaders.definition).load_many([cycle.definition_id for cycle in keys])
    held = await context.loader(loaders.holds).load_many([cycle.id for cycle in keys])
    planned_ = await context.loader(planned).load_many([cycle.id for cycle in keys])
    async with context.reading() as tx:
        found = await calendars.of_cycles(tx, keys)
    now = loaders.now(context)
    return [
        paces.reading(
            cycle,
            definition.rules,
            now,
            found[cycle.id],
            holds,
            plans.next_planned(cycle.stage, plans.standing(plan)),
        )
        for cycle, definition, holds, plan in zip(keys, pinned, held, planned_, strict=True)
    ]


@strawberry.type
class PlanFields:
    """What is planned of an onboarding and how it keeps to it, as fields of it."""

    active_at: datetime = strawberry.field(
        description="When anybody last did something for it: a move, a step of a checklist, a note, a waiver, a "
        "planned date, or an edit of the client's contacts or contracts."
    )

    @resolved(
        description="The days on which its stages are meant to be entered, in the order of the stages, those passed "
        "too.",
        cost=FieldPrice(list_size=3),
    )
    async def planned_dates(root: Any, info: Info) -> list[PlannedDate]:  # noqa: N805 -- the root is a domain value
        return list(await info.context.loader(planned).load(root.id))  # type: ignore[arg-type]

    @resolved(
        description="How it stands to the earlier of its stage's target and the next stage's planned date, and whether "
        "anybody works on it; `null` where nothing is to be reached."
    )
    async def pace(root: Any, info: Info) -> Pace | None:  # noqa: N805
        found = await info.context.loader(paced).load(root)
        return found.pace if found else None

    @resolved(description="What its pace is due to, in a sentence; `null` where it has none.")
    async def pace_reason(root: Any, info: Info) -> str | None:  # noqa: N805
        found = await info.context.loader(paced).load(root)
        return found.reason if found else None
