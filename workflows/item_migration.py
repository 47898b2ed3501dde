"""Item migration: what becomes of an onboarding's checklists under another version, written and told."""

from collections.abc import Sequence
from dataclasses import fields
from uuid import UUID

from db import checklists, migrating
from db.session import Transaction
from domain.checklists import Item, ItemDeed, ItemStep, assignee_of
from domain.consequences import Consequence, ConsequenceKind
from domain.ids import IdKind, public
from domain.migrations import Carrying, retire
from workflows.audit import Attempt
from workflows.context import new_id

_UNTOLD = {"version", "removed_at"}


async def carry_over(tx: Transaction, attempt: Attempt, carrying: Carrying, event: UUID) -> list[Consequence]:
    """Write what becomes of the items, keep it for good item by item, and tell of each."""
    added = _laid_out(attempt, carrying)
    retired = [retire(item, attempt.now) for item in carrying.retired]
    moved = [after for _, after in (*carrying.changed, *carrying.revived)]
    await migrating.carry(tx, attempt.cycle.id, [*retired, *moved])
    for stage in dict.fromkeys(item.stage for item in added):
        await checklists.lay_out(tx, [item for item in added if item.stage is stage])
    deeds = [
        *(
            _deed(attempt, after, ItemStep.CHANGED, event, _changed(before, after))
            for before, after in carrying.changed
        ),
        *(_deed(attempt, after, ItemStep.ADDED, event) for _, after in carrying.revived),
        *(_deed(attempt, item, ItemStep.ADDED, event) for item in added),
        *(_deed(attempt, item, ItemStep.REMOVED, event) for item in carrying.retired),
    ]
    await migrating.record(tx, deeds)
    return [
        *(told for before, after in carrying.changed for told in _of_change(before, after)),
        *(_of_item(after, None, _state(after)) for _, after in carrying.revived),
        *(_of_item(item, None, _state(item)) for item in added),
        *(_of_item(item, _state(item), None) for item in carrying.retired),
    ]


def _laid_out(attempt: Attempt, carrying: Carrying) -> list[Item]:
    cycle = attempt.cycle
    return [
        Item(
            id=new_id(),
            client_id=cycle.client_id,
            cycle_id=cycle.id,
            stage=stage,
            key=words.key,
            title=words.title,
            owner=words.owner,
            required=words.required,
            proves=words.proves,
            own=False,
            assignee_id=assignee_of(words.owner, cycle),
            due_on=due,
            added_at=attempt.now,
            done_at=None,
            done_by_kind=None,
            done_by=None,
            note=None,
            link=None,
            removed_at=None,
            version=1,
        )
        for stage, words, due in carrying.added
    ]


def _changed(before: Item, after: Item) -> Sequence[str]:
    names = (field.name for field in fields(Item) if field.name not in _UNTOLD)
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def _deed(attempt: Attempt, item: Item, step: ItemStep, event: UUID, names: Sequence[str] = ()) -> ItemDeed:
    return ItemDeed(
        id=new_id(),
        client_id=item.client_id,
        cycle_id=item.cycle_id,
        item_id=item.id,
        item_key=item.key,
        step=step,
        fields=tuple(sorted(name.removesuffix("_id").upper() for name in names)),
        recorded_at=attempt.now,
        actor_kind=attempt.principal.kind,
        actor_id=attempt.principal.id,
        on_behalf_of=attempt.request.on_behalf_of,
        request_id=attempt.request.id,
        event_id=event,
    )


def _of_change(before: Item, after: Item) -> list[Consequence]:
    """Tell of each field that becomes another; who is assigned is told by nothing but that it changes."""
    return [
        Consequence(
            ConsequenceKind.CHECKLIST_ITEM,
            f"{before.key}.{name}",
            _plain(getattr(before, name)),
            _plain(getattr(after, name)),
            subject=public(IdKind.CHECKLIST_ITEM, before.id),
        )
        for name in _changed(before, after)
        if name != "assignee_id"
    ]


def _of_item(item: Item, before: str | None, after: str | None) -> Consequence:
    subject = public(IdKind.CHECKLIST_ITEM, item.id)
    return Consequence(ConsequenceKind.CHECKLIST_ITEM, item.key, before, after, subject=subject)


def _state(item: Item) -> str:
    return "DONE" if item.done else "OPEN"


def _plain(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
