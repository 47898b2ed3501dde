"""Definitions on the command line: written to a file, brought in from one, and the schema of such files."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.voice import FailureError, give, say

if TYPE_CHECKING:
    from domain.definitions import Definition
    from domain.errors import Outcome
    from workflows.context import Context

app = typer.Typer(no_args_is_help=True, help="Definitions of onboarding: targets, gates, surveys, timers, checklists.")

Tenant = Annotated[str, typer.Option(help="The provider's short name.")]


@app.command()
def export(
    tenant: Tenant,
    number: Annotated[int | None, typer.Option(help="The version; the newest if left out.")] = None,
    file: Annotated[Path | None, typer.Option(help="Where to; standard output if left out.", dir_okay=False)] = None,
) -> None:
    """Write a version of a provider's definition as a JSON document."""
    from api.commands.world import acting_for, run
    from domain.definition_documents import write

    async def work(context: "Context") -> "Definition":
        async with context.database.reading(await acting_for(context, tenant)) as tx:
            return await _version(tx, number)

    definition = run(work)
    _write(write(definition.rules), file)
    if file is not None:
        say(f"Version {definition.number} is in {file}.")


@app.command("import")
def bring_in(
    file: Annotated[Path, typer.Argument(help="The document.", exists=True, dir_okay=False)],
    tenant: Tenant,
    note: Annotated[str | None, typer.Option(help="Why; kept with the version.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
) -> None:
    """Make a document the next version of a provider's definition; onboardings under way keep theirs."""
    from api.commands.world import acting_for, by_command_line, run
    from domain.consequences import untold
    from workflows.definitions import UNCHANGED_FACT, ImportDefinition, import_definition

    document = _read(file)

    async def work(context: "Context") -> "Outcome":
        principal = await acting_for(context, tenant)
        command = ImportDefinition(document, note=note, dry_run=dry_run)
        return await import_definition(context, principal, by_command_line(), command)

    outcome = run(work)
    if outcome.errors:
        # Each names its path in the document itself.
        raise FailureError("\n      ".join(error.message for error in outcome.errors))
    if outcome.facts.get(UNCHANGED_FACT):
        say(f"The document says what version {outcome.version} says; no version was made.")
        return
    for change in untold(outcome.facts):
        give(f"{change.name}\t{_cell(change.before)}\t{_cell(change.after)}")
    say(f"{'Would make' if dry_run else 'Made'} version {outcome.version}.")


@app.command()
def schema(
    file: Annotated[Path | None, typer.Option(help="Where to; standard output if left out.", dir_okay=False)] = None,
) -> None:
    """Write the JSON Schema (2020-12) of such documents."""
    from domain.definition_schema import definition_schema

    _write(definition_schema(), file)


async def _version(tx: Any, number: int | None) -> "Definition":
    from db import definitions

    newest = await definitions.newest(tx)
    if newest is None:
        raise FailureError("This provider has no definition.")
    if number is None:
        return newest
    found = (await definitions.numbered(tx, [number])).get(number)
    if found is None:
        raise FailureError(f"--number: there is no version {number}; the newest is {newest.number}.")
    return found


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise FailureError(f"{file} is no UTF-8 text: byte {error.start} does not fit.") from error
    except json.JSONDecodeError as error:
        raise FailureError(f"{file} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise FailureError(f"{file} is nested too deeply to be a definition.") from error


def _write(document: Any, file: Path | None) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")


def _cell(value: str | None) -> str:
    return "-" if value is None else value
