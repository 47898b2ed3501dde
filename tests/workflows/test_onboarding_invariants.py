"""Whatever moves are tried in whatever order, the invariants of an onboarding hold."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from db import cycles, effects, histories, waivers
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.effects import Effect, EffectKind, EffectState
from domain.errors import Outcome
from domain.gates import Answer
from domain.moves import MOVES, Gate, Move
from domain.onboarding import Cycle, EndReason, HoldReason, Transition, Visit, Window, replay
from domain.readiness import FORWARD
from domain.stages import Stage
from domain.waivers import Waiver
from tests.support.onboarding import Onboarding, opened
from tests.support.postgres import Postgres
from tests.support.providers import Provider, done, new_provider, sent
from workflows.effects import fire_due
from workflows.opening import OpenCommand, open_cycle
from workflows.waivers import (
    AttestCommand,
    WaiverCommand,
    WaiverDecision,
    attest,
    grant_waiver,
    request_waiver,
    withdraw_waiver,
)

T = TypeVar("T")

EVERYTHING = type("Stretch", (), {"backward": False, "after": None, "before": None, "limit": 10_000})()


class Story:
    """One cycle with all that is stored of it."""

    def __init__(
        self,
        cycle: Cycle,
        history: tuple[Transition, ...],
        visits: tuple[Visit, ...],
        windows: list[Window],
        planned: list[Effect],
        granted: list[Waiver],
    ) -> None:
        self.cycle, self.history, self.visits = cycle, history, visits
        self.windows, self.effects, self.waivers = windows, planned, granted


async def told(database: Database, provider: Provider, client: UUID) -> list[Story]:
    async with database.reading(provider.admin) as tx:
        found = (await cycles.of_clients(tx, [client]))[client]
        ids = [c.id for c in found]
        visits, windows = await cycles.visits(tx, ids), await cycles.windows(tx, ids)
        planned, granted = await effects.of_cycles(tx, ids), await waivers.of_cycles(tx, ids)
        trails = await histories.histories(tx, ids, EVERYTHING)
        return [
            Story(
                c,
                tuple(trails[c.id]),
                visits[c.id],
                windows.get(c.id, []),
                planned.get(c.id, []),
                granted.get(c.id, []),
            )
            for c in found
        ]


class OnboardingMachine(RuleBasedStateMachine):
    """Random moves, holds, waivers, attestations, roll-backs, ends and reopenings of one client."""

    postgres: Postgres
    url: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        name = urlsplit(self.url).path.removeprefix("/")
        self.database = self.run(
            Database.connect(self.postgres.url(name, APP_ROLE), self.postgres.url(name, RELAY_ROLE), size=2)
        )
        self.frozen: dict[UUID, tuple[Cycle, tuple[Transition, ...]]] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()

    @initialize()
    def open_one(self) -> None:
        self.provider = self.run(new_provider(self.database))
        self.onboarding: Onboarding = self.run(opened(self.provider))

    @property
    def cycle(self) -> Cycle:
        return self.run(self.onboarding.seen())

    def moved(self, move: Move, **details: object) -> Outcome:
        return self.run(self.onboarding.move(move, by=self.provider.admin, **details))  # type: ignore[arg-type]

    @rule(move=st.sampled_from([Move.BEGIN_DISCOVERY, Move.GO_LIVE, Move.GRADUATE]))
    def try_forward(self, move: Move) -> None:
        self.moved(move)

    @rule()
    def waive_what_is_shut_and_go_on(self) -> None:
        before = self.cycle
        move = FORWARD.get(before.stage)
        if move is None or before.held_at:
            return
        outcome = self.moved(move)
        for blocker in outcome.errors[0].blockers if outcome.errors else ():  # type: ignore[attr-defined]
            self.run(self.onboarding.waive(move, Gate(blocker.gate)))
        if outcome.errors:
            done(self.moved(move))

    @rule(move=st.sampled_from(list(Move)), gate=st.sampled_from(list(Gate)), decide=st.sampled_from("gwn"))
    def waive_anything(self, move: Move, gate: Gate, decide: str) -> None:
        context = self.provider.context
        command = WaiverCommand(self.onboarding.cycle, move, gate, "because")
        asked = self.run(request_waiver(context, self.onboarding.lead, sent(), command))
        if asked.errors or asked.subject is None:
            return
        decision = WaiverDecision(asked.subject)
        if decide == "g":
            self.run(grant_waiver(context, self.provider.admin, sent(), decision))
        if decide == "w":
            self.run(withdraw_waiver(context, self.onboarding.lead, sent(), decision))

    @rule(gate=st.sampled_from(list(Gate)))
    def attest_anything(self, gate: Gate) -> None:
        command = AttestCommand(self.onboarding.cycle, gate, "seen", self.provider.clock().date())
        self.run(attest(self.provider.context, self.onboarding.lead, sent(), command))

    @precondition(lambda self: not hasattr(self, "signed"))
    @rule()
    def sign(self) -> None:
        self.run(self.onboarding.sign())
        self.signed = True

    @rule(reason=st.sampled_from(list(HoldReason)))
    def hold(self, reason: HoldReason) -> None:
        self.moved(Move.HOLD, hold_reason=reason)

    @rule()
    def resume(self) -> None:
        self.moved(Move.RESUME)

    @rule(to=st.sampled_from(list(Stage)))
    def roll_back(self, to: Stage) -> None:
        self.moved(Move.ROLL_BACK, to=to, reason="again")

    @rule(move=st.sampled_from([Move.LOSE, Move.OFF_BOARD]), really=st.integers(0, 3))
    def end(self, move: Move, really: int) -> None:
        if really == 0:
            self.moved(move, reason="over", outcome=EndReason.OTHER)

    @rule()
    def reopen(self) -> None:
        command = OpenCommand(self.onboarding.client, self.onboarding.lead.id, self.onboarding.contract, reopen=True)
        outcome = self.run(open_cycle(self.provider.context, self.provider.admin, sent(), command))
        if not outcome.errors and outcome.subject:
            self.onboarding.cycle, self.onboarding.version = outcome.subject, outcome.version or 0

    @rule(hours=st.sampled_from([1, 30, 24 * 15, 24 * 95]))
    def let_time_pass(self, hours: int) -> None:
        self.provider.clock.forward(hours=hours)
        self.run(fire_due(self.provider.context))

    @invariant()
    def everything_holds(self) -> None:
        if not hasattr(self, "onboarding"):
            return
        stories = self.run(told(self.database, self.provider, self.onboarding.client))
        assert sum(not s.cycle.ended for s in stories) <= 1
        for story in stories:
            self._history_replays(story)
            self._gates_were_open(story)
            self._visits_windows_and_timers_match(story)
            self._ended_stays(story)

    def _history_replays(self, story: Story) -> None:
        told = replay(story.history)
        assert told.stage is story.cycle.stage
        assert told.version == story.cycle.version
        assert told.held == (story.cycle.held_at is not None)
        assert [v.stage for v in story.visits] == [s for s in told.stages if s not in (Stage.LOST, Stage.OFFBOARDED)]
        versions = [t.version for t in story.history if t.accepted]
        assert versions == list(range(1, len(versions) + 1))

    def _gates_were_open(self, story: Story) -> None:
        by_id = {waiver.id: waiver for waiver in story.waivers}
        for step in story.history:
            if not step.accepted:
                continue
            assert [g["gate"] for g in step.gates] == [g.value for g in MOVES[step.move].gates]
            for verdict in step.gates:
                if verdict["answer"] in (Answer.PASS, Answer.NOT_APPLICABLE) or verdict["attestation"]:
                    continue
                waiver = by_id[UUID(str(verdict["waiver"]))]
                assert waiver.used_by == step.id
                assert waiver.granted_at is not None
                assert waiver.expires_at > step.recorded_at
                if verdict["hardness"] == "HARD":
                    assert waiver.granted_by != waiver.requested_by
        used = [w.used_by for w in story.waivers if w.used_by]
        assert all(any(t.id == u and t.accepted for t in story.history) for u in used)

    def _visits_windows_and_timers_match(self, story: Story) -> None:
        cycle = story.cycle
        current = [v for v in story.visits if v.left_at is None]
        assert [v.id for v in current] == ([] if cycle.ended else [cycle.visit_id])
        early = [(v.entered_at, v.left_at) for v in story.visits if v.stage is Stage.EARLY_SUPPORT]
        assert [(w.opened_at, w.closed_at) for w in story.windows] == early
        live = [e for e in story.effects if e.state is EffectState.PLANNED and e.kind is EffectKind.TIMER]
        assert all(e.visit_id == cycle.visit_id and not cycle.ended for e in live)
        for effect in live:
            if effect.key == "TARGET":
                assert effect.due_at == cycle.target_at
            assert effect.key.startswith("HOLD_REVIEW") <= (cycle.held_at is not None)
        for visit in story.visits:
            keys = [e.key for e in story.effects if e.visit_id == visit.id and e.kind is EffectKind.TIMER]
            expected = {Stage.CONTRACTING: 1, Stage.ASSET_DISCOVERY: 1}.get(visit.stage, 0)
            assert keys.count("TARGET") == expected
            assert len(keys) == len(set(keys))
        for effect in story.effects:
            set_aside = any(v.id == effect.visit_id and v.superseded_at for v in story.visits)
            assert not (set_aside and effect.state is EffectState.PLANNED)
            assert (effect.settled_at is None) == (effect.state is EffectState.PLANNED)

    def _ended_stays(self, story: Story) -> None:
        if not story.cycle.ended:
            return
        accepted = tuple(t for t in story.history if t.accepted)
        assert self.frozen.setdefault(story.cycle.id, (story.cycle, accepted)) == (story.cycle, accepted)


def test_no_path_breaks_the_invariants(postgres: Postgres, database_url: str) -> None:
    machine = type("Machine", (OnboardingMachine,), {"postgres": postgres, "url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
