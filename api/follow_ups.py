"""Follow-ups: the list of what is still to be put right, of all onboardings or of one, and what opens and closes it."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.changing import Payload, change, change_as
from api.context import Info
from api.fields import (
    FieldPrice,
    id_field,
    member_id_field,
    mutation_field,
    optional_id_field,
    query_field,
    resolved,
    window,
)
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from api.payloads import KEY, event_id
from db import follow_ups as stored
from domain import follow_ups
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.follow_ups import FollowUpKind
from domain.ids import IdKind, parse
from workflows.follow_ups import (
    CloseCommand,
    OpenFollowUp,
    UpdateFollowUp,
    close_follow_up,
    open_follow_up,
    update_follow_up,
)

BY_DUE = Ordering("follow-ups by day due", (date, UUID))

CHANGING = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT)


@window(follow_ups.FollowUp, description="Something that a person promised to put right by a day.")
class FollowUp(Node):
    id: strawberry.ID = id_field(IdKind.FOLLOW_UP, description="The follow-up's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    onboarding_id: strawberry.ID = id_field(IdKind.ONBOARDING, "cycle_id", description="The onboarding.")
    kind: FollowUpKind = strawberry.field(description="What it came from.")
    title: str | None = strawberry.field(
        description="What is to be put right; `null` where what it came from says that already."
    )
    waiver_id: strawberry.ID | None = optional_id_field(
        IdKind.WAIVER, "waiver_id", description="The waiver it came from, if it came from one."
    )
    owner_id: strawberry.ID | None = member_id_field("owner_id", description="Who promised.")
    due_on: date = strawberry.field(description="The local day by which it is due.")
    opened_at: datetime = strawberry.field(description="When it was opened.")
    opened_by_id: strawberry.ID | None = member_id_field("opened_by", description="Who opened it.")
    closed_at: datetime | None = strawberry.field(description="When it was closed.")
    closed_by_id: strawberry.ID | None = member_id_field("closed_by", description="Who closed it.")
    note: str | None = strawberry.field(description="What was said on closing it.")
    version: int = strawberry.field(description="Its version; give it as `expectedVersion` on changing or closing it.")


@strawberry.type
class FollowUpPayload(Payload):
    """What the payload of every mutation of follow-ups has."""

    follow_up: FollowUp | None = strawberry.field(description="The follow-up as it is now, where you may read it.")


@strawberry.type(description="What came of `followUpOpen`.")
class FollowUpOpenPayload(FollowUpPayload):
    pass


@strawberry.type(description="What came of `followUpUpdate`.")
class FollowUpUpdatePayload(FollowUpPayload):
    pass


@strawberry.type(description="What came of `followUpClose`.")
class FollowUpClosePayload(FollowUpPayload):
    pass


@strawberry.input(description="Something to be put right by a day.")
class FollowUpOpenInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    title: str = strawberry.field(description="What is to be put right: 1 to 200 characters.")
    owner_id: strawberry.ID = strawberry.field(description="The member who promises it.")
    due_on: date = strawberry.field(description="The local day by which it is due; not in the past.")
    kind: FollowUpKind = strawberry.field(
        default=FollowUpKind.OTHER, description="What it comes from: `OTHER` or `SAVE_CLIENT`."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of an open follow-up; what is left out stays as it is.")
class FollowUpUpdateInput:
    follow_up_id: strawberry.ID = strawberry.field(description="The follow-up.")
    title: strawberry.Maybe[str] = strawberry.field(default=None, description="What is to be put right.")
    owner_id: strawberry.Maybe[strawberry.ID] = strawberry.field(default=None, description="Who promises it now.")
    due_on: strawberry.Maybe[date] = strawberry.field(default=None, description="The day by which it is due now.")
    expected_version: int = strawberry.field(description="The follow-up's `version` on which you decided.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A follow-up to be closed.")
class FollowUpCloseInput:
    follow_up_id: strawberry.ID = strawberry.field(description="The follow-up.")
    note: str | None = strawberry.field(default=None, description="How it was put right.")
    expected_version: int = strawberry.field(description="The follow-up's `version` on which you decided.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


nodes_of(IdKind.FOLLOW_UP, loaders.follow_up, Scope.AUDIT_READ)


@strawberry.type
class OnboardingFollowUps:
    """What is to be put right for one onboarding, as a field of it."""

    @resolved(
        description="What was promised to be put right, oldest first.",
        scope=Scope.AUDIT_READ,
        cost=FieldPrice(list_size=10),
    )
    async def follow_ups(root: Any, info: Info) -> list[FollowUp] | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(loaders.followed).load(root.id)  # type: ignore[return-value]


@strawberry.type
class FollowUpQuery:
    @query_field(scope=Scope.AUDIT_READ, description="Follow-ups, the first due first.")
    async def follow_ups(
        self,
        info: Info,
        open: Annotated[
            bool | None, strawberry.argument(description="Still open (`true`) or closed (`false`); both if left out.")
        ] = None,
        owner_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this member's.")] = None,
        kind: Annotated[FollowUpKind | None, strawberry.argument(description="Only of this kind.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[FollowUp] | None:
        page = page_of(BY_DUE, first=first, after=after, last=last, before=before)
        where: dict[str, object] = {} if open is None else {"open": open}
        if owner_id is not None:
            where["owner"] = parse(IdKind.MEMBER, owner_id)
        if kind is not None:
            where["kind"] = kind.value

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx, where)

        async with info.context.reading() as tx:
            rows = await stored.listed(tx, where, page)
        return connection(page, rows, key=lambda f: (f.due_on, f.id), count=count)


@strawberry.type
class FollowUpsMutation:
    @mutation_field(
        scope=Scope.CHECKLIST_WRITE,
        description="Note what somebody promises to put right by a day.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED),
    )
    async def follow_up_open(self, info: Info, input: FollowUpOpenInput) -> FollowUpOpenPayload:
        command = OpenFollowUp(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            title=input.title,
            owner=parse(IdKind.MEMBER, input.owner_id),
            due_on=input.due_on,
            kind=input.kind,
        )
        outcome = await info.context.perform(open_follow_up, info.context.command(input.idempotency_key), command)
        # A refused one names its onboarding, since there is no follow-up.
        found = await _follow_up(info, outcome) if not outcome.errors else None
        return FollowUpOpenPayload(follow_up=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]

    @mutation_field(
        scope=Scope.CHECKLIST_WRITE,
        description="Give an open follow-up another title, owner or day. Its owner may, and whoever may move the "
        "onboarding.",
        may_fail=CHANGING,
    )
    async def follow_up_update(self, info: Info, input: FollowUpUpdateInput) -> FollowUpUpdatePayload:
        command = UpdateFollowUp(
            follow_up=parse(IdKind.FOLLOW_UP, input.follow_up_id),
            expected_version=input.expected_version,
            title=change(input.title),
            owner=change_as(input.owner_id, lambda given: parse(IdKind.MEMBER, given)),
            due_on=change(input.due_on),
        )
        outcome = await info.context.perform(update_follow_up, info.context.command(input.idempotency_key), command)
        found = await _follow_up(info, outcome)
        return FollowUpUpdatePayload(follow_up=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]

    @mutation_field(
        scope=Scope.CHECKLIST_WRITE,
        description="Close a follow-up with a note. Its owner may, and whoever may move the onboarding.",
        may_fail=CHANGING,
    )
    async def follow_up_close(self, info: Info, input: FollowUpCloseInput) -> FollowUpClosePayload:
        command = CloseCommand(parse(IdKind.FOLLOW_UP, input.follow_up_id), input.expected_version, input.note)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(close_follow_up, request, command)
        found = await _follow_up(info, outcome)
        return FollowUpClosePayload(follow_up=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]


async def _follow_up(info: Info, outcome: Outcome) -> Any:
    readable = outcome.subject is not None and info.context.principal.has(Scope.AUDIT_READ)
    return await info.context.loader(loaders.follow_up).load(outcome.subject) if readable else None
