"""Checklists as the API shows them: an onboarding's items by stage, and everybody's work over all clients."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders, definition_enums, onboarding_enums  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.context import Info, OperationContext
from api.fields import FieldPrice, id_field, member_id_field, query_field, resolved, window
from api.members import Member
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, Page, connection, page_of
from db import checklists as stored
from domain import checklists
from domain.access import PrincipalKind, Scope
from domain.definitions import Owner
from domain.ids import IdKind, parse, public
from domain.moves import Gate
from domain.stages import Stage

if TYPE_CHECKING:
    from api.onboarding import Onboarding

BY_DUE = Ordering("checklist items by day due", (date, UUID))

PER_STAGE = FieldPrice(list_size=10)


async def item(context: OperationContext, keys: Sequence[UUID]) -> list[checklists.Item | None]:
    """Load items by id; removed ones are as if they had never been."""
    async with context.reading() as tx:
        found = await stored.ITEMS.many(tx, keys)
    kept = {key: value for key, value in found.items() if value.removed_at is None}
    return [kept.get(key) for key in keys]


async def of_cycle(context: OperationContext, keys: Sequence[UUID]) -> list[list[checklists.Item]]:
    """Load all items of onboardings, the first due first."""
    async with context.reading() as tx:
        found = await stored.of_cycles(tx, keys)
    return [found.get(key, []) for key in keys]


@window(checklists.Item, description="One thing to be done for one onboarding, in the words of its definition.")
class ChecklistItem(Node):
    id: strawberry.ID = id_field(IdKind.CHECKLIST_ITEM, description="The item's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    onboarding_id: strawberry.ID = id_field(IdKind.ONBOARDING, "cycle_id", description="The onboarding.")
    stage: Stage = strawberry.field(
        description="The stage that it belongs to; `OFFBOARDED` stands for the way from notice to off-boarding."
    )
    key: str = strawberry.field(description="What the definition calls it, the same for every client.")
    title: str = strawberry.field(description="What is to be done.")
    owner: Owner = strawberry.field(name="ownerRole", description="What whoever does it is to the team.")
    required: bool = strawberry.field(description="Whether the stage's checklist is done only when this is.")
    proves: Gate | None = strawberry.field(description="The gate that is met when this is done.")
    own: bool = strawberry.field(description="Whether it was added to this onboarding alone.")
    assignee_id: strawberry.ID | None = member_id_field("assignee_id", description="Who is to do it.")
    due_on: date | None = strawberry.field(description="The local day by which it is due.")
    added_at: datetime = strawberry.field(description="When it was laid out or added.")
    done: bool = strawberry.field(description="Whether it is done.")
    done_at: datetime | None = strawberry.field(description="When it was done.")
    version: int = strawberry.field(description="Its version; `expectedVersion` of a change, where you give one.")

    @resolved(description="Who is to do it.", scope=Scope.MEMBERS_READ)
    async def assignee(root: Any, info: Info) -> Member | None:  # noqa: N805 -- the root is a domain value, not this class
        who = root.assignee_id
        return await info.context.loader(client_loaders.member).load(who) if who else None  # type: ignore[return-value]

    @resolved(description="The member or token that did it.", scope=Scope.MEMBERS_READ)
    def done_by_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        if root.done_by is None or root.done_by_kind is PrincipalKind.SYSTEM:
            return None
        kind = IdKind.MEMBER if root.done_by_kind is PrincipalKind.PERSON else IdKind.TOKEN
        return strawberry.ID(public(kind, root.done_by))

    @resolved(description="What was said of it.", scope=Scope.AUDIT_READ)
    def note(root: Any) -> str | None:  # noqa: N805
        note: str | None = root.note
        return note

    @resolved(description="Where its result lies: a web address.", scope=Scope.AUDIT_READ)
    def link(root: Any) -> str | None:  # noqa: N805
        link: str | None = root.link
        return link

    @resolved(description="The onboarding that it is for.")
    async def onboarding(
        root: Any,  # noqa: N805
        info: Info,
    ) -> Annotated["Onboarding", strawberry.lazy("api.onboarding")] | None:
        return await info.context.loader(loaders.cycle).load(root.cycle_id)  # type: ignore[return-value]


@strawberry.type
class OnboardingChecklist:
    """What is to be done for one onboarding, as a field of it."""

    @resolved(
        description="What is to be done, the first due first. The items of a stage are laid out when it is entered "
        "first, and stay through a roll-back.",
        cost=PER_STAGE,
    )
    async def checklist(
        root: Any,  # noqa: N805 -- the root is a domain value, not this class
        info: Info,
        stage: Annotated[Stage | None, strawberry.argument(description="Of this stage; of all if left out.")] = None,
        done: Annotated[bool | None, strawberry.argument(description="Done or not; both if left out.")] = None,
    ) -> list[ChecklistItem]:
        found = await info.context.loader(of_cycle).load(root.id)
        return [one for one in found if stage in (None, one.stage) and done in (None, one.done)]  # type: ignore[misc]


@strawberry.input(description="Which checklist items; every condition given must hold.")
class ChecklistItemWhere:
    assignee_id: strawberry.ID | None = strawberry.field(default=None, description="Assigned to this member.")
    client_id: strawberry.ID | None = strawberry.field(default=None, description="Of this client.")
    onboarding_id: strawberry.ID | None = strawberry.field(default=None, description="Of this onboarding.")
    stage: Stage | None = strawberry.field(default=None, description="Of this stage's checklist.")
    open: bool | None = strawberry.field(
        default=None,
        description="Still to be done (`true`): not done, of an onboarding that goes on and has come to the stage.",
    )
    required: bool | None = strawberry.field(default=None, description="Required or not.")
    due_before: date | None = strawberry.field(default=None, description="Due before this local day.")

    def conditions(self) -> dict[str, object]:
        """Return what is given as conditions of the listing."""
        given: dict[str, object | None] = {
            "assignee": None if self.assignee_id is None else parse(IdKind.MEMBER, self.assignee_id),
            "client": None if self.client_id is None else parse(IdKind.CLIENT, self.client_id),
            "cycle": None if self.onboarding_id is None else parse(IdKind.ONBOARDING, self.onboarding_id),
            "stage": None if self.stage is None else self.stage.value,
            "open": self.open,
            "required": self.required,
            "due_before": self.due_before,
        }
        return {name: value for name, value in given.items() if value is not None}


nodes_of(IdKind.CHECKLIST_ITEM, item, Scope.CLIENTS_READ)


@strawberry.type
class ChecklistQuery:
    @query_field(scope=Scope.CLIENTS_READ, description="Checklist items of all onboardings, the first due first.")
    async def checklist_items(
        self,
        info: Info,
        where: Annotated[ChecklistItemWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ChecklistItem] | None:
        page = page_of(BY_DUE, first=first, after=after, last=last, before=before)
        return await _listed(info, where.conditions() if where else {}, page)

    @query_field(
        scope=Scope.CLIENTS_READ,
        description="What is assigned to you and still to be done, over all clients, the first due first.",
    )
    async def my_checklist(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[ChecklistItem] | None:
        page = page_of(BY_DUE, first=first, after=after, last=last, before=before)
        # A program is nobody's assignee, so that its list is empty.
        return await _listed(info, {"assignee": info.context.principal.id, "open": True}, page)


async def _listed(info: Info, where: dict[str, object], page: Page) -> Connection[Any]:
    async def count() -> int:
        async with info.context.reading() as tx:
            return await stored.count(tx, where)

    async with info.context.reading() as tx:
        rows = await stored.listed(tx, where, page)
    return connection(page, rows, key=lambda i: (i.due_on or stored.WITHOUT_DAY, i.id), count=count)
