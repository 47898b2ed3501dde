"""Merging: a client that was entered twice becomes one; the id of the one that goes leads to the one that stays."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from db import clients, merging, restamping
from db.merging import Moved, Pair
from db.session import Transaction
from domain.access import Principal, Reach, Scope
from domain.client_rules import EXTERNAL_MOST
from domain.clients import Client
from domain.consequences import Consequence, ConsequenceKind, told, untold
from domain.errors import ErrorCode, Outcome, UserError, erased, invalid, stale
from domain.events import ClientMerged, camel
from domain.ids import IdKind, public
from domain.merging import taken_over
from domain.moves import MOVES, Move
from domain.onboarding import Cycle, EndReason
from domain.stages import Stage
from domain.texts import REASON_LIMIT
from domain.timeline import TimelineKind
from workflows.belongings import Edited, noted
from workflows.checks import fit, found, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request
from workflows.onboarding import MoveCommand, move_within
from workflows.restating import AT_ONCE, place

EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC))
"""All the time in which a ticket can have been logged."""

FREED_TOLD = 100
"""Keys of devices and sites set free that are told one by one; of more only how many there are."""

_COUNTED = {
    "contact": (ConsequenceKind.CONTACT, None),
    "device": (ConsequenceKind.DEVICE, None),
    "service": (ConsequenceKind.SERVICE, None),
    "site": (ConsequenceKind.SITE, None),
    "discovery_run": (ConsequenceKind.DEVICE, "discovery runs"),
    "note": (ConsequenceKind.NOTE, None),
    "calendar": (ConsequenceKind.CALENDAR, "versions"),
}


@dataclass(frozen=True, slots=True)
class MergeClients:
    """Merge the duplicate into the client that is kept; each version is the one on which this was decided."""

    client_id: UUID
    duplicate_id: UUID
    reason: str
    expected_version: int
    duplicate_expected_version: int
    dry_run: bool = False


async def merge(context: Context, principal: Principal, request: Request, command: MergeClients) -> Outcome:
    """Merge two clients: what is the duplicate's goes over, its open onboarding is discarded, its tickets restated.

    Ended onboardings of the duplicate stay its history, with the contracts that they name.

    Raises:
        ForbiddenError: the caller may not write clients.
    """
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_command_faults(principal, command))
        pair = await merging.lock(tx, command.client_id, command.duplicate_id)
        kept, duplicate = found(pair.kept, "client", "clientId"), found(pair.duplicate, "client", "duplicateId")
        fit(_pair_faults(kept, duplicate, command), kept.id)
        fit(_cycle_faults(principal, pair), kept.id)
        fit(await _key_faults(tx, kept, duplicate), kept.id)
        changes = await _discarded(context, principal, request, tx, pair, command)
        fields = taken_over(kept, duplicate)
        after = replace(kept, **fields, version=kept.version + 1)  # type: ignore[arg-type]
        await clients.save(tx, after)
        gone = replace(duplicate, merged_into=kept.id, merged_at=now, merge_reason=command.reason.strip())
        await clients.save(tx, replace(gone, version=duplicate.version + 1))
        tokens = await merging.tokens(tx, duplicate.id)
        moved = await merging.move(tx, kept.id, duplicate.id)
        tickets = await _placed(tx, principal, request, kept, duplicate, now)
        names = tuple(camel(name) for name in fields)
        edited = Edited(TimelineKind.CLIENT_MERGED, duplicate.id, kept.id, tuple(fields))
        await noted(tx, principal, request, edited, now)
        event = await publish(
            tx,
            principal,
            request,
            ClientMerged(duplicate=duplicate.id, fields=names),
            subject=kept.id,
            version=after.version,
            client=kept.id,
            now=now,
        )
        counted = _counted(moved, tickets, tokens)
        changes = [*_merged(kept, duplicate, fields), *changes, *_told(pair, kept, duplicate, moved), *counted]
        return Outcome(kept.id, after.version, event, facts=told(changes))

    return await perform(context, principal, request, "clientMerge", command, act, dry_run=command.dry_run)


def _command_faults(principal: Principal, command: MergeClients) -> list[UserError]:
    if principal.scopes.get(Scope.CLIENTS_WRITE) is not Reach.ALL:
        message = "Only whoever may change every client may merge two; ask a service manager."
        return [UserError(ErrorCode.NOT_ALLOWED, message)]
    faults = []
    if command.client_id == command.duplicate_id:
        faults.append(invalid("A client cannot be merged into itself; name two different ones.", "duplicateId"))
    if not 1 <= len(command.reason.strip()) <= REASON_LIMIT:
        faults.append(invalid(f"A merge takes a reason of 1 to {REASON_LIMIT} characters; say why.", "reason"))
    return faults


def _pair_faults(kept: Client, duplicate: Client, command: MergeClients) -> list[UserError]:
    faults = []
    for client, path in ((kept, "clientId"), (duplicate, "duplicateId")):
        if client.merged_into is not None:
            message = f"This client was merged into {public(IdKind.CLIENT, client.merged_into)} already; name that one."
            faults.append(UserError(ErrorCode.CONFLICT, message, (path,)))
        elif client.erased:
            faults.append(erased("client", path))
    if not faults and command.expected_version != kept.version:
        faults.append(stale(kept.version))
    if not faults and command.duplicate_expected_version != duplicate.version:
        faults.append(replace(stale(duplicate.version), path=("duplicateExpectedVersion",)))
    return faults


def _cycle_faults(principal: Principal, pair: Pair) -> list[UserError]:
    """Tell which open onboardings stand in the way: one of the whole client in contracting is discarded, no other."""
    going_on = [cycle for cycle in pair.cycles if not cycle.ended]
    further = [cycle for cycle in going_on if not _discardable(cycle)]
    if further:
        named = ", ".join(f"{public(IdKind.ONBOARDING, one.id)} in {one.stage}" for one in further)
        message = f"The duplicate is being onboarded or in service: {named}. End it, or merge the other way round."
        return [UserError(ErrorCode.CONFLICT, message, ("duplicateId",))]
    scope = MOVES[Move.DISCARD].scope
    if any(not principal.reaches(scope, cycle.team) for cycle in going_on):
        message = f"The duplicate's onboarding is to be discarded, which takes the scope {scope.value}."
        return [UserError(ErrorCode.NOT_ALLOWED, message, ("duplicateId",))]
    return []


def _discardable(cycle: Cycle) -> bool:
    return cycle.place_id is None and cycle.stage is Stage.CONTRACTING


async def _key_faults(tx: Transaction, kept: Client, duplicate: Client) -> list[UserError]:
    clashes = await merging.clashes(tx, kept.id, duplicate.id)
    faults = [
        UserError(
            ErrorCode.CONFLICT,
            f"{system} knows both clients: the duplicate as {theirs!r}, the other as {ours!r}. "
            "Merge the two there, or take one of the keys away here.",
            ("duplicateId",),
        )
        for system, theirs, ours in clashes
    ]
    if faults:
        return faults
    keys = await merging.keys_of(tx, [kept.id, duplicate.id])
    if keys <= EXTERNAL_MOST:
        return []
    message = f"Together they have {keys} keys in other systems, and a client has {EXTERNAL_MOST} at most; remove some."
    return [UserError(ErrorCode.CONFLICT, message, ("duplicateId",))]


async def _discarded(
    context: Context, principal: Principal, request: Request, tx: Transaction, pair: Pair, command: MergeClients
) -> list[Consequence]:
    """Discard the duplicate's open onboarding as any other is, and tell what follows from it."""
    changes: list[Consequence] = []
    for cycle in pair.cycles:
        if cycle.ended:
            continue
        discard = MoveCommand(
            cycle.id, Move.DISCARD, cycle.version, reason=command.reason.strip(), outcome=EndReason.DUPLICATE
        )
        outcome = await move_within(context, principal, request, tx, discard)
        if outcome.errors:
            msg = f"a discard that was checked beforehand was refused: {outcome.errors[0].message}"
            raise RuntimeError(msg)
        changes += untold(outcome.facts)
    return changes


