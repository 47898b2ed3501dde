"""Notes as fields of clients and onboardings, the latest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders
from api.context import Info, OperationContext
from api.fields import id_field, optional_id_field, resolved, window
from api.members import Member
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, Page, connection, page_of
from db import notes as stored
from db.keyset import Listing
from domain import notes
from domain.access import PrincipalKind, Scope
from domain.ids import IdKind, public

BY_WRITTEN = Ordering("notes by when they were written", (datetime, UUID))

Pinned = Annotated[
    bool | None, strawberry.argument(description="Only pinned ones (`true`) or only others; all if left out.")
]


@window(notes.Note, description="What somebody of the provider wrote down about a client or one of its onboardings.")
class Note(Node):
    id: strawberry.ID = id_field(IdKind.NOTE, description="The note's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    onboarding_id: strawberry.ID | None = optional_id_field(
        IdKind.ONBOARDING, "cycle_id", description="The onboarding, where it is on one."
    )
    pinned: bool = strawberry.field(description="Whether it is kept in view.")
    created_at: datetime = strawberry.field(description="When it was written.")
    edited_at: datetime | None = strawberry.field(description="When its text was last changed.")
    deleted_at: datetime | None = strawberry.field(description="When it was deleted; its text is gone since.")
    version: int = strawberry.field(description="Its version; give it as `expectedVersion` with the next change.")

    @resolved(description="What it says; `null` once it was deleted.", scope=Scope.AUDIT_READ)
    def text(root: Any) -> str | None:  # noqa: N805 -- the root is a domain value, not this class
        text: str | None = root.text
        return text

    @resolved(description="The member or token that wrote it.", scope=Scope.MEMBERS_READ)
    def author_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        kind = IdKind.MEMBER if root.author_kind == PrincipalKind.PERSON else IdKind.TOKEN
        return None if root.author_kind == PrincipalKind.SYSTEM else strawberry.ID(public(kind, root.author_id))

    @resolved(description="Who wrote it, if it was a person.", scope=Scope.MEMBERS_READ)
    async def author(root: Any, info: Info) -> Member | None:  # noqa: N805
        if root.author_kind != PrincipalKind.PERSON:
            return None
        return await info.context.loader(client_loaders.member).load(root.author_id)  # type: ignore[return-value]

    @resolved(description="Whether you may edit and delete it.")
    def viewer_may_change(root: Any, info: Info) -> bool:  # noqa: N805
        return root.deleted_at is None and notes.may_change(info.context.principal, root)


async def note(context: OperationContext, keys: Sequence[UUID]) -> list[notes.Note | None]:
    """Load notes by id."""
    async with context.reading() as tx:
        found = await stored.ROWS.many(tx, keys)
    return [found.get(key) for key in keys]


async def notes_of(
    context: OperationContext, keys: Sequence[UUID], listing: Listing, where: tuple[tuple[str, bool], ...], page: Page
) -> list[list[notes.Note]]:
    """Load a stretch of the notes of each client or onboarding."""
    async with context.reading() as tx:
        found = await stored.listed(tx, listing, keys, page, dict(where))
    return [found[key] for key in keys]


nodes_of(IdKind.NOTE, note, Scope.AUDIT_READ)


@strawberry.type
class OnboardingNotes:
    """What was noted on an onboarding, as a field of it."""

    @resolved(description="The notes on it, the latest first.", scope=Scope.AUDIT_READ)
    async def notes(
        root: Any,  # noqa: N805 -- the root is a domain value, not this class
        info: Info,
        pinned: Pinned = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Note] | None:
        page = page_of(BY_WRITTEN, first=first, after=after, last=last, before=before)
        return await _listed(info, root.id, stored.OF_CYCLE, page, pinned=pinned)


@strawberry.type
class ClientNotes:
    """What was noted on a client, as a field of it."""

    @resolved(description="The notes on it and on its onboardings, the latest first.", scope=Scope.AUDIT_READ)
    async def notes(
        root: Any,  # noqa: N805 -- the root is a domain value, not this class
        info: Info,
        pinned: Pinned = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Note] | None:
        page = page_of(BY_WRITTEN, first=first, after=after, last=last, before=before)
        return await _listed(info, root.id, stored.OF_CLIENT, page, pinned=pinned)


async def _listed(info: Info, key: UUID, listing: Listing, page: Page, *, pinned: bool | None) -> Connection[Any]:
    where = () if pinned is None else (("pinned", pinned),)
    rows = await info.context.loader(notes_of, listing, where, page).load(key)

    async def count() -> int:
        return await info.context.loader(client_loaders.counts_of, listing, where).load(key)

    return connection(page, rows, key=lambda row: (row.created_at, row.id), count=count)
