// mercurius, compiled (jit), with resolvers and loaders by hand: it answers the product's own documents.
import Fastify from "fastify";
import mercurius from "mercurius";
import { readFileSync } from "node:fs";
import { columns, count, level, share } from "./figures.mjs";
import { dashboard, ends, named, sums } from "./statements.mjs";
import { tenancy } from "./tenancy.mjs";

const [port, tenant, connections] = process.argv.slice(2);
const request = tenancy(tenant, Number(connections));

const COUNTED = { TICKETS_LOGGED: "t", ESCALATIONS: "x", ESCALATED_TICKETS: "e" };
const SETTLING = new Set(["ESCALATED_TICKETS", "ESCALATION_RATE"]);
const RATES = { ESCALATION_RATE: ["e", "t"], WAIVED_MOVES: ["waived", "moves"] };

/** Return how a key's figure is made of sums and whether they are final. */
function maker(key) {
  if (key in COUNTED) return (row, settled) => count(row[COUNTED[key]], settled);
  if (key === "OPEN_ONBOARDINGS") return (row, settled) => level(row.open, settled);
  const [n, d] = RATES[key];
  return (row, settled) => share(row[n], row[d], settled);
}

/** A series: what its buckets and its period hold. */
class Series {
  constructor(key, buckets, rows, whole, before) {
    Object.assign(this, { make: maker(key), final: SETTLING.has(key) ? "settled" : "over", buckets, rows, whole, before });
  }
  total() { return this.make(this.whole, this.buckets.at(-1)[this.final]); }
  previous() { return this.before && this.make(this.before, this.before[this.final]); }
  columns() {
    const figures = this.rows.map((row, n) => this.make(row, this.buckets[n][this.final]));
    return columns(this.buckets.map((one) => one.start), figures, this.buckets.map((one) => one.over));
  }
}

const NOTHING = { t: 0, e: 0, x: 0 };

function added(rows) {
  const whole = { t: 0, e: 0, x: 0 };
  for (const row of rows) { whole.t += row.t; whole.e += row.e; whole.x += row.x; }
  return whole;
}

/** Answer all figures of clients that a request asks for: those of one period with two statements. */
async function kpis(queries, context) {
  const periods = new Map();
  for (const { obj, params } of queries) {
    const { from, to } = params.period;
    const period = periods.get(from + to) ?? { from, to, clients: new Set() };
    periods.set(from + to, period);
    period.clients.add(obj.client_id);
  }
  for (const period of periods.values()) {
    period.buckets = await ends(context, "month", period.from, period.to);
    period.sums = await sums(context, [...period.clients], period.from, period.to);
  }
  return queries.map(({ obj, params }) => {
    const period = periods.get(params.period.from + params.period.to);
    const found = period.sums.get(obj.client_id);
    const rows = period.buckets.map((bucket) => found?.[bucket.start] ?? NOTHING);
    return new Series(params.key, period.buckets, rows, added(rows));
  });
}

const resolvers = {
  Query: {
    client: async (_, { ref }, context) => (await named(context, "one", ref.id.slice(4)))[0] ?? null,
    clients: async (_, { first }, context) => ({ nodes: await named(context, "page", first) }),
    kpis: async (_, { queries }, context) => {
      const { from, to } = queries[0].period;
      const read = await dashboard(context, from, to);
      return queries.map(({ key }) => (
        { series: [new Series(key, read.buckets, read.rows, { ...added(read.rows), ...read.whole }, read.before)] }));
    },
  },
  // As resolvers, because what is compiled reads a plain attribute more than once.
  Series: { total: (series) => series.total(), previous: (series) => series.previous(), columns: (series) => series.columns() },
};

const loaders = { Client: { kpi: { loader: kpis, opts: { cache: false } } } };
const schema = readFileSync(new URL("mercurius.graphql", import.meta.url), "utf8");

const app = Fastify();
app.register(mercurius, { schema, resolvers, loaders, context: request, jit: 1, graphiql: false });
await app.ready();
app.graphql.addHook("onResolution", async (_, context) => context.end());
await app.listen({ port: Number(port), host: "127.0.0.1" });
