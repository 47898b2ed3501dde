"""Escalation rules: what a tenant calls an escalation in a system's tickets, tried before it is set, then kept."""

from dataclasses import dataclass, replace
from datetime import date

from db import escalation_rules, passes
from db.passes import BEGINNING, Chosen
from db.session import Transaction
from domain.access import Principal, Scope
from domain.definition_rules import NOTE_LIMIT
from domain.errors import ErrorCode, ForbiddenError, Outcome, UserError, invalid, refused, stale
from domain.escalations import EscalationRule, EscalationTest, InvalidRule, RuleVersion
from domain.events import EscalationRuleChanged
from domain.trials import Trial
from workflows.checks import RefusedError, fit, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id
from workflows.rederiving import Pass, attempt, begin

JOB_FACT, TRIAL_FACT, UNCHANGED_FACT = "job", "trial", "unchanged"
"""The places among an outcome's facts of the job that was begun, of what a trial told, and of that nothing differs."""

TRIED_AT_ONCE = 2_000
"""Tickets that a trial goes through while its caller waits; of a tenant with more of them a job does."""

MOST_TEAMS, LONGEST_NAME = 100, 200


@dataclass(frozen=True, slots=True)
class SetRule:
    """Make the next version of a system's rule, or with `dry_run` tell what it would change.

    A dry run can be narrowed to tickets logged from `start` up to, but without, `end`, both local days.
    """

    system: str
    test: EscalationTest
    from_tier: int | None = None
    from_reassignment: int = 1
    vendor_teams: tuple[str, ...] = ()
    management_teams: tuple[str, ...] = ()
    sla_missed: bool = False
    note: str | None = None
    expected_version: int | None = None
    dry_run: bool = False
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class ApplyRules:
    """Go through stored tickets by the newest rule of a system, or of all of them, and the hours in force."""

    system: str | None = None


async def set_rule(context: Context, principal: Principal, request: Request, command: SetRule) -> Outcome:
    """Make a version of a rule and begin to go through the tickets by it; none before it changes.

    Raises:
        ForbiddenError: the caller may not write policies, or sees only some of the clients.
    """
    _for_every_client(principal)
    if command.dry_run:
        return await _try(context, principal, request, command)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        await escalation_rules.alone(tx)
        newest, rule = await _next(tx, command)
        if newest is not None and replace(rule, version=newest.version) == newest.rule:
            return Outcome(newest.id, newest.version, facts={UNCHANGED_FACT: True})
        now = context.clock()
        made = RuleVersion(
            id=new_id(),
            system=command.system,
            rule=rule,
            created_at=now,
            author_kind=principal.kind,
            author_id=principal.id,
            note=(command.note or "").strip() or None,
            # Before a system's first ticket there is nothing to go through.
            applied_at=None if newest else now,
        )
        await escalation_rules.add(tx, made)
        event = await publish(
            tx,
            principal,
            request,
            EscalationRuleChanged(command.system, rule.version, newest.version if newest else None),
            subject=made.id,
            version=rule.version,
            client=None,
            now=now,
        )
        facts: dict[str, object] = {}
        if newest is not None:
            wanted = Pass(Chosen(system=command.system), rule.version)
            facts[JOB_FACT] = (await begin(tx, context, principal, request, wanted)).id.hex
        return Outcome(made.id, rule.version, event, facts=facts)

    return await perform(context, principal, request, "escalationRuleSet", command, act)


async def apply(context: Context, principal: Principal, request: Request, command: ApplyRules) -> Outcome:
    """Begin to go through tickets by what is in force: after a pass was cancelled, or after hours have changed.

    Raises:
        ForbiddenError: the caller may not write policies, or sees only some of the clients.
    """
    _for_every_client(principal)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        wanted = Pass()
        if command.system is not None:
            newest = await escalation_rules.newest_of(tx, command.system)
            if newest is None:
                fit([_no_rule(command.system)])
                raise AssertionError
            wanted = Pass(Chosen(system=command.system), newest.version)
        job = await begin(tx, context, principal, request, wanted)
        return Outcome(job.id, job.version, facts={JOB_FACT: job.id.hex})

    return await perform(context, principal, request, "escalationRuleApply", command, act)


