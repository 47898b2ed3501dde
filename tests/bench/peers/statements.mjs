// What mercurius' resolvers ask of PostgreSQL; $1 is the tenant.
const ZONE = "Europe/Amsterdam";

const CLIENT = `select c.id as client_id, 'cli_' || replace(c.id::text, '-', '') as id, c.name, o.stage
  from client c left join cycle o on o.tenant_id = $1 and o.id = c.cycle_id where c.tenant_id = $1`;
const CLIENTS = {
  one: `${CLIENT} and c.id = $2::uuid`,
  page: `${CLIENT} order by c.name_key, c.id limit $2`,
};

const ENDS = `
  select day::date::text as start, ends <= $6 as over,
         ends + coalesce((select seconds from ticket_settling where tenant_id = $1), 0) * interval '1 second' <= $6
             as settled
  from generate_series($3::date::timestamp, $4::date - interval '1 day', ('1 ' || $2)::interval) day
  cross join lateral (
    select least(day + ('1 ' || $2)::interval, $4::date::timestamp) at time zone $5 as ends) bucket
  order by day`;

// One row a client: JSON is what Node reads fastest.
const SUMS = `
  select client_id, json_object_agg(start, json_build_object('t', t, 'e', e, 'x', x)) as months from (
  select client_id, date_trunc('month', day::timestamp)::date as start, sum(tickets) as t,
         sum(escalated_tickets) as e, sum(escalations) as x
  from (
    select client_id, day, tickets, escalated_tickets, escalations from ticket_cell
    where tenant_id = $1 and dimension = 'NONE' and source = 'PERSON' and grain = 'M' and client_id = any($2::uuid[])
      and day >= $3::date and day < $4::date
    union all
    select client_id, day, tickets, escalated_tickets, escalations from unfolded_delta
    where tenant_id = $1 and source = 'PERSON' and client_id = any($2::uuid[]) and day >= $3::date and day < $4::date
  ) counted group by 1, 2) summed group by 1`;

const DAILY = `
  select day::text as start, sum(tickets)::float8 as t, sum(escalated_tickets)::float8 as e,
         sum(escalations)::float8 as x
  from (
    select day, tickets, escalated_tickets, escalations from ticket_cell
    where tenant_id = $1 and dimension = 'NONE' and source = 'PERSON' and grain = 'D'
      and client_id = '00000000-0000-0000-0000-000000000000'
      and day >= $2::date - ($3::date - $2::date) and day < $3::date
    union all
    select day, tickets, escalated_tickets, escalations from unfolded_delta
    where tenant_id = $1 and source = 'PERSON' and day >= $2::date - ($3::date - $2::date) and day < $3::date
  ) counted group by 1`;

const OPEN = `
  with stays as materialized (
    select cycle_id, entered_at, left_at from visit
    where tenant_id = $1 and stage = any('{CONTRACTING,ASSET_DISCOVERY,EARLY_SUPPORT}')
      and entered_at <= $5 and (left_at is null or left_at > ($2::date - 1)::timestamp at time zone $4)
  ), onboardings as materialized (
    select s.* from stays s join cycle c on c.tenant_id = $1 and c.id = s.cycle_id
    where coalesce(c.outcome <> all('{MISTAKE,DUPLICATE}'), true)
  )
  select b.day::text as start, count(v.cycle_id)::float8 as open
  from (select day::date, (day::date + 1)::timestamp at time zone $4 as ends
        from generate_series($2::date - interval '1 day', $3::date - interval '1 day', '1 day') day) b
  left join onboardings v
    on v.entered_at <= least(b.ends, $5) and (v.left_at is null or v.left_at > least(b.ends, $5))
  group by 1`;

const GATED = `
  select (t.effective_at at time zone $4)::date::text as start, count(*)::float8 as moves,
         (count(*) filter (where cardinality(t.waiver_ids) > 0))::float8 as waived
  from transition t join cycle c on c.tenant_id = $1 and c.id = t.cycle_id
  where t.tenant_id = $1 and t.accepted and t.from_stage <> t.to_stage and jsonb_array_length(t.gates) > 0
    and t.effective_at >= ($2::date - ($3::date - $2::date))::timestamp at time zone $4
    and t.effective_at < $3::date::timestamp at time zone $4 and t.recorded_at <= $5
    and coalesce(c.outcome <> all('{MISTAKE,DUPLICATE}'), true)
  group by 1`;

export const named = (context, which, value) => context.rows(`clients ${which}`, CLIENTS[which], [value]);

/** Return the buckets of a period: the first day, whether it is over, and whether escalations may still come. */
export const ends = (context, grain, from, to) => context.rows("ends", ENDS, [grain, from, to, ZONE, context.now]);

/** Return the sums of each client's months, by client and by the month's first day. */
export const sums = async (context, clients, from, to) => new Map(
  (await context.rows("sums", SUMS, [clients, from, to])).map((row) => [row.client_id, row.months]));

/** Return the provider's days, what the whole period holds, and what the period before it held. */
export async function dashboard(context, from, to) {
  const zoned = [from, to, ZONE, context.now];
  const buckets = await ends(context, "day", from, to);
  const daily = await context.rows("daily", DAILY, [from, to]);
  const open = await context.rows("open", OPEN, zoned);
  const gated = await context.rows("gated", GATED, zoned);
  const before = { t: 0, e: 0, x: 0, moves: 0, waived: 0, over: true, settled: true };
  const whole = { moves: 0, waived: 0 };
  const days = new Map(buckets.map(({ start }) => [start, { t: 0, e: 0, x: 0, moves: 0, waived: 0, open: 0 }]));
  for (const { start, ...facts } of [...daily, ...gated]) {
    const day = days.get(start);
    if (day) Object.assign(day, facts);
    else for (const [name, amount] of Object.entries(facts)) before[name] += amount;
    if (day && "moves" in facts) { whole.moves += facts.moves; whole.waived += facts.waived; }
  }
  for (const { start, open: number } of open) (days.get(start) ?? before).open = number;
  const rows = buckets.map(({ start }) => days.get(start));
  return { buckets, rows, before, whole: { ...whole, open: rows.at(-1).open } };
}
