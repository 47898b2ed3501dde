"""Notes: written by whoever works for a client, edited by their author, deleted down to the fact that there was one."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import clients, cycles, notes
from db.clients import Held
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.clients import ClientRef
from domain.errors import ErrorCode, Outcome, UserError, invalid
from domain.events import ClientChanged, Event, OnboardingChanged
from domain.notes import Note, may_change, text_faults
from domain.onboarding import Cycle
from domain.timeline import TimelineKind
from workflows.belongings import Edited, noted, resolved
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id


@dataclass(frozen=True, slots=True)
class AddNote:
    """Write a note on a client, or on one of its onboardings: one of the two is named."""

    text: str
    client: ClientRef | None = None
    cycle: UUID | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class EditNote:
    note: UUID
    text: Change[str] = UNCHANGED
    pinned: Change[bool] = UNCHANGED
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteNote:
    note: UUID
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """What a note is on, held still: the client with its team, and the onboarding where it is of one."""

    holding: Held
    cycle: Cycle | None

    @property
    def team(self) -> frozenset[UUID | None]:
        return self.holding.team | frozenset(self.cycle.team if self.cycle else ())


async def add(context: Context, principal: Principal, request: Request, command: AddNote) -> Outcome:
    """Write a note.

    Raises:
        ForbiddenError: the caller may not write notes.
    """
    principal.require(Scope.NOTES_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        place = await _named(tx, command)
        fit(_unreached(principal, place, "onboardingId" if command.cycle else "client"))
        fit(text_faults(command.text))
        note = Note(
            id=new_id(),
            client_id=place.holding.client.id,
            cycle_id=command.cycle,
            text=command.text.strip(),
            pinned=command.pinned,
            author_kind=principal.kind.value,
            author_id=principal.id,
            created_at=now,
            edited_at=None,
            deleted_at=None,
            version=1,
        )
        await notes.ROWS.add(tx, note)
        return await _told(tx, principal, request, TimelineKind.NOTE_ADDED, note, place, now)

    return await perform(context, principal, request, "noteAdd", command, act)


async def edit(context: Context, principal: Principal, request: Request, command: EditNote) -> Outcome:
    """Change a note's text, or whether it is pinned; its author may, and so may a service manager.

    Raises:
        ForbiddenError: the caller may not write notes.
    """
    principal.require(Scope.NOTES_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        note, place = await _held(tx, principal, command.note, command.expected_version)
        text = command.text if command.text is UNCHANGED else command.text.strip()
        changes = differences(note, {"text": text, "pinned": command.pinned})
        if "text" in changes:
            fit(text_faults(changes["text"]), note.id)
        if not changes:
            return Outcome(note.id, note.version)
        edited = replace(note, **changes, edited_at=now if "text" in changes else note.edited_at)
        return await _saved(tx, principal, request, TimelineKind.NOTE_EDITED, edited, place, now, tuple(changes))

    return await perform(context, principal, request, "noteEdit", command, act)


async def delete(context: Context, principal: Principal, request: Request, command: DeleteNote) -> Outcome:
    """Empty a note for good and keep that there was one; its author may, and so may a service manager.

    Raises:
        ForbiddenError: the caller may not write notes.
    """
    principal.require(Scope.NOTES_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        note, place = await _held(tx, principal, command.note, command.expected_version)
        emptied = replace(note, text=None, pinned=False, deleted_at=now)
        return await _saved(tx, principal, request, TimelineKind.NOTE_DELETED, emptied, place, now)

    return await perform(context, principal, request, "noteDelete", command, act)


async def _named(tx: Transaction, command: AddNote) -> _Place:
    if (command.client is None) == (command.cycle is None):
        fit([invalid("Name either the client or the onboarding that the note is on, not both.", "client")])
    if command.cycle is None and command.client is not None:
        client = await resolved(tx, command.client)
        held = await clients.hold_kept(tx, client, alone=True) if client else None
        return _Place(found(held, "client", "client"), None)
    return await _of_cycle(tx, command.cycle, "onboarding", "onboardingId")


async def _of_cycle(tx: Transaction, cycle: UUID | None, *named: str) -> _Place:
    seen = found((await cycles.by_ids(tx, [cycle])).get(cycle) if cycle else None, *named)
    return _Place(found(await clients.hold(tx, seen.client_id, alone=True), *named), seen)


async def _held(tx: Transaction, principal: Principal, wanted: UUID, expected: int | None) -> tuple[Note, _Place]:
    """Return a note that the caller may change, with the onboardings it is about locked before it."""
    named = ("note", "noteId")
    seen = found(await notes.ROWS.get(tx, wanted), *named)
    if seen.cycle_id:
        place = await _of_cycle(tx, seen.cycle_id, *named)
    else:
        place = _Place(found(await clients.hold(tx, seen.client_id, alone=True), *named), None)
    note = found(await notes.ROWS.lock(tx, wanted), *named)
    fit(_unreached(principal, place, "noteId"), note.id)
    fit(_unchangeable(principal, note), note.id)
    fresh(note, expected)
    return note, place


def _unreached(principal: Principal, place: _Place, *path: str) -> list[UserError]:
    if principal.reaches(Scope.NOTES_WRITE, place.team):
        return []
    message = "You may write notes only on clients whose team you are on; ask somebody of this one's team."
    return [UserError(ErrorCode.NOT_ALLOWED, message, path)]


def _unchangeable(principal: Principal, note: Note) -> list[UserError]:
    if not may_change(principal, note):
        message = "A note is edited and deleted by whoever wrote it, or by a service manager; write one of your own."
        return [UserError(ErrorCode.NOT_ALLOWED, message, ("noteId",))]
    if note.deleted_at is not None:
        message = f"This note was deleted on {note.deleted_at:%Y-%m-%d}; write a new one."
        return [UserError(ErrorCode.CONFLICT, message, ("noteId",))]
    return []


async def _saved(
    tx: Transaction,
    principal: Principal,
    request: Request,
    kind: TimelineKind,
    note: Note,
    place: _Place,
    now: datetime,
    fields: tuple[str, ...] = (),
) -> Outcome:
    changed = replace(note, version=note.version + 1)
    await notes.ROWS.save(tx, changed.id, changed)
    return await _told(tx, principal, request, kind, changed, place, now, fields)


async def _told(
    tx: Transaction,
    principal: Principal,
    request: Request,
    kind: TimelineKind,
    note: Note,
    place: _Place,
    now: datetime,
    fields: tuple[str, ...] = (),
) -> Outcome:
    await noted(tx, principal, request, Edited(kind, note.id, note.client_id, fields, note.cycle_id), now)
    event: Event = OnboardingChanged(change="NOTE") if place.cycle else ClientChanged(created=False, fields=("notes",))
    about = place.cycle or place.holding.client
    told = await publish(
        tx, principal, request, event, subject=about.id, version=about.version, client=note.client_id, now=now
    )
    return Outcome(note.id, note.version, told)
