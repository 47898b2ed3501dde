"""The chronicle of a client: all that is stored of its cycles, and what must hold of it at any moment."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from db import attribution, cycles, effects, histories, notices, waivers
from db.session import Database
from domain.corrections import happenings
from domain.effects import NOTICE_KEYS, Effect, EffectKind, EffectState
from domain.escalations import ClientHistory
from domain.gates import Answer
from domain.moves import MOVES, STAYING, Move
from domain.onboarding import Cycle, Notice, Transition, Visit, Window, replay
from domain.stages import ENDS, ORDER, Stage
from domain.waivers import Waiver
from tests.support.onboarding import Everything
from tests.support.providers import Provider

TICKETS = text("""
    select logged_at, stage, phase, cycle_id from ticket where tenant_id = :tenant and client_id = :client order by id
""")


@dataclass
class Story:
    """One cycle with all that is stored of it."""

    cycle: Cycle
    history: tuple[Transition, ...]
    visits: tuple[Visit, ...]
    windows: list[Window]
    effects: list[Effect]
    waivers: list[Waiver]
    notices: list[Notice]

    @property
    def accepted(self) -> tuple[Transition, ...]:
        return tuple(step for step in self.history if step.accepted)

    def check(self) -> None:
        self._history_replays()
        self._gates_were_open()
        self._visits_and_windows_match()
        self._timers_match()
        self._notice_matches()

    def _history_replays(self) -> None:
        told = replay(self.history)
        assert told.stage is self.cycle.stage
        assert told.held == (self.cycle.held_at is not None)
        assert told.version == self.cycle.version
        assert [v.stage for v in self.visits] == [stage for stage in told.stages if stage in ORDER]
        assert [t.version for t in self.accepted] == list(range(1, len(self.accepted) + 1))
        recorded = [t.recorded_at for t in self.accepted]
        assert recorded == sorted(recorded)

    def _gates_were_open(self) -> None:
        by_id = {waiver.id: waiver for waiver in self.waivers}
        for step in self.accepted:
            if step.move is Move.IMPORT:
                assert step.gates == ()
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
        used = [w.used_by for w in self.waivers if w.used_by]
        assert all(any(t.id == u for t in self.accepted) for u in used)

    def _visits_and_windows_match(self) -> None:
        current = [v for v in self.visits if v.left_at is None]
        assert [v.id for v in current] == ([] if self.cycle.ended else [self.cycle.visit_id])
        if not self.cycle.ended:
            assert current[0].entered_at == self.cycle.entered_at
        early = [(v.entered_at, v.left_at) for v in self.visits if v.stage is Stage.EARLY_SUPPORT]
        assert [(w.opened_at, w.closed_at) for w in self.windows] == early
        times = [each.effective_at for each in happenings(self.accepted)]
        assert times == sorted(times)
        led = [each for each in happenings(self.accepted) if each.move.move not in STAYING]
        entered = [each.effective_at for each in led if each.move.to_stage in ORDER]
        assert [v.entered_at for v in self.visits if v.left_at != v.entered_at or v.superseded_at is None] == [
            at for at, v in zip(entered, self._not_undone(), strict=True) if v.left_at != at or v.superseded_at is None
        ]
        if self.cycle.ended:
            assert self.cycle.ended_at == led[-1].effective_at
            assert led[-1].move.to_stage in ENDS

    def _not_undone(self) -> list[Visit]:
        """Return the stays that some move began which was not undone, in their order."""
        begun = [s for s in self.accepted if s.move not in STAYING and s.move is not Move.UNDO and s.to_stage in ORDER]
        kept = {each.move.id for each in happenings(self.accepted)}
        return [visit for step, visit in zip(begun, self.visits, strict=True) if step.id in kept]

    def _timers_match(self) -> None:
        cycle = self.cycle
        live = [e for e in self.effects if e.state is EffectState.PLANNED and e.kind is EffectKind.TIMER]
        assert not (live and cycle.ended)
        for effect in live:
            assert effect.visit_id == cycle.visit_id or effect.name in NOTICE_KEYS
            assert cycle.notice_id is not None or effect.name not in NOTICE_KEYS
            assert effect.name != "TARGET" or effect.due_at == cycle.target_at
            assert cycle.held_at is not None or effect.name != "HOLD_REVIEW"
        for visit in self.visits:
            keys = [e.key for e in self.effects if e.visit_id == visit.id and e.kind is EffectKind.TIMER]
            targets = [key for key in keys if key.split(":")[0] == "TARGET"]
            assert len(targets) == {Stage.CONTRACTING: 1, Stage.ASSET_DISCOVERY: 1}.get(visit.stage, 0)
            assert len(keys) == len(set(keys))
        for effect in self.effects:
            set_aside = any(v.id == effect.visit_id and v.superseded_at for v in self.visits)
            assert not (set_aside and effect.state is EffectState.PLANNED and effect.name not in NOTICE_KEYS)
            assert (effect.settled_at is None) == (effect.state is EffectState.PLANNED)

    def _notice_matches(self) -> None:
        standing = [notice.id for notice in self.notices if notice.withdrawn_at is None]
        assert standing == ([self.cycle.notice_id] if self.cycle.notice_id else [])
        if self.cycle.notice_id and not self.cycle.ended:
            asked = [e for e in self.effects if e.key == "QUARTERLY_NPS" and e.state is EffectState.PLANNED]
            assert asked == []


async def told(database: Database, provider: Provider, client: UUID) -> list[Story]:
    """Return everything that is stored of a client's cycles."""
    async with database.reading(provider.admin) as tx:
        found = (await cycles.of_clients(tx, [client]))[client]
        ids = [c.id for c in found]
        visits, windows = await cycles.visits(tx, ids), await cycles.windows(tx, ids)
        planned, granted = await effects.of_cycles(tx, ids), await waivers.of_cycles(tx, ids)
        trails, given = await histories.histories(tx, ids, Everything()), await notices.of_cycles(tx, ids)
        return [
            Story(
                c,
                tuple(trails[c.id]),
                visits[c.id],
                windows.get(c.id, []),
                planned.get(c.id, []),
                granted.get(c.id, []),
                given.get(c.id, []),
            )
            for c in found
        ]


async def stamps(
    database: Database, provider: Provider, client: UUID
) -> tuple[ClientHistory, list[tuple[object, ...]]]:
    """Return where a client stood over time, and where each of its tickets is stored to have been logged."""
    async with database.writing(provider.admin) as tx:
        history = (await attribution.histories(tx, [client]))[client]
        rows = await tx.rows(TICKETS, tenant=tx.tenant, client=client)
        return history, [tuple(row) for row in rows]
