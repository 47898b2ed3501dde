"""Inbound sources: letting a system send to us, changing what it is called, its secret, and whether it may still."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from db import inbound_sources
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import SYSTEM_LIMIT, name_faults
from domain.clients import ClientRef
from domain.errors import ErrorCode, Outcome, UserError, invalid
from domain.events import InboundSourceChanged
from domain.inbound import AdapterKind, InboundSource, address_hash
from domain.texts import is_line
from integrations import signatures
from integrations.adapters import ADAPTERS
from workflows.belongings import held
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id
from workflows.credentials import Issued, Secret, issued

ADDRESS_BYTES = 24
"""Of randomness in an address: nobody comes upon one by trying."""
SECRET_LENGTHS = (16, 200)
"""Characters of a secret that the sender made."""
OVERLAP_MOST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CreateSource:
    """Let a system send; `client` where all that it tells is of one, `secret` where the system makes its own."""

    name: str
    adapter: AdapterKind
    system: str | None = None
    client: ClientRef | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UpdateSource:
    """Change what is given; messages that were interpreted already stay as they are."""

    source_id: UUID
    name: Change[str] = UNCHANGED
    system: Change[str] = UNCHANGED
    client: Change[ClientRef | None] = UNCHANGED
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class RotateSourceSecret:
    """Give a source a new secret; the one before is taken for `overlap` longer, so that nothing is lost meanwhile."""

    source_id: UUID
    overlap: timedelta
    secret: str | None = field(default=None, repr=False)
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class SwitchSource:
    """Let a source send no more, or again."""

    source_id: UUID
    on: bool
    expected_version: int | None = None


async def create(context: Context, principal: Principal, request: Request, command: CreateSource) -> Issued:
    """Make a source with an address of its own, and show its secret once."""
    principal.require(Scope.INBOUND_WRITE)
    now = context.clock()
    made: Secret | None = None

    @refusable
    async def act(tx: Transaction) -> Outcome:
        nonlocal made
        adapter = ADAPTERS[command.adapter]
        system = adapter.system if command.system is None else command.system.strip()
        fit(
            [
                *name_faults(command.name.strip(), "name"),
                *_system_faults(system),
                *_secret_faults(command.adapter, command.secret),
            ]
        )
        client = (await held(tx, principal, command.client, "clientId")).client if command.client else None
        source = InboundSource(
            id=new_id(),
            client_id=client.id if client else None,
            name=command.name.strip(),
            system=system,
            adapter=command.adapter,
            address=secrets.token_urlsafe(ADDRESS_BYTES),
            previous_until=None,
            message_count=0,
            duplicate_count=0,
            last_message_at=None,
            created_by=principal.member_id,
            created_at=now,
            disabled_at=None,
            version=1,
        )
        await inbound_sources.add(tx, source, address_hash(source.address))
        made = await _give_secret(tx, source, command.secret, now)
        return await _told(tx, principal, request, source, now)

    outcome = await perform(context, principal, request, "inboundSourceCreate", command, act)
    return _shown(outcome, made, command.secret)


async def update(context: Context, principal: Principal, request: Request, command: UpdateSource) -> Outcome:
    """Change what a source is called, whose tickets it tells of, or whose they are."""
    principal.require(Scope.INBOUND_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client: Change[UUID | None] = UNCHANGED
        if command.client is not UNCHANGED:
            client = (await held(tx, principal, command.client, "clientId")).client.id if command.client else None
        source = await _locked(tx, command.source_id, command.expected_version)
        wanted = {
            "name": command.name if command.name is UNCHANGED else command.name.strip(),
            "system": command.system if command.system is UNCHANGED else command.system.strip(),
            "client_id": client,
        }
        changes = differences(source, wanted)
        if not changes:
            return Outcome(source.id, source.version)
        changed = replace(source, **changes, version=source.version + 1)
        fit([*name_faults(changed.name, "name"), *_system_faults(changed.system)], source.id)
        return await _saved(tx, principal, request, changed, now)

    return await perform(context, principal, request, "inboundSourceUpdate", command, act)


async def rotate(context: Context, principal: Principal, request: Request, command: RotateSourceSecret) -> Issued:
    """Give a source a new secret and show it once."""
    principal.require(Scope.INBOUND_WRITE)
    now = context.clock()
    made: Secret | None = None

    @refusable
    async def act(tx: Transaction) -> Outcome:
        nonlocal made
        source = await _locked(tx, command.source_id, command.expected_version)
        fit([*_secret_faults(source.adapter, command.secret), *_overlap_faults(command.overlap)], source.id)
        until = now + command.overlap if command.overlap else None
        made = await _give_secret(tx, source, command.secret, now, until)
        changed = replace(source, previous_until=until, version=source.version + 1)
        return await _saved(tx, principal, request, changed, now)

    outcome = await perform(context, principal, request, "inboundSourceRotateSecret", command, act)
    return _shown(outcome, made, command.secret)


async def switch(context: Context, principal: Principal, request: Request, command: SwitchSource) -> Outcome:
    """Disable a source, whose messages are refused from now on, or enable it again; what was received stays."""
    principal.require(Scope.INBOUND_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        source = await _locked(tx, command.source_id, command.expected_version)
        fit(_switch_faults(source, on=command.on), source.id)
        changed = replace(source, disabled_at=None if command.on else now, version=source.version + 1)
        return await _saved(tx, principal, request, changed, now)

    mutation = "inboundSourceEnable" if command.on else "inboundSourceDisable"
    return await perform(context, principal, request, mutation, command, act)


async def _locked(tx: Transaction, source_id: UUID, expected_version: int | None) -> InboundSource:
    source = found(await inbound_sources.lock(tx, source_id), "inbound source", "sourceId")
    fresh(source, expected_version)
    return source


async def _give_secret(
    tx: Transaction, source: InboundSource, given: str | None, now: datetime, until: datetime | None = None
) -> Secret:
    signing = ADAPTERS[source.adapter].signing
    text = given or signatures.new_secret(signing)
    await inbound_sources.change_secret(tx, source.id, (new_id(), signatures.keep(signing, text)), now, until)
    return Secret(text, hashlib.sha256(text.encode()).digest(), "")


def _shown(outcome: Outcome, made: Secret | None, given: str | None) -> Issued:
    """Show a secret that was made here, and never one that the caller has."""
    return Issued(outcome) if given is not None else issued(outcome, made)


async def _saved(
    tx: Transaction, principal: Principal, request: Request, source: InboundSource, now: datetime
) -> Outcome:
    await inbound_sources.save(tx, source)
    return await _told(tx, principal, request, source, now)


async def _told(
    tx: Transaction, principal: Principal, request: Request, source: InboundSource, now: datetime
) -> Outcome:
    event = InboundSourceChanged(adapter=source.adapter.value, disabled=source.disabled_at is not None)
    told = await publish(
        tx, principal, request, event, subject=source.id, version=source.version, client=source.client_id, now=now
    )
    return Outcome(source.id, source.version, told)


def _system_faults(system: str) -> Iterator[UserError]:
    if not (1 <= len(system) <= SYSTEM_LIMIT and is_line(system)):
        yield invalid(
            f"{system[:60]!r} names no system: give 1 to {SYSTEM_LIMIT} printable characters, those under which its "
            "keys of clients are known.",
            "system",
        )


def _secret_faults(adapter: AdapterKind, secret: str | None) -> Iterator[UserError]:
    least, most = SECRET_LENGTHS
    if secret is not None and not (
        least <= len(secret) <= most and signatures.is_usable(ADAPTERS[adapter].signing, secret)
    ):
        yield invalid(
            f"A secret has {least} to {most} printable characters without blanks, in base64 where the source signs by "
            "Standard Webhooks; leave it out, and one is made.",
            "secret",
        )


def _overlap_faults(overlap: timedelta) -> Iterator[UserError]:
    if not timedelta() <= overlap <= OVERLAP_MOST:
        yield invalid(f"A secret before can be taken for 0 to {OVERLAP_MOST.days} days longer.", "overlap")


def _switch_faults(source: InboundSource, *, on: bool) -> Iterator[UserError]:
    if on == (source.disabled_at is None):
        state = "enabled" if on else "disabled"
        yield UserError(ErrorCode.CONFLICT, f"The source {source.name!r} is {state} already.", ("sourceId",))
