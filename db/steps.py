"""Steps: an accepted move in one statement, a refused one as its audit row alone."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.effects import NOTICE_KEYS, EffectKind, PlannedEffect
from domain.envelopes import Envelope
from domain.onboarding import Cycle, Transition
from domain.steps import Step

_TRANSITION = """
    insert into transition (tenant_id, id, client_id, cycle_id, version, move, from_stage, to_stage, accepted, refusal,
        recorded_at, effective_at, actor_kind, actor_id, on_behalf_of, channel, definition_number, gates, waiver_ids,
        effect_ids, reason, outcome, request_id, event_id, corrects)
    values (:tenant, :transition, :client, :cycle, :version, :move, :from_stage, :to_stage, :accepted, :refusal,
        :now, :effective, :actor_kind, :actor, :on_behalf_of, :channel, :definition_number, :gates,
        cast(:waivers as uuid[]), cast(:effect_ids as uuid[]), :reason, :outcome, :request, :event,
        :corrects)
"""

REFUSE = text(_TRANSITION)

OPEN = text("""
    insert into cycle (tenant_id, id, client_id, number, scope_kind, scope_key, contract_id, definition_id, lead_id,
        account_manager_id, technical_lead_id, engineer_ids, stage, visit_id, opened_at, entered_at, target_at, held_at,
        ended_at, outcome, version, active_at, amendment_id)
    values (:tenant, :cycle, :client, :number, :scope_kind, :scope_key, :contract, :definition, :lead,
        :account_manager, :technical_lead, cast(:engineers as uuid[]), :stage, :visit, :opened_at, :entered_at, :target,
        null, null, null, 0, :opened_at, :amendment)
""")

LATEST = text("update client set cycle_id = :cycle where tenant_id = :tenant and id = :client")

# The parts run in one snapshot; `entered` reads from `left_behind`, so that a visit is closed before the next opens.
STEP = text(f"""
    with moved as (
        update cycle set stage = :stage, visit_id = :visit, entered_at = :entered_at, target_at = :target,
            held_at = :held_at, ended_at = :ended_at, outcome = :outcome, version = :version,
            active_at = greatest(active_at, cast(:now as timestamptz)), notice_id = :notice
        where tenant_id = :tenant and id = :cycle
    ), left_behind as (
        update visit set
            left_at = case when id = cast(:left_visit as uuid) then :now else left_at end,
            target_at = case when id = cast(:left_visit as uuid) then cast(:left_target as timestamptz)
                             else target_at end,
            superseded_at = case when id = any(cast(:superseded as uuid[])) then :now else superseded_at end
        where tenant_id = :tenant and cycle_id = :cycle
          and (id = cast(:left_visit as uuid) or id = any(cast(:superseded as uuid[])))
        returning id
    ), entered as (
        insert into visit (tenant_id, id, client_id, cycle_id, stage, entered_at)
        select :tenant, :entered_visit, :client, :cycle, :stage, :now
        from (select count(*) from left_behind) as closed where cast(:entered_visit as uuid) is not null
    ), window_closed as (
        update escalation_window set closed_at = :now
        where tenant_id = :tenant and cycle_id = :cycle and closed_at is null and cast(:closes_window as boolean)
    ), window_opened as (
        insert into escalation_window (tenant_id, id, client_id, cycle_id, visit_id, opened_at)
        select :tenant, :opened_window, :client, :cycle, :visit, :now where cast(:opened_window as uuid) is not null
    ), hold_opened as (
        insert into hold (tenant_id, id, client_id, cycle_id, visit_id, reason, note, held_at, expected_resume_on)
        select :tenant, :hold, :client, :cycle, :visit, :hold_reason, :hold_note, :now, :expected_resume_on
        where cast(:hold as uuid) is not null
    ), hold_closed as (
        update hold set resumed_at = :now
        where tenant_id = :tenant and cycle_id = :cycle and resumed_at is null and cast(:resumed as boolean)
    ), called_off as (
        update effect set state = 'CANCELLED', reason = :move, settled_at = :now
        where tenant_id = :tenant and cycle_id = :cycle and state = 'PLANNED' and cast(:cancels as boolean)
          and kind = any(cast(:cancelled_kinds as text[]))
          and (
              cast(:all_visits as boolean)
              or (visit_id = any(cast(:cancelled_visits as uuid[]))
                  and split_part(key, ':', 1) <> all(cast(:notice_keys as text[])))
          )
    ), review_called_off as (
        update effect set state = 'CANCELLED', reason = :move, settled_at = :now
        where tenant_id = :tenant and cycle_id = :cycle and state = 'PLANNED' and cast(:resumed as boolean)
          and not cast(:cancels as boolean) and key like 'HOLD_REVIEW:%'
    ), shifted as (
        update effect set due_at = cast(:shifted_target as timestamptz), state = 'PLANNED', reason = null,
            settled_at = null
        where tenant_id = :tenant and cycle_id = :cycle and visit_id = :visit and key = 'TARGET'
          and (state = 'PLANNED'
               or (state = 'SKIPPED' and reason = 'PAST' and cast(:shifted_target as timestamptz) > :now))
          and cast(:shifted_target as timestamptz) is not null and not cast(:cancels as boolean)
    ), planned as (
        insert into effect (tenant_id, id, client_id, cycle_id, visit_id, kind, key, recipient, due_at, state, reason,
            settled_at)
        select :tenant, e.id, :client, :cycle, :visit, e.kind, e.key, e.recipient, e.due_at, e.state, e.reason,
            case when e.state = 'PLANNED' then null else cast(:now as timestamptz) end
        from unnest(cast(:effect_ids as uuid[]), cast(:effect_kinds as text[]), cast(:effect_keys as text[]),
                    cast(:effect_recipients as text[]), cast(:effect_dues as timestamptz[]),
                    cast(:effect_states as text[]), cast(:effect_reasons as text[]))
             as e(id, kind, key, recipient, due_at, state, reason)
    ), spent as (
        update waiver set used_by = :transition
        where tenant_id = :tenant and cycle_id = :cycle and id = any(cast(:waivers as uuid[]))
    ), recorded as ({_TRANSITION})
    insert into pending (tenant_id, client_id, event_id, type, scope, body, recorded_at)
    values (:tenant, :client, :event, :event_type, :event_scope, :event_body, :now)
