-- Five million tickets, as the product would have left them: drawn once, and then spread over its tables.
-- `-- name` begins each statement.

-- tables
create schema if not exists drawing;
create unlogged table drawing.client (
    number int primary key, id uuid not null, starts timestamptz[] not null, stages text[] not null,
    phases text[] not null, cycles uuid[] not null, desk uuid not null, engineer uuid not null);
create unlogged table drawing.worked (day date primary key, seconds float8 not null, opens timestamptz, closes timestamptz);
create unlogged table drawing.drawn (
    id uuid, n bigint, client_number int, client_id uuid, stage text, phase text, cycle_id uuid, kind text, source text,
    priority text, category int, logged_at timestamptz, day date, responded_at timestamptz, responded_day date,
    response_minutes int, escalated_at timestamptz, escalated_day date, first_ended_at timestamptz,
    first_ended_day date, reopened_at timestamptz, reopened_day date, again_at timestamptz, again_day date,
    ended_at timestamptz, ended_day date, resolve_minutes int, first_contact bool,
    response_due_at timestamptz, response_sla text, response_decided_at timestamptz, response_decided_day date,
    resolution_due_at timestamptz, resolution_sla text, resolution_decided_at timestamptz,
    resolution_decided_day date, desk uuid, agent_id uuid);

-- draw
insert into drawing.drawn
with drawn as (
    select n, $3::timestamptz + floor((n - random()) * $5::float8 / $6::float8) * interval '1 second' as logged_at,
           1 + floor($7::int * power(random(), 1.6))::int as number, random() as by_kind, random() as by_source,
           random() as by_priority, 1 + floor(8 * random())::int as category, random() as by_response,
           floor(-3600 * ln(1 - random())) as response_s, random() as by_escalation, random() as by_ending,
           floor(300 - 21600 * ln(1 - random())) as first_s, random() as by_reopening,
           floor(60 - 144000 * ln(1 - random())) as back_s, floor(60 - 28800 * ln(1 - random())) as again_s
    from generate_series($1::bigint, $2::bigint) n
), placed as (
    select d.*, c.id as client_id, c.desk, c.engineer,
           case when d.by_kind < 0.6 then 'INCIDENT' else 'REQUEST' end as kind,
           case when d.by_source < 0.9 then 'PERSON' else 'ALERT' end as source,
           case when d.by_priority < 0.05 then 'P1' when d.by_priority < 0.2 then 'P2'
                when d.by_priority < 0.7 then 'P3' else 'P4' end as priority,
           case when d.by_response < 0.97 then d.logged_at + d.response_s * interval '1 second' end as response,
           case when d.by_ending < 0.999 then d.logged_at + d.first_s * interval '1 second' end as first_end,
           width_bucket(d.logged_at, c.starts) as stay, c.stages, c.phases, c.cycles
    from drawn d join drawing.client c on c.number = d.number offset 0
), began as (
    select p.*, p.stages[p.stay] as stage, p.phases[p.stay] as phase, p.cycles[p.stay] as cycle_id,
           case when p.response <= $4::timestamptz then p.response end as responded_at,
           case when p.first_end <= $4::timestamptz then p.first_end end as first_ended_at,
           case when p.by_escalation < case when p.phases[p.stay] = 'EARLY' then 0.2 else 0.1 end
                     and p.logged_at + floor(p.first_s * 0.4) * interval '1 second' <= $4::timestamptz
                then p.logged_at + floor(p.first_s * 0.4) * interval '1 second' end as escalated_at,
           case when p.by_reopening < 0.03 then p.first_end + p.back_s * interval '1 second' end as back
    from placed p offset 0
), came_back as (
    select b.*, case when b.back <= $4::timestamptz then b.back end as reopened_at,
           case when b.back + b.again_s * interval '1 second' <= $4::timestamptz
                then b.back + b.again_s * interval '1 second' end as again_at,
           b.logged_at + case b.priority when 'P1' then 1 when 'P2' then 2 when 'P3' then 4 else 8 end
               * interval '1 hour' as response_due_at,
           b.logged_at + case b.priority when 'P1' then 4 when 'P2' then 8 when 'P3' then 24 else 72 end
               * interval '1 hour' as resolution_due_at
    from began b offset 0
), ended as (
    select c.*, case when reopened_at is null then first_ended_at else again_at end as ended_at from came_back c offset 0
), decided as (
    select e.*,
           case when responded_at <= response_due_at then 'MET'
                when responded_at is not null or response_due_at < $4::timestamptz then 'MISSED' end as response_sla,
           case when ended_at <= resolution_due_at then 'MET'
                when ended_at is not null or resolution_due_at < $4::timestamptz then 'MISSED' end as resolution_sla,
           (logged_at at time zone $8)::date as day, (responded_at at time zone $8)::date as responded_day,
           (escalated_at at time zone $8)::date as escalated_day,
           (first_ended_at at time zone $8)::date as first_ended_day,
           (reopened_at at time zone $8)::date as reopened_day, (again_at at time zone $8)::date as again_day,
           (ended_at at time zone $8)::date as ended_day
    from ended e offset 0
), dated as (
    select d.*,
           case response_sla when 'MET' then responded_at when 'MISSED' then response_due_at end as response_decided_at,
           case resolution_sla when 'MET' then ended_at when 'MISSED' then resolution_due_at end
               as resolution_decided_at
    from decided d offset 0
)
select uuidv7(), d.n, d.number, d.client_id, d.stage, d.phase, d.cycle_id, d.kind, d.source, d.priority, d.category,
       d.logged_at, d.day, d.responded_at, d.responded_day,
       round((drawing.until(r, d.responded_at) - drawing.until(l, d.logged_at)) / 60)::int,
       d.escalated_at, d.escalated_day, d.first_ended_at, d.first_ended_day, d.reopened_at, d.reopened_day,
       d.again_at, d.again_day, d.ended_at, d.ended_day,
       round((drawing.until(e, d.ended_at) - drawing.until(l, d.logged_at)
              - coalesce(drawing.until(b, d.reopened_at) - drawing.until(f, d.first_ended_at), 0)) / 60)::int,
       case when d.first_ended_at is not null
            then d.escalated_at is null
                 and coalesce(d.reopened_at - d.first_ended_at > interval '72 hours', true) end,
       d.response_due_at, d.response_sla, d.response_decided_at, (d.response_decided_at at time zone $8)::date,
       d.resolution_due_at, d.resolution_sla, d.resolution_decided_at, (d.resolution_decided_at at time zone $8)::date,
       d.desk, case when d.escalated_at is null then d.desk else d.engineer end
