-- What the bare route and PostGraphile ask of PostgreSQL: one statement for each answer.
-- `-- name` begins what both have in common; `-- name as json` and `-- name as rows` are its two endings.
-- Parameters: $1 the tenant, $2 the first day, $3 the day after the last, $4 the zone, $5 now, $6 the client.

-- functions
create schema figures;
create function figures.byar_low(n float8) returns float8 language sql immutable as
    'select case when n <= 0 then 0 else greatest(0, n * (1 - 1 / (9 * n) - 1.959963984540054 / (3 * sqrt(n))) ^ 3) end';
create function figures.byar_high(n float8) returns float8 language sql immutable as
    'select (n + 1) * (1 - 1 / (9 * (n + 1)) + 1.959963984540054 / (3 * sqrt(n + 1))) ^ 3';
create function figures.wilson(n float8, d float8, side float8) returns float8 language sql immutable as
    'select case when d <= 0 then null when n = 0 and side < 0 then 0 when n = d and side > 0 then 1 else
         greatest(0, least(1, (n / d + 3.8414588206941227 / (2 * d)) / (1 + 3.8414588206941227 / d)
         + side * 1.959963984540054 / (1 + 3.8414588206941227 / d)
         * sqrt(n / d * (1 - n / d) / d + 3.8414588206941227 / (4 * d * d)))) end';
create function figures.share_status(d float8, settled bool) returns text language sql immutable as
    'select case when d = 0 then ''NO_DATA'' when d < 20 then ''INSUFFICIENT_SAMPLE''
                 when settled then ''OK'' else ''PARTIAL'' end';
create function figures.count(n float8, settled bool) returns json language sql immutable as
    'select json_build_object(''value'', n, ''numerator'', n, ''denominator'', null, ''sampleSize'', n,
         ''low'', figures.byar_low(n), ''high'', figures.byar_high(n),
         ''status'', case when settled then ''OK'' else ''PARTIAL'' end)';
create function figures.share(n float8, d float8, settled bool) returns json language sql immutable as
    'select json_build_object(''value'', n / nullif(d, 0), ''numerator'', n, ''denominator'', d, ''sampleSize'', d,
         ''low'', figures.wilson(n, d, -1), ''high'', figures.wilson(n, d, 1), ''status'', figures.share_status(d, settled))';
create function figures.level(n float8, settled bool) returns json language sql immutable as
    'select json_build_object(''value'', n, ''numerator'', n, ''denominator'', null, ''sampleSize'', n,
         ''low'', null, ''high'', null, ''status'', case when settled then ''OK'' else ''PARTIAL'' end)';

create schema bench;
create type bench.figure as (
    value float8, numerator float8, denominator float8, sample_size float8, low float8, high float8, status text);
create function figures.count_of(n float8, settled bool) returns bench.figure language sql immutable as
    'select row(n, n, null, n, figures.byar_low(n), figures.byar_high(n),
         case when settled then ''OK'' else ''PARTIAL'' end)::bench.figure';
create function figures.share_of(n float8, d float8, settled bool) returns bench.figure language sql immutable as
    'select row(n / nullif(d, 0), n, d, d, figures.wilson(n, d, -1), figures.wilson(n, d, 1),
         figures.share_status(d, settled))::bench.figure';
create function figures.level_of(n float8, settled bool) returns bench.figure language sql immutable as
    'select row(n, n, null, n, null, null, case when settled then ''OK'' else ''PARTIAL'' end)::bench.figure';
create type bench.client_card as (
    id text, name text, stage text, tickets bench.figure, escalations bench.figure, rate bench.figure);
create type bench.columns as (
    starts date[], "values" float8[], numerators float8[], denominators float8[], lows float8[], highs float8[],
    statuses text[], complete bool[]);
create type bench.client_months as (id text, columns bench.columns);
create type bench.kpi_card as (total bench.figure, previous bench.figure, columns bench.columns);
grant usage on schema figures, bench to public;

