"""Contracts: what was agreed with a client, and how far the agreement is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from db import contract_turns, contracts
from db.session import Transaction
from domain import consequences
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import contract_faults, past_faults, status_faults
from domain.clients import ClientRef, Contract, ContractScope, ContractStatus, ContractType, Party
from domain.consequences import Consequence
from domain.contract_turns import OVER, Turn, turn_faults
from domain.errors import ErrorCode, Outcome, UserError
from domain.events import ContractChanged
from domain.timeline import TimelineKind
from workflows.belongings import Edited, held, noted, told
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.early_support import follow_contract

_TERMS = (
    "title",
    "type",
    "scope",
    "seats",
    "coverage_hours",
    "starts_on",
    "ends_on",
    "renews_on",
    "waiting_on",
)


@dataclass(frozen=True, slots=True)
class CreateContract:
    """Note a contract; `status_at` is when it came into its status, by default now."""

    client: ClientRef
    title: str
    type: ContractType
    scope: tuple[ContractScope, ...] = ()
    status: ContractStatus = ContractStatus.DRAFT
    status_at: datetime | None = None
    seats: int | None = None
    coverage_hours: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    renews_on: date | None = None
    waiting_on: Party | None = None


@dataclass(frozen=True, slots=True)
class UpdateContract:
    """Change what is given; `status_at` is since when the new status or turn holds, by default now."""

    contract_id: UUID
    status: Change[ContractStatus] = UNCHANGED
    status_at: datetime | None = None
    title: Change[str] = UNCHANGED
    type: Change[ContractType] = UNCHANGED
    scope: Change[tuple[ContractScope, ...]] = UNCHANGED
    seats: Change[int | None] = UNCHANGED
    coverage_hours: Change[str | None] = UNCHANGED
    starts_on: Change[date | None] = UNCHANGED
    ends_on: Change[date | None] = UNCHANGED
    renews_on: Change[date | None] = UNCHANGED
    waiting_on: Change[Party | None] = UNCHANGED
    expected_version: int | None = None
    dry_run: bool = False


async def create(context: Context, principal: Principal, request: Request, command: CreateContract) -> Outcome:
    """Note a contract with a client, in whatever status it is."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client = (await held(tx, principal, command.client, "client", alone=True)).client
        draft = Contract(
            id=new_id(),
            client_id=client.id,
            title=command.title.strip(),
            status=ContractStatus.DRAFT,
            type=command.type,
            scope=_ordered(command.scope),
            seats=command.seats,
            coverage_hours=command.coverage_hours,
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            renews_on=command.renews_on,
            sent_at=None,
            signed_at=None,
            ended_at=None,
            waiting_on=command.waiting_on,
            created_at=now,
            version=1,
        )
        status_at = command.status_at or now
        fit([*contract_faults(draft), *past_faults(status_at, now, "statusAt")])
        contract = _in_status(draft, command.status, status_at)
        await contracts.add(tx, contract)
        event = ContractChanged(created=True, status=contract.status.value, fields=("status",))
        await noted(tx, principal, request, Edited(TimelineKind.CONTRACT_ADDED, contract.id, client.id), now)
        return await told(tx, principal, request, event, contract, client.id, now)

    return await perform(context, principal, request, "contractCreate", command, act)


async def update(context: Context, principal: Principal, request: Request, command: UpdateContract) -> Outcome:
    """Change a contract's terms, or move it to another status with the instant recorded."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        seen = found(await contracts.get(tx, command.contract_id), "contract", "contractId")
        await held(tx, principal, seen.client_id, "contractId", alone=True)
        contract = found(await contracts.lock(tx, command.contract_id), "contract", "contractId")
        fresh(contract, command.expected_version)
        changed = _changed(contract, command, now)
        fields = tuple(differences(contract, {name: getattr(changed, name) for name in ("status", *_TERMS)}))
        if not fields:
            return Outcome(contract.id, contract.version)
        turned = bool({"status", "waiting_on"} & set(fields))
        latest = await contract_turns.latest(tx, contract.id) if turned else None
        faults = [*_update_faults(contract, changed, command, now), *turn_faults(command.status_at, latest)]
        fit(faults, contract.id)
        changed = replace(changed, version=contract.version + 1)
        await contracts.save(tx, changed)
        if turned:
            turn = Turn(changed.status, changed.waiting_on, command.status_at or now)
            await contract_turns.record(tx, changed, turn, now)
        changes: tuple[Consequence, ...] = ()
        if changed.starts_on != contract.starts_on:
            changes = await follow_contract(tx, contract.client_id, contract.id, changed.starts_on, now)
        event = ContractChanged(created=False, status=changed.status.value, fields=fields)
        edited = Edited(TimelineKind.CONTRACT_EDITED, contract.id, contract.client_id, event.fields)
        await noted(tx, principal, request, edited, now)
        outcome = await told(tx, principal, request, event, changed, contract.client_id, now)
        return replace(outcome, facts=consequences.told(changes))

    return await perform(context, principal, request, "contractUpdate", command, act, dry_run=command.dry_run)


def _changed(contract: Contract, command: UpdateContract, now: datetime) -> Contract:
    terms = replace(contract, **differences(contract, {name: getattr(command, name) for name in _TERMS}))
    terms = replace(terms, title=terms.title.strip(), scope=_ordered(terms.scope))
    if command.status is UNCHANGED or command.status is contract.status:
        return terms
    moved = _in_status(terms, command.status, command.status_at or now)
    return moved if command.waiting_on is UNCHANGED else replace(moved, waiting_on=terms.waiting_on)


def _in_status(contract: Contract, status: ContractStatus, at: datetime) -> Contract:
    """Return the contract as it is once in a status, with the instant that the status has of its own."""
    match status:
        case ContractStatus.DRAFT:
            return replace(contract, status=status, sent_at=None)
        case ContractStatus.SENT:
            return replace(contract, status=status, sent_at=at, waiting_on=contract.waiting_on or Party.CLIENT)
        case ContractStatus.NEGOTIATING:
            return replace(contract, status=status, sent_at=contract.sent_at or at)
        case ContractStatus.SIGNED:
            return replace(contract, status=status, signed_at=at, waiting_on=None)
        case ContractStatus.ENDED:
            return replace(contract, status=status, ended_at=at, waiting_on=None)


def _update_faults(before: Contract, after: Contract, command: UpdateContract, now: datetime) -> Iterator[UserError]:
    if before.status is ContractStatus.ENDED:
        message = f"This contract ended on {before.ended_at:%Y-%m-%d}; what has ended stays as it was. Make a new one."
        yield UserError(ErrorCode.CONFLICT, message, ("contractId",))
        return
    yield from contract_faults(after)
    yield from status_faults(before.status, after.status)
    if command.status_at is not None:
        yield from past_faults(command.status_at, now, "statusAt")
    if after.status in OVER and after.waiting_on is not None:
        message = f"Nobody's turn is left once a contract is {after.status}; leave waitingOn empty."
        yield UserError(ErrorCode.INVALID, message, ("waitingOn",))


def _ordered(scope: tuple[ContractScope, ...]) -> tuple[ContractScope, ...]:
    return tuple(part for part in ContractScope if part in scope)
