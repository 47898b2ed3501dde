"""A provider whose onboardings do at random what onboardings do, for figures to be held against what is left."""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from db import histories
from domain.access import Principal
from domain.clients import ContractStatus, Party
from domain.moves import Gate, Move
from domain.onboarding import Cycle, EndReason, HoldReason
from domain.plans import Wish
from domain.stages import Stage
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, done, sent
from workflows.contracts import UpdateContract
from workflows.contracts import update as update_contract
from workflows.correcting import CorrectCommand, correct
from workflows.notices import NoticeCommand, WithdrawCommand, give_notice, withdraw_notice
from workflows.plans import PlanCommand, plan
from workflows.teams import TeamCommand, change_team


@dataclass
class Life:
    """A provider whose onboardings do at random what onboardings do, on quarter hours of a hundred days."""

    provider: Provider
    leads: list[Principal]
    dice: random.Random
    going: list[Onboarding] = field(default_factory=list)
    rewriting: bool = True
    """Whether it also corrects what was told and discards what was entered in error, which restates the past."""

    async def live(self, steps: int) -> None:
        for _ in range(steps):
            self.provider.clock.forward(minutes=15 * self.dice.randint(1, 96 * 2))
            if len(self.going) < 9:
                self.going.append(await opened(self.provider, lead=self.dice.choice(self.leads)))
            await self.act(self.dice.choice(self.going))

    async def act(self, one: Onboarding) -> None:
        seen = await one.seen()
        if seen.ended:
            return
        one.version = seen.version
        do = self.dice.choices(
            (self.move, self.hand_over, self.turn, self.plan, self.notice, self.correct), weights=(11, 2, 3, 2, 2, 2)
        )[0]
        await do(one, seen)

    async def move(self, one: Onboarding, seen: Cycle) -> None:
        do = self.dice.choices(("forward", "hold", "back", "end"), weights=(6, 3, 1, 1))[0]
        served = seen.stage in (Stage.EARLY_SUPPORT, Stage.STEADY_STATE)
        if seen.held_at is not None:
            await passed(one, Move.RESUME)
        elif do == "hold" and seen.stage is not Stage.STEADY_STATE:
            await passed(one, Move.HOLD, hold_reason=HoldReason.CLIENT)
        elif do == "back" and served:
            await passed(one, Move.ROLL_BACK, to=Stage.ASSET_DISCOVERY, reason="wrong scope")
        elif do == "end":
            await self.end(one, seen, served=served)
        elif seen.stage is not Stage.STEADY_STATE:
            await one.forward()

    async def end(self, one: Onboarding, seen: Cycle, *, served: bool) -> None:
        if served:
            await passed(one, Move.OFF_BOARD, outcome=EndReason.SERVICE_QUALITY, reason="left")
        elif seen.stage is Stage.CONTRACTING and self.rewriting and self.dice.random() < 0.5:
            await passed(one, Move.DISCARD, outcome=EndReason.DUPLICATE, reason="twice")
        else:
            await passed(one, Move.LOSE, outcome=EndReason.PRICE, reason="too dear")

    async def hand_over(self, one: Onboarding, _: Cycle) -> None:
        to = self.dice.choice(self.leads)
        outcome = await change_team(
            self.provider.context, self.provider.admin, sent(), TeamCommand(one.cycle, one.version, lead=to.id)
        )
        done(outcome)
        one.version, one.lead = outcome.version or 0, to

    async def turn(self, one: Onboarding, _: Cycle) -> None:
        """Send a contract, or pass the turn; one that is signed already is left alone."""
        change = UpdateContract(one.contract, waiting_on=self.dice.choice([Party.CLIENT, Party.PROVIDER]))
        if self.dice.random() < 0.5:
            change = replace(change, status=self.dice.choice([ContractStatus.SENT, ContractStatus.NEGOTIATING]))
        await update_contract(self.provider.context, self.provider.admin, sent(), change)

    async def plan(self, one: Onboarding, _: Cycle) -> None:
        """Plan the next stage for another day, or for none; refused where there is none to plan."""
        stage = self.dice.choice([Stage.EARLY_SUPPORT, Stage.STEADY_STATE])
        day = self.provider.clock().date() + timedelta(days=self.dice.randint(1, 60))
        wish = Wish(stage, self.dice.choice([day, day, None]))
        await plan(self.provider.context, one.lead, sent(), PlanCommand(one.cycle, None, (wish,), "as agreed"))

    async def notice(self, one: Onboarding, seen: Cycle) -> None:
        if seen.stage not in (Stage.EARLY_SUPPORT, Stage.STEADY_STATE):
            return
        context, by = self.provider.context, self.provider.admin
        if seen.notice_id is not None:
            outcome = await withdraw_notice(context, by, sent(), WithdrawCommand(one.cycle, one.version, "They stay."))
        else:
            today = self.provider.clock().date()
            command = NoticeCommand(
                one.cycle, one.version, Party.CLIENT, today + timedelta(days=60), EndReason.PRICE, "too dear"
            )
            outcome = await give_notice(context, by, sent(), replace(command, given_on=today - timedelta(days=1)))
        if not outcome.errors:
            one.version = outcome.version or 0

    async def correct(self, one: Onboarding, _: Cycle) -> None:
        """Say that a move was made some quarter hours earlier than it was recorded, if that can be."""
        if not self.rewriting:
            return
        context, by = self.provider.context, self.provider.admin
        async with context.database.reading(by) as tx:
            move = self.dice.choice(await histories.accepted(tx, one.cycle))
        at = move.effective_at - timedelta(minutes=15 * self.dice.randint(1, 60))
        outcome = await correct(context, by, sent(), CorrectCommand(one.cycle, move.id, at, "a slip", one.version))
        if not outcome.errors:
            one.version = outcome.version or 0


async def passed(one: Onboarding, move: Move, **details: Any) -> None:
    """Make a move as the admin, past every soft gate."""
    outcome = await one.move(move, by=one.provider.admin, **details)
    if outcome.errors:
        for blocker in outcome.errors[0].blockers:  # type: ignore[attr-defined]
            await one.waive(move, Gate(blocker.gate))
        done(await one.move(move, by=one.provider.admin, **details))
