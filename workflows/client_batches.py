"""Batches of clients: what another system knows, brought in or up to date by its own keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from db import clients, edits, external_refs, members, outbox
from db.clients import Held
from db.session import Transaction
from domain.access import Principal, Scope
from domain.bulk import ROWS_MOST, BulkPolicy, BulkResult, BulkStatus, all_left_out, failed
from domain.changes import differences
from domain.client_rules import client_faults, external_key_faults
from domain.clients import Client, ExternalKey, ExternalRef
from domain.errors import Outcome, UserError, invalid, not_found
from domain.events import ClientsUpserted
from domain.ids import IdKind
from domain.timeline import TimelineKind
from workflows.belongings import Edited, edit_of, reach_faults
from workflows.checks import fit, refusable, running_again_on_duplicates
from workflows.clients import creation_faults
from workflows.commands import envelope, perform
from workflows.context import Context, Request, new_id

RESULTS = "results"
"""The fact of an outcome that lists what became of each row."""


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One client as another system knows it; what is left out stays as it is."""

    external: ExternalKey
    name: str
    industry: str | None = None
    seats: int | None = None
    owner_id: UUID | None = None
    account_manager_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UpsertClients:
    rows: tuple[ClientRow, ...]
    policy: BulkPolicy = BulkPolicy.REJECT_ALL


@dataclass(slots=True)
class _Batch:
    """The rows sorted by what becomes of them."""

    results: list[BulkResult] = field(default_factory=list)
    new: dict[ExternalKey, Client] = field(default_factory=dict)
    changed: list[Client] = field(default_factory=list)


async def upsert(context: Context, principal: Principal, request: Request, command: UpsertClients) -> Outcome:
    """Bring clients in or up to date, in a number of statements that does not grow with the rows."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_size_faults(len(command.rows)))
        known = await external_refs.find(
            tx, IdKind.CLIENT, [(row.external.system, row.external.key) for row in command.rows]
        )
        present = await clients.lock_many(tx, [ref.client_id for ref in known.values()])
        named = {m for row in command.rows for m in (row.owner_id, row.account_manager_id) if m is not None}
        active = await members.active_among(tx, sorted(named)) if named else frozenset()
        batch = _sorted(principal, command.rows, known, present, active, now)
        refused = [result for result in batch.results if result.errors]
        if refused and command.policy is BulkPolicy.REJECT_ALL:
            facts = {RESULTS: [result.to_data() for result in all_left_out(batch.results)]}
            return Outcome(errors=tuple(error for result in refused for error in result.errors), facts=facts)
        await clients.add_many(tx, list(batch.new.values()))
        with running_again_on_duplicates():
            await external_refs.add(tx, [_ref(external, client) for external, client in batch.new.items()])
        await clients.save_many(tx, batch.changed)
        await edits.record(tx, [edit_of(principal, request, edited, now) for edited in _edited(batch, present)])
        written = [*((client, True) for client in batch.new.values()), *((client, False) for client in batch.changed)]
        events = [
            envelope(
                principal,
                request,
                ClientsUpserted(created=created),
                subject=client.id,
                version=client.version,
                client=client.id,
                now=now,
            )
            for client, created in written
        ]
        await outbox.append(tx, events)
        event = events[-1].id if events else None
        return Outcome(event=event, facts={RESULTS: [result.to_data() for result in batch.results]})

    return await perform(context, principal, request, "clientBulkUpsert", command, act)


def _edited(batch: _Batch, present: Mapping[UUID, Held]) -> list[Edited]:
    """Return which fields the batch changes of which clients."""
    names = ("name", "industry", "seats", "owner_id", "account_manager_id")
    return [
        Edited(
            TimelineKind.CLIENT_EDITED,
            client.id,
            client.id,
            tuple(differences(present[client.id].client, {name: getattr(client, name) for name in names})),
        )
        for client in batch.changed
    ]


def _sorted(
    principal: Principal,
    rows: Sequence[ClientRow],
    known: Mapping[tuple[str, str], ExternalRef],
    present: Mapping[UUID, Held],
    active: frozenset[UUID],
    now: datetime,
) -> _Batch:
    """Judge every row, and sort it by what becomes of it."""
    batch = _Batch()
    first = {row.external: index for index, row in reversed(list(enumerate(rows)))}
    touched: set[UUID] = set()
    for index, row in enumerate(rows):
        ref = known.get((row.external.system, row.external.key))
        holding = present.get(ref.client_id) if ref else None
        wanted = _wanted(holding.client if holding else None, row, now)
        faults = [*external_key_faults(row.external, "external"), *client_faults(wanted), *_team_faults(row, active)]
        if first[row.external] < index:
            faults.append(invalid(f"{row.external.key!r} stands in an earlier row already; send it once.", "external"))
        elif wanted.id in touched:
            faults.append(invalid("This client stands in an earlier row under another key; send it once.", "external"))
        touched.add(wanted.id)
        faults += reach_faults(principal, holding) if holding else creation_faults(principal, wanted)
        if faults:
            batch.results.append(failed(index, *faults))
        elif holding is None:
            batch.new[row.external] = wanted
            batch.results.append(BulkResult(index, BulkStatus.CREATED, wanted.id))
        elif wanted == holding.client:
            batch.results.append(BulkResult(index, BulkStatus.UNCHANGED, wanted.id))
        else:
            batch.changed.append(replace(wanted, version=wanted.version + 1))
            batch.results.append(BulkResult(index, BulkStatus.UPDATED, wanted.id))
    return batch


def _wanted(before: Client | None, row: ClientRow, now: datetime) -> Client:
    name = row.name.strip()
    if before is None:
        owner, manager = row.owner_id, row.account_manager_id
        return Client(new_id(), name, row.industry, row.seats, owner, manager, None, now, 1)
    return replace(
        before,
        name=name,
        industry=before.industry if row.industry is None else row.industry,
        seats=before.seats if row.seats is None else row.seats,
        owner_id=row.owner_id or before.owner_id,
        account_manager_id=row.account_manager_id or before.account_manager_id,
    )


def _team_faults(row: ClientRow, active: frozenset[UUID]) -> list[UserError]:
    named = {"ownerId": row.owner_id, "accountManagerId": row.account_manager_id}
    return [not_found("active member", path) for path, member in named.items() if member and member not in active]


def _size_faults(rows: int) -> list[UserError]:
    if 1 <= rows <= ROWS_MOST:
        return []
    return [invalid(f"{rows} rows cannot be taken; send 1 to {ROWS_MOST} at a time.", "rows")]


def _ref(external: ExternalKey, client: Client) -> ExternalRef:
    return ExternalRef(IdKind.CLIENT, external.system, external.key, client.id, client.id)
