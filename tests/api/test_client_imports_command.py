"""Existing clients come in by the command line: looked at first, told one by one, and summed up."""

import json

import pytest

from tests.support.command_line import CommandLine

pytestmark = pytest.mark.e2e

FILE = """\
name,external system,external key,lead e-mail,stage,contracting on,discovery on,live on,steady on,\
contract title,signed on,starts on,coverage hours,contact name,contact e-mail
Acme,PSA,17,lead@north-wind.example,STEADY_STATE,2025-01-07,2025-01-20,2025-02-10,2025-05-14,\
Managed services,2025-01-17,2025-02-01,24x7,Pat Primary,pat@acme.example
Bolt,PSA,18,lead@north-wind.example,ASSET_DISCOVERY,,2025-11-03,,,\
Managed services,2025-10-27,2025-11-01,Mon-Fri 08:00-18:00,Sam Signer,sam@bolt.example
Cog,PSA,19,lead@north-wind.example,STEADY_STATE,,,2025-03-31,14/5/2025,,,,,,
"""


def test_existing_clients_are_looked_at_first_and_then_come_in(steadystate: CommandLine) -> None:
    lead = "lead@north-wind.example"
    steadystate.done("tenant", "create", "north-wind", "--admin-email", lead, "--country", "NL")
    (steadystate.directory / "clients.csv").write_text(FILE)
    arguments = ("import", "clients", "clients.csv", "--provider", "north-wind")
    foreseen = steadystate.run(*arguments, "--dry-run")
    assert foreseen.returncode == 4
    assert "line 2\tCREATED\tAcme, STEADY_STATE since 2025-05-14" in foreseen.stdout
    assert "skipped\tIMPORTED: timer TARGET, survey CONTRACTING" in foreseen.stdout
    problem = "line 4, column steady on: The value is no day such as 2026-03-01. ('14/5/2025')"
    assert problem in foreseen.stderr
    assert "nothing has changed" in foreseen.stderr

    came = steadystate.run(*arguments)
    assert came.returncode == 4
    assert problem in came.stderr
    sums = foreseen.stdout[foreseen.stdout.index("clients created") :]
    assert came.stdout == sums
    again = steadystate.run(*arguments, "--each")
    assert "line 2\tEXISTS\tAcme" in again.stdout
    assert "clients there already" in again.stdout


def test_json_lines_come_in_under_the_names_that_they_use(steadystate: CommandLine) -> None:
    steadystate.done("tenant", "create", "north-wind", "--admin-email", "ada@n.example", "--country", "NL")
    row = {"Kunde": "Acme", "lead": "ada@n.example", "stage": "STEADY_STATE", "steady_on": "2025-05-14"}
    (steadystate.directory / "clients.jsonl").write_text(json.dumps(row))
    arguments = ("import", "clients", "clients.jsonl", "--provider", "north-wind")
    wrong = steadystate.run(*arguments)
    assert (wrong.returncode, "'Kunde'" in wrong.stderr) == (4, True)
    assert "clients created" in steadystate.done(*arguments, "--map", "Kunde=name")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--map", "name"), "does not read COLUMN=FIELD"),
        (("--map", "a=b"), "'a' is mapped to 'b'"),
        (("--format", "xlsx"), "none of csv, jsonl"),
        (("--delimiter", ";;"), "not one character"),
        ((), "missing: lead_email, stage"),
    ],
)
def test_what_cannot_be_imported_is_said_in_words(
    steadystate: CommandLine, arguments: tuple[str, ...], words: str
) -> None:
    steadystate.done("tenant", "create", "north-wind", "--admin-email", "ada@n.example", "--country", "NL")
    (steadystate.directory / "clients.csv").write_text("name\nAcme\n")
    ended = steadystate.run("import", "clients", "clients.csv", "--provider", "north-wind", *arguments)
    assert (ended.returncode, words in ended.stderr) == (1, True), ended.stderr
