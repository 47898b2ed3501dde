"""How every use case runs: one transaction, once per idempotency key, refusals kept as values."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from db import idempotency, outbox
from db.errors import LockTimeoutError, RetryableError
from db.session import Transaction
from domain.access import Principal, PrincipalKind
from domain.errors import ErrorCode, Outcome, UserError, refused
from domain.events import Actor, Envelope, Event
from workflows.context import Context, Request, new_id

ATTEMPTS = 3
KEY_LIMIT = 200
"""Characters of an idempotency key; longer ones are refused."""

Act = Callable[[Transaction], Awaitable[Outcome]]


async def perform(
    context: Context,
    principal: Principal,
    request: Request,
    mutation: str,
    command: object,
    act: Act,
    *,
    dry_run: bool = False,
) -> Outcome:
    """Run `act` in one transaction; sent again with the same key, return what it came to the first time.

    A dry run does all of it and takes it back, so that what it tells is what would happen; it needs no key.

    A refusal commits (with its audit row and its stored outcome); an exception rolls back and
    stores nothing. A deadlock is run again up to three times.

    Raises:
        DatabaseUnavailableError: the connection was lost; whether the commit arrived is settled by
            sending the command again with its key.
    """
    if not dry_run and (error := _key_error(principal, request)):
        return refused(error)
    claim = None if dry_run else _claim(principal, request, mutation, command)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await (_tried if dry_run else _once)(context, principal, claim, act)
        except RetryableError:
            if attempt == ATTEMPTS:
                return refused(_busy())
        except _InProgressError:
            message = "A command with this key is still running; send it again in a moment."
            return refused(UserError(ErrorCode.IDEMPOTENCY_IN_PROGRESS, message, ("idempotencyKey",)))
        except LockTimeoutError:
            return refused(_busy())
    raise AssertionError


class _InProgressError(Exception):
    """The key is held by a command that has not ended."""


async def _once(context: Context, principal: Principal, claim: idempotency.Claim | None, act: Act) -> Outcome:
    async with context.database.writing(principal) as tx:
        if claim is not None:
            try:
                earlier = await idempotency.claim(tx, claim, context.clock())
            except LockTimeoutError as error:
                raise _InProgressError from error
            if earlier is not None:
                return earlier.outcome if earlier.same else refused(_mismatch())
        outcome = await act(tx)
        if claim is not None:
            await idempotency.record(tx, claim, outcome)
        return outcome


class _TakenBackError(Exception):
    """Ends the transaction of a dry run."""


async def _tried(context: Context, principal: Principal, _claim: idempotency.Claim | None, act: Act) -> Outcome:
    outcome: Outcome | None = None
    try:
        async with context.database.writing(principal) as tx:
            outcome = await act(tx)
            raise _TakenBackError  # noqa: TRY301 -- an exception is what takes a transaction back
    except _TakenBackError:
        if outcome is None:
            raise
        return replace(outcome, event=None)


def _key_error(principal: Principal, request: Request) -> UserError | None:
    key = request.idempotency_key
    if key is None:
        if principal.kind in (PrincipalKind.PERSON, PrincipalKind.SYSTEM):
            return None
        message = "A program must send an idempotencyKey with every mutation, so that a retry does nothing twice."
        return UserError(ErrorCode.IDEMPOTENCY_KEY_REQUIRED, message, ("idempotencyKey",))
    if not 1 <= len(key) <= KEY_LIMIT or not key.isprintable():
        message = f"An idempotencyKey has 1 to {KEY_LIMIT} printable characters; this one has {len(key)}."
        return UserError(ErrorCode.INVALID, message, ("idempotencyKey",))
    return None


def _claim(principal: Principal, request: Request, mutation: str, command: object) -> idempotency.Claim | None:
    if request.idempotency_key is None:
        return None
    digest = hashlib.sha256(msgspec.json.encode(command, order="deterministic", enc_hook=_named)).digest()
    return idempotency.Claim(principal.id, mutation, request.idempotency_key, digest)


def _named(value: object) -> str:
    """Return a value of a command that JSON does not know, by its name."""
    if isinstance(value, ZoneInfo):
        return value.key
    raise TypeError(f"a command holds a {type(value).__name__}, which cannot be compared with a repeated one")


def _mismatch() -> UserError:
    message = "This key was used for another command within the last 24 hours; use a new key for a new command."
    return UserError(ErrorCode.IDEMPOTENCY_MISMATCH, message, ("idempotencyKey",))


def _busy() -> UserError:
    return UserError(ErrorCode.BUSY, "Someone else is changing the same object right now; try again.")


def envelope(
    principal: Principal,
    request: Request,
    event: Event,
    *,
    subject: UUID,
    version: int,
    client: UUID | None,
    now: datetime,
) -> Envelope:
    """Wrap an event with who did it, when and by which request."""
    return Envelope(
        id=new_id(),
        tenant=principal.tenant_id,
        client=client,
        subject=subject,
        version=version,
        actor=Actor(principal.kind, principal.id, request.on_behalf_of),
        occurred_at=now,
        recorded_at=now,
        request_id=request.id,
        event=event,
        historical=request.historical,
    )


async def publish(
    tx: Transaction,
    principal: Principal,
    request: Request,
    event: Event,
    *,
    subject: UUID,
    version: int,
    client: UUID | None,
    now: datetime,
) -> UUID:
    """Append one event to the outbox and return the id under which the feed will show it."""
    wrapped = envelope(principal, request, event, subject=subject, version=version, client=client, now=now)
    await outbox.append(tx, [wrapped])
    return wrapped.id


async def tenant_by_tenant(tenants: Iterable[UUID], turn: Callable[[UUID], Awaitable[int]]) -> int:
    """Do our own upkeep for one tenant after the other and return how much there was; one that fails holds up no other.

    Raises:
        ExceptionGroup: what went wrong, after every tenant had its turn.
    """
    done, failures = 0, []
    for tenant in tenants:
        try:
            done += await turn(tenant)
        except Exception as error:  # noqa: BLE001 -- raised below, with the others'
            failures.append(error)
    if failures:
        msg = "upkeep failed for some tenants"
        raise ExceptionGroup(msg, failures)
    return done
