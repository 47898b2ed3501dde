"""Row-level security: the second wall behind every statement's own predicate.

Policies bind the app's login to the tenant and the clients of the transaction; they are forced, so
that even the tables' owner sees nothing without them. The relay's login sees only what its upkeep needs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

from db.session import APP_ROLE, RELAY_ROLE

TENANT = "tenant_id = (select nullif(current_setting('app.tenant', true), '')::uuid)"
ALL_CLIENTS = "(select current_setting('app.clients', true)) = '*'"
LISTED = """client_id = any ((
    select string_to_array(nullif(nullif(current_setting('app.clients', true), '*'), ''), ',')::uuid[])::uuid[])"""
CLIENT = f"({ALL_CLIENTS} or {LISTED})"


def create_roles() -> None:
    """Create the two logins where they are missing, and let the migrating login take them on.

    Roles belong to the whole server: a second database finds them there already, and a managed
    server's administrator may have made them with passwords beforehand. Who creates a role on
    PostgreSQL 16 or newer may administer it, and still neither takes it on nor uses its rights.
    """
    for role in (APP_ROLE, RELAY_ROLE):
        op.execute(f"""
            do $$ begin
                if not exists (select 1 from pg_roles where rolname = '{role}') then
                    create role {role} login nosuperuser nocreatedb nocreaterole;
                end if;
            exception when duplicate_object or unique_violation then null;
            end $$
        """)
        op.execute(f"""
            do $$ begin
                if not pg_has_role(current_user, '{role}', 'usage') then
                    execute format('grant {role} to %I', current_user);
                end if;
            end $$
        """)
        op.execute(f"grant usage on schema public to {role}")


def protect(
    table: str,
    *,
    client: bool = False,
    column: str | None = None,
    client_column: str = "client_id",
    append_only: bool = False,
) -> None:
    """Force the tenant's policy on a table, and with `client` also that of the caller's clients.

    `column` names the tenant's column where it is not `tenant_id`, and `client_column` the client's
    where it is not `client_id`. An append-only table grants no update and no delete, so that nobody
    can change its rows.
    """
    condition = TENANT.replace("tenant_id", column, 1) if column else TENANT
    if client:
        condition = f"{condition} and {CLIENT.replace('client_id', client_column)}"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy tenant on {table} to {APP_ROLE} using ({condition}) with check ({condition})")
    rights = "select, insert" if append_only else "select, insert, update, delete"
    op.execute(f"grant {rights} on {table} to {APP_ROLE}")


def open_to_relay(table: str, rights: str) -> None:
    """Let the relay reach all tenants' rows of one table, with the rights named."""
    op.execute(f"create policy relay on {table} to {RELAY_ROLE} using (true) with check (true)")
    op.execute(f"grant {rights} on {table} to {RELAY_ROLE}")


@contextmanager
def unforced(*tables: str) -> Iterator[None]:
    """Let the tables' owner see their rows meanwhile, so that a migration can carry over what is there.

    A login that is no superuser is bound by forced policies even where it owns the table: it would find no row, and
    carry nothing over without a word. The locks of the transaction keep everybody else out until it commits.
    """
    for table in tables:
        op.execute(f"alter table {table} no force row level security")
    yield
    for table in tables:
        op.execute(f"alter table {table} force row level security")
