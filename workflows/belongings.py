"""Belongings: how whatever is a client's own is reached, held still while it changes, and told of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import activity, clients, edits, external_refs, sites
from db.clients import Held
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change
from domain.clients import ClientRef, ExternalKey
from domain.edits import ClientEdit
from domain.errors import ErrorCode, Outcome, UserError, erased, not_found
from domain.events import Event, camel
from domain.ids import IdKind
from domain.timeline import TimelineKind
from workflows.checks import Versioned, fit, found
from workflows.commands import publish
from workflows.context import Request, new_id


async def resolved(tx: Transaction, ref: ClientRef) -> UUID | None:
    """Return the id of the client that a command names, or `None` where another system's key leads nowhere."""
    if isinstance(ref, UUID):
        return ref
    pair = (ref.system, ref.key)
    known = (await external_refs.find(tx, IdKind.CLIENT, [pair])).get(pair)
    return known.client_id if known else None


async def held(tx: Transaction, principal: Principal, ref: ClientRef, *path: str, alone: bool = False) -> Held:
    """Return the client that a command is about, its onboardings held still until the transaction ends.

    A command that will be `noted`, as activity of the onboardings, holds them alone. Refuses a client that the caller
    does not see, or sees but may not change.
    """
    client = await resolved(tx, ref)
    fit(_unknown(ref, *path) if client is None else ())
    holding = found(await clients.hold_kept(tx, client, alone=alone) if client else None, "client", *path)
    fit(reach_faults(principal, holding, *path), holding.client.id)
    return holding


def reach_faults(principal: Principal, holding: Held, *path: str) -> list[UserError]:
    """Tell whether the caller may change what belongs to this client; nothing of an erased one is changed."""
    if principal.reaches(Scope.CLIENTS_WRITE, holding.team):
        return [erased("client", *path)] if holding.client.erased else []
    message = (
        "You may change only clients whose team you are on; ask somebody on this one's team, or a service manager."
    )
    return [UserError(ErrorCode.NOT_ALLOWED, message, path)]


async def place_faults(tx: Transaction, client: UUID, site: Change[UUID | None], *path: str) -> list[UserError]:
    """Tell whether something of a client's can be put at a site: one of the same client that is in use."""
    if site is None or site is UNCHANGED or site in await sites.in_use_among(tx, client, [site]):
        return []
    return [not_found("site of this client that is in use", *path)]


def _unknown(ref: ClientRef, *path: str) -> list[UserError]:
    if isinstance(ref, UUID):
        return []
    message = f"{ref.system[:40]!r} has no client {ref.key[:60]!r} that is visible to you; check system and key."
    return [UserError(ErrorCode.NOT_FOUND, message, path)]


def keys_of(ref: ExternalKey) -> tuple[str, str]:
    """Return a key as the pair by which references are found."""
    return ref.system, ref.key


async def told(
    tx: Transaction,
    principal: Principal,
    request: Request,
    event: Event,
    value: Versioned,
    client: UUID,
    now: datetime,
) -> Outcome:
    """Publish what became of something of a client's, and return it as the command's outcome."""
    event_id = await publish(
        tx, principal, request, event, subject=value.id, version=value.version, client=client, now=now
    )
    return Outcome(value.id, value.version, event_id)


@dataclass(frozen=True, slots=True)
class Edited:
    """What of a client's was written or changed: of one of its onboardings alone, where `cycle` names it."""

    kind: TimelineKind
    subject: UUID
    client: UUID
    fields: Iterable[str] = ()
    cycle: UUID | None = None


async def noted(tx: Transaction, principal: Principal, request: Request, edited: Edited, now: datetime) -> None:
    """Keep who edited something of a client's, and that its onboardings, or the one named, are being worked on."""
    await edits.record(tx, [edit_of(principal, request, edited, now)])
    if edited.cycle is not None:
        await activity.touch(tx, now, cycle=edited.cycle)
    else:
        await activity.touch(tx, now, client=edited.client)


def edit_of(principal: Principal, request: Request, edited: Edited, now: datetime) -> ClientEdit:
    """Return an edit as it is kept, which of itself is nobody's work on an onboarding."""
    return ClientEdit(
        id=new_id(),
        client_id=edited.client,
        cycle_id=edited.cycle,
        kind=edited.kind,
        subject_id=edited.subject,
        fields=tuple(camel(name) for name in edited.fields),
        recorded_at=now,
        actor_kind=principal.kind.value,
        actor_id=principal.id,
        request_id=request.id,
    )
