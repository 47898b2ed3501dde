"""Evidence: what the gates of cycles look at, gathered in one statement for any number of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import text

from db.session import Transaction
from domain.amendments import AmendmentFacts, AmendmentStatus, TermsChange, terms_on
from domain.baselines import Span, Tally
from domain.calendars import Calendar
from domain.checklists import Task
from domain.clients import ContractScope, ContractStatus
from domain.definitions import Hardness, Rules
from domain.gates import ContractFacts, Evidence
from domain.hand_off import HandOffField
from domain.moves import Gate, Move
from domain.onboarding import Cycle
from domain.periods import local_day
from domain.stages import Stage
from domain.tenants import TenantSettings

# Materialized, so that what is asked of a cycle once is not asked again for each of its contacts.
GATHER = text("""
    with wanted as materialized (
        select c.id, c.client_id, c.contract_id, c.amendment_id, c.notice_id, c.lead_id, c.visit_id,
               w.pending_before, w.recent_from,
               case when c.scope_kind = 'SITE' then cast(c.scope_key as uuid) end as site_id,
               case when c.scope_kind = 'SERVICE' then cast(c.scope_key as uuid) end as service_id,
               case when c.scope_kind = 'SITE' then exists (
                   select from contact p
                   where p.tenant_id = :tenant and p.client_id = c.client_id and p.site_id = cast(c.scope_key as uuid)
                     and p.erased_at is null
               ) else false end as own_contacts
        from unnest(cast(:ids as uuid[]), cast(:pending as timestamptz[]), cast(:recent as timestamptz[]))
             as w(id, pending_before, recent_from)
        join cycle c on c.tenant_id = :tenant and c.id = w.id
    )
    select w.id, k.id as contract_id, k.status, k.starts_on, k.ends_on, k.scope,
           n.number as amendment_number, n.status as amendment_status, n.starts_on as amendment_starts_on,
           n.ends_on as amendment_ends_on, g.ends_on as notice_ends_on, agreed.amendments,
           coalesce(k.coverage_hours, (
               select 'as in the contract''s own calendar' from calendar o
               where o.tenant_id = :tenant and o.client_id = w.client_id and o.contract_id = w.contract_id
                 and o.valid_to is null and o.body is not null
           )) as coverage_hours,
           coalesce(m.active, false) as lead_active, people.primary_contacts, people.surveyable,
           devices.discovered, devices.managed, devices.explained, devices.overdue, runs.last_run,
           services.critical, services.unmapped, urgent.open_priority_1, tickets.recent, tickets.escalated,
           words.attested, permits.waived, work.tasks, record.body as hand_off
    from wanted w
    left join notice g on g.tenant_id = :tenant and g.client_id = w.client_id and g.id = w.notice_id
    left join contract k on k.tenant_id = :tenant and k.client_id = w.client_id and k.id = w.contract_id
    left join amendment n on n.tenant_id = :tenant and n.client_id = w.client_id and n.id = w.amendment_id
    left join member m on m.tenant_id = :tenant and m.id = w.lead_id
    cross join lateral (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'number', a.number, 'signed', a.signed_at is not null, 'starts_on', a.starts_on,
                    'ends_on', a.ends_on, 'scope_added', a.scope_added, 'scope_removed', a.scope_removed
                )
            ), '[]'
        ) as amendments
        from amendment a
        where a.tenant_id = :tenant and a.client_id = w.client_id and a.contract_id = w.contract_id
    ) as agreed
    cross join lateral (
        select count(*) filter (where 'PRIMARY' = any(p.roles)) as primary_contacts,
               coalesce(array_agg(p.id order by p.id) filter (where p.email is not null and not p.opted_out), '{}')
                   as surveyable
        from contact p
        where p.tenant_id = :tenant and p.client_id = w.client_id
          and (not w.own_contacts or p.site_id = w.site_id)
    ) as people
    cross join lateral (
        select count(*) filter (where d.state <> 'RETIRED') as discovered,
               count(*) filter (where d.state = 'MANAGED') as managed,
               count(*) filter (where d.state in ('PENDING', 'UNMANAGED') and d.gap_reason is not null) as explained,
               count(*) filter (where d.state = 'PENDING' and d.state_since < w.pending_before) as overdue
        from device d
        where d.tenant_id = :tenant and d.client_id = w.client_id and d.in_scope
          and (w.site_id is null or d.site_id = w.site_id)
          and (w.service_id is null or exists (
              select from service_device l
              where l.tenant_id = :tenant and l.client_id = w.client_id and l.service_id = w.service_id
                and l.device_id = d.id
          ))
    ) as devices
    cross join lateral (
        -- A search of one site says nothing of the others: what counts is the place that was searched longest ago.
        select case when bool_and(latest.ran_at is not null) then min(latest.ran_at) end as last_run
        from (
            select s.id from site s
            where s.tenant_id = :tenant and s.client_id = w.client_id
              and (s.id = w.site_id or w.site_id is null and s.archived_at is null)
            union all
            select null where w.site_id is null and not exists (
                select from site s where s.tenant_id = :tenant and s.client_id = w.client_id and s.archived_at is null
            )
        ) as place
        cross join lateral (
            select max(r.ran_at) as ran_at from discovery_run r
            where r.tenant_id = :tenant and r.client_id = w.client_id
              and (r.site_id is null or place.id is null or r.site_id = place.id)
        ) as latest
    ) as runs
    cross join lateral (
        select count(*) as critical,
               coalesce(
                   array_agg(s.name order by s.name) filter (where not exists (
                       select from service_device l
                       where l.tenant_id = :tenant and l.client_id = w.client_id and l.service_id = s.id
                   )), '{}'
               ) as unmapped
        from service s
        where s.tenant_id = :tenant and s.client_id = w.client_id and s.critical
          and (w.site_id is null or s.site_id = w.site_id) and (w.service_id is null or s.id = w.service_id)
    ) as services
    cross join lateral (
        select count(*) as recent, count(*) filter (where t.escalations > 0) as escalated
        from ticket t
        where t.tenant_id = :tenant and t.client_id = w.client_id and t.exclusion is null and t.source <> 'ALERT'
          and t.logged_at >= w.recent_from and t.logged_at <= :now
    ) as tickets
    cross join lateral (
        select count(*) as open_priority_1 from ticket t
        where t.tenant_id = :tenant and t.client_id = w.client_id and t.priority = 'P1' and t.exclusion is null
          and t.resolved_at is null and t.closed_at is null
    ) as urgent
    cross join lateral (
        select coalesce(jsonb_agg(jsonb_build_array(said.gate, said.newest, said.people)), '[]') as attested
        from (
            select a.gate, (array_agg(a.id order by a.recorded_at desc, a.id desc))[1] as newest,
                   count(distinct a.attested_by) as people
            from attestation a
            where a.tenant_id = :tenant and a.cycle_id = w.id and a.visit_id = w.visit_id
            group by a.gate
        ) as said
    ) as words
    cross join lateral (
        select coalesce(
            jsonb_agg(
                jsonb_build_array(i.stage, i.title, i.required, i.proves, i.own, i.done_at is not null)
                order by i.due_key, i.id
            ), '[]'
        ) as tasks
        from checklist_item i
        where i.tenant_id = :tenant and i.cycle_id = w.id and i.removed_at is null
          and (i.required or i.proves is not null)
    ) as work
    left join lateral (
        select jsonb_build_object(
            'SCOPE_SOLD', h.scope_sold is not null, 'PROMISES', h.promises is not null,
            'INCUMBENT', h.incumbent is not null, 'CONTACTS', h.contact_ids <> '{}', 'SUPPORT', h.support is not null,
            'APPROVERS', h.approvers <> '{}', 'VIPS', h.vips <> '{}', 'RISKS', h.risks is not null,
            'SECRETS_PLACE', h.secrets_place is not null
        ) || coalesce((select jsonb_object_agg(f, true) from unnest(h.declared_none) as f), '{}') as body
        from hand_off h where h.tenant_id = :tenant and h.cycle_id = w.id
    ) as record on true
    cross join lateral (
        select coalesce(jsonb_agg(jsonb_build_array(v.move, v.gate, v.hardness, v.id)), '[]') as waived from waiver v
        where v.tenant_id = :tenant and v.cycle_id = w.id and v.visit_id = w.visit_id and v.granted_at is not null
          and v.withdrawn_at is null and v.used_by is null and v.expires_at > :now
    ) as permits
