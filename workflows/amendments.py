"""Amendments: what is agreed after a contract, and how far that agreement is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from db import amendments, contracts, services, tenants
from db.session import Transaction
from domain.access import Principal, Scope
from domain.amendments import Amendment, AmendmentStatus, amendable_faults, amendment_faults, status_faults
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import past_faults
from domain.clients import Contract, ContractScope
from domain.errors import ErrorCode, Outcome, UserError, not_found
from domain.events import AmendmentChanged
from domain.periods import local_day
from domain.timeline import TimelineKind
from workflows.belongings import Edited, held, noted, place_faults, told
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.early_support import follow_amendment

_TERMS = (
    "title",
    "starts_on",
    "ends_on",
    "scope_added",
    "scope_removed",
    "seats",
    "seats_delta",
    "site_id",
    "service_id",
    "note",
)


@dataclass(frozen=True, slots=True)
class CreateAmendment:
    """Note an amendment; `status_at` is when it came into its status, by default now."""

    contract_id: UUID
    title: str
    status: AmendmentStatus = AmendmentStatus.DRAFT
    status_at: datetime | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    scope_added: tuple[ContractScope, ...] = ()
    scope_removed: tuple[ContractScope, ...] = ()
    seats: int | None = None
    seats_delta: int | None = None
    site_id: UUID | None = None
    service_id: UUID | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateAmendment:
    """Change what is given; `status_at` is when the new status came about, by default now."""

    amendment_id: UUID
    status: Change[AmendmentStatus] = UNCHANGED
    status_at: datetime | None = None
    title: Change[str] = UNCHANGED
    starts_on: Change[date | None] = UNCHANGED
    ends_on: Change[date | None] = UNCHANGED
    scope_added: Change[tuple[ContractScope, ...]] = UNCHANGED
    scope_removed: Change[tuple[ContractScope, ...]] = UNCHANGED
    seats: Change[int | None] = UNCHANGED
    seats_delta: Change[int | None] = UNCHANGED
    site_id: Change[UUID | None] = UNCHANGED
    service_id: Change[UUID | None] = UNCHANGED
    note: Change[str | None] = UNCHANGED
    expected_version: int | None = None


async def create(context: Context, principal: Principal, request: Request, command: CreateAmendment) -> Outcome:
    """Note an amendment of a contract, in whatever status it is; it gets the contract's next number."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        contract = await _locked_contract(tx, principal, command.contract_id, "contractId")
        draft = _tidy(
            Amendment(
                id=new_id(),
                client_id=contract.client_id,
                contract_id=contract.id,
                number=await amendments.next_number(tx, contract.id),
                title=command.title,
                status=AmendmentStatus.DRAFT,
                starts_on=command.starts_on,
                ends_on=command.ends_on,
                scope_added=command.scope_added,
                scope_removed=command.scope_removed,
                seats=command.seats,
                seats_delta=command.seats_delta,
                site_id=command.site_id,
                service_id=command.service_id,
                note=command.note,
                sent_at=None,
                signed_at=None,
                ended_at=None,
                created_at=now,
                version=1,
            )
        )
        status_at = command.status_at or now
        fit([*amendment_faults(draft), *past_faults(status_at, now, "statusAt"), *await _addition_faults(tx, draft)])
        amendment = await _in_status(tx, draft, command.status, status_at)
        fit(amendable_faults(contract, amendment))
        await amendments.add(tx, amendment)
        event = AmendmentChanged(created=True, contract=contract.id, status=amendment.status.value, fields=("status",))
        edited = Edited(TimelineKind.AMENDMENT_ADDED, amendment.id, contract.client_id)
        await noted(tx, principal, request, edited, now)
        return await told(tx, principal, request, event, amendment, contract.client_id, now)

    return await perform(context, principal, request, "amendmentCreate", command, act)


