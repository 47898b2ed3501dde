"""Existing clients come in with where they stand and the past that they had."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from db import checklists, cycles
from domain.clients import ExternalKey
from domain.effects import EffectKind, EffectState
from domain.moves import Gate, Move
from domain.moving_in import ArrivalStatus, ToldHold
from domain.onboarding import EndReason, HoldReason, replay
from domain.stages import Stage
from domain.tickets import ReportedTicket
from tests.support.moving_in import CONTRACT, LOST, OFFBOARDED, STEADY, Story, brought, lead_of, row, stories_of
from tests.support.onboarding import Onboarding
from tests.support.providers import Provider, done, sent
from tests.support.tickets import report as report_tickets
from tests.support.tickets import ticket
from workflows.clients import CreateClient
from workflows.clients import create as create_client
from workflows.contracts import UpdateContract
from workflows.contracts import update as update_contract
from workflows.correcting import CorrectCommand, correct
from workflows.effects import fire_due


def as_of_day(year: int, month: int, day: int, *, summer: bool = False) -> datetime:
    """Return the first moment of a local day in Amsterdam."""
    return datetime(year, month, day, tzinfo=UTC) - timedelta(hours=2 if summer else 1)


def states(story: Story, kind: EffectKind) -> dict[str, str]:
    return {e.name: f"{e.state} {e.reason or ''}".strip() for e in story.effects if e.kind is kind}


def holds_together(story: Story) -> None:
    """The same that holds for whatever was moved step by step."""
    told, cycle = replay(story.history), story.cycle
    assert (told.stage, told.version, told.held) == (cycle.stage, cycle.version, cycle.held_at is not None)
    assert [v.stage for v in story.visits] == [s for s in told.stages if s not in (Stage.LOST, Stage.OFFBOARDED)]
    assert [t.version for t in story.history] == list(range(1, len(story.history) + 1))
    assert [v.id for v in story.visits if v.left_at is None] == ([] if cycle.ended else [cycle.visit_id])
    early = [(v.entered_at, v.left_at) for v in story.visits if v.stage is Stage.EARLY_SUPPORT]
    assert [(w.opened_at, w.closed_at) for w in story.windows] == early
    for effect in story.effects:
        assert (effect.settled_at is None) == (effect.state is EffectState.PLANNED)
        if effect.state is EffectState.PLANNED and effect.kind is EffectKind.TIMER:
            assert effect.visit_id == cycle.visit_id
            assert not cycle.ended
    for visit in story.visits:
        keys = [e.key for e in story.effects if e.visit_id == visit.id and e.kind is EffectKind.TIMER]
        assert keys.count("TARGET") == (visit.stage in (Stage.CONTRACTING, Stage.ASSET_DISCOVERY))
        assert len(keys) == len(set(keys))


def opened(provider: Provider, lead: object, story: Story) -> Onboarding:
    """Return an imported onboarding as tests move it."""
    cycle = story.cycle
    assert cycle.contract_id is not None
    return Onboarding(provider, lead, cycle.client_id, cycle.contract_id, cycle.id, cycle.version)  # type: ignore[arg-type]


async def test_a_client_in_early_support_has_its_window_open_and_only_what_is_to_come_planned(
    provider: Provider,
) -> None:
    lead = await lead_of(provider)
    (arrived,) = await brought(
        provider, row(lead, contracting_on=date(2026, 1, 5), discovery_on=date(2026, 1, 20), technical_lead_email=None)
    )
    (story,) = await stories_of(provider, arrived.client)
    holds_together(story)
    cycle = story.cycle
    assert (cycle.stage, cycle.opened_at) == (Stage.EARLY_SUPPORT, as_of_day(2026, 1, 5))
    assert [(t.move, t.from_stage, t.to_stage, t.effective_at) for t in story.history] == [
        (Move.IMPORT, None, Stage.CONTRACTING, as_of_day(2026, 1, 5)),
        (Move.IMPORT, Stage.CONTRACTING, Stage.ASSET_DISCOVERY, as_of_day(2026, 1, 20)),
        (Move.IMPORT, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT, as_of_day(2026, 2, 10)),
    ]
    assert {(t.recorded_at, t.gates, t.channel) for t in story.history} == {(provider.clock(), (), "API")}
    assert [w.closed_at for w in story.windows] == [None]
    timers = states(story, EffectKind.TIMER)
    assert timers == {"TARGET": "SKIPPED IMPORTED"} | dict.fromkeys(("DAY_30", "DAY_60", "DAY_90"), "PLANNED")
    assert set(states(story, EffectKind.SURVEY).values()) == {"SKIPPED IMPORTED"}
    assert cycle.target_at == as_of_day(2026, 5, 3, summer=True)
    assert [visit.target_at is None for visit in story.visits] == [False, False, True]
    provider.clock.forward(days=1)
    assert await fire_due(provider.context) >= 1
    (story,) = await stories_of(provider, arrived.client)
    assert states(story, EffectKind.TIMER)["DAY_30"] == "DONE"


async def test_a_client_in_steady_state_gets_the_survey_that_is_still_to_come_and_no_baseline(
    provider: Provider,
) -> None:
    lead = await lead_of(provider)
    (arrived,) = await brought(provider, row(lead, **STEADY | {"steady_on": date(2026, 1, 15)}))
    (story,) = await stories_of(provider, arrived.client)
    holds_together(story)
    surveys = states(story, EffectKind.SURVEY)
    assert surveys.pop("QUARTERLY_NPS") == "PLANNED"
    assert set(surveys.values()) == {"SKIPPED IMPORTED"}
    (nps,) = [e for e in story.effects if e.name == "QUARTERLY_NPS"]
    assert nps.due_at == as_of_day(2026, 1, 15) + timedelta(days=90)
    (foreseen,) = [e for e in arrived.effects if e.name == "QUARTERLY_NPS"]
    assert (foreseen.contact_index, foreseen.member, foreseen.due_at) == (0, None, nps.due_at)
    assert [w.closed_at for w in story.windows] == [as_of_day(2026, 1, 15)]
    async with provider.context.database.reading(provider.admin) as tx:
        assert await cycles.baselines(tx, [story.cycle.id]) == {}


async def test_only_what_is_known_is_recorded(provider: Provider) -> None:
    lead = await lead_of(provider)
    alone, gap = await brought(
        provider,
        row(lead, 1, stage=Stage.STEADY_STATE, live_on=None, steady_on=date(2025, 7, 1)),
        row(
            lead,
            2,
            stage=Stage.STEADY_STATE,
            contracting_on=date(2025, 1, 1),
            live_on=date(2025, 4, 1),
            steady_on=date(2025, 7, 1),
        ),
    )
    (story,) = await stories_of(provider, alone.client)
    holds_together(story)
    assert [(v.stage, v.entered_at) for v in story.visits] == [(Stage.STEADY_STATE, as_of_day(2025, 7, 1, summer=True))]
    assert story.windows == []
    assert gap.warnings[0].startswith("The stay in CONTRACTING is not recorded")
    (story,) = await stories_of(provider, gap.client)
    holds_together(story)
    assert [v.stage for v in story.visits] == [Stage.EARLY_SUPPORT, Stage.STEADY_STATE]
    assert (story.cycle.opened_at, story.history[0].from_stage) == (as_of_day(2025, 1, 1), None)


@pytest.mark.parametrize(
    ("told", "last"), [(OFFBOARDED, Stage.STEADY_STATE), (LOST, Stage.CONTRACTING)], ids=["off-boarded", "lost"]
)
async def test_a_client_that_has_ended_comes_in_ended(provider: Provider, told: dict[str, object], last: Stage) -> None:
    lead = await lead_of(provider)
    (arrived,) = await brought(provider, row(lead, **told))
    (story,) = await stories_of(provider, arrived.client)
    holds_together(story)
    cycle, end = story.cycle, story.history[-1]
    assert (cycle.stage, cycle.outcome) == (told["stage"], told["outcome"])
    assert (end.from_stage, end.to_stage, end.outcome, end.reason) == (
        last,
        told["stage"],
        told["outcome"],
        told.get("end_reason"),
    )
    assert end.effective_at == cycle.ended_at == story.visits[-1].left_at
    assert not [e for e in story.effects if e.state is EffectState.PLANNED]


async def test_a_client_on_hold_comes_in_on_hold_and_goes_on_when_it_is_resumed(provider: Provider) -> None:
    lead = await lead_of(provider)
    hold = ToldHold(date(2026, 2, 20), HoldReason.CLIENT, "They move house.", date(2026, 3, 20))
    told = row(lead, stage=Stage.ASSET_DISCOVERY, live_on=None, discovery_on=date(2026, 2, 16), hold=hold)
    (arrived,) = await brought(provider, told)
    (story,) = await stories_of(provider, arrived.client)
    holds_together(story)
    assert [(h.reason, h.held_at, h.note) for h in story.holds] == [
        (HoldReason.CLIENT, as_of_day(2026, 2, 20), "They move house.")
    ]
    assert states(story, EffectKind.TIMER) == {"TARGET": "PLANNED", "HOLD_REVIEW": "PLANNED"}
    before = story.cycle.target_at
    onboarding = opened(provider, lead.principal, story)
    done(await onboarding.move(Move.RESUME))
    (story,) = await stories_of(provider, arrived.client)
    assert before is not None
    assert story.cycle.target_at is not None
    assert story.cycle.target_at - before >= timedelta(days=6)


async def test_an_imported_onboarding_is_moved_like_any_other(provider: Provider) -> None:
    lead = await lead_of(provider)
    discovery, early, steady = await brought(
        provider,
        row(lead, 1, stage=Stage.ASSET_DISCOVERY, live_on=None, discovery_on=date(2026, 2, 16)),
        row(lead, 2),
        row(lead, 3, **STEADY),
    )
    (story,) = await stories_of(provider, discovery.client)
    onboarding = opened(provider, lead.principal, story)
    assert await onboarding.forward() is Stage.EARLY_SUPPORT
    assert await onboarding.forward() is Stage.STEADY_STATE
    (story,) = await stories_of(provider, early.client)
    onboarding = opened(provider, lead.principal, story)
    done(await onboarding.move(Move.ROLL_BACK, to=Stage.ASSET_DISCOVERY, reason="Half of it was never found."))
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.VENDOR))
    done(await onboarding.move(Move.RESUME))
    done(await onboarding.move(Move.LOSE, reason="They gave up.", outcome=EndReason.NO_DECISION))
    (story,) = await stories_of(provider, steady.client)
    onboarding = opened(provider, lead.principal, story)
    moved = {"by": provider.admin, "reason": "They leave.", "outcome": EndReason.COMPETITOR}
    refused = await onboarding.move(Move.OFF_BOARD, **moved)  # type: ignore[arg-type]
    for blocker in refused.errors[0].blockers:  # type: ignore[attr-defined]
        await onboarding.waive(Move.OFF_BOARD, Gate(blocker.gate))
    done(await onboarding.move(Move.OFF_BOARD, **moved))  # type: ignore[arg-type]
    for one in (discovery, early, steady):
        (story,) = await stories_of(provider, one.client)
        holds_together(replace(story, history=tuple(t for t in story.history if t.accepted)))


async def test_day_90_follows_a_contract_that_is_found_to_have_begun_later(provider: Provider) -> None:
    lead = await lead_of(provider)
    early = replace(CONTRACT, starts_on=date(2025, 11, 1))
    (arrived,) = await brought(provider, row(lead, contract=early))
    (story,) = await stories_of(provider, arrived.client)
    assert set(states(story, EffectKind.TIMER).values()) == {"SKIPPED IMPORTED"}
    change = UpdateContract(story.cycle.contract_id, starts_on=date(2026, 2, 1))  # type: ignore[arg-type]
    done(await update_contract(provider.context, provider.admin, sent(), change))
    (story,) = await stories_of(provider, arrived.client)
    assert set(states(story, EffectKind.TIMER).values()) == {"PLANNED"}
    assert story.cycle.target_at == as_of_day(2026, 5, 3, summer=True)


async def test_the_checklist_of_the_present_stage_is_laid_out_from_today_on(provider: Provider) -> None:
    lead = await lead_of(provider)
    (arrived,) = await brought(
        provider, row(lead, stage=Stage.ASSET_DISCOVERY, live_on=None, discovery_on=date(2026, 1, 12))
    )
    (story,) = await stories_of(provider, arrived.client)
    async with provider.context.database.reading(provider.admin) as tx:
        items = (await checklists.of_cycles(tx, [story.cycle.id]))[story.cycle.id]
    assert len(items) == arrived.items > 0
    assert {item.stage for item in items} == {Stage.ASSET_DISCOVERY}
    assert all(item.due_on is None or item.due_on >= provider.clock().date() for item in items)
    assert {item.assignee_id for item in items} == {lead.principal.id}


async def test_what_was_told_wrong_is_corrected_and_nothing_beside_it_moves(provider: Provider) -> None:
    lead = await lead_of(provider)
    gap = {"discovery_on": None, "contracting_on": date(2025, 3, 3)}
    whole, parted = await brought(provider, row(lead, 1, **STEADY), row(lead, 2, **STEADY | gap))
    for one, position in ((whole, 2), (parted, 0)):
        (story,) = await stories_of(provider, one.client)
        live, to = story.history[position], as_of_day(2025, 5, 1, summer=True)
        command = CorrectCommand(story.cycle.id, live.id, to, "They went live later.", story.cycle.version)
        done(await correct(provider.context, lead.principal, sent(), command))
        (after,) = await stories_of(provider, one.client)
        assert (after.cycle.opened_at, after.cycle.version) == (story.cycle.opened_at, story.cycle.version + 1)
        assert [w.opened_at for w in after.windows] == [to]
        holds_together(after)
        assert {e.state for e in after.effects} == {EffectState.SKIPPED}


async def test_tickets_that_come_later_fall_into_the_phase_that_they_were_logged_in(provider: Provider) -> None:
    lead = await lead_of(provider)
    (arrived,) = await brought(provider, row(lead, **STEADY))
    assert arrived.client is not None
    logged = {
        "BEFORE_SERVICE": datetime(2025, 3, 20, 12, tzinfo=UTC),
        "EARLY": datetime(2025, 5, 1, 12, tzinfo=UTC),
        "STEADY": datetime(2025, 9, 1, 12, tzinfo=UTC),
    }
    await report_tickets(provider, *_logged(logged), client=arrived.client)
    assert await _phases(provider, arrived.client) == {phase: phase for phase in logged}


async def test_a_client_that_has_tickets_already_is_joined_and_its_tickets_and_baseline_follow(
    provider: Provider,
) -> None:
    lead = await lead_of(provider)
    context, admin = provider.context, provider.admin
    key = ExternalKey("PSA", "1")
    client = done(await create_client(context, admin, sent(), CreateClient("Acme", external=(key,))))
    logged = {"EARLY": datetime(2025, 5, 1, 12, tzinfo=UTC), "STEADY": datetime(2025, 9, 1, 12, tzinfo=UTC)}
    await report_tickets(provider, *_logged(logged), client=client)
    assert set((await _phases(provider, client)).values()) == {"UNKNOWN"}

    (arrived,) = await brought(provider, row(lead, **STEADY, name="ACME B.V.", industry="Retail"))
    assert (arrived.status, arrived.client, arrived.name) == (ArrivalStatus.JOINED, client, "Acme")
    assert (arrived.tickets, arrived.baseline) == (2, True)
    assert await _phases(provider, client) == {phase: phase for phase in logged}
    (story,) = await stories_of(provider, client)
    async with context.database.reading(admin) as tx:
        figures = {b.kpi: b.value for b in (await cycles.baselines(tx, [story.cycle.id]))[story.cycle.id]}
    assert figures["TICKETS_LOGGED"] == 1
    (again,) = await brought(provider, row(lead, **STEADY))
    assert again.status is ArrivalStatus.EXISTS


def _logged(instants: dict[str, datetime]) -> list[ReportedTicket]:
    return [
        replace(ticket(number), external_id=phase, logged_at=at, hand_overs=(), resolutions=(), closed_at=None)
        for number, (phase, at) in enumerate(instants.items())
    ]


async def _phases(provider: Provider, client: UUID) -> dict[str, str]:
    phases = text("select external_id, phase from ticket where tenant_id = :tenant and client_id = :client")
    async with provider.context.database.reading(provider.admin) as tx:
        return {r["external_id"]: r["phase"] for r in await tx.rows(phases, tenant=tx.tenant, client=client)}
