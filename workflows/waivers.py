"""Waivers and attestations: how a gate is passed that evidence does not open."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from db import activity, calendars, cycles, definitions, evidence, follow_ups, tenants, waivers
from db.session import Transaction
from domain.access import Principal, PrincipalKind, Scope
from domain.cycle_changes import ChangedField
from domain.definitions import Hardness, Rules
from domain.errors import ErrorCode, ForbiddenError, Outcome, UserError, invalid, not_found, refused
from domain.events import OnboardingChanged
from domain.follow_ups import FollowUpKind
from domain.gates import Answer, Verdict, judge
from domain.moves import MOVES, Gate, Move
from domain.onboarding import Cycle
from domain.periods import local_day
from domain.tenants import TenantSettings
from domain.texts import REASON_LIMIT
from domain.waiver_rules import second_person, unconfirming, ungrantable, unwithdrawable
from domain.waivers import Attestation, Waiver, WaiverState
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id
from workflows.follow_ups import Promise, open_about
from workflows.trail import Trail

WITHDRAWN = "The waiver was withdrawn."
"""The note of a follow-up that its waiver's withdrawal closes."""


@dataclass(frozen=True, slots=True)
class WaiverCommand:
    """Ask to pass one gate of one move once. `expires_at` may shorten the definition's term."""

    cycle: UUID
    move: Move
    gate: Gate
    reason: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaiverDecision:
    """Grant a waiver that waits for its second person, or withdraw one that was not used."""

    waiver: UUID


@dataclass(frozen=True, slots=True)
class AttestCommand:
    """Give one's word for a gate that nothing measures yet."""

    cycle: UUID
    gate: Gate
    statement: str
    attested_on: date


@dataclass(frozen=True, slots=True)
class _Act:
    """What the acts of this file share: who asks, how, and when."""

    context: Context
    principal: Principal
    request: Request
    now: datetime

    async def tell(self, tx: Transaction, cycle: Cycle, change: str, subject: UUID) -> Outcome:
        await activity.touch(tx, self.now, cycle=cycle.id)
        event = await publish(
            tx,
            self.principal,
            self.request,
            OnboardingChanged(change=change),
            subject=cycle.id,
            version=cycle.version,
            client=cycle.client_id,
            now=self.now,
        )
        return Outcome(subject=subject, version=cycle.version, event=event)

    async def refuse(
        self, tx: Transaction, cycle: Cycle, error: UserError, what: ChangedField, gate: Gate, subject: UUID
    ) -> Outcome:
        trail = Trail(self.principal, self.request, cycle, self.now)
        return await trail.refuse_at(tx, error, what, gate, subject=subject)


async def request_waiver(context: Context, principal: Principal, request: Request, command: WaiverCommand) -> Outcome:
    """Waive a soft gate at once, or ask a second person to waive a hard one.

    Raises:
        ForbiddenError: the caller is a program, or may not waive gates.
    """
    _a_person(principal, Scope.WAIVE_SOFT)

    async def act(tx: Transaction) -> Outcome:
        cycle = await cycles.lock(tx, command.cycle)
        if cycle is None:
            return refused(not_found("onboarding", "onboardingId"))
        rules = (await definitions.by_ids(tx, [cycle.definition_id]))[cycle.definition_id].rules
        now = context.clock()
        doing, settings = _Act(context, principal, request, now), (await tenants.get(tx)).settings
        if error := await _unwaivable(tx, principal, cycle, rules, settings, command, now):
            return await doing.refuse(tx, cycle, error, ChangedField.WAIVER_REQUEST, command.gate, cycle.id)
        waiver = _waiver(principal, cycle, rules, settings, command, now)
        await waivers.WAIVERS.add(tx, waiver)
        if waiver.granted_at is None:
            return await doing.tell(tx, cycle, "WAIVER_REQUESTED", waiver.id)
        await _follow_up(tx, cycle, waiver, settings, principal.id)
        return await doing.tell(tx, cycle, "WAIVER_GRANTED", waiver.id)

    return await perform(context, principal, request, "waiverRequest", command, act)


async def grant_waiver(context: Context, principal: Principal, request: Request, command: WaiverDecision) -> Outcome:
    """Grant another person's waiver of a hard gate.

    Raises:
        ForbiddenError: the caller may not waive hard gates.
    """
    _a_person(principal, Scope.WAIVE_HARD)

    async def act(tx: Transaction, waiver: Waiver, cycle: Cycle, now: datetime) -> Outcome:
        doing, settings = _Act(context, principal, request, now), (await tenants.get(tx)).settings
        if error := ungrantable(principal, waiver, cycle, settings, now):
            return await doing.refuse(tx, cycle, error, ChangedField.WAIVER_GRANT, waiver.gate, waiver.id)
        granted = replace(waiver, granted_by=principal.id, granted_at=now, four_eyes=second_person(principal, waiver))
        await waivers.WAIVERS.save(tx, granted.id, granted)
        await _follow_up(tx, cycle, granted, settings, principal.id)
        return await doing.tell(tx, cycle, "WAIVER_GRANTED", waiver.id)

    return await _decide(context, principal, request, "waiverGrant", command, act)


