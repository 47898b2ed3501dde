"""Keys of clients that tickets come with: mapped by a person, and the tickets given to their client at once."""

from dataclasses import dataclass, replace

from db import clients, edits, external_refs, restamping
from db.clients import Held
from db.session import Transaction
from domain.access import Principal, Scope
from domain.client_rules import external_faults
from domain.clients import ClientRef, ExternalKey, ExternalRef
from domain.consequences import Consequence, ConsequenceKind, told
from domain.errors import ErrorCode, Outcome, UserError
from domain.events import ClientChanged
from domain.ids import IdKind, public
from domain.timeline import TimelineKind
from workflows import belongings
from workflows.belongings import Edited, edit_of, keys_of, reach_faults, resolved
from workflows.checks import fit, found, refusable, running_again_on_duplicates
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.restating import AT_ONCE, place

ATTRIBUTED = "attributed"
MORE = "more"
"""The facts of an outcome: how many tickets got their client, and whether the worker gives it to more."""


@dataclass(frozen=True, slots=True)
class MapKey:
    """Say which client a key of a system stands for."""

    key: ExternalKey
    client: ClientRef
    dry_run: bool = False


async def map_key(context: Context, principal: Principal, request: Request, command: MapKey) -> Outcome:
    """Map a key to a client, and give it the first 2,000 tickets that came with it; the worker goes on."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        named = await resolved(tx, command.client)
        holding = found(await clients.lock_kept(tx, named) if named else None, "client", "client")
        client = holding.client
        fit(reach_faults(principal, holding, "client"), client.id)
        fit(_listing_faults(principal), client.id)
        known = (await external_refs.find(tx, IdKind.CLIENT, [keys_of(command.key)])).get(keys_of(command.key))
        outcome = Outcome(client.id, client.version)
        if known is None:
            fit(await _key_faults(tx, holding, command.key), client.id)
            with running_again_on_duplicates():
                key = command.key
                await external_refs.add(tx, [ExternalRef(IdKind.CLIENT, key.system, key.key, client.id, client.id)])
            changed = replace(client, version=client.version + 1)
            await clients.save(tx, changed)
            edited = Edited(TimelineKind.CLIENT_EDITED, client.id, client.id, ("external",))
            await edits.record(tx, [edit_of(principal, request, edited, now)])
            event = ClientChanged(created=False, fields=("external",))
            outcome = await belongings.told(tx, principal, request, event, changed, client.id, now)
        elif known.client_id != client.id:
            message = f"{command.key.system} has {command.key.key!r} for another client already; change that one first."
            fit([UserError(ErrorCode.ALREADY_EXISTS, message, ("clientKey",))], client.id)
        waiting = await restamping.mappable(tx, AT_ONCE, command.key)
        # What is given its client now was logged before: it sets nothing off.
        count = await place(tx, principal, replace(request, historical=True), waiting, now)
        changes = [
            Consequence(ConsequenceKind.EXTERNAL_REF, command.key.system, after=public(IdKind.CLIENT, client.id)),
            Consequence(ConsequenceKind.TICKET, "client", count=count, after=public(IdKind.CLIENT, client.id)),
        ]
        facts = {ATTRIBUTED: count, MORE: len(waiting) == AT_ONCE}
        return replace(outcome, facts=facts | told(changes[known is not None :] if count else changes[:1]))

    return await perform(context, principal, request, "ticketKeyMap", command, act, dry_run=command.dry_run)


async def _key_faults(tx: Transaction, holding: Held, key: ExternalKey) -> list[UserError]:
    """Tell what stands against the key as one more of the client's."""
    refs = (await external_refs.of_subjects(tx, [holding.client.id])).get(holding.client.id, [])
    every = (*(ExternalKey(ref.system, ref.key) for ref in refs), key)
    return [
        replace(fault, path=("system" if fault.path[-1] == "system" else "clientKey",))
        for fault in external_faults(every)
    ]


def _listing_faults(principal: Principal) -> list[UserError]:
    if principal.clients is None:
        return []
    message = "This credential sees only the clients listed for it, so it cannot say whose the keys of all others are."
    return [UserError(ErrorCode.NOT_ALLOWED, message)]
