"""Imports of existing clients on the command line: each told with what it becomes, and all of them summed up."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.voice import Exit, FailureError, complain, give, say

if TYPE_CHECKING:
    from domain.moving_in import Arrived, ArrivedEffect
    from workflows.client_imports import ClientFormat, ClientImportReport
    from workflows.context import Context

SHOWN_ERRORS = 50
_LINES = (".jsonl", ".ndjson")
_BECAME = {"CREATED": "created", "JOINED": "given an onboarding", "EXISTS": "there already", "FAILED": "refused"}


def clients(
    file: Annotated[Path, typer.Argument(help="The file; .gz is read as it is.", exists=True, dir_okay=False)],
    provider: Annotated[str, typer.Option("--provider", "--tenant", help="The provider's short name.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would come of it.")] = False,
    format: Annotated[str | None, typer.Option(help="csv or jsonl; told by the file's name if left out.")] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(help="What a column means: COLUMN=FIELD, or COLUMN=- to leave it aside. May be given often."),
    ] = None,
    delimiter: Annotated[str, typer.Option(help="What parts the cells of a csv file.")] = ",",
    each: Annotated[
        bool | None, typer.Option("--each/--sums", help="Tell every client, or sums alone. A dry run tells every one.")
    ] = None,
) -> None:
    """Bring existing clients in, with where they stand and since when. Good rows come in, each bad one is named.

    Sent again, nothing changes. Exits with 4 when some lines were bad and the others came in.
    """
    from api.commands.world import acting_for, run
    from workflows.client_imports import ClientImportOptions, ClientImportRefused, import_file

    if len(delimiter) != 1:
        raise FailureError(f"--delimiter: {delimiter!r} is not one character.")
    options = ClientImportOptions(_format(format, file), _mapped(map or []), delimiter, dry_run)

    async def work(context: "Context") -> "ClientImportReport":
        principal = await acting_for(context, provider)
        try:
            return await import_file(context, principal, file, options, lambda rows: say(f"{rows} rows read."))
        except ClientImportRefused as error:
            raise FailureError(str(error)) from error

    report = run(work)
    for line in _lines(report, each=dry_run if each is None else each):
        give(line)
    for problem in report.problems[:SHOWN_ERRORS]:
        where = f"line {problem.line}" + (f", column {problem.column}" if problem.column else "")
        complain(f"{where}: {problem.reason}" + (f" ({problem.value!r})" if problem.value is not None else ""))
    if len(report.problems) > SHOWN_ERRORS:
        complain(f"… and {len(report.problems) - SHOWN_ERRORS} more.")
    if dry_run:
        say("This was a dry run: nothing has changed.")
    if report.problems:
        raise typer.Exit(Exit.PARTLY)


def _format(given: str | None, file: Path) -> "ClientFormat":
    from workflows.client_imports import ClientFormat

    if given is None:
        plain = file.with_suffix("") if file.suffix == ".gz" else file
        return ClientFormat.JSONL if plain.suffix.lower() in _LINES else ClientFormat.CSV
    if given.upper() not in ClientFormat.__members__:
        raise FailureError(f"--format: {given!r} is none of {', '.join(ClientFormat).lower()}.")
    return ClientFormat[given.upper()]


def _mapped(given: list[str]) -> dict[str, str]:
    mapped = {}
    for entry in given:
        column, equals, meant = entry.rpartition("=")
        if not equals or not column.strip() or not meant.strip():
            raise FailureError(f"--map: {entry!r} does not read COLUMN=FIELD, such as 'Kunde=name'.")
        mapped[column.strip()] = meant.strip()
    return mapped


def _lines(report: "ClientImportReport", *, each: bool) -> Iterator[str]:
    if each:
        for one in report.arrived:
            yield from _told(one, report)
        yield ""
    yield from _sums(report)


def _told(one: "Arrived", report: "ClientImportReport") -> Iterator[str]:
    """Give what became of one client: where it stands, what it brings, what is planned for it and what is not."""
    stage = f", {one.stage}" if one.stage else ""
    since = f" since {_day(one.stays[-1].entered_at, report)}" if one.stays and one.stays[-1].left_at is None else ""
    due = f", due {_day(one.target_at, report)}" if one.target_at else ""
    held = f", on hold since {_day(one.held_since, report)}" if one.held_since else ""
    yield f"line {one.place}\t{one.status}\t{one.name}{stage}{since}{due}{held}"
    if one.stays:
        stays = (f"{stay.stage} {_span(stay.entered_at, stay.left_at, report)}" for stay in one.stays)
        yield f"\tstays\t{', '.join(stays)}"
    skipped: dict[str, dict[str, None]] = {}
    for (kind, name, due_at, state, reason), recipients in _grouped(one, report).items():
        if state == "PLANNED":
            yield f"\tplanned\t{kind} {name} on {_day(due_at, report)} to {', '.join(recipients)}"
        else:
            skipped.setdefault(reason or "", {})[f"{kind} {name}"] = None
    for reason, names in skipped.items():
        yield f"\tskipped\t{reason}: {', '.join(names)}"
    for warning in one.warnings:
        yield f"\twarning\t{warning}"


def _grouped(
    one: "Arrived", report: "ClientImportReport"
) -> dict[tuple[str, str, datetime, str, str | None], list[str]]:
    groups: dict[tuple[str, str, datetime, str, str | None], list[str]] = {}
    for effect in one.effects:
        key = (effect.kind.value.lower(), effect.name, effect.due_at, effect.state.value, effect.reason)
        groups.setdefault(key, []).append(_whom(one, effect, report))
    return groups


def _whom(one: "Arrived", effect: "ArrivedEffect", report: "ClientImportReport") -> str:
    told = report.told.get(one.place)
    if effect.contact_index is not None and told is not None:
        return told.contacts[effect.contact_index].email or told.contacts[effect.contact_index].name
    if effect.contact is not None:
        return "a contact known already"
    return "the lead" if effect.kind.value == "TIMER" else "the team"


def _sums(report: "ClientImportReport") -> Iterator[str]:
    """Give the table of what became of all rows."""
    rows = [(f"clients {_BECAME[status.value]}", "", str(count)) for status, count in report.counts.items()]
    for change in report.changes:
        how = " ".join(part for part in (change.name, change.after) if part)
        rows.append((change.kind.value.lower().replace("_", " "), how, str(change.count)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for what, how, count in rows:
        yield f"{what:<{widths[0]}}  {how:<{widths[1]}}  {count:>{widths[2]}}"


def _span(start: datetime, end: datetime | None, report: "ClientImportReport") -> str:
    return f"{_day(start, report)} to {_day(end, report) if end else 'now'}"


def _day(instant: datetime, report: "ClientImportReport") -> str:
    return instant.astimezone(report.zone).date().isoformat()