async def update(context: Context, principal: Principal, request: Request, command: UpdateAmendment) -> Outcome:
    """Change what an amendment says, or move it to another status with the instant recorded."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        seen = found(await amendments.get(tx, command.amendment_id), "amendment", "amendmentId")
        contract = await _locked_contract(tx, principal, seen.contract_id, "amendmentId")
        amendment = found(await amendments.lock(tx, command.amendment_id), "amendment", "amendmentId")
        fresh(amendment, command.expected_version)
        changed = await _changed(tx, amendment, command, now)
        fields = tuple(differences(amendment, {name: getattr(changed, name) for name in ("status", *_TERMS)}))
        if not fields:
            return Outcome(amendment.id, amendment.version)
        faults = list(_update_faults(amendment, changed, command, now))
        if {"site_id", "service_id"} & set(fields):
            faults += [*await _named_faults(tx, amendment), *await _addition_faults(tx, changed)]
        fit(faults, amendment.id)
        fit(amendable_faults(contract, changed), amendment.id)
        changed = replace(changed, version=amendment.version + 1)
        await amendments.save(tx, changed)
        if changed.starts_on != amendment.starts_on:
            await follow_amendment(tx, changed.client_id, changed.id, changed.starts_on, now)
        event = AmendmentChanged(created=False, contract=contract.id, status=changed.status.value, fields=fields)
        edited = Edited(TimelineKind.AMENDMENT_EDITED, amendment.id, contract.client_id, fields)
        await noted(tx, principal, request, edited, now)
        return await told(tx, principal, request, event, changed, contract.client_id, now)

    return await perform(context, principal, request, "amendmentUpdate", command, act)


async def _locked_contract(tx: Transaction, principal: Principal, key: UUID, path: str) -> Contract:
    """Return the contract, locked, so that its amendments get their numbers one after the other."""
    seen = found(await contracts.get(tx, key), "contract", path)
    await held(tx, principal, seen.client_id, path, alone=True)
    return found(await contracts.lock(tx, key), "contract", path)


async def _changed(tx: Transaction, amendment: Amendment, command: UpdateAmendment, now: datetime) -> Amendment:
    wanted = differences(amendment, {name: getattr(command, name) for name in _TERMS})
    terms = _tidy(replace(amendment, **wanted))
    if command.status is UNCHANGED or command.status is amendment.status:
        return terms
    return await _in_status(tx, terms, command.status, command.status_at or now)


async def _in_status(tx: Transaction, amendment: Amendment, status: AmendmentStatus, at: datetime) -> Amendment:
    """Return the amendment as it is once in a status, with the instant that the status has of its own.

    One that ends is in force to the end of that local day, unless it says that it is over before.
    """
    match status:
        case AmendmentStatus.DRAFT:
            return replace(amendment, status=status, sent_at=None)
        case AmendmentStatus.SENT:
            return replace(amendment, status=status, sent_at=at)
        case AmendmentStatus.SIGNED:
            return replace(amendment, status=status, signed_at=at)
        case AmendmentStatus.ENDED:
            last = local_day(at, (await tenants.get(tx)).settings.zone)
            over = last if amendment.ends_on is None else min(last, amendment.ends_on)
            return replace(amendment, status=status, ended_at=at, ends_on=over)


def _update_faults(before: Amendment, after: Amendment, command: UpdateAmendment, now: datetime) -> Iterator[UserError]:
    if before.status is AmendmentStatus.ENDED:
        message = f"This amendment ended on {before.ended_at:%Y-%m-%d}; what has ended stays as it was. Make a new one."
        yield UserError(ErrorCode.CONFLICT, message, ("amendmentId",))
        return
    yield from amendment_faults(after)
    yield from status_faults(before.status, after.status)
    if command.status_at is not None:
        yield from past_faults(command.status_at, now, "statusAt")


async def _addition_faults(tx: Transaction, amendment: Amendment) -> list[UserError]:
    errors = await place_faults(tx, amendment.client_id, amendment.site_id, "siteId")
    service = amendment.service_id
    if service is not None and service not in await services.of_client_among(tx, amendment.client_id, [service]):
        errors.append(not_found("service of this client", "serviceId"))
    return errors


async def _named_faults(tx: Transaction, amendment: Amendment) -> list[UserError]:
    if not await amendments.named_by_onboarding(tx, amendment):
        return []
    message = "An onboarding works towards this amendment, so it stays for that site or service; make a new one."
    return [UserError(ErrorCode.CONFLICT, message, ("siteId",))]


def _tidy(amendment: Amendment) -> Amendment:
    return replace(
        amendment,
        title=amendment.title.strip(),
        scope_added=tuple(part for part in ContractScope if part in amendment.scope_added),
        scope_removed=tuple(part for part in ContractScope if part in amendment.scope_removed),
        note=amendment.note.strip() or None if amendment.note else None,
    )
