"""Gates: pure judgements on evidence, each with its reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.amendments import AmendmentFacts, AmendmentStatus
from domain.checklists import Task, named, outstanding, proofs
from domain.clients import ContractScope, ContractStatus
from domain.definitions import DayNinetyFrom, Hardness, Rules
from domain.errors import Blocker
from domain.hand_off import HandOffField
from domain.moves import MOVES, Gate, Move
from domain.onboarding import Cycle
from domain.stages import Stage


class Answer(StrEnum):
    """What a gate says. NOT_MEASURED has no source yet: a person's word can meet it, else it holds softly."""

    PASS = "PASS"  # noqa: S105 -- an answer, not a secret
    FAIL = "FAIL"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    NOT_MEASURED = "NOT_MEASURED"


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What the gates need of the cycle's contract.

    The days are the amendment's where the cycle works towards one. A scope of `None` was never stated.
    """

    status: ContractStatus
    starts_on: date | None
    ends_on: date | None
    coverage_hours: str | None
    scope: tuple[ContractScope, ...] | None
    amendment: AmendmentFacts | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the gates look at, read while the cycle's row is locked."""

    now: datetime
    today: date
    entered_on: date
    contract: ContractFacts | None
    lead_active: bool
    primary_contacts: int
    surveyable: tuple[UUID, ...]
    devices_discovered: int
    devices_managed: int
    devices_explained: int
    devices_pending_overdue: int
    last_discovery_at: datetime | None
    critical_services: int
    critical_unmapped: tuple[str, ...]
    open_priority_1: int
    recent_tickets: int
    recent_escalated: int
    escalation_rate_limit: float | None
    attested: Mapping[Gate, UUID]
    waived: Mapping[tuple[Move, Gate], UUID]
    tasks: tuple[Task, ...] = ()
    notice_ends_on: date | None = None
    hand_off_missing: tuple[HandOffField, ...] = tuple(HandOffField)
    confirmed: frozenset[Gate] = frozenset()
    """Of the gates attested those for which as many people have given their word as a hard gate takes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate of one move: how it holds, what it answered, why, and what lets it pass all the same."""

    gate: Gate
    hardness: Hardness
    answer: Answer
    reason: str
    attestation: UUID | None = None
    waiver: UUID | None = None

    @property
    def open(self) -> bool:
        """Whether the move may pass here."""
        met = self.answer in (Answer.PASS, Answer.NOT_APPLICABLE)
        return met or self.attestation is not None or self.waiver is not None


Finding = tuple[Answer, str]
Judge = Callable[[Cycle, Rules, Evidence], Finding]

_ONE_WORD = "One person has attested it; a hard gate takes a second person's word too, or a waiver."


def judge(move: Move, cycle: Cycle, rules: Rules, evidence: Evidence) -> tuple[Verdict, ...]:
    """Judge every gate of a move, in the order of the table; all are judged, not only to the first failure."""
    return tuple(_verdict(gate, move, cycle, rules, evidence) for gate in MOVES[move].gates)


def blockers(verdicts: tuple[Verdict, ...]) -> tuple[Blocker, ...]:
    """Return the gates that hold the move back, and who may waive each."""
    return tuple(
        Blocker(v.gate.value, v.hardness.value, v.answer.value, v.reason, waivable_by(v.hardness))
        for v in verdicts
        if not v.open
    )


def waivable_by(hardness: Hardness) -> tuple[str, ...]:
    """Return who may waive a gate of this hardness, in words of the trade."""
    if hardness is Hardness.HARD:
        return ("a second person: SERVICE_MANAGER or ADMIN",)
    return ("the cycle's ONBOARDING_LEAD", "SERVICE_MANAGER", "ADMIN")


