-- What the bare route asks of PostgreSQL: each answer is built by one statement. `-- name` begins each of them.

-- functions
create function raw_byar_low(n float8) returns float8 language sql immutable as
    'select case when n <= 0 then 0 else greatest(0, n * (1 - 1 / (9 * n) - 1.959963984540054 / (3 * sqrt(n))) ^ 3) end';
create function raw_byar_high(n float8) returns float8 language sql immutable as
    'select (n + 1) * (1 - 1 / (9 * (n + 1)) + 1.959963984540054 / (3 * sqrt(n + 1))) ^ 3';
create function raw_wilson(n float8, d float8, side float8) returns float8 language sql immutable as
    'select case when d <= 0 then null when n = 0 and side < 0 then 0 when n = d and side > 0 then 1 else
         greatest(0, least(1, (n / d + 3.8414588206941227 / (2 * d)) / (1 + 3.8414588206941227 / d)
         + side * 1.959963984540054 / (1 + 3.8414588206941227 / d)
         * sqrt(n / d * (1 - n / d) / d + 3.8414588206941227 / (4 * d * d)))) end';
create function raw_share_status(d float8, settled bool) returns text language sql immutable as
    'select case when d = 0 then ''NO_DATA'' when d < 20 then ''INSUFFICIENT_SAMPLE''
                 when settled then ''OK'' else ''PARTIAL'' end';
create function raw_count(n float8, settled bool) returns json language sql immutable as
    'select json_build_object(''value'', n, ''numerator'', n, ''denominator'', null, ''sampleSize'', n,
         ''low'', raw_byar_low(n), ''high'', raw_byar_high(n),
         ''status'', case when settled then ''OK'' else ''PARTIAL'' end)';
create function raw_share(n float8, d float8, settled bool) returns json language sql immutable as
    'select json_build_object(''value'', n / nullif(d, 0), ''numerator'', n, ''denominator'', d, ''sampleSize'', d,
         ''low'', raw_wilson(n, d, -1), ''high'', raw_wilson(n, d, 1), ''status'', raw_share_status(d, settled))';
create function raw_level(n float8, settled bool) returns json language sql immutable as
    'select json_build_object(''value'', n, ''numerator'', n, ''denominator'', null, ''sampleSize'', n,
         ''low'', null, ''high'', null, ''status'', case when settled then ''OK'' else ''PARTIAL'' end)';

-- card
with settling as (
    select coalesce((select seconds from ticket_settling where tenant_id = $1), 0) * interval '1 second' as length
), ends as (
    select $4::date::timestamp at time zone $5 <= $6 as over,
           ($4::date::timestamp at time zone $5) + (select length from settling) <= $6 as settled
), summed as (
    select coalesce(sum(tickets), 0) as t, coalesce(sum(escalated_tickets), 0) as e, coalesce(sum(escalations), 0) as x
    from (
        select tickets, escalated_tickets, escalations from ticket_cell
        where tenant_id = $1 and dimension = 'NONE' and source = 'PERSON' and grain = 'M' and client_id = $2
          and day >= $3::date and day < $4::date
        union all
        select tickets, escalated_tickets, escalations from unfolded_delta
        where tenant_id = $1 and source = 'PERSON' and client_id = $2
          and day >= $3::date and day < $4::date
    ) counted
)
select json_build_object('client', json_build_object(
    'id', 'cli_' || replace(c.id::text, '-', ''), 'name', c.name, 'stage', o.stage,
    'tickets', json_build_object('total', raw_count(s.t, ends.over)),
    'escalations', json_build_object('total', raw_count(s.x, ends.over)),
    'rate', json_build_object('total', raw_share(s.e, s.t, ends.settled))))::text
from client c
left join cycle o on o.tenant_id = $1 and o.id = c.cycle_id
cross join summed s cross join ends
where c.tenant_id = $1 and c.id = $2;

