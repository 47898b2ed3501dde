"""Imports on the command line: files of tickets and of existing clients."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from api.commands.client_imports import clients as existing_clients
from api.commands.voice import Exit, FailureError, complain, say, told

if TYPE_CHECKING:
    from workflows.context import Context
    from workflows.imports import ImportOptions, ImportReport, Progress

app = typer.Typer(no_args_is_help=True, help="Bring data in from files.")

app.command("clients")(existing_clients)

SHOWN_ERRORS = 20


@app.command()
def tickets(
    file: Annotated[Path, typer.Argument(help="The file; .gz is read as it is.", exists=True, dir_okay=False)],
    tenant: Annotated[str, typer.Option(help="The provider's short name.")],
    source: Annotated[
        str, typer.Option(help="What wrote the file: servicenow, volvo, volvo_problems, csv or jsonl.")
    ] = "csv",
    mapping: Annotated[
        Path | None,
        typer.Option(help="For csv and jsonl: a file that says what the columns mean.", exists=True, dir_okay=False),
    ] = None,
    client: Annotated[str | None, typer.Option(help="Id of the client that every ticket is of.")] = None,
    clients: Annotated[
        str,
        typer.Option(help="What becomes of a client's key that nobody has mapped: match leaves it, create makes one."),
    ] = "match",
    zone: Annotated[
        str | None, typer.Option(help="Time zone of moments without an offset; the provider's if left out.")
    ] = None,
) -> None:
    """Import a file of tickets. Good lines go in, each bad one is named; sent again, nothing changes.

    Exits with 4 when some lines were bad and the others went in.
    """
    from api.commands.world import acting_for, run
    from workflows.imports import import_tickets

    options = _options(source, mapping, client, clients, zone)

    async def work(context: "Context") -> "ImportReport":
        principal = await acting_for(context, tenant)
        with _Bar(file.name) as bar:
            return await import_tickets(context, principal, file, options, bar.show)

    report = run(work)
    done = report.progress
    say(
        f"{done.created} new, {done.changed} changed, {done.unchanged} unchanged, {done.bad_lines} bad lines"
        + (f", {done.clients_created} clients made" if done.clients_created else "")
        + "."
    )
    for error in report.first_errors[:SHOWN_ERRORS]:
        where = f"line {error.line}" + (f", column {error.column}" if error.column else "")
        complain(f"{where}: {error.reason}" + (f" ({error.value!r})" if error.value is not None else ""))
    if done.bad_lines > SHOWN_ERRORS:
        complain(f"… and {done.bad_lines - SHOWN_ERRORS} more; all of them are kept with the import.")
    if done.bad_lines:
        raise typer.Exit(Exit.PARTLY)


def _options(source: str, mapping: Path | None, client: str | None, clients: str, zone: str | None) -> "ImportOptions":
    from domain.calendars import InvalidCalendar, zone_named
    from domain.ids import IdKind, MalformedIdError, parse
    from integrations.mapping import InvalidMapping, read_table
    from workflows.imports import ClientPolicy, ImportOptions
    from workflows.ticket_files import Source

    if source.upper() not in Source.__members__:
        raise FailureError(f"--source: {source!r} is none of {', '.join(Source.__members__).lower()}.")
    if clients.upper() not in ClientPolicy.__members__:
        raise FailureError(f"--clients: {clients!r} is none of {', '.join(ClientPolicy.__members__).lower()}.")
    try:
        return ImportOptions(
            Source[source.upper()],
            read_table(mapping) if mapping else None,
            parse(IdKind.CLIENT, client) if client else None,
            ClientPolicy[clients.upper()],
            zone_named(zone) if zone else None,
        )
    except (InvalidCalendar, InvalidMapping, MalformedIdError) as error:
        raise FailureError(str(error)) from error


class _Bar:
    """A progress bar by the bytes of the file, on standard error."""

    def __init__(self, name: str) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn(name),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[count]} tickets"),
            TimeRemainingColumn(),
            console=told(),
        )
        self._task = self._bar.add_task(name, total=None, count=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: "Progress") -> None:
        count = progress.created + progress.changed + progress.unchanged
        self._bar.update(self._task, total=progress.total_bytes, completed=progress.done_bytes, count=count)