from dated d
join drawing.worked l on l.day = d.day
left join drawing.worked r on r.day = d.responded_day
left join drawing.worked e on e.day = d.ended_day
left join drawing.worked f on f.day = d.first_ended_day
left join drawing.worked b on b.day = d.reopened_day

-- tickets
insert into ticket (
    tenant_id, system, recorded_at, version, id, client_id, external_id, client_key, kind, source, priority, category,
    category_id, team_id, agent_id, tier, title, logged_at, day, first_responded_at, response_minutes, resolved_at,
    first_ended_at, ended_at, resolve_minutes, times_reopened, first_contact, response_due_at, response_sla,
    response_decided_at, resolution_due_at, resolution_sla, resolution_decided_at, course, client_pinned, exclusion_pinned, stage,
    phase, cycle_id, escalations, first_escalated_at, rule_version, digest)
select $1::uuid, 'BENCH', $2::timestamptz, 1, d.id, d.client_id, 'TIC' || d.n, null, d.kind, d.source, d.priority,
       ($3::text[])[d.category], ($4::uuid[])[d.category],
       case when d.escalated_at is null then $5::uuid else $6::uuid end, d.agent_id,
       case when d.escalated_at is null then 1 else 2 end, 'Printer does not respond in room ' || d.n % 1000,
       d.logged_at, d.day, d.responded_at, d.response_minutes, d.ended_at, d.first_ended_at, d.ended_at,
       d.resolve_minutes, (d.reopened_at is not null)::int, d.first_contact, d.response_due_at, d.response_sla,
       d.response_decided_at, d.resolution_due_at, d.resolution_sla, d.resolution_decided_at,
       case when d.reopened_at is not null then jsonb_build_object('resolutions',
           jsonb_build_array(jsonb_build_array(drawing.said(d.first_ended_at), drawing.said(d.reopened_at)))
           || case when d.again_at is null then '[]'
                   else jsonb_build_array(jsonb_build_array(drawing.said(d.again_at), null)) end) end,
       false, false, d.stage, d.phase, d.cycle_id, (d.escalated_at is not null)::int, d.escalated_at, 1,
       decode(md5('TIC' || d.n), 'hex')