-- months
with settling as (
    select coalesce((select seconds from ticket_settling where tenant_id = $1), 0) * interval '1 second' as length
), buckets as (
    select day::date, least((day + interval '1 month')::date, $3::date)::timestamp at time zone $4 <= $5 as over,
           (least((day + interval '1 month')::date, $3::date)::timestamp at time zone $4)
               + (select length from settling) <= $5 as settled
    from generate_series($2::date::timestamp, $3::date - interval '1 day', interval '1 month') day
), chosen as (
    select id, name_key from client where tenant_id = $1 order by name_key, id limit 50
), summed as (
    select client_id, day, sum(tickets) as t, sum(escalated_tickets) as e
    from (
        select client_id, day, tickets, escalated_tickets from ticket_cell
        where tenant_id = $1 and dimension = 'NONE' and source = 'PERSON' and grain = 'M'
          and client_id = any(array(select id from chosen)) and day >= $2::date and day < $3::date
        union all
        select client_id, date_trunc('month', day::timestamp)::date, tickets, escalated_tickets from unfolded_delta
        where tenant_id = $1 and source = 'PERSON'
          and client_id = any(array(select id from chosen)) and day >= $2::date and day < $3::date
    ) counted
    group by 1, 2
), series as (
    select c.id, json_build_object(
        'starts', json_agg(b.day order by b.day),
        'values', json_agg(s.e / nullif(s.t, 0)::float8 order by b.day),
        'numerators', json_agg(coalesce(s.e, 0) order by b.day),
        'denominators', json_agg(coalesce(s.t, 0) order by b.day),
        'lows', json_agg(raw_wilson(coalesce(s.e, 0), coalesce(s.t, 0), -1) order by b.day),
        'highs', json_agg(raw_wilson(coalesce(s.e, 0), coalesce(s.t, 0), 1) order by b.day),
        'statuses', json_agg(raw_share_status(coalesce(s.t, 0), b.settled) order by b.day),
        'complete', json_agg(b.over order by b.day)) as columns
    from chosen c cross join buckets b left join summed s on s.client_id = c.id and s.day = b.day
    group by c.id
)
select json_build_object('clients', json_build_object('nodes', json_agg(json_build_object(
    'id', 'cli_' || replace(c.id::text, '-', ''), 'kpi', json_build_object('columns', s.columns))
    order by c.name_key, c.id)))::text
from chosen c join series s on s.id = c.id;

-- list
with settling as (
    select coalesce((select seconds from ticket_settling where tenant_id = $1), 0) * interval '1 second' as length
), ends as (
    select $3::date::timestamp at time zone $4 <= $5 as over,
           ($3::date::timestamp at time zone $4) + (select length from settling) <= $5 as settled
), chosen as (
    select id, name, name_key, cycle_id from client where tenant_id = $1 order by name_key, id limit 100
), summed as (
    select client_id, sum(tickets) as t, sum(escalated_tickets) as e, sum(escalations) as x
    from (
        select client_id, tickets, escalated_tickets, escalations from ticket_cell
        where tenant_id = $1 and dimension = 'NONE' and source = 'PERSON' and grain = 'M'
          and client_id = any(array(select id from chosen)) and day >= $2::date and day < $3::date
        union all
        select client_id, tickets, escalated_tickets, escalations from unfolded_delta
        where tenant_id = $1 and source = 'PERSON'
          and client_id = any(array(select id from chosen)) and day >= $2::date and day < $3::date
    ) counted
    group by 1
)
select json_build_object('clients', json_build_object('nodes', json_agg(json_build_object(
    'id', 'cli_' || replace(c.id::text, '-', ''), 'name', c.name, 'stage', o.stage,
    'tickets', json_build_object('total', raw_count(coalesce(s.t, 0), ends.over)),
    'escalations', json_build_object('total', raw_count(coalesce(s.x, 0), ends.over)),
    'rate', json_build_object('total', raw_share(coalesce(s.e, 0), coalesce(s.t, 0), ends.settled)))
    order by c.name_key, c.id)))::text
from chosen c left join cycle o on o.tenant_id = $1 and o.id = c.cycle_id
left join summed s on s.client_id = c.id cross join ends;