-- card
with settling as (
    select coalesce((select seconds from ticket_settling where tenant_id = $1), 0) * interval '1 second' as length
), ends as (
    select $3::date::timestamp at time zone $4 <= $5 as over,
           ($3::date::timestamp at time zone $4) + (select length from settling) <= $5 as settled
), summed as (
    select coalesce(sum(tickets), 0) as t, coalesce(sum(escalated_tickets), 0) as e, coalesce(sum(escalations), 0) as x
    from (
        select tickets, escalated_tickets, escalations from ticket_cell
        where tenant_id = $1 and dimension = 'NONE' and source = 'PERSON' and grain = 'M' and client_id = $6
          and day >= $2::date and day < $3::date
        union all
        select tickets, escalated_tickets, escalations from unfolded_delta
        where tenant_id = $1 and source = 'PERSON' and client_id = $6
          and day >= $2::date and day < $3::date
    ) counted
), answered as (
    select c.id, c.name, o.stage, s.t, s.e, s.x, ends.over, ends.settled
    from client c left join cycle o on o.tenant_id = $1 and o.id = c.cycle_id
    cross join summed s cross join ends
    where c.tenant_id = $1 and c.id = $6
)

-- card as json
select json_build_object('client', json_build_object(
    'id', 'cli_' || replace(id::text, '-', ''), 'name', name, 'stage', stage,
    'tickets', json_build_object('total', figures.count(t, over)),
    'escalations', json_build_object('total', figures.count(x, over)),
    'rate', json_build_object('total', figures.share(e, t, settled))))::text
from answered;

-- card as rows
select 'cli_' || replace(id::text, '-', ''), name, stage,
       figures.count_of(t, over), figures.count_of(x, over), figures.share_of(e, t, settled)
from answered;

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
), answered as (
    select c.id, c.name, c.name_key, o.stage, ends.over, ends.settled,
           coalesce(s.t, 0) as t, coalesce(s.e, 0) as e, coalesce(s.x, 0) as x
    from chosen c left join cycle o on o.tenant_id = $1 and o.id = c.cycle_id
    left join summed s on s.client_id = c.id cross join ends
)

-- list as json
select json_build_object('clients', json_build_object('nodes', json_agg(json_build_object(
    'id', 'cli_' || replace(id::text, '-', ''), 'name', name, 'stage', stage,
    'tickets', json_build_object('total', figures.count(t, over)),
    'escalations', json_build_object('total', figures.count(x, over)),
    'rate', json_build_object('total', figures.share(e, t, settled)))
    order by name_key, id)))::text
from answered;

-- list as rows
select 'cli_' || replace(id::text, '-', ''), name, stage,
       figures.count_of(t, over), figures.count_of(x, over), figures.share_of(e, t, settled)
from answered order by name_key, id;

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
), answered as (
    select c.id, c.name_key, b.day, b.over, b.settled,
           coalesce(s.t, 0)::float8 as t, coalesce(s.e, 0)::float8 as e
    from chosen c cross join buckets b left join summed s on s.client_id = c.id and s.day = b.day
), series as (
    select id, name_key, array_agg(day order by day) as starts, array_agg(e / nullif(t, 0) order by day) as "values",
           array_agg(e order by day) as numerators, array_agg(t order by day) as denominators,
           array_agg(figures.wilson(e, t, -1) order by day) as lows, array_agg(figures.wilson(e, t, 1) order by day) as highs,
           array_agg(figures.share_status(t, settled) order by day) as statuses, array_agg(over order by day) as complete
    from answered group by id, name_key
)

-- months as json
select json_build_object('clients', json_build_object('nodes', json_agg(json_build_object(
    'id', 'cli_' || replace(id::text, '-', ''), 'kpi', json_build_object('columns', json_build_object(
        'starts', starts, 'values', "values", 'numerators', numerators, 'denominators', denominators,
        'lows', lows, 'highs', highs, 'statuses', statuses, 'complete', complete)))
    order by name_key, id)))::text
from series;

-- months as rows
select 'cli_' || replace(id::text, '-', ''),
       row(starts, "values", numerators, denominators, lows, highs, statuses, complete)::bench.columns
from series order by name_key, id;