""")


TALLIES = text("""
    select w.place, count(t.id) as logged, count(t.id) filter (where t.escalations > 0) as escalated
    from unnest(cast(:clients as uuid[]), cast(:opened as timestamptz[]), cast(:closed as timestamptz[]))
         with ordinality as w(client_id, opened, closed, place)
    left join ticket t
      on t.tenant_id = :tenant and t.client_id = w.client_id and t.exclusion is null and t.source <> 'ALERT'
     and t.logged_at >= w.opened and t.logged_at < w.closed
    group by w.place order by w.place
""")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cycle, and the rules and the calendar by which its evidence is looked at; the provider's, if none is given."""

    cycle: Cycle
    rules: Rules
    calendar: Calendar | None = None


async def gather(
    tx: Transaction, wanted: Sequence[Wanted], settings: TenantSettings, now: datetime
) -> dict[UUID, Evidence]:
    """Return the evidence of cycles by id, in one statement whatever their number."""
    rows = await tx.rows(
        GATHER,
        tenant=tx.tenant,
        ids=[w.cycle.id for w in wanted],
        pending=[now - timedelta(hours=w.rules.pending_hours) for w in wanted],
        recent=[now - timedelta(days=w.rules.escalation_days) for w in wanted],
        now=now,
    )
    by_id = {row["id"]: row for row in rows}
    return {w.cycle.id: _evidence(by_id[w.cycle.id], w, settings, now) for w in wanted if w.cycle.id in by_id}