-- dashboard
with settling as (
    select coalesce((select seconds from ticket_settling where tenant_id = $1), 0) * interval '1 second' as length
), buckets as (
    select day::date, (day::date + 1)::timestamp at time zone $4 as ends from generate_series($2::date::timestamp, $3::date - interval '1 day', interval '1 day') day
), counted as (
    select day, tickets, escalated_tickets, escalations from ticket_cell
    where tenant_id = $1 and dimension = 'NONE' and source = 'PERSON' and grain = 'D'
      and client_id = '00000000-0000-0000-0000-000000000000' and day >= $2::date - ($3::date - $2::date) and day < $3::date
    union all
    select day, tickets, escalated_tickets, escalations from unfolded_delta
    where tenant_id = $1 and source = 'PERSON'
      and day >= $2::date - ($3::date - $2::date) and day < $3::date
), before as (
    select coalesce(sum(tickets), 0) as t, coalesce(sum(escalated_tickets), 0) as e, coalesce(sum(escalations), 0) as x,
           ($2::date::timestamp at time zone $4) <= $5 as over,
           ($2::date::timestamp at time zone $4) + (select length from settling) <= $5 as settled
    from counted where day < $2::date
), daily as (
    select b.day, b.ends <= $5 as over, b.ends + (select length from settling) <= $5 as settled,
           coalesce(sum(c.tickets), 0)::float8 as t, coalesce(sum(c.escalated_tickets), 0)::float8 as e,
           coalesce(sum(c.escalations), 0)::float8 as x
    from buckets b left join counted c on c.day = b.day group by b.day, b.ends
), whole as (
    select sum(t) as t, sum(e) as e, sum(x) as x, bool_and(over) as over, bool_and(settled) as settled from daily
), open_at as (
    select b.day, b.ends <= $5 as over, count(v.id)::float8 as n
    from (select day, ends from buckets union all select $2::date - 1, $2::date::timestamp at time zone $4) b
    left join (
        select v.id, v.entered_at, v.left_at from visit v join cycle c on c.tenant_id = $1 and c.id = v.cycle_id
        where v.tenant_id = $1 and v.stage = any('{CONTRACTING,ASSET_DISCOVERY,EARLY_SUPPORT}')
          and coalesce(c.outcome <> all('{MISTAKE,DUPLICATE}'), true)
    ) v on v.entered_at <= least(b.ends, $5) and (v.left_at is null or v.left_at > least(b.ends, $5))
    group by 1, 2
), gated as (
    select (t.effective_at at time zone $4)::date as day, count(*) as d,
           count(*) filter (where cardinality(t.waiver_ids) > 0) as n
    from transition t join cycle c on c.tenant_id = $1 and c.id = t.cycle_id
    where t.tenant_id = $1 and t.accepted and t.from_stage <> t.to_stage and jsonb_array_length(t.gates) > 0
      and t.effective_at >= ($2::date - ($3::date - $2::date))::timestamp at time zone $4
      and t.effective_at < $3::date::timestamp at time zone $4 and t.recorded_at <= $5
      and coalesce(c.outcome <> all('{MISTAKE,DUPLICATE}'), true)
    group by 1
), waived as (
    select b.day, b.ends <= $5 as over, coalesce(g.n, 0)::float8 as n, coalesce(g.d, 0)::float8 as d
    from buckets b left join gated g on g.day = b.day
)
select json_build_object('kpis', json_build_array(
    (select json_build_object('series', json_build_array(json_build_object(
        'total', raw_count(w.t, w.over), 'previous', raw_count(p.t, p.over),
        'columns', (select json_build_object('starts', json_agg(day order by day), 'values', json_agg(t order by day),
            'lows', json_agg(raw_byar_low(t) order by day), 'highs', json_agg(raw_byar_high(t) order by day),
            'statuses', json_agg(case when over then 'OK' else 'PARTIAL' end order by day),
            'complete', json_agg(over order by day)) from daily)))) from whole w, before p),
    (select json_build_object('series', json_build_array(json_build_object(
        'total', raw_count(w.x, w.over), 'previous', raw_count(p.x, p.over),
        'columns', (select json_build_object('starts', json_agg(day order by day), 'values', json_agg(x order by day),
            'lows', json_agg(raw_byar_low(x) order by day), 'highs', json_agg(raw_byar_high(x) order by day),
            'statuses', json_agg(case when over then 'OK' else 'PARTIAL' end order by day),
            'complete', json_agg(over order by day)) from daily)))) from whole w, before p),
    (select json_build_object('series', json_build_array(json_build_object(
        'total', raw_count(w.e, w.settled), 'previous', raw_count(p.e, p.settled),
        'columns', (select json_build_object('starts', json_agg(day order by day), 'values', json_agg(e order by day),
            'lows', json_agg(raw_byar_low(e) order by day), 'highs', json_agg(raw_byar_high(e) order by day),
            'statuses', json_agg(case when settled then 'OK' else 'PARTIAL' end order by day),
            'complete', json_agg(over order by day)) from daily)))) from whole w, before p),
    (select json_build_object('series', json_build_array(json_build_object(
        'total', raw_share(w.e, w.t, w.settled), 'previous', raw_share(p.e, p.t, p.settled),
        'columns', (select json_build_object('starts', json_agg(day order by day),
            'values', json_agg(e / nullif(t, 0) order by day),
            'lows', json_agg(raw_wilson(e, t, -1) order by day), 'highs', json_agg(raw_wilson(e, t, 1) order by day),
            'statuses', json_agg(raw_share_status(t, settled) order by day),
            'complete', json_agg(over order by day)) from daily)))) from whole w, before p),
    (select json_build_object('series', json_build_array(json_build_object(
        'total', (select raw_level(n, over) from open_at order by day desc limit 1),
        'previous', (select raw_level(n, over) from open_at order by day limit 1),
        'columns', (select json_build_object('starts', json_agg(day order by day), 'values', json_agg(n order by day),
            'lows', json_agg(null::float8 order by day), 'highs', json_agg(null::float8 order by day),
            'statuses', json_agg(case when over then 'OK' else 'PARTIAL' end order by day),
            'complete', json_agg(over order by day)) from open_at where day >= $2::date))))),
    (select json_build_object('series', json_build_array(json_build_object(
        'total', raw_share(sum(n), sum(d), bool_and(over)),
        'previous', (select raw_share(coalesce(sum(n), 0), coalesce(sum(d), 0), true) from gated where day < $2::date),
        'columns', json_build_object('starts', json_agg(day order by day), 'values', json_agg(n / nullif(d, 0) order by day),
            'lows', json_agg(raw_wilson(n, d, -1) order by day), 'highs', json_agg(raw_wilson(n, d, 1) order by day),
            'statuses', json_agg(raw_share_status(d, over) order by day),
            'complete', json_agg(over order by day))))) from waived)
))::text;
