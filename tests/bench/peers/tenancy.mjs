// One read-only transaction for each request, with the tenant that the policies ask for; opened when first needed.
import pg from "pg";

pg.types.setTypeParser(pg.types.builtins.DATE, (day) => day);

export function tenancy(tenant, connections) {
  const pool = new pg.Pool({ max: connections });
  const opening = "begin isolation level repeatable read read only; set local statement_timeout = 5000; " +
    `set local lock_timeout = 2000; set local app.tenant = '${tenant}'; set local app.clients = '*'`;

  async function open() {
    const client = await pool.connect();
    await client.query(opening);
    return client;
  }

  class Request {
    now = new Date();

    /** Run a statement; one at a time, as a connection can. */
    async rows(name, text, values) {
      this.opened ??= open();
      const client = await this.opened;
      return (await client.query({ name, text, values: [tenant, ...values] })).rows;
    }

    async end() {
      if (this.opened === undefined) return;
      const client = await this.opened;
      await client.query("commit");
      client.release();
    }
  }
  return () => new Request();
}
