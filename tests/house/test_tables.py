"""Every table of tenants is walled: policies forced, keys that begin with the tenant, rights no wider than needed."""

from dataclasses import dataclass

import asyncpg
import pytest

from db.session import APP_ROLE, RELAY_ROLE

WITHOUT_POLICY = {
    "alembic_version": "which migrations have run: the same for all",
    "feed_epoch": "which life of the database this is: the same for all, and nobody's",
}

NOT_BY_CLIENT = {
    "pending": "read by the relay alone, which numbers every event; the log it fills is bound to clients",
}
"""Tables with a client whose policy does not ask for it."""

KEYED_OTHERWISE = {
    "tenant": ["id"],
    "door": ["hash"],
    "pending": ["id"],
}
"""What is found before a tenant is known, or in the order in which it came."""

APART_FROM_THEIR_CLIENT = {
    "fk_amendment_tenant_id_service_id": "of a merged client it stays as history, and its service goes over",
    "fk_amendment_tenant_id_site_id": "as its service",
    "fk_notice_tenant_id_contact_id": "of a merged client it stays as history, and its contact goes over",
    "fk_hand_over_tenant_id_ticket_id": "a ticket may be of no known client, and is given one later",
    "fk_escalation_tenant_id_ticket_id": "as a ticket's hand-overs",
    "fk_ticket_tenant_id_site_id": "of a ticket that a merge moves the site goes over first",
    "fk_ticket_tenant_id_device_id": "as a ticket's site",
}
"""References between rows of clients that do not name the client."""

APPEND_ONLY = {
    "baseline",
    "client_edit",
    "checklist_step",
    "contract_turn",
    "cycle_change",
    "definition",
    "escalation_rule",
    "event_counter",
    "event_log",
    "hand_off_change",
    "kpi_target",
    "pending",
    "planned_date",
    "privacy_record",
    "ticket_delta",
    "ticket_time",
    "transition",
}
"""No row of these is changed or removed by anybody who serves requests."""

WORDS_ALONE = {
    "definition.body",
    "definition.note",
    "escalation_rule.body",
    "escalation_rule.note",
    "planned_date.reason",
    "transition.gates",
    "transition.reason",
}
"""What people wrote in a table that is only appended to: whoever is named there can be taken out of it."""

NOTED_LATER = {"escalation_rule.applied_at"}
"""What is written into a row that is only appended to once it has come true."""

MOVED_ALONG = {"client_edit.client_id"}
"""Whose an edit is, in a table that is only appended to: it goes over with what was edited when clients are merged."""

OF_RELAY = {
    "cycle": {"SELECT"},
    "door": {"SELECT"},
    "effect": {"SELECT"},
    "event_counter": {"SELECT", "INSERT", "UPDATE"},
    "event_log": {"SELECT", "INSERT", "DELETE"},
    "idempotency": {"SELECT", "DELETE"},
    "job": {"SELECT"},
    "pending": {"SELECT", "DELETE"},
    "tenant": {"SELECT"},
    "unfolded_delta": {"SELECT"},
    "feed_epoch": {"SELECT", "INSERT"},
}
"""All that the relay's login may do, over all tenants."""

COLUMNS_OF_RELAY = {
    "inbound_message": {"status", "tenant_id"},
    "ticket": {
        *("tenant_id", "response_due_at", "response_sla", "first_responded_at", "resolution_due_at", "resolution_sla"),
        *("resolved_at", "closed_at", "exclusion", "waiting"),
    },
}
"""Columns that the relay's login reads where it may not read the rest: whose messages wait and whose tickets are due,
and not what they say."""

TABLES = """
    select c.oid, c.relname as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced,
           array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped)
               as columns,
           array(select a.attname::text
                 from pg_index i, unnest(i.indkey) with ordinality k(number, place), pg_attribute a
                 where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.number
                 order by k.place) as primary_key
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by c.relname
"""

POLICIES = """
    select tablename as table, policyname as name, roles::text[] as roles, cmd, qual, with_check, permissive
    from pg_policies where schemaname = 'public'
"""