async def _placed(
    tx: Transaction, principal: Principal, request: Request, kept: Client, duplicate: Client, now: datetime
) -> int:
    """Give the duplicate's tickets to the kept client, each in the stage and phase of that one's history."""
    changed = 0
    while left := await restamping.of_client(tx, duplicate.id, *EVER, None, AT_ONCE):
        await place(tx, principal, request, [replace(one, client=kept.id) for one in left], now)
        changed += len(left)
    return changed


def _merged(kept: Client, duplicate: Client, fields: dict[str, object]) -> list[Consequence]:
    ours, theirs = public(IdKind.CLIENT, kept.id), public(IdKind.CLIENT, duplicate.id)
    filled = [
        Consequence(
            ConsequenceKind.CLIENT,
            camel(name),
            after=public(IdKind.MEMBER, value) if isinstance(value, UUID) else str(value),
            subject=ours,
        )
        for name, value in fields.items()
    ]
    return [Consequence(ConsequenceKind.CLIENT, "merged", theirs, ours, subject=theirs), *filled]


def _told(pair: Pair, kept: Client, duplicate: Client, moved: Moved) -> list[Consequence]:
    """Tell one by one what goes over, and what stays with the duplicate as its history: that goes from it to it."""
    ours, theirs = public(IdKind.CLIENT, kept.id), public(IdKind.CLIENT, duplicate.id)
    history = [
        Consequence(ConsequenceKind.ONBOARDING, "history", theirs, theirs, subject=public(IdKind.ONBOARDING, one.id))
        for one in pair.cycles
    ]
    contracts = [
        Consequence(ConsequenceKind.CONTRACT, name, theirs, to, subject=public(IdKind.CONTRACT, contract))
        for name, to, some in (("moves", ours, moved.contracts), ("history", theirs, moved.staying))
        for contract in some
    ]
    keys = [
        Consequence(ConsequenceKind.EXTERNAL_REF, f"{key.system} {key.key}", theirs, ours, subject=ours)
        for key in moved.keys
    ]
    freed = [
        Consequence(
            ConsequenceKind.EXTERNAL_REF,
            f"{one.system} {one.key}",
            public(one.kind, one.freed),
            public(one.kind, one.holder),
            subject=public(one.kind, one.freed),
        )
        for one in moved.freed[:FREED_TOLD]
    ]
    return [*history, *contracts, *keys, *freed]


def _counted(moved: Moved, tickets: int, tokens: int) -> list[Consequence]:
    changes = [
        Consequence(kind, name, count=moved.rows[table])
        for table, (kind, name) in _COUNTED.items()
        if moved.rows.get(table)
    ]
    if moved.freed:
        changes.append(Consequence(ConsequenceKind.EXTERNAL_REF, "keys set free", count=len(moved.freed)))
    if tickets:
        changes.append(Consequence(ConsequenceKind.TICKET, "client, stage and phase", count=tickets))
    if tokens:
        changes.append(Consequence(ConsequenceKind.TOKEN, "limited to the duplicate", count=tokens))
    return changes
