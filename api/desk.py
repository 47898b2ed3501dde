"""The desk: what somebody who leads onboardings has to do next, over all of them."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from api import client_loaders
from api.clients import Client
from api.context import Info
from api.enums import described
from api.errors import BadUserInput
from api.fields import FieldPrice, query_field, resolved, window
from api.onboarding import Onboarding
from api.user_errors import Blocker
from domain import desk
from domain.access import Scope
from domain.desk import ActionKind, Urgency
from domain.ids import IdKind, parse
from workflows.desk import next_actions

ACTIONS = 50
MOST_ACTIONS = 500

described(
    ActionKind,
    "What is to be done.",
    WAIVER_TO_GRANT="A waiver of a hard gate waits for you as the second person.",
    ADVANCE_READY="Every gate of the next move is open: make it.",
    TARGET_LATE="The target of the stage has passed.",
    PLANNED_DATE_PASSED="The day planned for the next stage has passed: plan anew, or move.",
    NOTICE_TO_SAVE="The client is leaving: try to keep it, or see it off.",
    CHECKLIST_OVERDUE="An item of the checklist is overdue.",
    FOLLOW_UP_DUE="What somebody promised to put right is due within two days, or overdue.",
    CHECKLIST_DUE="An item of the checklist is due within two days.",
    HOLD_TO_REVIEW="A hold was to end by now, or has lasted long: is it still so?",
    DAY_90_NEAR="Day 90 is near.",
    TARGET_NEAR="The target of the stage, or the day planned for the next, is near.",
    STALE="Nobody does anything for it.",
    GATE_BLOCKED="Gates hold the next move back; each says who can open it.",
)

described(
    Urgency,
    "How urgent something is, the most urgent first.",
    OVERDUE="It was due before now.",
    TODAY="It is due today.",
    READY="It only waits for somebody's decision.",
    AT_RISK="It will be late if nobody sees to it.",
    LATER="It is not due yet, or at no time of its own.",
)


@window(desk.Action, description="One thing to do next for one onboarding.")
class NextAction:
    kind: ActionKind = strawberry.field(description="What is to be done.")
    urgency: Urgency = strawberry.field(description="How urgent it is.")
    why: str = strawberry.field(description="Why, in a sentence.")
    call: str = strawberry.field(description="The mutation to call next.")
    due_at: datetime | None = strawberry.field(description="The instant by which it is due, where it is one.")
    due_on: date | None = strawberry.field(description="The local day by which it is due, where it is one.")
    blockers: list[Blocker] = strawberry.field(description="The gates that hold the next move back.")

    @resolved(description="The id of what is to be done, granted or closed, where that is not the onboarding.")
    def subject_id(root: Any) -> strawberry.ID | None:  # noqa: N805 -- the root is a domain value, not this class
        return strawberry.ID(root.subject) if root.subject else None

    @resolved(description="The onboarding; its `lead` may be somebody for whom you stand in.")
    def onboarding(root: Any) -> Onboarding:  # noqa: N805
        return root.cycle  # type: ignore[no-any-return]

    @resolved(description="The client.")
    async def client(root: Any, info: Info) -> Client | None:  # noqa: N805
        return await info.context.loader(client_loaders.client).load(root.cycle.client_id)  # type: ignore[return-value]


@strawberry.type(description="What somebody has to do next, the most urgent first.")
class NextActions:
    actions: list[NextAction] = strawberry.field(description="The first of them.")
    total: int = strawberry.field(description="How many there are.")


@strawberry.type
class DeskQuery:
    @query_field(
        scope=Scope.MEMBERS_READ,
        description="What to do next in the onboardings that somebody leads or stands in for the lead of: what is "
        "overdue first, the longest overdue before others, then what is due today, what only waits for a decision, "
        "what is at risk, and the rest. Whoever may grant waivers finds those there that wait for them.",
        cost=FieldPrice(weight=30, sized_by=("first",), list_size=ACTIONS),
    )
    async def next_actions(
        self,
        info: Info,
        member_id: Annotated[strawberry.ID | None, strawberry.argument(description="Whose; yours if left out.")] = None,
        first: Annotated[int, strawberry.argument(description="How many actions, from 1 to 500.")] = ACTIONS,
    ) -> NextActions | None:
        if not 1 <= first <= MOST_ACTIONS:
            raise BadUserInput(f"first: {first} is out of range; a desk has 1 to {MOST_ACTIONS} actions.")
        who = parse(IdKind.MEMBER, member_id) if member_id is not None else info.context.principal.id
        info.context.principal.require(Scope.CLIENTS_READ)
        async with info.context.reading() as tx:
            found: Any = await next_actions(tx, who, info.context.context.clock())
        return NextActions(actions=found[:first], total=len(found))