REFERENCES = """
    select conname as name, conrelid::regclass::text as source, confrelid::regclass::text as target,
           array(select a.attname::text from unnest(conkey) with ordinality k(number, place), pg_attribute a
                 where a.attrelid = conrelid and a.attnum = k.number order by k.place) as columns,
           array(select a.attname::text from unnest(confkey) with ordinality k(number, place), pg_attribute a
                 where a.attrelid = confrelid and a.attnum = k.number order by k.place) as targets
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace
"""

RIGHTS = """
    select table_name as table, array_agg(privilege_type::text) as rights
    from information_schema.role_table_grants where grantee = $1 and table_schema = 'public' group by table_name
"""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What PostgreSQL says of the migrated database."""

    tables: dict[str, asyncpg.Record]
    policies: list[asyncpg.Record]
    references: list[asyncpg.Record]
    rights: dict[str, dict[str, set[str]]]

    @property
    def walled(self) -> dict[str, asyncpg.Record]:
        return {name: table for name, table in self.tables.items() if name not in WITHOUT_POLICY}


@pytest.fixture(scope="module")
async def catalogue(worker_database: str) -> Catalogue:
    connection = await asyncpg.connect(worker_database)
    try:
        return Catalogue(
            {row["name"]: row for row in await connection.fetch(TABLES)},
            await connection.fetch(POLICIES),
            await connection.fetch(REFERENCES),
            {
                role: {row["table"]: set(row["rights"]) for row in await connection.fetch(RIGHTS, role)}
                for role in (APP_ROLE, RELAY_ROLE)
            },
        )
    finally:
        await connection.close()


async def test_only_what_is_nobodys_is_without_a_policy(catalogue: Catalogue) -> None:
    assert {name for name, table in catalogue.tables.items() if not table["secured"]} == set(WITHOUT_POLICY)
    assert {name for name, table in catalogue.walled.items() if not table["forced"]} == set()
    nobodys = {name for name in WITHOUT_POLICY if {"tenant_id", "client_id"} & set(catalogue.tables[name]["columns"])}
    assert nobodys == set()


async def test_every_walled_table_has_one_policy_for_the_app_that_binds_what_is_read_and_what_is_written(
    catalogue: Catalogue,
) -> None:
    bound = [policy for policy in catalogue.policies if policy["roles"] == [APP_ROLE]]
    assert sorted(policy["table"] for policy in bound) == sorted(catalogue.walled)
    for policy in bound:
        own = "id" if policy["table"] == "tenant" else "tenant_id"
        assert policy["cmd"] == "ALL"
        assert policy["qual"] == policy["with_check"]
        assert policy["qual"].lstrip("(").startswith(f"{own} = ( SELECT"), policy
        assert "current_setting('app.tenant'" in policy["qual"]


async def test_what_belongs_to_a_client_is_bound_to_the_callers_clients_too(catalogue: Catalogue) -> None:
    by_client = {name for name, table in catalogue.walled.items() if "client_id" in table["columns"]} | {"client"}
    bound = {policy["table"] for policy in catalogue.policies if "app.clients" in policy["qual"]}
    assert by_client - bound == set(NOT_BY_CLIENT)


async def test_no_other_policies_exist_than_the_apps_and_the_relays(catalogue: Catalogue) -> None:
    others = [policy for policy in catalogue.policies if policy["roles"] != [APP_ROLE]]
    assert {policy["table"]: policy["roles"] for policy in others} == {
        table: [RELAY_ROLE] for table in (*OF_RELAY, *COLUMNS_OF_RELAY) if table not in WITHOUT_POLICY
    }
    assert {policy["permissive"] for policy in catalogue.policies} == {"PERMISSIVE"}


async def test_every_key_begins_with_the_tenant(catalogue: Catalogue) -> None:
    otherwise = {
        name: table["primary_key"]
        for name, table in catalogue.walled.items()
        if table["primary_key"][:1] != ["tenant_id"]
    }
    assert otherwise == KEYED_OTHERWISE


async def test_every_reference_carries_the_tenant_along(catalogue: Catalogue) -> None:
    assert len(catalogue.references) > 30
    for reference in catalogue.references:
        pairs = dict(zip(reference["columns"], reference["targets"], strict=True))
        wanted = "id" if reference["target"] == "tenant" else "tenant_id"
        assert pairs.get("tenant_id") == wanted, f"{reference['name']} of {reference['source']} leaves the tenant out"


async def test_what_names_a_client_and_something_of_it_cannot_name_another_clients(catalogue: Catalogue) -> None:
    """A row with a client refers to rows with a client by both, or the two could differ."""
    with_client = {name for name, table in catalogue.tables.items() if "client_id" in table["columns"]}
    apart = {
        reference["name"]
        for reference in catalogue.references
        if reference["source"] in with_client and reference["target"] in with_client
        if dict(zip(reference["columns"], reference["targets"], strict=True)).get("client_id") != "client_id"
    }
    assert apart == set(APART_FROM_THEIR_CLIENT)


async def test_the_logins_own_nothing_and_may_make_nothing(worker_database: str) -> None:
    connection = await asyncpg.connect(worker_database)
    try:
        owned = await connection.fetch(
            "select relname from pg_class where relowner = any($1::regrole[]::oid[])", [APP_ROLE, RELAY_ROLE]
        )
        functions = await connection.fetch(
            "select proname, prosecdef, proowner::regrole::text as owner, proconfig::text[] as settings from pg_proc"
            " where pronamespace = 'public'::regnamespace and prosecdef"
        )
        for role in (APP_ROLE, RELAY_ROLE):
            row = await connection.fetchrow(
                "select rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication,"
                " has_schema_privilege(rolname, 'public', 'create') as creates from pg_roles where rolname = $1",
                role,
            )
            assert row is not None
            assert set(row.values()) == {False}, role
    finally:
        await connection.close()
    assert owned == []
    assert [(f["proname"], f["owner"]) for f in functions] == [("open_door", RELAY_ROLE)]
    assert all("search_path=public, pg_temp" in f["settings"] for f in functions), "a definer's path must be fixed"


async def test_the_app_may_not_change_what_is_only_appended_to(catalogue: Catalogue) -> None:
    rights = catalogue.rights[APP_ROLE]
    unchanging = {name for name in catalogue.walled if not rights[name] & {"UPDATE", "DELETE"}}
    assert unchanging == APPEND_ONLY
    assert all(granted <= {"SELECT", "INSERT", "UPDATE", "DELETE"} for granted in rights.values())
    assert rights["event_log"] == {"SELECT"}


async def test_the_relay_may_do_no_more_than_its_upkeep(catalogue: Catalogue) -> None:
    assert catalogue.rights[RELAY_ROLE] == OF_RELAY


async def test_the_relay_reads_some_columns_of_what_it_may_not_read_as_a_whole(worker_database: str) -> None:
    connection = await asyncpg.connect(worker_database)
    try:
        rows = await connection.fetch(
            "select table_name as table, array_agg(column_name::text) as columns,"
            " array_agg(privilege_type::text) as rights from information_schema.column_privileges"
            " where grantee = $1 and table_name <> all($2) group by table_name",
            RELAY_ROLE,
            list(OF_RELAY),
        )
    finally:
        await connection.close()
    assert {row["table"]: set(row["columns"]) for row in rows} == COLUMNS_OF_RELAY
    assert {right for row in rows for right in row["rights"]} == {"SELECT"}


async def test_only_words_and_whose_an_edit_is_can_be_changed_column_by_column(worker_database: str) -> None:
    connection = await asyncpg.connect(worker_database)
    try:
        rows = await connection.fetch(
            "select c.table_name || '.' || c.column_name as name from information_schema.column_privileges c"
            " where c.grantee = any($1) and c.privilege_type = 'UPDATE' and not exists ("
            "   select from information_schema.role_table_grants t where t.grantee = c.grantee"
            "   and t.table_name = c.table_name and t.privilege_type = 'UPDATE')",
            [APP_ROLE, RELAY_ROLE],
        )
    finally:
        await connection.close()
    assert {row["name"] for row in rows} == WORDS_ALONE | MOVED_ALONG | NOTED_LATER


async def test_without_a_tenant_the_app_sees_no_row_of_any_table(worker_database: str, catalogue: Catalogue) -> None:
    connection = await asyncpg.connect(worker_database)
    try:
        await connection.execute(f"set role {APP_ROLE}")
        for name in catalogue.walled:
            assert await connection.fetchval(f'select count(*) from "{name}"') == 0  # noqa: S608 -- from the catalogue
    finally:
        await connection.close()