async def tallies(tx: Transaction, spans: Sequence[Span]) -> list[Tally]:
    """Count the tickets of spans from the tickets themselves, in one statement, in the order given."""
    rows = await tx.rows(
        TALLIES,
        tenant=tx.tenant,
        clients=[span.client for span in spans],
        opened=[span.opened for span in spans],
        closed=[span.closed for span in spans],
    )
    return [Tally(row["logged"], row["escalated"]) for row in rows]


def _evidence(row: asyncpg.Record, wanted: Wanted, settings: TenantSettings, now: datetime) -> Evidence:
    zone = (wanted.calendar or settings.calendar).zone
    today = local_day(now, zone)
    return Evidence(
        now=now,
        today=today,
        entered_on=local_day(wanted.cycle.entered_at, zone),
        contract=_contract(row, today),
        lead_active=row["lead_active"],
        primary_contacts=row["primary_contacts"],
        surveyable=tuple(row["surveyable"]),
        devices_discovered=row["discovered"],
        devices_managed=row["managed"],
        devices_explained=row["explained"],
        devices_pending_overdue=row["overdue"],
        last_discovery_at=row["last_run"],
        critical_services=row["critical"],
        critical_unmapped=tuple(row["unmapped"]),
        open_priority_1=row["open_priority_1"],
        recent_tickets=row["recent"],
        recent_escalated=row["escalated"],
        escalation_rate_limit=settings.escalation_rate_limit,
        attested={Gate(gate): UUID(word) for gate, word, _ in row["attested"]},
        waived={
            (Move(move), Gate(gate)): UUID(waiver)
            for move, gate, hardness, waiver in row["waived"]
            if _waives(Hardness(hardness), wanted.rules.hardness(Gate(gate)))
        },
        notice_ends_on=row["notice_ends_on"],
        tasks=tuple(_task(*values) for values in row["tasks"]),
        hand_off_missing=tuple(f for f in HandOffField if not (row["hand_off"] or {}).get(f.value)),
        confirmed=frozenset(
            Gate(gate) for gate, _, people in row["attested"] if people >= settings.hard_waiver_persons
        ),
    )


def _task(stage: str, title: str, required: bool, proves: str | None, own: bool, done: bool) -> Task:  # noqa: FBT001 -- the columns of the statement, in its order
    return Task(Stage(stage), title, required, Gate(proves) if proves else None, own, done)


def _waives(asked: Hardness, holds: Hardness) -> bool:
    """Tell whether a waiver still opens its gate: that of a soft gate does not once the rules have hardened it."""
    return holds is not Hardness.HARD or asked is Hardness.HARD


def _contract(row: asyncpg.Record, today: date) -> ContractFacts | None:
    if row["contract_id"] is None:
        return None
    amended = row["amendment_number"] is not None
    starts_on = row["amendment_starts_on"] if amended else row["starts_on"]
    ends = [day for day in (row["ends_on"], row["amendment_ends_on"]) if day is not None]
    # What a cycle works towards counts for it from the beginning, though its terms may begin later.
    day = max(today, starts_on) if amended and starts_on else today
    changes = msgspec.convert(row["amendments"], tuple[TermsChange, ...])
    return ContractFacts(
        status=ContractStatus(row["status"]),
        starts_on=starts_on,
        ends_on=min(ends, default=None),
        coverage_hours=row["coverage_hours"],
        scope=terms_on(day, tuple(ContractScope(part) for part in row["scope"]), None, changes).scope,
        amendment=AmendmentFacts(row["amendment_number"], AmendmentStatus(row["amendment_status"]))
        if amended
        else None,
    )
