"""The audit trail of moves: every attempt with who, when, on what evidence, and what it set off."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from db import cycles, evidence, steps
from db.session import Transaction
from domain.access import Principal
from domain.baselines import Baseline, Span, figures
from domain.calendars import Calendar
from domain.definitions import Definition, Rules
from domain.effects import PlannedEffect, effects
from domain.errors import ErrorCode, Outcome, UserError, refused
from domain.events import Envelope, OnboardingMoved
from domain.gates import Evidence, Verdict
from domain.moves import MOVES, Move
from domain.onboarding import Cycle, EndReason, Transition
from domain.stages import Stage
from domain.texts import REASON_LIMIT
from workflows.commands import envelope
from workflows.context import Context, Request, new_id

_NEXT = timedelta(microseconds=1)
"""The least by which one instant can lie behind another."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One person's attempt at one move of one locked cycle.

    `recorded_at` is when the cycle's trail was last written. `now` never lies before it, and behind it where
    the clock was set back, so that history keeps its order.
    """

    context: Context
    principal: Principal
    request: Request
    cycle: Cycle
    move: Move
    reason: str | None
    outcome: EndReason | None
    recorded_at: datetime
    id: UUID = field(default_factory=new_id)
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        now = self.context.clock()
        if self.request.on_behalf_of is None:
            request = replace(self.request, on_behalf_of=self.principal.acts_for(self.cycle.team))
            object.__setattr__(self, "request", request)
        object.__setattr__(self, "now", now if now >= self.recorded_at else self.recorded_at + _NEXT)

    async def refuse(
        self,
        tx: Transaction,
        error: UserError,
        target: Stage,
        definition: Definition,
        verdicts: tuple[Verdict, ...] = (),
    ) -> Outcome:
        """Keep the refused attempt in the trail and return why it was refused; naming what is not there is none.

        A reason that was refused for its length is kept as far as the limit, since the trail is kept for good.
        """
        if error.code is ErrorCode.NOT_FOUND:
            return refused(error, subject=self.cycle.id)
        row = _row(self, self.cycle, self.cycle.stage, definition, verdicts)
        reason = self.reason[:REASON_LIMIT] if self.reason else None
        await steps.refuse(tx, replace(row, to_stage=target, accepted=False, refusal=error.code.value, reason=reason))
        return Outcome(subject=self.cycle.id, version=self.cycle.version, errors=(error,))

    def planned(
        self, target: Stage, rules: Rules, facts: Evidence, calendar: Calendar
    ) -> tuple[tuple[UUID, PlannedEffect], ...]:
        """Return what the move sets off, each with the id under which it will be stored."""
        found = effects(self.move, target, self.cycle, rules, facts, calendar, historical=self.request.historical)
        return tuple((new_id(), effect) for effect in found)


def not_yours(move: Move) -> UserError:
    """Return the refusal of a move of an onboarding on whose team the caller is not."""
    message = f"You may {MOVES[move].title} only onboardings on whose team you are."
    return UserError(ErrorCode.NOT_ALLOWED, message)


def moved_event(attempt: Attempt, moved: Cycle, from_stage: Stage | None, waivers: tuple[UUID, ...]) -> Envelope:
    """Return the event of an accepted move."""
    event = OnboardingMoved(
        move=attempt.move.value,
        from_stage=from_stage.value if from_stage else None,
        to_stage=moved.stage.value,
        transition=attempt.id,
        waivers=waivers,
    )
    return envelope(
        attempt.principal,
        attempt.request,
        event,
        subject=moved.id,
        version=moved.version,
        client=moved.client_id,
        now=attempt.now,
    )


def transition(
    attempt: Attempt,
    moved: Cycle,
    from_stage: Stage | None,
    definition: Definition,
    verdicts: tuple[Verdict, ...],
    planned: tuple[tuple[UUID, PlannedEffect], ...],
    event: Envelope,
) -> Transition:
    """Return the audit row of an accepted move, with the ids of all it set off."""
    return replace(
        _row(attempt, moved, from_stage, definition, verdicts),
        waiver_ids=tuple(v.waiver for v in verdicts if v.waiver),
        effect_ids=tuple(effect_id for effect_id, _ in planned),
        event_id=event.id,
    )


async def baseline(tx: Transaction, cycle: Cycle, now: datetime) -> tuple[tuple[UUID, Baseline], ...]:
    """Return the KPIs of the escalation window that closes now, to be recorded and never edited."""
    opened = (await cycles.windows(tx, [cycle.id]))[cycle.id][-1].opened_at
    span = Span(cycle.client_id, opened, now)
    (tally,) = await evidence.tallies(tx, [span])
    return tuple((new_id(), figure) for figure in figures(span, tally, now))


def _row(
    attempt: Attempt,
    cycle: Cycle,
    from_stage: Stage | None,
    definition: Definition,
    verdicts: tuple[Verdict, ...],
) -> Transition:
    return Transition(
        id=attempt.id,
        cycle_id=cycle.id,
        client_id=cycle.client_id,
        version=cycle.version,
        move=attempt.move,
        from_stage=from_stage,
        to_stage=cycle.stage,
        accepted=True,
        refusal=None,
        recorded_at=attempt.now,
        effective_at=attempt.now,
        actor_kind=attempt.principal.kind.value,
        actor_id=attempt.principal.id,
        on_behalf_of=attempt.request.on_behalf_of,
        channel=attempt.request.channel.value,
        definition_number=definition.number,
        gates=tuple(_judged(v) for v in verdicts),
        waiver_ids=(),
        effect_ids=(),
        reason=attempt.reason,
        outcome=attempt.outcome,
        request_id=attempt.request.id,
        event_id=None,
    )


def _judged(verdict: Verdict) -> dict[str, object]:
    return {
        "gate": verdict.gate.value,
        "hardness": verdict.hardness.value,
        "answer": verdict.answer.value,
        "reason": verdict.reason,
        "attestation": verdict.attestation,
        "waiver": verdict.waiver,
    }
