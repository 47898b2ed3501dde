"""Engagements: a client's onboarding as its people move it, gate by gate."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from db import effects, follow_ups
from demo.accounts import Profile, Stay
from demo.tales import Tale
from demo.words import ACCEPTED, STATEMENTS
from demo.work import NOTHING, Earliest, Worked
from domain.access import Principal
from domain.clients import Party
from domain.effects import EffectState
from domain.follow_ups import FollowUp, FollowUpKind
from domain.gates import Answer, Verdict
from domain.moves import MOVES, Gate, Move, targets_of
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage
from workflows.follow_ups import CloseCommand, OpenFollowUp, close_follow_up, open_follow_up
from workflows.notices import NoticeCommand, give_notice
from workflows.onboarding import MoveCommand, move_cycle
from workflows.opening import OpenCommand, open_cycle
from workflows.readiness import judged
from workflows.waivers import (
    AttestCommand,
    WaiverCommand,
    WaiverDecision,
    attest,
    grant_waiver,
    request_waiver,
)

FOLLOW_UPS_MOST = 200


class Engagement(Worked):
    """An account with its onboarding; the lead acts, unless a verb says who does."""

    def __init__(self, tale: Tale, profile: Profile, second_person: str) -> None:
        super().__init__(tale, profile)
        self.second_person = second_person
        self._asked: UUID | None = None

    def opens(self, *, reopen: bool = False, by: str | None = None) -> Self:
        async def act() -> None:
            profile = self.profile
            command = OpenCommand(
                self.client,
                self.person(profile.lead).id,
                self.contract,
                self.person(profile.account_manager).id,
                self.person(profile.technical_lead).id,
                tuple(self.person(engineer).id for engineer in profile.engineers),
                reopen=reopen,
            )
            self._cycle = await self._told(open_cycle, command, by=self.person(by or profile.lead))
            self._stays_in(Stage.CONTRACTING)
            await self._expect_effects()

        self._then(act)
        self._enters(Stage.CONTRACTING)
        return self

    def begins_discovery(self, waiving: Mapping[Gate, str] = NOTHING) -> Self:
        return self._advances(Move.BEGIN_DISCOVERY, waiving)

    def goes_live(self, waiving: Mapping[Gate, str] = NOTHING) -> Self:
        return self._advances(Move.GO_LIVE, waiving)

    def graduates(self, waiving: Mapping[Gate, str] = NOTHING) -> Self:
        return self._advances(Move.GRADUATE, waiving)

    def rolls_back(self, to: Stage, reason: str) -> Self:
        self._moves(Move.ROLL_BACK, to=to, reason=reason)
        self._enters(to)
        return self

    def is_held(self, why: HoldReason, note: str, *, for_days: int) -> Self:
        resume_on = self.tale.day(self._day) + timedelta(days=for_days)
        return self._moves(Move.HOLD, hold_reason=why, reason=note, expected_resume_on=resume_on)

    def is_lost(self, outcome: EndReason, reason: str) -> Self:
        return self._moves(Move.LOSE, outcome=outcome, reason=reason)

    def gives_notice(self, outcome: EndReason, reason: str, *, ends: int) -> Self:
        """Give notice for a day counted from today; the work of leaving begins."""
        ends_on = self.tale.anchor + timedelta(days=ends)

        async def act() -> None:
            version = (await self._seen()).version
            command = NoticeCommand(self.cycle, version, Party.CLIENT, ends_on, outcome, reason)
            await self._told(give_notice, command, by=self.person(self.profile.account_manager))
            await self._expect_effects()

        self._then(act)
        self._enters(Stage.OFFBOARDED)
        return self

    def is_offboarded(self, outcome: EndReason, reason: str) -> Self:
        """Let a service manager end the service, every gate met or waived."""
        self._is_worked_through(NOTHING)

        async def act() -> None:
            await self._open_gates(Move.OFF_BOARD, NOTHING)
            await self._move(Move.OFF_BOARD, by=self.person(self.second_person), outcome=outcome, reason=reason)

        return self._then(act)

    def attests(self, *gates: Gate) -> Self:
        """Give the lead's word for gates that nothing measures."""

        async def act() -> None:
            for gate in gates:
                await self._attest(gate)

        return self._then(act)

    def asks_waiver(self, move: Move, gate: Gate, reason: str) -> Self:
        """Ask for a waiver; that of a hard gate then waits for its second person."""

        async def act() -> None:
            self._asked = await self._told(request_waiver, WaiverCommand(self.cycle, move, gate, reason), by=self.lead)

        return self._then(act)

    def second_person_grants(self) -> Self:
        async def act() -> None:
            if self._asked is None:
                raise LookupError(f"{self.profile.name} asked for no waiver that could be granted")
            await self._told(grant_waiver, WaiverDecision(self._asked), by=self.person(self.second_person))

        return self._then(act)

    def follow_ups_are_closed(self, note: str) -> Self:
        async def act() -> None:
            for follow_up in await self._open_follow_ups():
                await self._told(close_follow_up, CloseCommand(follow_up.id, follow_up.version, note), by=self.lead)

        return self._then(act)

    def tries(self, move: Move) -> Self:
        """Try a move that its gates refuse, which the audit trail keeps."""

        async def act() -> None:
            command = MoveCommand(self.cycle, move, (await self._seen()).version)
            await self.tale.telling.tried(move_cycle, self.lead, command)

        return self._then(act)

    def promises(self, title: str, *, kind: FollowUpKind = FollowUpKind.OTHER, for_days: int) -> Self:
        """Let the account manager promise to put something right."""
        due_on = self.tale.day(self._day) + timedelta(days=for_days)

        async def act() -> None:
            owner = self.person(self.profile.account_manager)
            await self._told(open_follow_up, OpenFollowUp(self.cycle, title, owner.id, due_on, kind), by=owner)

        return self._then(act)

    def _advances(self, move: Move, waiving: Mapping[Gate, str]) -> Self:
        """Work through the stage, meet or waive what is left, and move on."""
        self._is_worked_through(waiving)

        async def act() -> None:
            await self._open_gates(move, waiving)
            await self._move(move)

        self._then(act)
        self._enters(next(iter(MOVES[move].targets)))
        return self

    def _moves(self, move: Move, **details: Any) -> Self:
        async def act() -> None:
            await self._move(move, **details)

        return self._then(act)

    async def _move(self, move: Move, *, by: Principal | None = None, **details: Any) -> None:
        before = await self._seen()
        command = MoveCommand(self.cycle, move, before.version, **details)
        await self._told(move_cycle, command, by=by or self.lead)
        if move not in (Move.HOLD, Move.RESUME):
            self._stays_in(command.to or targets_of(move, before.stage)[0])
        await self._expect_effects()

    async def _expect_effects(self) -> None:
        async with self._reading() as tx:
            planned = (await effects.of_cycles(tx, [self.cycle])).get(self.cycle, [])
        self.tale.telling.expect(effect.due_at for effect in planned if effect.state is EffectState.PLANNED)

    async def _open_gates(self, move: Move, waiving: Mapping[Gate, str]) -> None:
        """Attest what nothing measures and waive the rest, so that chance never stops the story."""
        for verdict in await self._shut(move):
            if verdict.gate not in waiving and verdict.answer is Answer.NOT_MEASURED:
                await self._attest(verdict.gate)
                continue
            reason = waiving.get(verdict.gate, ACCEPTED)
            await self._told(request_waiver, WaiverCommand(self.cycle, move, verdict.gate, reason), by=self.lead)

    async def _attest(self, gate: Gate) -> None:
        today = self.tale.telling.clock().astimezone(self.tale.zone).date()
        await self._told(attest, AttestCommand(self.cycle, gate, STATEMENTS[gate], today), by=self.lead)

    async def _shut(self, move: Move) -> list[Verdict]:
        async with self._reading() as tx:
            moves = (await judged(tx, [self.cycle], self.tale.telling.clock()))[self.cycle].moves
        return [
            verdict for judgement in moves if judgement.move is move for verdict in judgement.gates if not verdict.open
        ]

    async def _open_follow_ups(self) -> list[FollowUp]:
        async with self._reading() as tx:
            found = await follow_ups.listed(tx, {"open": True}, Earliest(FOLLOW_UPS_MOST))
        return [follow_up for follow_up in found if follow_up.cycle_id == self.cycle]

    def _stays_in(self, stage: Stage) -> None:
        self.stays.append(Stay(self.tale.telling.clock(), stage))