from drawing.drawn d

-- hand_overs
insert into hand_over (tenant_id, ticket_id, client_id, position, at, team, tier, agent_id)
select $1::uuid, d.id, d.client_id, h.* from drawing.drawn d cross join lateral (values
    (0, d.logged_at, 'Service desk', 1, d.desk), (1, d.escalated_at, 'Engineers', 2, d.agent_id)
) h(position, at, team, tier, agent_id)
where h.at is not null

-- escalations
insert into escalation (tenant_id, id, ticket_id, client_id, position, kind, at, day, times, from_team, to_team,
                        from_tier, to_tier, rule_version)
select $1::uuid, uuidv7(), id, client_id, 0, 'FUNCTIONAL', escalated_at, escalated_day, 1, 'Service desk', 'Engineers',
       1, 2, 1
from drawing.drawn where escalated_at is not null

-- times
insert into ticket_time (tenant_id, recorded_at, measure, minutes, amount, client_id, day, stage, phase, priority,
                         source, kind, category_id, team_id, agent_id)
select $1::uuid, $2::timestamptz, m.measure, m.minutes, 1, d.client_id, m.day, d.stage, d.phase, d.priority, d.source,
       d.kind, ($3::uuid[])[d.category], case when d.escalated_at is null then $4::uuid else $5::uuid end, d.agent_id
from drawing.drawn d cross join lateral (values
    ('RESPONSE', d.responded_day, d.response_minutes), ('RESOLUTION', d.ended_day, d.resolve_minutes)
) m(measure, day, minutes)
where m.minutes is not null

-- deltas
insert into ticket_delta (tenant_id, recorded_at, client_id, day, stage, phase, priority, source, kind, category_id,
                          team_id, agent_id, {facts})
select $1::uuid, $2::timestamptz, d.client_id, m.day, d.stage, d.phase, d.priority, d.source, d.kind,
       ($3::uuid[])[d.category], case when d.escalated_at is null then $4::uuid else $5::uuid end, d.agent_id, {sums}
from drawing.drawn d
cross join lateral (select (d.kind = 'INCIDENT')::int as incident, (d.escalated_at is not null)::int as escalated) x
cross join lateral (values
    (d.day, 1, x.escalated, 0, 1, x.incident, 0, 0, 0, 0, 0, 0, 0),
    (d.escalated_day, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (d.first_ended_day, 0, 0, 0, -1, -x.incident, 1, (d.reopened_at is not null)::int, d.first_contact::int, 0, 0, 0, 0),
    (d.reopened_day, 0, 0, 0, 1, x.incident, 0, 0, 0, 0, 0, 0, 0),
    (d.again_day, 0, 0, 0, -1, -x.incident, 0, 0, 0, 0, 0, 0, 0),
    (d.resolution_decided_day, 0, 0, 0, 0, 0, 0, 0, 0, (d.resolution_sla = 'MET')::int, 1, 0, 0),
    (d.response_decided_day, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (d.response_sla = 'MET')::int, 1)
) m(day, tickets, escalated_tickets, escalations, backlog, open_incidents, resolved, reopened, first_contact,
    sla_met, sla_decided, response_sla_met, response_sla_decided)
where m.day is not null and d.client_number between $6::int and $7::int
group by d.client_id, m.day, d.stage, d.phase, d.priority, d.source, d.kind, d.category, 11, d.agent_id
having {any}

-- sums
create unlogged table drawing.summed as
select client_id, day, stage, phase, priority, source, {sums} from ticket_delta group by 1, 2, 3, 4, 5, 6

-- cells of clients
insert into ticket_cell (tenant_id, dimension, source, grain, client_id, day, member, {facts})
select $1::uuid, '{dimension}', source, 'D', client_id, day, {member}, {sums}
from drawing.summed t group by 3, 5, 6, 7

-- cells of all
insert into ticket_cell (tenant_id, dimension, source, grain, client_id, day, member, {facts})
select $1::uuid, '{dimension}', source, 'D', $2::uuid, day, {member}, {sums}
from {rows} t group by 3, 6, 7

-- cells of months
insert into ticket_cell (tenant_id, dimension, source, grain, client_id, day, member, {facts})
select tenant_id, dimension, source, 'M', client_id, date_trunc('month', day::timestamp)::date, member, {sums}
from ticket_cell where grain = 'D' group by 1, 2, 3, 5, 6, 7
