"""Escalation rules as the API shows them: what counts now, every version, what another would change, and setting it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import ticket_enums  # noqa: F401 -- publishes the enums named here
from api.changing import Payload
from api.consequences import DRY_RUN
from api.context import Info, OperationContext
from api.fields import id_field, mutation_field, query_field, resolved, window
from api.jobs import Job, job
from api.nodes import Node, nodes_of
from api.paging import After, Connection, First, Ordering, connection, page_of
from api.payloads import KEY, event_id
from api.ticket_parts import EscalationRule
from db import escalation_rules as stored
from domain import escalations, trials
from domain.access import PrincipalKind, Scope
from domain.errors import ErrorCode, Outcome
from domain.escalations import EscalationTest
from domain.ids import IdKind, public
from domain.tickets import EscalationKind
from domain.trials import Trial
from workflows import escalation_rules
from workflows.escalation_rules import JOB_FACT, TRIAL_FACT, UNCHANGED_FACT, ApplyRules, SetRule

BY_CREATED_AT = Ordering("versions of rules", (datetime, UUID))
EXPECTED = "The newest version's number on which you decided, 0 for none; another one gets `STALE_VERSION`."
SYSTEM = "The system whose tickets it is for, by its name there."


async def version(context: OperationContext, keys: Sequence[UUID]) -> list[escalations.RuleVersion | None]:
    """Load versions of rules by id."""
    async with context.reading() as tx:
        found = await stored.many(tx, keys)
    return [found.get(key) for key in keys]


@strawberry.type(description="A system of whose tickets not all stand by the same version of the rule.")
class RuleMixture:
    system: str = strawberry.field(description="The system.")
    versions: list[int] = strawberry.field(description="The versions by which its tickets may stand, oldest first.")


async def rule_mixtures(context: OperationContext, keys: Sequence[datetime]) -> list[list[RuleMixture]]:
    """Load the systems of which not all tickets stood by one version, as of instants."""
    found: list[list[RuleMixture]] = []
    async with context.reading() as tx:
        for key in keys:
            mixed = await stored.mixed(tx, key)
            found.append([RuleMixture(system=system, versions=list(versions)) for system, versions in mixed.items()])
    return found


@window(
    escalations.RuleVersion,
    name="EscalationRuleVersion",
    description="One version of what counts as an escalation in a system's tickets; it never changes.",
)
class EscalationRuleVersion(Node):
    id: strawberry.ID = id_field(IdKind.ESCALATION_RULE, description="The version's id.")
    system: str = strawberry.field(description=SYSTEM)
    rule: EscalationRule = strawberry.field(description="What it says.")
    created_at: datetime = strawberry.field(description="When it was made.")
    author_kind: PrincipalKind | None = strawberry.field(
        description="What kind of caller made it; `null` where it came with the system's first tickets."
    )
    applied_at: datetime | None = strawberry.field(
        description="When all tickets of the system had been gone through by it; until then some stand by an earlier "
        "version. Stays `null` where a newer one came before that."
    )

    @resolved(description="Its number, counted from 1 for each system.")
    def number(root: Any) -> int:  # noqa: N805 -- the root is a domain value, not this class
        number: int = root.version
        return number

    @resolved(
        description="The member or token that made it; `null` where the product itself did.", scope=Scope.MEMBERS_READ
    )
    def author_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        if root.author_id is None or root.author_kind is PrincipalKind.SYSTEM:
            return None
        kind = IdKind.MEMBER if root.author_kind is PrincipalKind.PERSON else IdKind.TOKEN
        return strawberry.ID(public(kind, root.author_id))

    @resolved(description="Why it was made, in the words of whoever made it.", scope=Scope.POLICIES_READ)
    def note(root: Any) -> str | None:  # noqa: N805
        note: str | None = root.note
        return note


nodes_of(IdKind.ESCALATION_RULE, version, Scope.TICKETS_READ)


@strawberry.type(description="One system's rule.")
class SystemRule:
    system: str = strawberry.field(description=SYSTEM)
    rule: EscalationRule = strawberry.field(description="The rule that counts now.")
    current: EscalationRuleVersion = strawberry.field(description="The version that says so: whose it is, and why.")


@strawberry.type(description="Figures of one kind of escalation in one month, before and after.")
class TrialShift:
    kind: EscalationKind = strawberry.field(description="The kind.")
    escalated_before: int = strawberry.field(description="Tickets logged in the month that are escalated so.")
    escalated_after: int = strawberry.field(description="Tickets logged in the month that would be.")
    rate_before: float | None = strawberry.field(description="Their share of the tickets logged; `null` without any.")
    rate_after: float | None = strawberry.field(description="The share that it would be.")
    escalations_before: int = strawberry.field(description="Escalations that came about in the month.")
    escalations_after: int = strawberry.field(description="Escalations that would.")


@strawberry.type(description="One month of a trial.")
class TrialMonth:
    month: date = strawberry.field(description="Its first day.")
    tickets: int = strawberry.field(description="Tickets logged in it.")
    kinds: list[TrialShift] = strawberry.field(description="What becomes of each kind of escalation there is.")


@window(trials.TriedTicket, name="TriedTicket", description="A ticket that changes.")
class TriedTicket:
    external_id: str = strawberry.field(description="Its number in the system.")
    before: list[EscalationKind] = strawberry.field(description="Its escalations as they stand, in order.")
    after: list[EscalationKind] = strawberry.field(description="Its escalations as they would be.")


@window(
    Trial,
    name="EscalationRuleTrial",
    description="What a rule would make of stored tickets. Figures are those of `kpi` as it answers by default: "
    "without what counts nowhere and without what monitoring opened.",
)
class EscalationRuleTrial:
    tickets: int = strawberry.field(description="How many tickets were looked at.")
    changed: int = strawberry.field(description="How many of them would change.")
    sample: list[TriedTicket] = strawberry.field(description="Up to 20 of those.")

    @resolved(description="The figures month by month.")
    def months(root: Any) -> list[TrialMonth]:  # noqa: N805
        return [
            TrialMonth(
                month=month,
                tickets=one.tickets,
                kinds=[_shift(kind, one.kinds[kind], one.tickets) for kind in sorted(one.kinds)],
            )
            for month, one in sorted(root.months.items())
        ]


def _shift(kind: EscalationKind, shift: trials.Shift, tickets: int) -> TrialShift:
    return TrialShift(
        kind=kind,
        escalated_before=shift.escalated_before,
        escalated_after=shift.escalated_after,
        rate_before=shift.escalated_before / tickets if tickets else None,
        rate_after=shift.escalated_after / tickets if tickets else None,
        escalations_before=shift.escalations_before,
        escalations_after=shift.escalations_after,
    )


@strawberry.type
class EscalationRulesQuery:
    @query_field(
        scope=Scope.TICKETS_READ, description="What the provider calls an escalation, for each system of tickets."
    )
    async def escalation_rules(self, info: Info) -> list[SystemRule] | None:
        async with info.context.reading() as tx:
            found = await stored.newest(tx)
        return [SystemRule(system=one.system, rule=one.rule, current=one) for one in found.values()]  # type: ignore[arg-type]

    @query_field(scope=Scope.TICKETS_READ, description="Every version of every rule, the newest first.")
    async def escalation_rule_versions(
        self,
        info: Info,
        systems: Annotated[
            list[str] | None, strawberry.argument(description="Of these systems; of all if left out.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> Connection[EscalationRuleVersion] | None:
        page = page_of(BY_CREATED_AT, first=first, after=after)
        where: dict[str, object] = {} if systems is None else {"systems": systems}

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx, where)

        async with info.context.reading() as tx:
            rows = await stored.history(tx, page, where)
        return connection(page, rows, key=lambda row: (row.created_at, row.id), count=count)


@strawberry.input(description="Local days of the provider within which tickets were logged.")
class LoggedWithin:
    start: date | None = strawberry.field(default=None, name="from", description="The first day.")
    end: date | None = strawberry.field(default=None, name="to", description="The day after the last one.")


@strawberry.input(description="What shall count as an escalation in a system's tickets, whole.")
class EscalationRuleSetInput:
    system: str = strawberry.field(description=SYSTEM)
    test: EscalationTest = strawberry.field(description="Which hand-over counts.")
    from_tier: int | None = strawberry.field(
        default=None, description="Of `TIER_RAISED`: only hand-overs out of this support line; any if left out."
    )
    from_reassignment: int = strawberry.field(
        default=1, description="Of `REASSIGNED`: the reassignment from which on they count, such as 2."
    )
    vendor_teams: list[str] = strawberry.field(
        default_factory=list, description="A hand-over to one of these teams is a `VENDOR` escalation instead."
    )
    management_teams: list[str] = strawberry.field(
        default_factory=list, description="A hand-over to one of these teams is a `HIERARCHICAL` escalation instead."
    )
    sla_missed: bool = strawberry.field(
        default=False, description="Whether the passing of a resolution target is an `SLA` escalation."
    )
    note: str | None = strawberry.field(default=None, description="Why, in your words; kept with the version.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    period: LoggedWithin | None = strawberry.field(
        default=None, description="Of a dry run: only tickets logged then; all if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Tickets to be gone through by what is in force.")
class EscalationRuleApplyInput:
    system: str | None = strawberry.field(default=None, description=f"{SYSTEM} All systems if left out.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type
class RulePayload(Payload):
    """What the payloads of rules share."""

    job: Job | None = strawberry.field(description="The job that goes through the tickets, where one was begun.")


@strawberry.type(description="What came of `escalationRuleSet`.")
class EscalationRuleSetPayload(RulePayload):
    current: EscalationRuleVersion | None = strawberry.field(description="The version that counts now.")
    unchanged: bool = strawberry.field(description="Whether nothing differs, so that no version was made.")
    trial: EscalationRuleTrial | None = strawberry.field(
        description="What a dry run told. Of a provider with very many tickets it is in the job's `resultUrl` instead."
    )


@strawberry.type(description="What came of `escalationRuleApply`.")
class EscalationRuleApplyPayload(RulePayload):
    pass


@strawberry.type
class EscalationRulesMutation:
    @mutation_field(
        scope=Scope.POLICIES_WRITE,
        description="Say what counts as an escalation in a system's tickets from now on, as a new version; a job goes "
        "through the tickets there are. A dry run tells which tickets and figures would change. Answers as of an "
        "earlier moment stay as they were.",
        may_fail=(ErrorCode.STALE_VERSION,),
    )
    async def escalation_rule_set(self, info: Info, input: EscalationRuleSetInput) -> EscalationRuleSetPayload:
        command = SetRule(
            system=input.system,
            test=input.test,
            from_tier=input.from_tier,
            from_reassignment=input.from_reassignment,
            vendor_teams=tuple(input.vendor_teams),
            management_teams=tuple(input.management_teams),
            sla_missed=input.sla_missed,
            note=input.note,
            expected_version=input.expected_version,
            dry_run=input.dry_run,
            start=input.period.start if input.period else None,
            end=input.period.end if input.period else None,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(escalation_rules.set_rule, request, command)
        async with info.context.reading() as tx:
            newest = await stored.newest_of(tx, input.system)
        told: Any = outcome.facts.get(TRIAL_FACT)
        return EscalationRuleSetPayload(
            current=newest,  # type: ignore[arg-type]
            unchanged=bool(outcome.facts.get(UNCHANGED_FACT)),
            trial=Trial.from_data(told) if told else None,  # type: ignore[arg-type]
            **await _begun(info, outcome),
        )

    @mutation_field(
        scope=Scope.POLICIES_WRITE,
        description="Go through stored tickets by the newest rules and the hours in force: after a job that did so was "
        "cancelled, or where hours changed. What comes to the same stays as it is.",
        may_fail=(ErrorCode.NOT_FOUND,),
    )
    async def escalation_rule_apply(self, info: Info, input: EscalationRuleApplyInput) -> EscalationRuleApplyPayload:
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(escalation_rules.apply, request, ApplyRules(input.system))
        return EscalationRuleApplyPayload(**await _begun(info, outcome))


async def _begun(info: Info, outcome: Outcome) -> dict[str, Any]:
    begun: Any = outcome.facts.get(JOB_FACT)
    return {
        "job": await info.context.loader(job).load(UUID(begun)) if begun else None,
        "event_id": event_id(outcome),
        "errors": list(outcome.errors),
    }
