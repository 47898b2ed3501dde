"""Checklists: what is to be done in a stage of one onboarding, by whom and by when, and which gates it proves."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from domain.access import PrincipalKind
from domain.calendars import Calendar
from domain.clients import NAME_LIMIT
from domain.definitions import ChecklistItem, Owner, Rules
from domain.errors import UserError, invalid
from domain.moves import Gate
from domain.onboarding import Cycle
from domain.stages import ORDER, Stage
from domain.texts import REASON_LIMIT, is_line
from domain.written_secrets import secret_faults

LINK_LIMIT = 2_000
"""Characters of a link."""

TITLES_MOST = 8
"""Items that the reason of a gate calls by name."""

ITEMS_MOST = 200
"""Items that one onboarding can have, over all of its stages."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be done for one onboarding.

    It keeps the words of the definition that it was laid out by. An own item was added to this onboarding alone; it
    proves no gate. `done_by` is a member or, by `done_by_kind`, a program's token.
    """

    id: UUID
    client_id: UUID
    cycle_id: UUID
    stage: Stage
    key: str
    title: str
    owner: Owner
    required: bool
    proves: Gate | None
    own: bool
    assignee_id: UUID | None
    due_on: date | None
    added_at: datetime
    done_at: datetime | None
    done_by_kind: PrincipalKind | None
    done_by: UUID | None
    note: str | None
    link: str | None
    removed_at: datetime | None
    version: int

    @property
    def done(self) -> bool:
        """Whether it was done, and not taken up again since."""
        return self.done_at is not None


class ItemStep(StrEnum):
    """What somebody did to an item."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    DONE = "DONE"
    REOPENED = "REOPENED"
    REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class ItemDeed:
    """One step of somebody's, kept for good; `fields` names what was changed and not to what."""

    id: UUID
    client_id: UUID
    cycle_id: UUID
    item_id: UUID
    item_key: str
    step: ItemStep
    fields: tuple[str, ...]
    recorded_at: datetime
    actor_kind: PrincipalKind
    actor_id: UUID
    on_behalf_of: UUID | None
    request_id: str
    event_id: UUID | None


@dataclass(frozen=True, slots=True)
class Task:
    """What gates need of an item."""

    stage: Stage
    title: str
    required: bool
    proves: Gate | None
    own: bool
    done: bool


def planned(rules: Rules, stage: Stage) -> tuple[ChecklistItem, ...]:
    """Return what a definition lays out for whoever enters a stage."""
    return tuple(rules.checklists.get(stage, ()))


def due_of(item: ChecklistItem, entered_on: date, calendar: Calendar) -> date | None:
    """Return the local day by which an item is due; `None` where the definition names no days."""
    return None if item.due_business_days is None else calendar.add_business_days(entered_on, item.due_business_days)


def assignee_of(owner: Owner, cycle: Cycle) -> UUID:
    """Return who of a cycle's team has a role; the lead where nobody has."""
    engineer = cycle.engineer_ids[0] if cycle.engineer_ids else None
    named = {
        Owner.LEAD: cycle.lead_id,
        Owner.ACCOUNT_MANAGER: cycle.account_manager_id,
        Owner.TECHNICAL_LEAD: cycle.technical_lead_id,
        Owner.ENGINEER: engineer,
    }
    return named[owner] or cycle.lead_id


def outstanding(tasks: Iterable[Task], stage: Stage) -> list[Task]:
    """Return the required items of a stage that are not done."""
    return [task for task in tasks if task.stage is stage and task.required and not task.done]


def proofs(tasks: Iterable[Task], gate: Gate) -> list[Task]:
    """Return the items by which a gate is proved: the required ones among them, or any where none is required."""
    found = [task for task in tasks if task.proves is gate]
    return [task for task in found if task.required] or found


def item_faults(title: str, note: str | None, link: str | None) -> Iterator[UserError]:
    """Tell what stands against an item's title, note and link."""
    if not (1 <= len(title) <= NAME_LIMIT and is_line(title)):
        yield invalid(f"A title has 1 to {NAME_LIMIT} printable characters; this one has {len(title)}.", "title")
    yield from secret_faults(title, "title")
    if note is not None:
        if not 1 <= len(note) <= REASON_LIMIT:
            yield invalid(f"A note has 1 to {REASON_LIMIT} characters; this one has {len(note)}.", "note")
        yield from secret_faults(note, "note")
    if link is not None:
        yield from link_faults(link)


def link_faults(link: str) -> Iterator[UserError]:
    """Tell whether a link leads nowhere that a browser goes, or carries a password."""
    try:
        parts = urlsplit(link)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known or len(link) > LINK_LIMIT or not link.isprintable() or " " in link:
        message = f"{link[:60]!r} is no link; give a web address like https://vault.example/entry, or none."
        yield invalid(message, "link")
        return
    yield from secret_faults(link, "link")


def lies_ahead(stage: Stage, standing: Stage) -> bool:
    """Tell whether a stage's items may be added to where an onboarding stands: now, later, or on leaving."""
    return stage is Stage.OFFBOARDED or (standing in ORDER and stage in ORDER[ORDER.index(standing) :])


def named(tasks: Sequence[Task]) -> str:
    """Return what items are called, in one line that may be kept for good.

    Own items are counted and not called by name: their titles were written for this client, and may name people.
    """
    titles = [f"“{task.title}”" for task in tasks if not task.own]
    own = len(tasks) - len(titles)
    shown = titles[:TITLES_MOST]
    if more := len(titles) - len(shown):
        shown.append(f"{more} more")
    if own:
        shown.append("1 own item" if own == 1 else f"{own} own items")
    return ", ".join(shown)
