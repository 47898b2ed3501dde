"""Re-deriving: a pass through stored tickets that writes what they come to by what is in force now, or tries a rule."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from db import escalation_rules, passes, stored_tickets, tenants
from db.jobs import Step
from db.passes import BEGINNING, Chosen, Leg
from db.session import Transaction
from domain.access import Principal
from domain.errors import Outcome
from domain.escalations import EscalationRule
from domain.jobs import Job, JobCount, JobKind
from domain.trials import Trial
from workflows import jobs
from workflows.context import Context, Request
from workflows.jobs import Run
from workflows.reassessing import anew, moves, reassess

AT_ONCE = 500
"""Tickets that one transaction goes by."""


EVERY_TICKET = Chosen()


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass: through which tickets, and by which version of a rule, which ends it once there is a newer one.

    With `tried` nothing is written: the pass tells what that rule would change.
    """

    chosen: Chosen = EVERY_TICKET
    version: int | None = None
    tried: EscalationRule | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the pass as a job keeps it; `of` reads it back."""
        chosen = self.chosen
        return {
            "system": chosen.system,
            "client": str(chosen.client) if chosen.client else None,
            "start": chosen.start.isoformat() if chosen.start else None,
            "end": chosen.end.isoformat() if chosen.end else None,
            "version": self.version,
            "tried": self.tried.to_data() if self.tried else None,
            "dry_run": self.tried is not None,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        chosen = Chosen(
            system=kept["system"],
            client=UUID(kept["client"]) if kept["client"] else None,
            start=date.fromisoformat(kept["start"]) if kept["start"] else None,
            end=date.fromisoformat(kept["end"]) if kept["end"] else None,
        )
        return cls(chosen, kept["version"], EscalationRule.from_data(kept["tried"]) if kept["tried"] else None)


def new_job(context: Context, principal: Principal, wanted: Pass) -> Job:
    """Return the job of a pass; one that writes is the product's own work, and outlives the credential of its asker."""
    job = jobs.new_job(context, principal, JobKind.TICKET_REDERIVATION, wanted.parameters())
    return job if wanted.tried else replace(job, token_id=None)


async def begin(tx: Transaction, context: Context, principal: Principal, request: Request, wanted: Pass) -> Job:
    """Begin a pass beside whatever else the command does."""
    job = new_job(context, principal, wanted)
    outcome: Outcome = await jobs.begin(tx, context, principal, request, job)
    return replace(job, version=outcome.version or job.version)


async def rederive_hours(
    tx: Transaction, context: Context, principal: Principal, request: Request, client: UUID | None = None
) -> None:
    """Begin to measure a client's tickets anew, or the tenant's, beside the change of their hours; none need no job."""
    if await passes.length(tx, client, 1):
        await begin(tx, context, principal, request, Pass(Chosen(client=client)))


async def rederive(run: Run) -> None:
    """Go through a job's tickets; taken up again, go on behind the last batch that was written."""
    wanted = Pass.of(run.parameters)
    async with run.context.database.reading(run.principal) as tx:
        total = await passes.length(tx, wanted.chosen.client)
    going = True
    place: Mapping[str, Any] = run.job.place or {}
    done = run.job.done
    while going:
        await run.check()
        async with run.context.database.writing(run.principal) as tx:
            going, done, place = await _step(run, tx, wanted, place, done, total)


async def _step(
    run: Run, tx: Transaction, wanted: Pass, place: Mapping[str, Any], done: int, total: int
) -> tuple[bool, int, Mapping[str, Any]]:
    """Go one batch further, and tell whether there is more, how much is done, and behind what to go on."""
    if wanted.tried is None:
        await escalation_rules.hold(tx)
    leg = await _leg(tx, wanted.chosen, place)
    done += leg.passed
    following: dict[str, Any] = {
        "after": leg.after.hex,
        "logged_at": leg.logged_at.isoformat() if leg.logged_at else None,
    }
    results: tuple[Mapping[str, object], ...] = ()
    counts: dict[JobCount, int] = {}
    more = leg.passed > 0
    if wanted.tried is not None:
        trial = Trial.from_data(place["trial"]) if "trial" in place else Trial()
        await attempt(run.context, tx, trial, wanted.tried, leg.ids)
        following["trial"] = trial.to_data()
        results = () if more else (trial.to_data(),)
    elif await _superseded(tx, wanted):
        # The newer version has a pass of its own, through the tickets behind us as well.
        more = False
    else:
        changed = await reassess(run.context, run.principal, run.request, tx, leg.ids)
        counts = {JobCount.CHANGED: changed, JobCount.UNCHANGED: len(leg.ids) - changed}
        if not more and wanted.version is not None and wanted.chosen.system is not None:
            await escalation_rules.note_applied(tx, wanted.chosen.system, wanted.version, run.context.clock())
    await run.step(tx, Step(done, max(total, done), following, counts, results=results))
    return more, done, following


async def attempt(context: Context, tx: Transaction, trial: Trial, rule: EscalationRule, ids: tuple[UUID, ...]) -> None:
    """Count what a rule would make of tickets, as this transaction sees them."""
    zone = (await tenants.get(tx)).settings.zone
    found = await stored_tickets.by_ids(tx, ids, zone)
    for change in await anew(context, tx, sorted(found, key=lambda one: one.id), rule):
        trial.add(change[0].assessed, change[1], changes=moves(change))


async def _leg(tx: Transaction, chosen: Chosen, place: Mapping[str, Any]) -> Leg:
    after = UUID(place["after"]) if "after" in place else BEGINNING
    logged_at = datetime.fromisoformat(place["logged_at"]) if place.get("logged_at") else None
    return await passes.leg(tx, chosen, after, logged_at, AT_ONCE)


async def _superseded(tx: Transaction, wanted: Pass) -> bool:
    if wanted.version is None or wanted.chosen.system is None:
        return False
    newest = await escalation_rules.newest_of(tx, wanted.chosen.system)
    return newest is not None and newest.version != wanted.version