def _verdict(gate: Gate, move: Move, cycle: Cycle, rules: Rules, evidence: Evidence) -> Verdict:
    hardness = rules.hardness(gate)
    if hardness is Hardness.OFF:
        return Verdict(gate, hardness, Answer.NOT_APPLICABLE, "Switched off by the definition.")
    answer, reason = _JUDGES[gate](cycle, rules, evidence)
    verdict = Verdict(gate, hardness, answer, reason)
    if answer is Answer.NOT_MEASURED and gate in evidence.attested:
        if hardness is Hardness.HARD and gate not in evidence.confirmed:
            verdict = replace(verdict, reason=_ONE_WORD)
        else:
            verdict = replace(verdict, attestation=evidence.attested[gate])
    if not verdict.open and (move, gate) in evidence.waived:
        verdict = replace(verdict, waiver=evidence.waived[move, gate])
    return verdict


def _when(*, met: bool, passed: str, failed: str) -> Finding:
    return (Answer.PASS, passed) if met else (Answer.FAIL, failed)


def _unmeasured(what: str) -> Judge:
    def judge_unmeasured(_cycle: Cycle, _rules: Rules, _evidence: Evidence) -> Finding:
        return Answer.NOT_MEASURED, f"Nothing measures {what} yet; attest it, or waive the gate."

    return judge_unmeasured