async def withdraw_waiver(context: Context, principal: Principal, request: Request, command: WaiverDecision) -> Outcome:
    """Take back a waiver that no move has used, and close its follow-up.

    Its requester may, and so may a service manager.

    Raises:
        ForbiddenError: the caller may not waive gates.
    """
    _a_person(principal, Scope.WAIVE_SOFT)

    async def act(tx: Transaction, waiver: Waiver, cycle: Cycle, now: datetime) -> Outcome:
        doing = _Act(context, principal, request, now)
        if error := unwithdrawable(principal, waiver, now):
            return await doing.refuse(tx, cycle, error, ChangedField.WAIVER_WITHDRAWAL, waiver.gate, waiver.id)
        await waivers.WAIVERS.save(tx, waiver.id, replace(waiver, withdrawn_at=now, withdrawn_by=principal.id))
        await follow_ups.close_about(tx, FollowUpKind.WAIVER, waiver.id, by=principal.id, now=now, note=WITHDRAWN)
        return await doing.tell(tx, cycle, "WAIVER_WITHDRAWN", waiver.id)

    return await _decide(context, principal, request, "waiverWithdraw", command, act)


async def attest(context: Context, principal: Principal, request: Request, command: AttestCommand) -> Outcome:
    """Record a person's dated word for a gate that answers NOT_MEASURED; it holds for this stay in the stage.

    A hard gate takes the words of two people.

    Raises:
        ForbiddenError: the caller is a program, or may not move onboardings.
    """
    _a_person(principal, Scope.ONBOARDING_MOVE)

    async def act(tx: Transaction) -> Outcome:
        cycle = await cycles.lock(tx, command.cycle)
        if cycle is None:
            return refused(not_found("onboarding", "onboardingId"))
        now = context.clock()
        doing = _Act(context, principal, request, now)
        if error := await _unattestable(tx, principal, cycle, command, now):
            return await doing.refuse(tx, cycle, error, ChangedField.ATTESTATION, command.gate, cycle.id)
        word = Attestation(
            id=new_id(),
            client_id=cycle.client_id,
            cycle_id=cycle.id,
            gate=command.gate,
            statement=command.statement.strip(),
            attested_on=command.attested_on,
            attested_by=principal.id,
            recorded_at=now,
        )
        await waivers.attest(tx, word, cycle.visit_id)
        return await doing.tell(tx, cycle, "GATE_ATTESTED", cycle.id)

    return await perform(context, principal, request, "gateAttest", command, act)


def _a_person(principal: Principal, scope: Scope) -> None:
    principal.require(scope)
    if principal.kind is not PrincipalKind.PERSON:
        msg = "Only a person may waive or attest a gate; this credential is a program's."
        raise ForbiddenError(msg)


async def _decide(
    context: Context,
    principal: Principal,
    request: Request,
    mutation: str,
    command: WaiverDecision,
    act: Callable[[Transaction, Waiver, Cycle, datetime], Awaitable[Outcome]],
) -> Outcome:
    """Run a decision on a waiver with its cycle's row locked, which all that touches waivers takes first."""

    async def locked(tx: Transaction) -> Outcome:
        seen = await waivers.WAIVERS.get(tx, command.waiver)
        cycle = await cycles.lock(tx, seen.cycle_id) if seen else None
        waiver = await waivers.WAIVERS.get(tx, command.waiver)
        if waiver is None or cycle is None:
            return refused(not_found("waiver", "waiverId"))
        return await act(tx, waiver, cycle, context.clock())

    return await perform(context, principal, request, mutation, command, locked)


async def _unwaivable(
    tx: Transaction,
    principal: Principal,
    cycle: Cycle,
    rules: Rules,
    settings: TenantSettings,
    command: WaiverCommand,
    now: datetime,
) -> UserError | None:
    if not principal.reaches(Scope.WAIVE_SOFT, (cycle.lead_id,)):
        return UserError(ErrorCode.NOT_ALLOWED, "Gates are waived by the onboarding's lead or a service manager.")
    if error := _misdirected(cycle, rules, command) or _text_error(command.reason, "reason"):
        return error
    if command.expires_at and not now < command.expires_at <= now + timedelta(days=rules.waiver_days):
        return invalid(f"A waiver expires within {rules.waiver_days} days from now.", "expiresAt")
    live = (WaiverState.REQUESTED, WaiverState.GRANTED)
    for other in (await waivers.of_cycles(tx, [cycle.id])).get(cycle.id, []):
        same = (other.visit_id, other.move, other.gate) == (cycle.visit_id, command.move, command.gate)
        if same and other.state(now) in live:
            return UserError(ErrorCode.ALREADY_EXISTS, "A waiver of this gate is already asked for or granted.")
    verdict = await _judged(tx, cycle, rules, settings, command.move, command.gate, now)
    if verdict.open:
        said = "is attested" if verdict.attestation else f"answers {verdict.answer}: {verdict.reason}"
        return invalid(f"{command.gate} {said}; there is nothing to waive.", "gate")
    return None


