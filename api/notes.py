"""Mutations of notes."""

from typing import TypeVar

import strawberry

from api.changing import EXPECTED, Payload, change
from api.clients import ClientRef
from api.context import Info
from api.fields import mutation_field
from api.note_fields import Note, note
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from workflows import notes
from workflows.notes import AddNote, DeleteNote, EditNote

P = TypeVar("P", bound="NotePayload")

CHANGING = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT)


@strawberry.type
class NotePayload(Payload):
    """What the payload of every mutation of notes has."""

    note: Note | None = strawberry.field(description="The note as it is now, where you may read it.")


@strawberry.type(description="What came of `noteAdd`.")
class NoteAddPayload(NotePayload):
    pass


@strawberry.type(description="What came of `noteEdit`.")
class NoteEditPayload(NotePayload):
    pass


@strawberry.type(description="What came of `noteDelete`.")
class NoteDeletePayload(NotePayload):
    pass


@strawberry.input(description="A note to be written, on a client or on one of its onboardings: name one of the two.")
class NoteAddInput:
    client: ClientRef | None = strawberry.field(default=None, description="The client.")
    onboarding_id: strawberry.ID | None = strawberry.field(default=None, description="The onboarding.")
    text: str = strawberry.field(description="What it says: 1 to 10,000 characters. Never a password or a key.")
    pinned: bool = strawberry.field(default=False, description="Whether it is kept in view.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A note to be edited; a field that is left out stays as it is.")
class NoteEditInput:
    note_id: strawberry.ID = strawberry.field(description="The note.")
    text: strawberry.Maybe[str] = strawberry.field(default=None, description="What it says from now on.")
    pinned: strawberry.Maybe[bool] = strawberry.field(default=None, description="Whether it is kept in view.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A note to be deleted.")
class NoteDeleteInput:
    note_id: strawberry.ID = strawberry.field(description="The note.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type
class NotesMutation:
    @mutation_field(
        scope=Scope.NOTES_WRITE,
        description="Write a note on a client or on an onboarding. The provider's people read it, partners do not.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED),
    )
    async def note_add(self, info: Info, input: NoteAddInput) -> NoteAddPayload:
        command = AddNote(
            text=input.text,
            client=input.client.value() if input.client else None,
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id) if input.onboarding_id is not None else None,
            pinned=input.pinned,
        )
        outcome = await info.context.perform(notes.add, info.context.command(input.idempotency_key), command)
        # A refused addition names its client, since there is no note.
        return await _note(info, NoteAddPayload, outcome, known=not outcome.errors)

    @mutation_field(
        scope=Scope.NOTES_WRITE,
        description="Change what a note says, or whether it is pinned. Its author may, and so may a service manager.",
        may_fail=CHANGING,
    )
    async def note_edit(self, info: Info, input: NoteEditInput) -> NoteEditPayload:
        command = EditNote(
            note=parse(IdKind.NOTE, input.note_id),
            text=change(input.text),
            pinned=change(input.pinned),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(notes.edit, info.context.command(input.idempotency_key), command)
        return await _note(info, NoteEditPayload, outcome)

    @mutation_field(
        scope=Scope.NOTES_WRITE,
        description="Empty a note for good; that there was one stays. Its author may, and so may a service manager.",
        may_fail=CHANGING,
    )
    async def note_delete(self, info: Info, input: NoteDeleteInput) -> NoteDeletePayload:
        command = DeleteNote(parse(IdKind.NOTE, input.note_id), input.expected_version)
        outcome = await info.context.perform(notes.delete, info.context.command(input.idempotency_key), command)
        return await _note(info, NoteDeletePayload, outcome)


async def _note(info: Info, payload: type[P], outcome: Outcome, *, known: bool = True) -> P:
    readable = known and info.context.principal.has(Scope.AUDIT_READ)
    found = await info.context.loader(note).load(outcome.subject) if readable and outcome.subject else None
    return payload(note=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]
