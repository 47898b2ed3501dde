"""Moving in: existing clients brought in with where they stand and the past that they had elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from db import calendars, clients, definitions, evidence, external_refs, moving_in, outbox, tenants
from db.moving_in import Past, Written
from db.session import Transaction
from domain.access import Principal, Reach, Scope
from domain.baselines import Span, figures
from domain.clients import ExternalRef, name_key
from domain.consequences import told as told_as_facts
from domain.errors import ErrorCode, Outcome, UserError, invalid
from domain.ids import IdKind
from domain.moving_in import Arrival, ArrivalStatus, Arrived
from domain.moving_in_sums import sums
from domain.texts import is_line
from workflows.arrivals_told import events_of, trail_of
from workflows.arriving import Arriving, Before, Desk, arriving, judged
from workflows.belongings import keys_of
from workflows.checks import fit, refusable, running_again_on_duplicates
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.restating import restate

ROWS_MOST = 200
"""Clients that one command may bring; a file brings any number, batch by batch."""

EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC))
"""All the time in which a ticket can have been logged."""

RESULTS = "results"
"""The fact of an outcome that lists what became of each row."""


@dataclass(frozen=True, slots=True)
class ImportClients:
    """Existing clients to be brought in; a dry run tells what would become of each, and changes nothing."""

    rows: tuple[Arrival, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who brings clients in, and how."""

    context: Context
    principal: Principal
    request: Request


@dataclass(slots=True)
class Seen:
    """Where the clients of one import stood first: by another system's keys, and by their names.

    `word` is what a place is called: a row of a list, or a line of a file.
    """

    word: str = "row"
    keys: dict[tuple[str, str], int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)

    def repeated(self, place: int, told: Arrival) -> UserError | None:
        """Note a row, and return the refusal of one that stood in the import before."""
        name = name_key(told.name)
        if told.external is not None:
            first = self.keys.setdefault(keys_of(told.external), place)
            self.names.setdefault(name, place)
            path = "external"
        else:
            first, path = self.names.setdefault(name, place), "name"
        if first >= place:
            return None
        message = f"This client stands in {self.word} {first} already; give it once, or give each a key of its own."
        return invalid(message, path)


@dataclass(frozen=True, slots=True)
class Register:
    """The clients that are there already, by key and by name, and those of them that have, or had, an onboarding."""

    refs: Mapping[tuple[str, str], ExternalRef]
    names: Mapping[str, list[UUID]]
    present: frozenset[UUID]
    onboarded: frozenset[UUID]

    def known(self, told: Arrival) -> list[UUID]:
        """Return the clients that a row can mean; another system's key means one, a name may mean several."""
        if told.external is None:
            return self.names.get(name_key(told.name), [])
        ref = self.refs.get(keys_of(told.external))
        return [ref.client_id] if ref else []


async def import_clients(context: Context, principal: Principal, request: Request, command: ImportClients) -> Outcome:
    """Bring existing clients in: the good rows, whatever is wrong with others; those that are there already stay.

    `Outcome.facts` holds what became of each row, and what changed in sum.

    Raises:
        ForbiddenError: the caller may not write clients, or not end and reopen onboardings.
    """
    allow(principal)
    caller = Caller(context, principal, replace(request, historical=True))

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_size_faults(len(command.rows)))
        arrived, event = await take_in(tx, caller, list(enumerate(command.rows)), Seen())
        told = [_told(one, dry_run=command.dry_run) for one in arrived]
        facts = {RESULTS: msgspec.to_builtins(told), **told_as_facts(sums(arrived))}
        return Outcome(event=event, facts=facts)

    return await perform(context, principal, request, "onboardingImport", command, act, dry_run=command.dry_run)


def results_of(outcome: Outcome) -> list[Arrived]:
    """Return what became of each row, of a first answer or of a repeated one."""
    found: Any = outcome.facts.get(RESULTS, ())
    return msgspec.convert(found, list[Arrived])


def allow(principal: Principal) -> None:
    """Let whoever may take on clients and end onboardings pass.

    Raises:
        ForbiddenError: a scope is missing.
    """
    principal.require(Scope.ONBOARDING_END)
    principal.require(Scope.CLIENTS_WRITE)


async def take_in(
    tx: Transaction, caller: Caller, rows: Sequence[tuple[int, Arrival]], seen: Seen
) -> tuple[list[Arrived], UUID | None]:
    """Bring in rows, each with its place, and return what became of each and the last event that tells of it.

    The number of statements does not grow with the rows, but for clients that have tickets already. `seen` lets
    later batches of one import know the earlier ones; a batch may be run again with it.
    """
    fit(_reach_faults(caller.principal))
    await moving_in.take_turn(tx)
    told = [arrival for _, arrival in rows]
    register = await _register(tx, told)
    desk = await _desk(tx, caller, told, register)
    results: dict[int, Arrived] = {}
    coming: list[tuple[int, Arrival, UUID | None]] = []
    for place, arrival in rows:
        known, repeated = register.known(arrival), seen.repeated(place, arrival)
        if repeated is None and len(known) == 1 and (known[0] in register.onboarded or arrival.stage is None):
            results[place] = Arrived(place, arrival.name, ArrivalStatus.EXISTS, client=known[0])
        elif faults := [*_several(known), *([repeated] if repeated else []), *judged(arrival, desk)]:
            results[place] = Arrived(place, arrival.name, ArrivalStatus.FAILED, errors=tuple(faults))
        else:
            coming.append((place, arrival, known[0] if known else None))
    before = await _before(tx, [client for _, _, client in coming if client])
    arrivals = []
    for place, arrival, client in coming:
        same = client is None and (
            bool(register.names.get(name_key(arrival.name))) or seen.names[name_key(arrival.name)] < place
        )
        arrivals.append(arriving(arrival, place, desk, before[client] if client else None, same_name=same))
    event = await _write(tx, caller, arrivals, desk)
    for one in arrivals:
        results[one.report.place] = await _restated(tx, caller, one, desk) if one.before else one.report
    return [results[place] for place, _ in rows], event