""")

RETARGET = text("update cycle set target_at = :target where tenant_id = :tenant and id = :cycle")

# What has fired never fires again; what was called off stays called off, but for what a migration left out.
RESCHEDULE = text("""
    insert into effect (tenant_id, id, client_id, cycle_id, visit_id, kind, key, recipient, due_at, state, reason,
        settled_at)
    select :tenant, e.id, :client, :cycle, :visit, e.kind, e.key, e.recipient, e.due_at, e.state, e.reason,
        case when e.state = 'PLANNED' then null else cast(:now as timestamptz) end
    from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:keys as text[]), cast(:recipients as text[]),
                cast(:dues as timestamptz[]), cast(:states as text[]), cast(:reasons as text[]))
         as e(id, kind, key, recipient, due_at, state, reason)
    where not exists (
        select from effect fired
        where fired.tenant_id = :tenant and fired.visit_id = :visit and fired.key = e.key and fired.state = 'DONE'
    )
    on conflict (tenant_id, visit_id, kind, key, recipient) do update
    set due_at = excluded.due_at, state = excluded.state, reason = excluded.reason, settled_at = excluded.settled_at
    where effect.state = 'PLANNED' or (effect.state = 'SKIPPED' and effect.reason in ('PAST', 'IMPORTED'))
       or (effect.state = 'CANCELLED' and effect.reason = 'MIGRATE')
""")

BASELINE = text("""
    insert into baseline (tenant_id, id, client_id, cycle_id, visit_id, kpi, value, numerator, denominator, low, high,
        opened_at, closed_at, as_of)
    values (:tenant, :id, :client, :cycle, :visit, :kpi, :value, :numerator, :denominator, :low, :high,
        :opened_at, :closed_at, :as_of)