-- dashboard
with settling as (
    select coalesce((select seconds from ticket_settling where tenant_id = $1), 0) * interval '1 second' as length
), buckets as (
    select day::date, (day::date + 1)::timestamp at time zone $4 as ends
    from generate_series($2::date::timestamp, $3::date - interval '1 day', interval '1 day') day
), counted as (
    select day, tickets, escalated_tickets, escalations from ticket_cell
    where tenant_id = $1 and dimension = 'NONE' and source = 'PERSON' and grain = 'D'
      and client_id = '00000000-0000-0000-0000-000000000000'
      and day >= $2::date - ($3::date - $2::date) and day < $3::date
    union all
    select day, tickets, escalated_tickets, escalations from unfolded_delta
    where tenant_id = $1 and source = 'PERSON'
      and day >= $2::date - ($3::date - $2::date) and day < $3::date
), before as (
    select coalesce(sum(tickets), 0)::float8 as t, coalesce(sum(escalated_tickets), 0)::float8 as e,
           coalesce(sum(escalations), 0)::float8 as x,
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
), stays as materialized (
    select cycle_id, entered_at, left_at from visit
    where tenant_id = $1 and stage = any('{CONTRACTING,ASSET_DISCOVERY,EARLY_SUPPORT}')
      and entered_at <= $5 and (left_at is null or left_at > ($2::date - 1)::timestamp at time zone $4)
), onboardings as materialized (
    select s.* from stays s join cycle c on c.tenant_id = $1 and c.id = s.cycle_id
    where coalesce(c.outcome <> all('{MISTAKE,DUPLICATE}'), true)
), open_at as (
    select b.day, b.ends <= $5 as over, count(v.cycle_id)::float8 as n
    from (select day, ends from buckets union all select $2::date - 1, $2::date::timestamp at time zone $4) b
    left join onboardings v
      on v.entered_at <= least(b.ends, $5) and (v.left_at is null or v.left_at > least(b.ends, $5))
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
), points as (
    select c.place, c.n, null::float8 as d, d.day, c.settled, d.over
    from daily d cross join lateral (values (1, t, over), (2, x, over), (3, e, settled)) c(place, n, settled)
    union all
    select 4, e, t, day, settled, over from daily
    union all
    select 5, n, null, day, over, over from open_at where day >= $2::date
    union all
    select 6, n, d, day, over, over from waived
), series as (
    select place, array_agg(day order by day) as starts,
           array_agg(case when place in (4, 6) then n / nullif(d, 0) else n end order by day) as "values",
           array_agg(case when place in (4, 6) then figures.wilson(n, d, -1)
                          when place < 4 then figures.byar_low(n) end order by day) as lows,
           array_agg(case when place in (4, 6) then figures.wilson(n, d, 1)
                          when place < 4 then figures.byar_high(n) end order by day) as highs,
           array_agg(case when place in (4, 6) then figures.share_status(d, settled)
                          when settled then 'OK' else 'PARTIAL' end order by day) as statuses,
           array_agg(over order by day) as complete
    from points group by place
), totals(place, n, d, settled, n_before, d_before, settled_before) as (
    select c.* from whole w cross join before b cross join lateral (values
        (1, w.t, null::float8, w.over, b.t, null::float8, b.over), (2, w.x, null, w.over, b.x, null, b.over),
        (3, w.e, null, w.settled, b.e, null, b.settled), (4, w.e, w.t, w.settled, b.e, b.t, b.settled)) c
    union all
    select 5, l.n, null, l.over, f.n, null, f.over
    from (select n, over from open_at order by day desc limit 1) l
    cross join (select n, over from open_at order by day limit 1) f
    union all
    select 6, sum(w.n), sum(w.d), bool_and(w.over), max(b.n), max(b.d), true
    from waived w cross join (
        select coalesce(sum(n), 0)::float8 as n, coalesce(sum(d), 0)::float8 as d from gated where day < $2::date) b
)

-- dashboard as json
select json_build_object('kpis', json_agg(json_build_object('series', json_build_array(json_build_object(
    'total', case when d is not null then figures.share(n, d, t.settled) when place = 5 then figures.level(n, t.settled)
             else figures.count(n, t.settled) end,
    'previous', case when d is not null then figures.share(n_before, d_before, settled_before)
                when place = 5 then figures.level(n_before, settled_before) else figures.count(n_before, settled_before) end,
    'columns', json_build_object('starts', starts, 'values', "values", 'lows', lows, 'highs', highs,
                                 'statuses', statuses, 'complete', complete)))) order by place))::text
from totals t join series s using (place);

-- dashboard as rows
select case when d is not null then figures.share_of(n, d, t.settled) when place = 5 then figures.level_of(n, t.settled)
       else figures.count_of(n, t.settled) end,
       case when d is not null then figures.share_of(n_before, d_before, settled_before)
       when place = 5 then figures.level_of(n_before, settled_before) else figures.count_of(n_before, settled_before) end,
       row(starts, "values", null, null, lows, highs, statuses, complete)::bench.columns
from totals t join series s using (place) order by place;
