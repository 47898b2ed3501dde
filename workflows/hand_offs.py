"""Hand-offs: what sales tells those who do the work, written field by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from db import activity, cycles, hand_offs
from db.session import Transaction
from domain.access import Principal, Scope
from domain.errors import ErrorCode, Outcome, UserError, not_found, stale
from domain.events import OnboardingChanged
from domain.hand_off import (
    HandOff,
    HandOffChange,
    HandOffField,
    changed,
    differences,
    hand_off_faults,
    input_name,
    people_of,
)
from domain.onboarding import Cycle
from workflows.checks import fit, found, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id


@dataclass(frozen=True, slots=True)
class UpdateHandOff:
    """Write fields of an onboarding's record; `given` holds those to be changed, `declare_none` those without anything.

    A text is a string or nothing, the others are tuples of contacts.
    """

    cycle: UUID
    given: Mapping[HandOffField, Any] = field(default_factory=dict)
    declare_none: tuple[HandOffField, ...] = ()
    expected_version: int | None = None


async def update(context: Context, principal: Principal, request: Request, command: UpdateHandOff) -> Outcome:
    """Write fields of the record; what is written takes back that there is none, and the other way round.

    Raises:
        ForbiddenError: the caller may not write hand-off records.
    """
    principal.require(Scope.CHECKLIST_WRITE)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        now = context.clock()
        cycle = found(await cycles.lock(tx, command.cycle), "onboarding", "onboardingId")
        fit(_unwritable(principal, cycle), cycle.id)
        known = (await hand_offs.of_cycles(tx, [cycle.id])).get(cycle.id)
        record = known or HandOff(id=new_id(), client_id=cycle.client_id, cycle_id=cycle.id)
        if command.expected_version not in (None, record.version):
            fit([stale(record.version)], cycle.id)
        wanted = changed(record, command.given, command.declare_none)
        faults = list(hand_off_faults(wanted, command.given, command.declare_none))
        fit([*faults, *await _strangers(tx, cycle, command.given)], cycle.id)
        fields = differences(record, wanted)
        if not fields:
            return Outcome(cycle.id, record.version)
        written = replace(wanted, updated_at=now, version=record.version + 1)
        await hand_offs.save(tx, written)
        event = await publish(
            tx,
            principal,
            request,
            OnboardingChanged(change="HAND_OFF"),
            subject=cycle.id,
            version=cycle.version,
            client=cycle.client_id,
            now=now,
        )
        change = HandOffChange(
            id=new_id(),
            client_id=cycle.client_id,
            cycle_id=cycle.id,
            version=written.version,
            fields=fields,
            recorded_at=now,
            actor_kind=principal.kind,
            actor_id=principal.id,
            on_behalf_of=request.on_behalf_of or principal.acts_for(cycle.team),
            request_id=request.id,
            event_id=event,
        )
        await hand_offs.record(tx, change)
        await activity.touch(tx, now, cycle=cycle.id)
        return Outcome(cycle.id, written.version, event)

    return await perform(context, principal, request, "handOffUpdate", command, act)


def _unwritable(principal: Principal, cycle: Cycle) -> list[UserError]:
    if not principal.reaches(Scope.CHECKLIST_WRITE, cycle.team):
        message = "You may write the hand-off record only for onboardings on whose team you are; ask its lead."
        return [UserError(ErrorCode.NOT_ALLOWED, message)]
    if cycle.ended:
        message = f"This onboarding ended as {cycle.stage}; its hand-off record does not change any more."
        return [UserError(ErrorCode.MOVE_NOT_POSSIBLE, message)]
    return []


async def _strangers(tx: Transaction, cycle: Cycle, given: Mapping[HandOffField, Any]) -> list[UserError]:
    """Name every field that names somebody who is no contact of this client."""
    named = {f: people_of(value) for f, value in given.items()}
    everybody = frozenset[UUID]().union(*named.values())
    if not everybody:
        return []
    known = await hand_offs.contacts_of(tx, cycle.client_id, list(everybody))
    return [not_found("contact of this client", input_name(f)) for f, people in named.items() if people - known]