def _misdirected(cycle: Cycle, rules: Rules, command: WaiverCommand) -> UserError | None:
    rule = MOVES[command.move]
    if cycle.stage not in rule.sources:
        message = f"{command.move} is not possible from {cycle.stage}, so none of its gates can be waived now."
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("move",))
    if command.gate not in rule.gates:
        return invalid(f"{command.move} has no gate {command.gate}; it has {', '.join(rule.gates)}.", "gate")
    if rules.hardness(command.gate) is Hardness.OFF:
        return invalid(f"The gate {command.gate} is switched off; there is nothing to waive.", "gate")
    return None


async def _unattestable(
    tx: Transaction, principal: Principal, cycle: Cycle, command: AttestCommand, now: datetime
) -> UserError | None:
    if not principal.reaches(Scope.ONBOARDING_MOVE, cycle.team):
        return UserError(ErrorCode.NOT_ALLOWED, "You may attest only for onboardings on whose team you are.")
    settings = (await tenants.get(tx)).settings
    if error := _misstated(command, local_day(now, settings.zone)):
        return error
    moves = [m for m, rule in MOVES.items() if cycle.stage in rule.sources and command.gate in rule.gates]
    if not moves:
        return invalid(f"No move from {cycle.stage} has the gate {command.gate}.", "gate")
    rules = (await definitions.by_ids(tx, [cycle.definition_id]))[cycle.definition_id].rules
    verdict = await _judged(tx, cycle, rules, settings, moves[0], command.gate, now)
    if verdict.answer is not Answer.NOT_MEASURED:
        return invalid(
            f"{command.gate} is measured and answers {verdict.answer}; only what nothing measures is attested.", "gate"
        )
    if rules.hardness(command.gate) is Hardness.HARD and settings.hard_waiver_persons > 1:
        return unconfirming(principal, await waivers.attesters(tx, cycle, command.gate))
    return None


def _misstated(command: AttestCommand, today: date) -> UserError | None:
    if command.attested_on > today:
        return invalid(f"{command.attested_on} lies in the future; attest what has been done.", "attestedOn")
    return _text_error(command.statement, "statement")


async def _judged(
    tx: Transaction, cycle: Cycle, rules: Rules, settings: TenantSettings, move: Move, gate: Gate, now: datetime
) -> Verdict:
    counting = await calendars.of_cycles(tx, [cycle])
    facts = (await evidence.gather(tx, [evidence.Wanted(cycle, rules, counting[cycle.id])], settings, now))[cycle.id]
    return next(verdict for verdict in judge(move, cycle, rules, facts) if verdict.gate is gate)


def _text_error(text: str, path: str) -> UserError | None:
    if not text.strip():
        return invalid(f"A {path} is needed; say it in a sentence.", path)
    return _too_long(text, path)


def _too_long(text: str, path: str) -> UserError | None:
    if len(text) > REASON_LIMIT:
        return invalid(f"A {path} has at most {REASON_LIMIT} characters; this one has {len(text)}.", path)
    return None


def _waiver(
    principal: Principal, cycle: Cycle, rules: Rules, settings: TenantSettings, command: WaiverCommand, now: datetime
) -> Waiver:
    hardness = rules.hardness(command.gate)
    alone = settings.hard_waiver_persons == 1 and principal.has(Scope.WAIVE_HARD)
    granted = hardness is Hardness.SOFT or alone
    return Waiver(
        id=new_id(),
        client_id=cycle.client_id,
        cycle_id=cycle.id,
        visit_id=cycle.visit_id,
        move=command.move,
        gate=command.gate,
        hardness=hardness,
        reason=command.reason.strip(),
        requested_by=principal.id,
        requested_at=now,
        granted_by=principal.id if granted else None,
        granted_at=now if granted else None,
        four_eyes=False,
        expires_at=command.expires_at or now + timedelta(days=rules.waiver_days),
        withdrawn_at=None,
        withdrawn_by=None,
        used_by=None,
    )


async def _follow_up(tx: Transaction, cycle: Cycle, waiver: Waiver, settings: TenantSettings, by: UUID) -> None:
    due_on = local_day(waiver.expires_at, settings.zone)
    promise = Promise(FollowUpKind.WAIVER, waiver.id, waiver.requested_by, due_on, by)
    await open_about(tx, cycle, promise, waiver.granted_at or waiver.requested_at)
