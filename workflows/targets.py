"""Targets: what a provider wants of a figure, for itself or for one client; setting and removing loses no version."""

from dataclasses import dataclass, replace
from uuid import UUID

from db import clients, targets
from db.session import Transaction
from domain.access import Principal, Scope
from domain.errors import ErrorCode, Outcome, UserError, invalid, refused, stale
from domain.events import KpiTargetChanged
from domain.kpis import Kpi
from domain.targets import KpiTarget, refusal
from workflows.checks import RefusedError, fit, found, refusable, running_again_on_duplicates
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id


@dataclass(frozen=True, slots=True)
class SetTarget:
    """Want a figure to keep to a value; no value removes what was wanted of it.

    `expected_number` is the version that was decided upon, 0 where there was none.
    """

    kpi: str
    client: UUID | None
    value: float | None
    expected_number: int | None = None


async def set_target(context: Context, principal: Principal, request: Request, command: SetTarget) -> Outcome:
    """Set the target of a figure; the same value again changes nothing.

    Raises:
        ForbiddenError: the caller may not write policies.
    """
    return await _changed(context, principal, request, "kpiTargetSet", command)


async def remove_target(context: Context, principal: Principal, request: Request, command: SetTarget) -> Outcome:
    """Remove the target of a figure: the client's falls back to the provider's.

    Raises:
        ForbiddenError: the caller may not write policies.
    """
    return await _changed(context, principal, request, "kpiTargetRemove", command)


async def _changed(
    context: Context, principal: Principal, request: Request, mutation: str, command: SetTarget
) -> Outcome:
    principal.require(Scope.POLICIES_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        if command.client is not None:
            found(await clients.hold_kept(tx, command.client), "client", "clientId")
        elif principal.clients is not None:
            fit([_of_all()])
        last = await targets.last(tx, command.kpi, command.client)
        _fitting(command, last)
        if last is not None and last.value == command.value:
            return Outcome(last.id, last.number)
        version = KpiTarget(
            id=new_id(),
            kpi=command.kpi,
            client_id=command.client,
            number=last.number + 1 if last else 1,
            value=command.value,
            recorded_at=max(now, last.recorded_at) if last else now,
            actor_kind=principal.kind.value,
            actor_id=principal.id,
            request_id=request.id,
        )
        with running_again_on_duplicates():
            await targets.add(tx, version)
        event = await publish(
            tx,
            principal,
            request,
            KpiTargetChanged(kpi=command.kpi, removed=command.value is None),
            subject=version.id,
            version=version.number,
            client=command.client,
            now=now,
        )
        return Outcome(version.id, version.number, event)

    return await perform(context, principal, request, mutation, command, act)


def _fitting(command: SetTarget, last: KpiTarget | None) -> None:
    number = last.number if last else 0
    if command.expected_number not in (None, number):
        raise RefusedError(refused(replace(stale(number), path=("expectedNumber",))))
    if command.value is not None and (reason := refusal(Kpi[command.kpi].definition, command.value)):
        fit([invalid(reason, "value")])
    if command.value is None and (last is None or last.value is None):
        message = "There is no such target; nothing is to be removed."
        fit([UserError(ErrorCode.NOT_FOUND, message, ("key",))])


def _of_all() -> UserError:
    message = "Your token reaches some clients only: set a target for one of them, by its clientId."
    return UserError(ErrorCode.NOT_ALLOWED, message, ("clientId",))
