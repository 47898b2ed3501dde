"""Handing over: one person takes another's place in the team of an onboarding."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from db import cycles, notes
from db.session import Transaction
from domain.access import Principal
from domain.definitions import Owner
from domain.errors import Outcome, not_found, refused
from domain.notes import Note
from domain.onboarding import Cycle
from workflows.context import Request, new_id
from workflows.teams import TeamCommand, change_team_in
from workflows.trail import Trail


def handed_over(cycle: Cycle, former: UUID, to: UUID, roles: Collection[Owner]) -> TeamCommand:
    """Return the change of a team by which somebody takes over some roles of another; of none, it changes nothing."""
    command = TeamCommand(cycle.id, None)
    if Owner.LEAD in roles and cycle.lead_id == former:
        command = replace(command, lead=to)
    if Owner.ACCOUNT_MANAGER in roles and cycle.account_manager_id == former:
        command = replace(command, account_manager=to)
    if Owner.TECHNICAL_LEAD in roles and cycle.technical_lead_id == former:
        command = replace(command, technical_lead=to)
    if Owner.ENGINEER in roles and former in cycle.engineer_ids:
        engineers = (to if member == former else member for member in cycle.engineer_ids)
        command = replace(command, engineers=tuple(dict.fromkeys(engineers)))
    return command


async def hand_over(
    tx: Transaction,
    principal: Principal,
    request: Request,
    now: datetime,
    cycle: UUID,
    change: tuple[UUID, UUID, Collection[Owner]],
    reason: str | None = None,
) -> Outcome:
    """Let somebody take over in one onboarding: `change` is from whom, to whom, and in which roles.

    A reason is kept as a note on the onboarding, where people look for why.
    """
    former, to, roles = change
    locked = await cycles.lock(tx, cycle)
    if locked is None:
        return refused(not_found("onboarding", "onboardingId"))
    command = handed_over(locked, former, to, roles)
    outcome = await change_team_in(tx, Trail(principal, request, locked, now), command)
    if reason and outcome.event:
        await notes.ROWS.add(tx, _note(principal, locked, reason, now))
    return outcome


def _note(principal: Principal, cycle: Cycle, text: str, now: datetime) -> Note:
    return Note(
        id=new_id(),
        client_id=cycle.client_id,
        cycle_id=cycle.id,
        text=text,
        pinned=False,
        author_kind=principal.kind.value,
        author_id=principal.id,
        created_at=now,
        edited_at=None,
        deleted_at=None,
        version=1,
    )
