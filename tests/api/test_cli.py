"""The command line: what it makes, what it says when it cannot, and its exit codes."""

import asyncio
import json
import signal
import socket
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from tests.support.command_line import CommandLine
from tests.support.postgres import Postgres

pytestmark = pytest.mark.e2e

SECONDS = 60


def test_a_provider_is_made_and_its_admins_token_opens_the_api(steadystate: CommandLine) -> None:
    token = steadystate.done("tenant", "create", "north-wind", "--admin-email", "ada@n.example", "--country", "NL")
    assert token.startswith("ss_pat_")
    assert steadystate.done("tenant", "list") == "north-wind\tUTC\tnorth-wind"

    process = steadystate.start("serve", "--port", "0", "--worker")
    assert process.stderr is not None
    line = next(line for line in process.stderr if line.startswith("Serving on "))
    address = line.removeprefix("Serving on ").split()[0]
    query, headers = {"query": "{ viewer { name } }"}, {"authorization": f"Bearer {token}"}
    answer = httpx2.post(address, json=query, headers=headers)
    assert answer.json()["data"] == {"viewer": {"name": "Admin"}}

    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0
    assert "Stopped." in process.stderr.read()


def test_a_taken_port_is_said_at_once(steadystate: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = steadystate.run("serve", "--port", str(taken.getsockname()[1]))

    assert ended.returncode == 3
    assert "Give another --host or --port" in ended.stderr


def test_a_worker_ends_in_order(steadystate: CommandLine) -> None:
    process = steadystate.start("worker")
    assert process.stderr is not None
    assert any("worker works" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0


def test_tokens_are_made_listed_and_revoked(steadystate: CommandLine) -> None:
    steadystate.done("tenant", "create", "north-wind", "--admin-email", "ada@n.example")
    made = json.loads(
        steadystate.done(
            "token", "create", "--tenant", "north-wind", "--service", "loader", "--scope", "tickets_write", "--json"
        )
    )
    own = steadystate.done("token", "create", "--tenant", "north-wind", "--member", "ADA@n.example", "--days", "7")
    assert (made["token"][:7], own[:7]) == ("ss_svc_", "ss_pat_")

    steadystate.done("token", "revoke", "--tenant", "north-wind", made["id"])
    again = steadystate.run("token", "revoke", "--tenant", "north-wind", made["id"])
    assert (again.returncode, "revoked already" in again.stderr) == (1, True)
    listed = json.loads(steadystate.done("token", "list", "--tenant", "north-wind", "--json"))
    assert [one["revokedAt"] is None for one in listed] == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("tenant", "create", "Big One", "--admin-email", "ada@n.example"), 1, "slug"),
        (("tenant", "create", "n-w", "--admin-email", "ada"), 1, "adminEmail"),
        (("tenant", "create", "n-w", "--admin-email", "a@b.example", "--zone", "Mars"), 1, "Europe/Berlin"),
        (("tenant", "create", "n-w"), 2, "--admin-email"),
        (("token", "create", "--tenant", "nobody", "--service", "x"), 1, "steadystate tenant create"),
        (("token", "create", "--tenant", "nobody"), 1, "exactly one of"),
        (("token", "create", "--tenant", "n", "--service", "x", "--scope", "FLY"), 1, "CLIENTS_READ"),
        (("import", "tickets", "/nowhere.csv", "--tenant", "n"), 2, "does not exist"),
        (("serve", "--port", "99999"), 2, "65535"),
        (("dance",), 2, "No such command"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(
    steadystate: CommandLine, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = steadystate.run(*arguments)

    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_database_that_is_not_there_is_said(steadystate: CommandLine) -> None:
    for command in (("tenant", "list"), ("migrate",)):
        ended = steadystate.run(*command, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nowhere")
        assert (ended.returncode, "Traceback" in ended.stderr) == (3, False), ended.stderr


def test_a_database_that_was_never_migrated_is_said(steadystate: CommandLine, postgres: Postgres) -> None:
    name = f"{postgres.prefix}_{uuid4().hex[:12]}"
    asyncio.run(postgres.run(f'create database "{name}"'))
    try:
        ended = steadystate.run("tenant", "list", DATABASE_URL=postgres.url(name))
    finally:
        asyncio.run(postgres.drop(name))

    assert (ended.returncode, "run steadystate migrate" in ended.stderr) == (3, True), ended.stderr


def test_a_wrong_setting_is_named(steadystate: CommandLine) -> None:
    ended = steadystate.run("tenant", "list", STEADYSTATE_PORT="many")

    assert (ended.returncode, "PORT" in ended.stderr, "Traceback" in ended.stderr) == (1, True, False)


def test_migrating_again_changes_nothing_and_the_check_is_content(steadystate: CommandLine) -> None:
    before = steadystate.run("migrate")
    assert (before.returncode, "from" in before.stderr) == (0, False)
    assert steadystate.run("migrate", "--check").returncode == 0


def test_the_doctor_finds_a_migrated_database_well(steadystate: CommandLine) -> None:
    ended = steadystate.run("doctor")
    amiss = [line for line in ended.stderr.splitlines() if line.startswith("amiss")]

    # Whether GraphiQL's files are built is the machine's affair.
    assert [line for line in amiss if "graphiql" not in line] == []
    for looked_at in (
        "python",
        "database",
        "migrations",
        "server",
        "logins",
        "policies",
        "clock",
        "relay",
        "calendars",
    ):
        assert f" {looked_at}: " in ended.stderr


def test_the_doctor_names_what_is_amiss(steadystate: CommandLine, database_url: str) -> None:
    async def break_walls() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("alter table client no force row level security")
        await connection.execute("create table leak (tenant_id uuid)")
        await connection.close()

    asyncio.run(break_walls())
    ended = steadystate.run("doctor")

    assert ended.returncode == 1
    assert "amiss  policies: missing on client, leak" in ended.stderr


def test_the_schema_is_written_and_checked(steadystate: CommandLine) -> None:
    assert steadystate.run("schema", "--check").returncode == 1
    assert steadystate.done("schema") == "schema.graphql"
    assert steadystate.run("schema", "--check").returncode == 0


def test_the_page_of_figures_is_written_and_checked(steadystate: CommandLine) -> None:
    assert steadystate.run("kpis", "--check").returncode == 1
    assert steadystate.done("kpis") == "docs/kpis.md"
    assert steadystate.run("kpis", "--check").returncode == 0


def test_a_definition_is_carried_from_one_provider_to_another(steadystate: CommandLine) -> None:
    for slug in ("north-wind", "south-wind"):
        steadystate.done("tenant", "create", slug, "--admin-email", "ada@n.example")
    steadystate.done("definition", "export", "--tenant", "north-wind", "--file", "definition.json")
    file = steadystate.directory / "definition.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(document | {"waiverDays": 3}), encoding="utf-8")
    arguments = ("definition", "import", "definition.json", "--tenant", "south-wind")
    assert steadystate.done(*arguments, "--dry-run") == "waiverDays\t14\t3"
    made = steadystate.run(*arguments, "--note", "as in the north")
    assert (made.returncode, made.stdout) == (0, "waiverDays\t14\t3\n")
    assert "Made version 2." in made.stderr
    again = steadystate.run(*arguments)
    assert "what version 2 says; no version was made" in again.stderr
    written = json.loads(steadystate.done("definition", "export", "--tenant", "south-wind"))
    assert written == document | {"waiverDays": 3}
    assert json.loads(steadystate.done("definition", "export", "--tenant", "south-wind", "--number", "1")) == document


def test_a_definition_that_cannot_be_read_is_named(steadystate: CommandLine) -> None:
    steadystate.done("tenant", "create", "north-wind", "--admin-email", "ada@n.example")
    arguments = ("definition", "import", "definition.json", "--tenant", "north-wind")
    file = steadystate.directory / "definition.json"
    for text, said in (
        ("{", "is no JSON: line 1, column 2"),
        ("[" * 100_000, "nested too deeply"),
        ("{}", "waiverDays: this is missing; give it."),
    ):
        file.write_text(text, encoding="utf-8")
        ended = steadystate.run(*arguments)
        assert ended.returncode == 1
        assert said in ended.stderr
    ended = steadystate.run("definition", "export", "--tenant", "north-wind", "--number", "9")
    assert "there is no version 9; the newest is 1" in ended.stderr
    assert json.loads(steadystate.done("definition", "schema"))["title"] == "Onboarding definition"


def test_tickets_are_imported_with_bad_lines_named(steadystate: CommandLine) -> None:
    steadystate.done("tenant", "create", "north-wind", "--admin-email", "ada@n.example")
    (steadystate.directory / "tickets.csv").write_text(
        "Number,Opened,Customer\n1,2026-03-01T09:00:00Z,acme\n2,whenever,acme\n", encoding="utf-8"
    )
    mapping = {"system": "HALO", "columns": {"external_id": "Number", "logged_at": "Opened", "client": "Customer"}}
    (steadystate.directory / "mapping.json").write_text(json.dumps(mapping), encoding="utf-8")
    arguments = ("import", "tickets", "tickets.csv", "--tenant", "north-wind", "--mapping", "mapping.json")
    first, again = [steadystate.run(*arguments, "--clients", "create") for _ in range(2)]

    assert first.returncode == again.returncode == 4, first.stderr
    assert "1 new, 0 changed, 0 unchanged, 1 bad lines, 1 clients made" in first.stderr
    assert "error line 3, column Opened" in first.stderr
    assert "0 new, 0 changed, 1 unchanged, 1 bad lines" in again.stderr
