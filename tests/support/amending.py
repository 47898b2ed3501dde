"""Undoing and correcting in tests, and what is then seen of an onboarding."""

from datetime import datetime

from sqlalchemy import text

from db import histories
from db.portraits import portrait
from domain.access import Principal
from domain.consequences import Consequence, ConsequenceKind, untold
from domain.errors import Outcome
from domain.moves import Move
from domain.onboarding import Transition
from domain.portraits import Portrait
from tests.support.onboarding import Onboarding
from tests.support.providers import Provider, sent
from workflows.correcting import CorrectCommand, correct
from workflows.undoing import UndoCommand, undo


async def seen(onboarding: Onboarding) -> Portrait:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return await portrait(tx, onboarding.cycle)


async def trail(onboarding: Onboarding) -> tuple[Transition, ...]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return await histories.accepted(tx, onboarding.cycle)


async def undone(onboarding: Onboarding, by: Principal | None = None, *, dry_run: bool = False) -> Outcome:
    command = UndoCommand(onboarding.cycle, onboarding.version, "clicked the wrong client", dry_run)
    outcome = await undo(onboarding.provider.context, by or onboarding.lead, sent(), command)
    if not outcome.errors and not dry_run:
        onboarding.version = outcome.version or 0
    return outcome


async def corrected(
    onboarding: Onboarding, move: Move, effective_at: datetime, *, by: Principal | None = None, dry_run: bool = False
) -> Outcome:
    step = next(s for s in reversed(await trail(onboarding)) if s.move is move)
    command = CorrectCommand(onboarding.cycle, step.id, effective_at, "it was so", onboarding.version, dry_run)
    outcome = await correct(onboarding.provider.context, by or onboarding.lead, sent(), command)
    if not outcome.errors and not dry_run:
        onboarding.version = outcome.version or 0
    return outcome


def of_kind(outcome: Outcome, kind: ConsequenceKind) -> list[Consequence]:
    return [change for change in untold(outcome.facts) if change.kind is kind]


async def phases(provider: Provider) -> list[tuple[str, str]]:
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx.rows(
            text("select stage, phase from ticket where tenant_id = :tenant order by id"), tenant=tx.tenant
        )
    return [(row["stage"], row["phase"]) for row in rows]