async def _desk(tx: Transaction, caller: Caller, told: Iterable[Arrival], register: Register) -> Desk:
    definition = await definitions.newest(tx)
    if definition is None:
        msg = "a tenant always has a definition"
        raise LookupError(msg)
    named = await moving_in.members_of(tx, [email for arrival in told for email in arrival.emails.values()])
    return Desk(
        now=caller.context.clock(),
        settings=(await tenants.get(tx)).settings,
        calendars=await calendars.in_force(tx, register.present - register.onboarded),
        definition=definition,
        members=named,
    )


async def _register(tx: Transaction, told: Sequence[Arrival]) -> Register:
    refs = await external_refs.find(tx, IdKind.CLIENT, [keys_of(one.external) for one in told if one.external])
    # What is not printable is no name, and some of it PostgreSQL would not even take as text.
    names = await moving_in.of_names(tx, [name_key(one.name) for one in told if is_line(one.name)])
    present = {ref.client_id for ref in refs.values()} | {client for found in names.values() for client in found}
    return Register(refs, names, frozenset(present), await moving_in.onboarded(tx, present))


async def _before(tx: Transaction, joined: Sequence[UUID]) -> dict[UUID, Before]:
    """Return clients that are there without an onboarding, kept from changing until the transaction ends."""
    if not joined:
        return {}
    held = await clients.lock_many(tx, joined)
    people, agreed = await moving_in.contacts_of(tx, joined), await moving_in.contracts_of(tx, joined)
    return {id_: Before(one.client, people.get(id_, []), agreed.get(id_, [])) for id_, one in held.items()}


async def _write(tx: Transaction, caller: Caller, arrivals: Sequence[Arriving], desk: Desk) -> UUID | None:
    """Write all that the clients become, and publish it."""
    moves = {
        one.past.cycle.id: trail_of(one.past, desk, caller.principal, caller.request) for one in arrivals if one.past
    }
    batch = Written(
        clients=[one.client for one in arrivals if one.before is None],
        contracts=[one.contract for one in arrivals if one.contract],
        contacts=[contact for one in arrivals for contact in one.contacts],
        pasts=[Past(one.past, tuple(move for move, _ in moves[one.past.cycle.id])) for one in arrivals if one.past],
        items=[item for one in arrivals for item in one.items],
    )
    with running_again_on_duplicates():
        await moving_in.write(tx, batch)
        await external_refs.add(
            tx,
            [
                ExternalRef(IdKind.CLIENT, *keys_of(one.told.external), one.client.id, one.client.id)
                for one in arrivals
                if one.told.external and one.before is None
            ],
        )
    await clients.save_many(tx, [one.client for one in arrivals if one.before and one.before != one.client])
    events = [
        event
        for one in arrivals
        for event in (
            *events_of(one, caller.principal, caller.request),
            *(envelope for _, envelope in (moves[one.past.cycle.id] if one.past else ())),
        )
    ]
    await outbox.append(tx, events)
    return events[-1].id if events else None


async def _restated(tx: Transaction, caller: Caller, one: Arriving, desk: Desk) -> Arrived:
    """Place the tickets that a client has already by the past that it has now, and record its window's baseline."""
    if one.past is None:
        return one.report
    restated = await restate(tx, caller.principal, caller.request, one.past.cycle, EVER, desk.now)
    placed = sum(change.count or 0 for change in restated)
    closed = [(visit, w) for visit, w in one.past.windows if w.closed_at is not None]
    kept = []
    for visit, window in closed:
        span = Span(one.client.id, window.opened_at, window.closed_at or desk.now)
        (tally,) = await evidence.tallies(tx, [span])
        # Without a ticket of it the window says nothing; whoever brings its tickets later sees the figures then.
        if tally.logged:
            kept += [(new_id(), one.past.cycle.id, visit, figure) for figure in figures(span, tally, desk.now)]
    await moving_in.write(tx, Written(baselines=kept))
    return replace(one.report, tickets=placed, baseline=bool(kept))


def _told(one: Arrived, *, dry_run: bool) -> Arrived:
    """Return what a caller is told of a row: its faults by their paths, and no id of what was taken back."""
    placed = tuple(replace(error, path=("rows", str(one.place), *error.path)) for error in one.errors)
    one = replace(one, errors=placed)
    if not dry_run:
        return one
    return replace(one, client=None if one.status is ArrivalStatus.CREATED else one.client, onboarding=None)


def _several(known: Sequence[UUID]) -> list[UserError]:
    if len(known) < 2:  # noqa: PLR2004 -- more than one
        return []
    return [invalid(f"{len(known)} clients have this name; give the key by which another system knows it.", "name")]


def _reach_faults(principal: Principal) -> list[UserError]:
    everywhere = all(principal.scopes.get(s) is Reach.ALL for s in (Scope.ONBOARDING_END, Scope.CLIENTS_WRITE))
    if principal.clients is None and everywhere:
        return []
    message = "This credential reaches only some clients, so it cannot bring others in."
    return [UserError(ErrorCode.NOT_ALLOWED, message)]


def _size_faults(rows: int) -> list[UserError]:
    if 1 <= rows <= ROWS_MOST:
        return []
    return [invalid(f"{rows} rows cannot be taken; send 1 to {ROWS_MOST} at a time, or import a file.", "rows")]