async def _try(context: Context, principal: Principal, request: Request, command: SetRule) -> Outcome:
    """Tell what a rule would change, at once or of many tickets by a job that writes nothing but its result."""
    chosen = Chosen(command.system, None, command.start, command.end)

    @refusable
    async def at_once(tx: Transaction) -> Outcome:
        newest, rule = await _next(tx, command)
        if await passes.length(tx, None, TRIED_AT_ONCE + 1) > TRIED_AT_ONCE:
            return Outcome(newest.id if newest else None, rule.version)
        leg = await passes.leg(tx, chosen, BEGINNING, None, TRIED_AT_ONCE)
        trial = Trial()
        await attempt(context, tx, trial, rule, leg.ids)
        return Outcome(newest.id if newest else None, rule.version, facts={TRIAL_FACT: trial.to_data()})

    async def by_job(tx: Transaction) -> Outcome:
        _, rule = await _next(tx, command)
        job = await begin(tx, context, principal, request, Pass(chosen, None, rule))
        return Outcome(job.id, rule.version, facts={JOB_FACT: job.id.hex})

    outcome = await perform(context, principal, request, "escalationRuleSet", command, at_once, dry_run=True)
    if outcome.errors or TRIAL_FACT in outcome.facts:
        return outcome
    return await perform(context, principal, request, "escalationRuleSet", command, refusable(by_job))


async def _next(tx: Transaction, command: SetRule) -> tuple[RuleVersion | None, EscalationRule]:
    """Return the newest version and the rule that would follow it, or refuse the command."""
    fit(_faults(command))
    newest = await escalation_rules.newest_of(tx, command.system)
    known = newest.version if newest else 0
    if command.expected_version not in (None, known):
        raise RefusedError(refused(stale(known), subject=newest.id if newest else None))
    try:
        rule = EscalationRule(
            test=command.test,
            version=known + 1,
            from_tier=command.from_tier,
            from_reassignment=command.from_reassignment,
            vendor_teams=command.vendor_teams,
            management_teams=command.management_teams,
            sla_missed=command.sla_missed,
        )
    except InvalidRule as error:
        fit([invalid(str(error), "fromTier" if command.from_tier is not None else "fromReassignment")])
        raise AssertionError from error
    return newest, rule


def _faults(command: SetRule) -> list[UserError]:
    faults = []
    if not 1 <= len(command.system.strip()) <= LONGEST_NAME:
        faults.append(
            invalid(f"A system's name has 1 to {LONGEST_NAME} characters; give the one of its tickets.", "system")
        )
    if command.test is not EscalationTest.TIER_RAISED and command.from_tier is not None:
        faults.append(invalid("Only TIER_RAISED looks at support lines; leave fromTier out.", "fromTier"))
    if command.test is not EscalationTest.REASSIGNED and command.from_reassignment != 1:
        faults.append(invalid("Only REASSIGNED counts reassignments; leave fromReassignment out.", "fromReassignment"))
    for name, teams in (("vendorTeams", command.vendor_teams), ("managementTeams", command.management_teams)):
        if len(teams) > MOST_TEAMS:
            faults.append(invalid(f"{len(teams)} teams are too many; name at most {MOST_TEAMS}.", name))
        faults += [
            invalid(
                f"A team's name has 1 to {LONGEST_NAME} characters; {team[:40]!r} has {len(team)}.", name, str(place)
            )
            for place, team in enumerate(teams)
            if not 1 <= len(team) <= LONGEST_NAME
        ]
    if both := sorted({*command.vendor_teams} & {*command.management_teams}):
        message = f"{both[0]!r} cannot be a team of a vendor and of management at once; leave it out of one."
        faults.append(invalid(message, "managementTeams"))
    if command.note is not None and len(command.note) > NOTE_LIMIT:
        faults.append(invalid(f"A note has at most {NOTE_LIMIT} characters; this one has {len(command.note)}.", "note"))
    if not command.dry_run and (command.start or command.end):
        faults.append(invalid("A rule is for all tickets: only a dry run can be narrowed to a period.", "period"))
    if command.start and command.end and command.end <= command.start:
        faults.append(
            invalid(f"{command.end} is no later than {command.start}: `to` is the day after the last.", "period")
        )
    return faults


def _no_rule(system: str) -> UserError:
    message = f"There is no rule for a system {system!r}; escalationRules lists those there are."
    return UserError(ErrorCode.NOT_FOUND, message, ("system",))


def _for_every_client(principal: Principal) -> None:
    principal.require(Scope.POLICIES_WRITE)
    if principal.clients is not None:
        msg = "A rule is for every client; this credential sees only some."
        raise ForbiddenError(msg)
