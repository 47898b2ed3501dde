"""Mutations of checklists: items done, taken up again, assigned and annotated, own ones added and removed."""

from datetime import date
from typing import TypeVar

import strawberry

from api import checklists as loaders
from api.changing import EXPECTED, Payload, change, change_as, id_of
from api.checklists import ChecklistItem
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.definitions import Owner
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.stages import Stage
from workflows import checklists
from workflows.checklists import AddItem, CompleteItem, ItemCommand, UpdateItem

P = TypeVar("P", bound="ChecklistPayload")

ITEM = "The item."
NOTE = "What is to be said of it. Say where a secret lies, never the secret."
LINK = "Where its result lies: a web address."

ADDING = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.MOVE_NOT_POSSIBLE)
CHANGING = (*ADDING, ErrorCode.STALE_VERSION)
SETTLING = (*CHANGING, ErrorCode.CONFLICT)


@strawberry.type
class ChecklistPayload(Payload):
    """What the payload of every mutation of checklists has."""

    item: ChecklistItem | None = strawberry.field(description="The item as it is now, where you may read it.")


@strawberry.type(description="What came of `checklistItemAdd`.")
class ChecklistItemAddPayload(ChecklistPayload):
    pass


@strawberry.type(description="What came of `checklistItemUpdate`.")
class ChecklistItemUpdatePayload(ChecklistPayload):
    pass


@strawberry.type(description="What came of `checklistItemComplete`.")
class ChecklistItemCompletePayload(ChecklistPayload):
    pass


@strawberry.type(description="What came of `checklistItemReopen`.")
class ChecklistItemReopenPayload(ChecklistPayload):
    pass


@strawberry.type(description="What came of `checklistItemRemove`; a removed item is not shown any more.")
class ChecklistItemRemovePayload(ChecklistPayload):
    pass


@strawberry.input(description="Something to be done for one onboarding alone.")
class ChecklistItemAddInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    stage: Stage = strawberry.field(
        description="The stage whose checklist it joins: the present one, a later one, or `OFFBOARDED`."
    )
    title: str = strawberry.field(description="What is to be done: 1 to 200 characters.")
    owner: Owner = strawberry.field(
        name="ownerRole", default=Owner.LEAD, description="What whoever does it is to the team."
    )
    assignee_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who is to do it; left out, whoever has the role of `ownerRole`, or the lead."
    )
    due_on: date | None = strawberry.field(default=None, description="The local day by which it is due.")
    required: bool = strawberry.field(
        default=False, description="Whether the stage's checklist is done only when this is."
    )
    note: str | None = strawberry.field(default=None, description=NOTE)
    link: str | None = strawberry.field(default=None, description=LINK)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of an item; what is left out stays as it is.")
class ChecklistItemUpdateInput:
    checklist_item_id: strawberry.ID = strawberry.field(description=ITEM)
    assignee_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="Who is to do it: somebody on the team, or who may work on every checklist."
    )
    due_on: strawberry.Maybe[date | None] = strawberry.field(default=None, description="The day by which it is due.")
    note: strawberry.Maybe[str | None] = strawberry.field(default=None, description=NOTE)
    link: strawberry.Maybe[str | None] = strawberry.field(default=None, description=LINK)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="An item that is done.")
class ChecklistItemCompleteInput:
    checklist_item_id: strawberry.ID = strawberry.field(description=ITEM)
    note: strawberry.Maybe[str | None] = strawberry.field(default=None, description=NOTE)
    link: strawberry.Maybe[str | None] = strawberry.field(default=None, description=LINK)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="An item to be taken up again.")
class ChecklistItemReopenInput:
    checklist_item_id: strawberry.ID = strawberry.field(description=ITEM)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="An own item that is not to be done after all.")
class ChecklistItemRemoveInput:
    checklist_item_id: strawberry.ID = strawberry.field(description=ITEM)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type
class ChecklistsMutation:
    @mutation_field(scope=Scope.CHECKLIST_WRITE, description="Add an item to one onboarding alone.", may_fail=ADDING)
    async def checklist_item_add(self, info: Info, input: ChecklistItemAddInput) -> ChecklistItemAddPayload:
        command = AddItem(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            stage=input.stage,
            title=input.title,
            owner=input.owner,
            due_on=input.due_on,
            required=input.required,
            assignee=id_of(IdKind.MEMBER, input.assignee_id),
            note=input.note,
            link=input.link,
        )
        outcome = await info.context.perform(checklists.add, info.context.command(input.idempotency_key), command)
        # A refused one names its onboarding, since there is no item.
        return await _payload(info, ChecklistItemAddPayload, outcome, known=not outcome.errors)

    @mutation_field(
        scope=Scope.CHECKLIST_WRITE,
        description="Assign an item anew, or change its day, note or link.",
        may_fail=CHANGING,
    )
    async def checklist_item_update(self, info: Info, input: ChecklistItemUpdateInput) -> ChecklistItemUpdatePayload:
        command = UpdateItem(
            item=parse(IdKind.CHECKLIST_ITEM, input.checklist_item_id),
            expected_version=input.expected_version,
            assignee=change_as(input.assignee_id, lambda given: id_of(IdKind.MEMBER, given)),
            due_on=change(input.due_on),
            note=change(input.note),
            link=change(input.link),
        )
        outcome = await info.context.perform(checklists.update, info.context.command(input.idempotency_key), command)
        return await _payload(info, ChecklistItemUpdatePayload, outcome)

    @mutation_field(
        scope=Scope.CHECKLIST_WRITE,
        description="Say that an item is done; it proves its gate from now on, where it proves one.",
        may_fail=SETTLING,
    )
    async def checklist_item_complete(
        self, info: Info, input: ChecklistItemCompleteInput
    ) -> ChecklistItemCompletePayload:
        command = CompleteItem(
            item=parse(IdKind.CHECKLIST_ITEM, input.checklist_item_id),
            expected_version=input.expected_version,
            note=change(input.note),
            link=change(input.link),
        )
        outcome = await info.context.perform(checklists.complete, info.context.command(input.idempotency_key), command)
        return await _payload(info, ChecklistItemCompletePayload, outcome)

    @mutation_field(
        scope=Scope.CHECKLIST_WRITE,
        description="Take a done item up again; it proves nothing until it is done anew.",
        may_fail=SETTLING,
    )
    async def checklist_item_reopen(self, info: Info, input: ChecklistItemReopenInput) -> ChecklistItemReopenPayload:
        command = ItemCommand(parse(IdKind.CHECKLIST_ITEM, input.checklist_item_id), input.expected_version)
        outcome = await info.context.perform(checklists.reopen, info.context.command(input.idempotency_key), command)
        return await _payload(info, ChecklistItemReopenPayload, outcome)

    @mutation_field(
        scope=Scope.CHECKLIST_WRITE,
        description="Remove an own item that is not done; those of the definition stay.",
        may_fail=SETTLING,
    )
    async def checklist_item_remove(self, info: Info, input: ChecklistItemRemoveInput) -> ChecklistItemRemovePayload:
        command = ItemCommand(parse(IdKind.CHECKLIST_ITEM, input.checklist_item_id), input.expected_version)
        outcome = await info.context.perform(checklists.remove, info.context.command(input.idempotency_key), command)
        return await _payload(info, ChecklistItemRemovePayload, outcome)


async def _payload(info: Info, payload: type[P], outcome: Outcome, *, known: bool = True) -> P:
    readable = known and outcome.subject is not None and info.context.principal.has(Scope.CLIENTS_READ)
    found = await info.context.loader(loaders.item).load(outcome.subject) if readable else None
    return payload(item=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]