""")


async def refuse(tx: Transaction, attempt: Transition) -> None:
    """Keep a refused attempt in the audit trail."""
    await tx.run(REFUSE, tenant=tx.tenant, **_audit(attempt))


async def take(tx: Transaction, step: Step) -> None:
    """Store an accepted move: state, visit, window, effects, audit row and event, by one statement.

    Opening adds two (the cycle itself, and the client's pointer to it), graduating one per KPI of the baseline.
    """
    tx.publishes = True
    if step.opened:
        await tx.run(OPEN, tenant=tx.tenant, **_opening(step))
    await tx.run(
        STEP, tenant=tx.tenant, **_audit(step.transition), **_cycle(step), **_effects(step), **_event(step.envelope)
    )
    if step.opened and step.cycle.scope_kind.value == "WHOLE_CLIENT":
        await tx.run(LATEST, tenant=tx.tenant, client=step.cycle.client_id, cycle=step.cycle.id)
    for row_id, b in step.baseline:
        await tx.run(
            BASELINE,
            tenant=tx.tenant,
            id=row_id,
            client=step.cycle.client_id,
            cycle=step.cycle.id,
            visit=step.left_visit,
            kpi=b.kpi,
            value=b.value,
            numerator=b.numerator,
            denominator=b.denominator,
            low=b.low,
            high=b.high,
            opened_at=b.opened_at,
            closed_at=b.closed_at,
            as_of=b.as_of,
        )


async def reschedule(
    tx: Transaction,
    cycle: Cycle,
    target: datetime | None,
    timers: Sequence[tuple[UUID, PlannedEffect]],
    now: datetime,
) -> None:
    """Write another target and other instants of timers for the stage in which a cycle stands."""
    await tx.run(RETARGET, tenant=tx.tenant, cycle=cycle.id, target=target)
    await tx.run(
        RESCHEDULE,
        tenant=tx.tenant,
        client=cycle.client_id,
        cycle=cycle.id,
        visit=cycle.visit_id,
        now=now,
        ids=[effect_id for effect_id, _ in timers],
        kinds=[timer.kind.value for _, timer in timers],
        keys=[timer.key for _, timer in timers],
        recipients=[timer.recipient for _, timer in timers],
        dues=[timer.due_at for _, timer in timers],
        states=[timer.state.value for _, timer in timers],
        reasons=[timer.reason for _, timer in timers],
    )


def _audit(t: Transition) -> dict[str, object]:
    return {
        "transition": t.id,
        "client": t.client_id,
        "cycle": t.cycle_id,
        "version": t.version,
        "move": t.move.value,
        "from_stage": t.from_stage.value if t.from_stage else None,
        "to_stage": t.to_stage.value,
        "accepted": t.accepted,
        "refusal": t.refusal,
        "now": t.recorded_at,
        "effective": t.effective_at,
        "actor_kind": t.actor_kind,
        "actor": t.actor_id,
        "on_behalf_of": t.on_behalf_of,
        "channel": t.channel,
        "definition_number": t.definition_number,
        "gates": list(t.gates),
        "waivers": list(t.waiver_ids),
        "effect_ids": list(t.effect_ids),
        "reason": t.reason,
        "outcome": t.outcome.value if t.outcome else None,
        "request": t.request_id,
        "event": t.event_id,
        "corrects": t.corrects,
    }


def _opening(step: Step) -> dict[str, object]:
    c = step.cycle
    return {
        "cycle": c.id,
        "client": c.client_id,
        "number": c.number,
        "scope_kind": c.scope_kind.value,
        "scope_key": c.scope_key,
        "contract": c.contract_id,
        "definition": c.definition_id,
        "lead": c.lead_id,
        "account_manager": c.account_manager_id,
        "technical_lead": c.technical_lead_id,
        "engineers": list(c.engineer_ids),
        "stage": c.stage.value,
        "visit": c.visit_id,
        "opened_at": c.opened_at,
        "entered_at": c.entered_at,
        "target": c.target_at,
        "amendment": c.amendment_id,
    }


def _cycle(step: Step) -> dict[str, object]:
    c, hold, entered, window = step.cycle, step.held, step.entered_visit, step.opened_window
    return {
        "stage": c.stage.value,
        "visit": c.visit_id,
        "entered_at": c.entered_at,
        "target": c.target_at,
        "held_at": c.held_at,
        "ended_at": c.ended_at,
        "notice": c.notice_id,
        "left_visit": step.left_visit,
        "left_target": step.left_target,
        "superseded": list(step.superseded),
        "entered_visit": entered.id if entered else None,
        "closes_window": step.closes_window,
        "opened_window": window.id if window else None,
        "hold": hold.id if hold else None,
        "hold_reason": hold.reason.value if hold else None,
        "hold_note": hold.note if hold else None,
        "expected_resume_on": hold.expected_resume_on if hold else None,
        "resumed": step.resumed,
    }


def _effects(step: Step) -> dict[str, object]:
    planned = [effect for _, effect in step.effects]
    cancelled = step.cancelled
    visits: tuple[UUID, ...] = cancelled.visits or () if cancelled else ()
    kinds: tuple[EffectKind, ...] = cancelled.kinds if cancelled else ()
    return {
        "cancels": cancelled is not None,
        "all_visits": cancelled is not None and cancelled.visits is None,
        "cancelled_visits": list(visits),
        "notice_keys": sorted(NOTICE_KEYS),
        "cancelled_kinds": [kind.value for kind in kinds],
        "shifted_target": step.shifted_target,
        "effect_kinds": [e.kind.value for e in planned],
        "effect_keys": [e.key for e in planned],
        "effect_recipients": [e.recipient for e in planned],
        "effect_dues": [e.due_at for e in planned],
        "effect_states": [e.state.value for e in planned],
        "effect_reasons": [e.reason for e in planned],
    }


def _event(envelope: Envelope) -> dict[str, object]:
    kind = type(envelope.event)
    return {"event_type": kind.TYPE, "event_scope": kind.SCOPE.value, "event_body": envelope.body()}