def _checklist(stage: Stage) -> Judge:
    def judge_checklist(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
        required = [task for task in evidence.tasks if task.stage is stage and task.required]
        if not required:
            return Answer.NOT_MEASURED, f"{stage} has no required item on its checklist; attest it, or waive the gate."
        missing = outstanding(evidence.tasks, stage)
        return _when(
            met=not missing,
            passed=f"All {len(required)} required items of {stage} are done.",
            failed=f"{len(missing)} of {len(required)} required items of {stage} are not done: {named(missing)}.",
        )

    return judge_checklist


def _proved(gate: Gate, what: str) -> Judge:
    unmeasured = _unmeasured(what)

    def judge_proof(cycle: Cycle, rules: Rules, evidence: Evidence) -> Finding:
        tasks = proofs(evidence.tasks, gate)
        if not tasks:
            return unmeasured(cycle, rules, evidence)
        missing = [task for task in tasks if not task.done]
        return _when(
            met=not missing, passed=f"Done: {named(tasks)}.", failed=f"Not done on the checklist: {named(missing)}."
        )

    return judge_proof


def _hand_off(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    missing = evidence.hand_off_missing
    return _when(
        met=not missing,
        passed="The hand-off record says everything.",
        failed=f"The hand-off record leaves out {', '.join(missing)}; fill each in, or declare that there is none.",
    )


def _lead_set(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    return _when(
        met=evidence.lead_active,
        passed="The cycle has an active lead.",
        failed="The lead is no active member; name one who is.",
    )


def _contract_signed(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    contract = evidence.contract
    if contract is None:
        return Answer.FAIL, "The cycle names no contract; create one and name it."
    if contract.status is not ContractStatus.SIGNED:
        return Answer.FAIL, f"The contract is {contract.status.value}, not SIGNED."
    amendment = contract.amendment
    if amendment is not None and amendment.status is not AmendmentStatus.SIGNED:
        return Answer.FAIL, f"Amendment {amendment.number} of the contract is {amendment.status.value}, not SIGNED."
    agreed = "The contract" if amendment is None else f"Amendment {amendment.number} of the contract"
    if contract.starts_on is None:
        return Answer.FAIL, f"{agreed} is signed but has no start date."
    if amendment is not None:
        return Answer.PASS, f"{agreed} is signed, starting {contract.starts_on}."
    return Answer.PASS, f"Signed, starting {contract.starts_on}."


def _primary_contact(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    return _when(
        met=evidence.primary_contacts > 0,
        passed="There is a primary contact.",
        failed="No contact has the role PRIMARY.",
    )


def _surveyable_contact(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    count = len(evidence.surveyable)
    return _when(
        met=count > 0,
        passed=f"{count} contacts can be surveyed.",
        failed="No contact has an e-mail address and has not opted out.",
    )


def _coverage_hours(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    hours = evidence.contract.coverage_hours if evidence.contract else None
    return _when(met=bool(hours), passed=f"Coverage is {hours}.", failed="The contract states no coverage hours.")


def _covers_devices(evidence: Evidence) -> bool:
    scope = evidence.contract.scope if evidence.contract else None
    return scope is None or bool({ContractScope.ENDPOINTS, ContractScope.NETWORK} & set(scope))


_NO_DEVICES = (Answer.NOT_APPLICABLE, "The contract covers neither endpoints nor the network.")


def _devices_decided(_cycle: Cycle, rules: Rules, evidence: Evidence) -> Finding:
    if not _covers_devices(evidence):
        return _NO_DEVICES
    count = evidence.devices_pending_overdue
    return _when(
        met=count == 0,
        passed=f"No device has been pending for more than {rules.pending_hours} h.",
        failed=f"{count} devices have been pending for more than {rules.pending_hours} h; decide each.",
    )


def _discovery_fresh(_cycle: Cycle, rules: Rules, evidence: Evidence) -> Finding:
    if not _covers_devices(evidence):
        return _NO_DEVICES
    last, limit = evidence.last_discovery_at, rules.discovery_age_days
    if last is None:
        return Answer.FAIL, "No discovery run has been recorded."
    return _when(
        met=evidence.now - last <= timedelta(days=limit),
        passed=f"The last discovery run was at {last:%Y-%m-%d %H:%M} UTC.",
        failed=f"The last discovery run was at {last:%Y-%m-%d %H:%M} UTC, more than {limit} days ago; run it again.",
    )


def _devices_managed(_cycle: Cycle, rules: Rules, evidence: Evidence) -> Finding:
    if not _covers_devices(evidence):
        return _NO_DEVICES
    found, managed = evidence.devices_discovered, evidence.devices_managed
    if found == 0:
        return Answer.FAIL, "No device has been discovered."
    unexplained = found - managed - evidence.devices_explained
    said = f"{managed} of {found} discovered devices are managed ({managed / found:.0%})"
    return _when(
        met=managed / found >= rules.managed_share or unexplained <= 0,
        passed=f"{said}; every gap has a reason." if managed / found < rules.managed_share else f"{said}.",
        failed=f"{said}, below {rules.managed_share:.0%}, and {unexplained} gaps have no reason.",
    )


def _critical_services_mapped(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    if evidence.critical_services == 0:
        return Answer.NOT_APPLICABLE, "No service is marked critical."
    missing = evidence.critical_unmapped
    return _when(
        met=not missing,
        passed=f"All {evidence.critical_services} critical services name their devices.",
        failed=f"{len(missing)} of {evidence.critical_services} critical services name no device.",
    )


def day_ninety(rules: Rules, contract: ContractFacts | None, service_start: date) -> date | None:
    """Return the local day on which early support's ninety days are over, or `None` without a start date."""
    if rules.day_ninety_from is DayNinetyFrom.CONTRACT_START:
        start = contract.starts_on if contract else None
    else:
        start = service_start
    return start + timedelta(days=rules.early_support_days) if start else None


def _day_90_reached(_cycle: Cycle, rules: Rules, evidence: Evidence) -> Finding:
    due = day_ninety(rules, evidence.contract, evidence.entered_on)
    if due is None:
        return Answer.FAIL, "The contract has no start date, so no day 90 can be counted."
    return _when(
        met=evidence.today >= due,
        passed=f"Day {rules.early_support_days} was {due}.",
        failed=f"Day {rules.early_support_days} is {due}, in {(due - evidence.today).days} days.",
    )


def _days_in_stage(_cycle: Cycle, rules: Rules, evidence: Evidence) -> Finding:
    days = (evidence.today - evidence.entered_on).days
    return _when(
        met=days >= rules.minimum_early_days,
        passed=f"{days} days in early support.",
        failed=f"{days} days in early support; at least {rules.minimum_early_days} are asked for.",
    )


def _of_the_client(judge_tickets: Judge) -> Judge:
    """Say of what is counted for the whole client that it is, where the cycle is about less."""

    def judge_all(cycle: Cycle, rules: Rules, evidence: Evidence) -> Finding:
        answer, reason = judge_tickets(cycle, rules, evidence)
        if cycle.place_id is None or answer is Answer.NOT_MEASURED:
            return answer, reason
        return answer, f"{reason} Tickets name no site and no service, so these are the whole client's."

    return judge_all


def _no_open_priority_1(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    count = evidence.open_priority_1
    return _when(met=count == 0, passed="No priority-1 ticket is open.", failed=f"{count} priority-1 tickets are open.")


def _escalation_rate_in_limit(_cycle: Cycle, rules: Rules, evidence: Evidence) -> Finding:
    limit, logged = evidence.escalation_rate_limit, evidence.recent_tickets
    if limit is None:
        return Answer.NOT_MEASURED, "No limit of the escalation rate is set; set one, attest it, or waive the gate."
    if logged < rules.escalation_minimum_tickets:
        return Answer.PASS, (
            f"Only {logged} tickets in the last {rules.escalation_days} days: too few to judge a rate "
            f"({rules.escalation_minimum_tickets} are needed), so this passes."
        )
    rate = evidence.recent_escalated / logged
    said = f"{evidence.recent_escalated} of {logged} tickets of the last {rules.escalation_days} days ({rate:.1%})"
    return _when(
        met=rate <= limit,
        passed=f"{said} were escalated; the limit is {limit:.1%}.",
        failed=f"{said} were escalated, over the limit of {limit:.1%}.",
    )


def _service_end_reached(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    ends = evidence.notice_ends_on or (evidence.contract.ends_on if evidence.contract else None)
    if ends is None:
        return Answer.FAIL, "No notice was given, and the contract has no end date."
    return _when(met=evidence.today >= ends, passed=f"Service ended on {ends}.", failed=f"Service ends on {ends}.")


def _devices_released(_cycle: Cycle, _rules: Rules, evidence: Evidence) -> Finding:
    count = evidence.devices_managed
    return _when(met=count == 0, passed="No device is managed.", failed=f"{count} devices are still managed.")


_JUDGES: Mapping[Gate, Judge] = {
    Gate.LEAD_SET: _lead_set,
    Gate.CONTRACT_SIGNED: _contract_signed,
    Gate.HAND_OFF_COMPLETE: _hand_off,
    Gate.PRIMARY_CONTACT: _primary_contact,
    Gate.SURVEYABLE_CONTACT: _surveyable_contact,
    Gate.COVERAGE_HOURS: _coverage_hours,
    Gate.THRESHOLD_SET: _proved(Gate.THRESHOLD_SET, "whether a threshold is set or inherited"),
    Gate.CONTRACTING_CHECKLIST: _checklist(Stage.CONTRACTING),
    Gate.DEVICES_DECIDED: _devices_decided,
    Gate.DISCOVERY_FRESH: _discovery_fresh,
    Gate.DEVICES_MANAGED: _devices_managed,
    Gate.CRITICAL_SERVICES_MAPPED: _critical_services_mapped,
    Gate.BACKUP_VERIFIED: _proved(Gate.BACKUP_VERIFIED, "whether a restore of the backup was verified"),
    Gate.CREDENTIALS_HANDED_OVER: _proved(Gate.CREDENTIALS_HANDED_OVER, "whether credentials were handed over"),
    Gate.DISCOVERY_CHECKLIST: _checklist(Stage.ASSET_DISCOVERY),
    Gate.DAY_90_REACHED: _day_90_reached,
    Gate.DAYS_IN_STAGE: _days_in_stage,
    Gate.NO_OPEN_PRIORITY_1: _of_the_client(_no_open_priority_1),
    Gate.ESCALATION_RATE_IN_LIMIT: _of_the_client(_escalation_rate_in_limit),
    Gate.DOCUMENTATION_SIGNED_OFF: _proved(Gate.DOCUMENTATION_SIGNED_OFF, "whether documentation was signed off"),
    Gate.DAY_90_SURVEY: _proved(Gate.DAY_90_SURVEY, "whether the day-90 survey was sent"),
    Gate.SERVICE_END_REACHED: _service_end_reached,
    Gate.DATA_HANDED_BACK: _proved(Gate.DATA_HANDED_BACK, "whether data was handed back"),
    Gate.DEVICES_RELEASED: _devices_released,
}
