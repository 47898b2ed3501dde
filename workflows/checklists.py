"""Checklists: items done, taken up again, assigned and annotated by the onboarding's team, and own items added."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db import activity, checklists, cycles, members
from db.session import Transaction
from domain.access import Principal, Reach, Scope, scopes_of
from domain.changes import UNCHANGED, Change, differences
from domain.checklists import ITEMS_MOST, Item, ItemDeed, ItemStep, assignee_of, item_faults, lies_ahead
from domain.client_rules import day_faults
from domain.definitions import Owner
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found
from domain.events import OnboardingChanged
from domain.onboarding import Cycle
from domain.stages import Stage
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id


@dataclass(frozen=True, slots=True)
class AddItem:
    """Add an item to one onboarding alone; left out, it is assigned to whoever has the owner's role."""

    cycle: UUID
    stage: Stage
    title: str
    owner: Owner = Owner.LEAD
    due_on: date | None = None
    required: bool = False
    assignee: UUID | None = None
    note: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateItem:
    """Assign an item anew, or change its day, note or link; a field that is left out stays as it is."""

    item: UUID
    expected_version: int | None = None
    assignee: Change[UUID | None] = UNCHANGED
    due_on: Change[date | None] = UNCHANGED
    note: Change[str | None] = UNCHANGED
    link: Change[str | None] = UNCHANGED


@dataclass(frozen=True, slots=True)
class CompleteItem:
    """Say that an item is done; note and link stay as they are where they are left out."""

    item: UUID
    expected_version: int | None = None
    note: Change[str | None] = UNCHANGED
    link: Change[str | None] = UNCHANGED


@dataclass(frozen=True, slots=True)
class ItemCommand:
    """Take a done item up again, or remove an own one that is not done."""

    item: UUID
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    """Who does something to an item, how, and when."""

    principal: Principal
    request: Request
    now: datetime

    async def tell(
        self, tx: Transaction, cycle: Cycle, item: Item, step: ItemStep, fields: tuple[str, ...] = ()
    ) -> Outcome:
        """Publish what became of an item, keep who did it, and count it as activity."""
        event = await publish(
            tx,
            self.principal,
            self.request,
            OnboardingChanged(change="CHECKLIST"),
            subject=cycle.id,
            version=cycle.version,
            client=cycle.client_id,
            now=self.now,
        )
        deed = ItemDeed(
            id=new_id(),
            client_id=item.client_id,
            cycle_id=item.cycle_id,
            item_id=item.id,
            item_key=item.key,
            step=step,
            fields=fields,
            recorded_at=self.now,
            actor_kind=self.principal.kind,
            actor_id=self.principal.id,
            on_behalf_of=self.request.on_behalf_of or self.principal.acts_for(cycle.team),
            request_id=self.request.id,
            event_id=event,
        )
        await checklists.record(tx, deed)
        await activity.touch(tx, self.now, cycle=cycle.id)
        return Outcome(item.id, item.version, event)


async def add(context: Context, principal: Principal, request: Request, command: AddItem) -> Outcome:
    """Add an own item to the checklist of a stage that an onboarding is in or will come to.

    Raises:
        ForbiddenError: the caller may not work on checklists.
    """
    principal.require(Scope.CHECKLIST_WRITE)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        now = context.clock()
        cycle = found(await cycles.lock(tx, command.cycle), "onboarding", "onboardingId")
        fit(_unworkable(principal, cycle), cycle.id)
        key = new_id()
        item = Item(
            id=key,
            client_id=cycle.client_id,
            cycle_id=cycle.id,
            stage=command.stage,
            key=f"own-{key.hex}",
            title=command.title.strip(),
            owner=command.owner,
            required=command.required,
            proves=None,
            own=True,
            assignee_id=command.assignee or assignee_of(command.owner, cycle),
            due_on=command.due_on,
            added_at=now,
            done_at=None,
            done_by_kind=None,
            done_by=None,
            note=_text(command.note),
            link=_text(command.link),
            removed_at=None,
            version=1,
        )
        faults = [*_stage_faults(command.stage, cycle), *item_faults(item.title, item.note, item.link)]
        faults += day_faults(item.due_on, "dueOn")
        faults += await _assignee_faults(tx, command.assignee, cycle) if command.assignee else []
        fit(faults, cycle.id)
        if await checklists.count_of(tx, cycle.id) >= ITEMS_MOST:
            fit([invalid(f"An onboarding has {ITEMS_MOST} items at most; work through those first.")], cycle.id)
        await checklists.add(tx, item)
        return await _Work(principal, request, now).tell(tx, cycle, item, ItemStep.ADDED)

    return await perform(context, principal, request, "checklistItemAdd", command, act)


async def update(context: Context, principal: Principal, request: Request, command: UpdateItem) -> Outcome:
    """Assign an item anew, or change its day, note or link.

    Raises:
        ForbiddenError: the caller may not work on checklists.
    """

    async def act(tx: Transaction, cycle: Cycle, item: Item, work: _Work) -> Outcome:
        wanted = {
            "assignee_id": command.assignee,
            "due_on": command.due_on,
            "note": _text(command.note),
            "link": _text(command.link),
        }
        changes = differences(item, wanted)
        if not changes:
            return Outcome(item.id, item.version)
        changed = replace(item, **changes, version=item.version + 1)
        faults = [*item_faults(changed.title, changed.note, changed.link), *day_faults(changed.due_on, "dueOn")]
        if changes.get("assignee_id"):
            faults += await _assignee_faults(tx, changes["assignee_id"], cycle)
        fit(faults, item.id)
        await checklists.save(tx, changed)
        fields = tuple(sorted(name.removesuffix("_id").upper() for name in changes))
        return await work.tell(tx, cycle, changed, ItemStep.CHANGED, fields)

    return await _worked(context, principal, request, "checklistItemUpdate", command, act)


