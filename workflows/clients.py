"""Clients: creating and changing the companies that a provider serves."""

from dataclasses import dataclass, replace
from uuid import UUID

from db import clients, edits, external_refs, members
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import client_faults, external_faults
from domain.clients import Client, ExternalKey, ExternalRef
from domain.errors import ErrorCode, Outcome, UserError, not_found
from domain.events import ClientChanged
from domain.ids import IdKind
from domain.timeline import TimelineKind
from workflows.belongings import Edited, edit_of, keys_of, reach_faults, told
from workflows.checks import fit, found, fresh, refusable, running_again_on_duplicates
from workflows.commands import perform
from workflows.context import Context, Request, new_id

SAME_NAMES = "same_names"
"""The fact of an outcome that lists, by hexadecimal id, other clients whose names read the same."""


@dataclass(frozen=True, slots=True)
class CreateClient:
    name: str
    industry: str | None = None
    seats: int | None = None
    owner_id: UUID | None = None
    account_manager_id: UUID | None = None
    external: tuple[ExternalKey, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateClient:
    """Change what is given; `external` replaces all keys that other systems have for the client."""

    client_id: UUID
    name: Change[str] = UNCHANGED
    industry: Change[str | None] = UNCHANGED
    seats: Change[int | None] = UNCHANGED
    owner_id: Change[UUID | None] = UNCHANGED
    account_manager_id: Change[UUID | None] = UNCHANGED
    external: Change[tuple[ExternalKey, ...]] = UNCHANGED
    expected_version: int | None = None


async def create(context: Context, principal: Principal, request: Request, command: CreateClient) -> Outcome:
    """Take a company on as a client; a name that repeats is a warning, a key that repeats is refused."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client = Client(
            id=new_id(),
            name=command.name.strip(),
            industry=command.industry,
            seats=command.seats,
            owner_id=command.owner_id,
            account_manager_id=command.account_manager_id,
            cycle_id=None,
            created_at=now,
            version=1,
        )
        fit(creation_faults(principal, client))
        fit([*client_faults(client), *external_faults(command.external)])
        fit([*await _team_faults(tx, client), *await _key_faults(tx, command.external, None)])
        await clients.add(tx, client)
        with running_again_on_duplicates():
            await external_refs.add(tx, _refs(client, command.external))
        event = ClientChanged(created=True, fields=("name",))
        outcome = await told(tx, principal, request, event, client, client.id, now)
        return await _warned(tx, client, outcome)

    return await perform(context, principal, request, "clientCreate", command, act)


async def update(context: Context, principal: Principal, request: Request, command: UpdateClient) -> Outcome:
    """Change a client's own fields, who owns it, and by which keys other systems know it."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        holding = found(await clients.lock_kept(tx, command.client_id), "client", "clientId")
        client = holding.client
        fit(reach_faults(principal, holding, "clientId"), client.id)
        fresh(client, command.expected_version)
        names = ("name", "industry", "seats", "owner_id", "account_manager_id")
        wanted = {name: getattr(command, name) for name in names}
        if isinstance(command.name, str):
            wanted["name"] = command.name.strip()
        changes = differences(client, wanted)
        keys = None if command.external is UNCHANGED else command.external
        if keys is not None and await _known_keys(tx, client.id) == set(keys):
            keys = None
        if not changes and keys is None:
            return Outcome(client.id, client.version)
        changed = replace(client, **changes, version=client.version + 1)
        fit(client_faults(changed), client.id)
        fit(await _team_faults(tx, changed), client.id)
        if keys is not None:
            fit([*_listing_faults(principal), *external_faults(keys)], client.id)
            fit(await _key_faults(tx, keys, client.id), client.id)
        await clients.save(tx, changed)
        if keys is not None:
            with running_again_on_duplicates():
                await external_refs.replace_all(tx, client.id, _refs(changed, keys))
        fields = (*changes, *(() if keys is None else ("external",)))
        event = ClientChanged(created=False, fields=fields)
        edited = Edited(TimelineKind.CLIENT_EDITED, client.id, client.id, fields)
        await edits.record(tx, [edit_of(principal, request, edited, now)])
        outcome = await told(tx, principal, request, event, changed, client.id, now)
        return await _warned(tx, changed, outcome) if "name" in changes else outcome

    return await perform(context, principal, request, "clientUpdate", command, act)


def creation_faults(principal: Principal, client: Client) -> list[UserError]:
    """Tell whether the caller may take on a client with this team."""
    if principal.clients is not None:
        message = "This credential sees only the clients listed for it, so it cannot take on another."
        return [UserError(ErrorCode.NOT_ALLOWED, message)]
    if principal.reaches(Scope.CLIENTS_WRITE, (client.owner_id, client.account_manager_id)):
        return []
    message = "You may take on only clients of your own; name yourself as ownerId or accountManagerId."
    return [UserError(ErrorCode.NOT_ALLOWED, message, ("ownerId",))]


async def _team_faults(tx: Transaction, client: Client) -> list[UserError]:
    named = {"ownerId": client.owner_id, "accountManagerId": client.account_manager_id}
    wanted = [member for member in named.values() if member is not None]
    active = await members.active_among(tx, wanted) if wanted else frozenset()
    return [
        not_found("active member", path)
        for path, member in named.items()
        if member is not None and member not in active
    ]


async def _key_faults(tx: Transaction, keys: tuple[ExternalKey, ...], own: UUID | None) -> list[UserError]:
    known = await external_refs.find(tx, IdKind.CLIENT, [keys_of(key) for key in keys]) if keys else {}
    errors = []
    for index, key in enumerate(keys):
        ref = known.get(keys_of(key))
        if ref is not None and ref.client_id != own:
            message = f"{key.system} has {key.key!r} for another client already; change that one, or leave this out."
            errors.append(UserError(ErrorCode.ALREADY_EXISTS, message, ("external", str(index))))
    return errors


def _listing_faults(principal: Principal) -> list[UserError]:
    """Keep a credential that sees some clients from finding out which keys the others have."""
    if principal.clients is None:
        return []
    message = "This credential sees only the clients listed for it, so it cannot give out keys among all of them."
    return [UserError(ErrorCode.NOT_ALLOWED, message, ("external",))]


async def _known_keys(tx: Transaction, client: UUID) -> set[ExternalKey]:
    refs = (await external_refs.of_subjects(tx, [client])).get(client, [])
    return {ExternalKey(ref.system, ref.key) for ref in refs}


def _refs(client: Client, keys: tuple[ExternalKey, ...]) -> list[ExternalRef]:
    return [ExternalRef(IdKind.CLIENT, key.system, key.key, client.id, client.id) for key in keys]


async def _warned(tx: Transaction, client: Client, outcome: Outcome) -> Outcome:
    same = await clients.of_same_name(tx, client)
    return replace(outcome, facts={SAME_NAMES: [other.hex for other in same]}) if same else outcome