async def complete(context: Context, principal: Principal, request: Request, command: CompleteItem) -> Outcome:
    """Say that an item is done; from now on it proves its gate, if it proves one.

    Raises:
        ForbiddenError: the caller may not work on checklists.
    """

    async def act(tx: Transaction, cycle: Cycle, item: Item, work: _Work) -> Outcome:
        if item.done:
            fit([UserError(ErrorCode.CONFLICT, "This item is done already.")], item.id)
        changes = differences(item, {"note": _text(command.note), "link": _text(command.link)})
        done = replace(
            item,
            **changes,
            done_at=work.now,
            done_by_kind=principal.kind,
            done_by=principal.id,
            version=item.version + 1,
        )
        fit(item_faults(done.title, done.note, done.link), item.id)
        await checklists.save(tx, done)
        return await work.tell(tx, cycle, done, ItemStep.DONE, tuple(sorted(name.upper() for name in changes)))

    return await _worked(context, principal, request, "checklistItemComplete", command, act)


async def reopen(context: Context, principal: Principal, request: Request, command: ItemCommand) -> Outcome:
    """Take a done item up again; it proves nothing until it is done anew.

    Raises:
        ForbiddenError: the caller may not work on checklists.
    """

    async def act(tx: Transaction, cycle: Cycle, item: Item, work: _Work) -> Outcome:
        if not item.done:
            fit([UserError(ErrorCode.CONFLICT, "This item is not done; there is nothing to take up again.")], item.id)
        undone = replace(item, done_at=None, done_by_kind=None, done_by=None, version=item.version + 1)
        await checklists.save(tx, undone)
        return await work.tell(tx, cycle, undone, ItemStep.REOPENED)

    return await _worked(context, principal, request, "checklistItemReopen", command, act)


async def remove(context: Context, principal: Principal, request: Request, command: ItemCommand) -> Outcome:
    """Remove an own item that is not done; those of the definition stay, and what was done stays.

    Raises:
        ForbiddenError: the caller may not work on checklists.
    """

    async def act(tx: Transaction, cycle: Cycle, item: Item, work: _Work) -> Outcome:
        if not item.own:
            message = "This item is the definition's and stays; leave it undone, or have its gate waived."
            fit([UserError(ErrorCode.CONFLICT, message)], item.id)
        if item.done:
            fit([UserError(ErrorCode.CONFLICT, "This item is done and stays; take it up again first.")], item.id)
        removed = replace(item, removed_at=work.now, version=item.version + 1)
        await checklists.save(tx, removed)
        return await work.tell(tx, cycle, removed, ItemStep.REMOVED)

    return await _worked(context, principal, request, "checklistItemRemove", command, act)


async def _worked(
    context: Context,
    principal: Principal,
    request: Request,
    mutation: str,
    command: UpdateItem | CompleteItem | ItemCommand,
    act: Callable[[Transaction, Cycle, Item, _Work], Awaitable[Outcome]],
) -> Outcome:
    """Run something that is done to an item with its onboarding's row locked: what is done there is evidence."""
    principal.require(Scope.CHECKLIST_WRITE)

    @refusable
    async def locked(tx: Transaction) -> Outcome:
        seen = found(await checklists.ITEMS.get(tx, command.item), "checklist item", "itemId")
        cycle = found(await cycles.lock(tx, seen.cycle_id), "checklist item", "itemId")
        item = await checklists.ITEMS.get(tx, command.item)
        item = found(item if item and item.removed_at is None else None, "checklist item", "itemId")
        fit(_unworkable(principal, cycle), item.id)
        fresh(item, command.expected_version)
        return await act(tx, cycle, item, _Work(principal, request, context.clock()))

    return await perform(context, principal, request, mutation, command, locked)


def _unworkable(principal: Principal, cycle: Cycle) -> list[UserError]:
    if not principal.reaches(Scope.CHECKLIST_WRITE, cycle.team):
        message = "You may work only on checklists of onboardings on whose team you are; ask its lead."
        return [UserError(ErrorCode.NOT_ALLOWED, message)]
    if cycle.ended:
        message = f"This onboarding ended as {cycle.stage}; its checklists do not change any more."
        return [UserError(ErrorCode.MOVE_NOT_POSSIBLE, message)]
    return []


def _stage_faults(stage: Stage, cycle: Cycle) -> list[UserError]:
    if lies_ahead(stage, cycle.stage):
        return []
    message = f"The onboarding is in {cycle.stage}: add to that stage, a later one, or OFFBOARDED for leaving."
    return [invalid(message, "stage")]


async def _assignee_faults(tx: Transaction, assignee: UUID, cycle: Cycle) -> list[UserError]:
    """Tell whether somebody could not do what they are assigned."""
    member = await members.get(tx, assignee)
    if member is None or not member.active:
        return [not_found("active member", "assigneeId")]
    reach = scopes_of(member.roles).get(Scope.CHECKLIST_WRITE)
    if reach is Reach.ALL or (reach is Reach.OWN and assignee in cycle.team):
        return []
    message = (
        "This member could not do it: assign somebody on the onboarding's team with the right CHECKLIST_WRITE, "
        "or add them to the team first."
    )
    return [invalid(message, "assigneeId")]


def _text(value: Any) -> Any:
    """Return a text without stray spaces, nothing where nothing is left; what is left out stays so."""
    return value.strip() or None if isinstance(value, str) else value
