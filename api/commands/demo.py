"""The demo: two simulated providers, everything served, and a token for each kind of user."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.serving import address_of, bound, serving
from api.commands.voice import FailureError, give, say, told

if TYPE_CHECKING:
    import socket

    from api.commands.world import Addresses
    from api.settings import Settings
    from demo.credentials import Credential
    from demo.questions import Question
    from demo.run import Demo
    from workflows.context import Context


def demo(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write address, tokens and queries to this file, for scripts.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of STEADYSTATE_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port, instead of STEADYSTATE_PORT; 0 takes a free one.")
    ] = None,
) -> None:
    """Fill two simulated providers, serve them until Ctrl-C, and print addresses, tokens and three queries.

    Without DATABASE_URL an embedded PostgreSQL is used and stopped at the end; what it holds is found again the same
    day and told anew on another. With DATABASE_URL the database must be empty.
    """
    from api.commands.world import addressed, read_settings
    from api.logs import configure
    from db.migrate import upgrade
    from demo.run import StaleStoryError

    settings = read_settings()
    given = {"host": host or settings.host, "port": settings.port if port is None else port}
    settings = settings.model_copy(update=given | {"data_directory": settings.data_directory / "demo"})
    configure("console", "WARNING")
    with bound(settings.host, settings.port) as listening:
        try:
            with addressed(settings, durable=False) as addresses:
                upgrade(addresses.owner)
                asyncio.run(_show(settings, addresses, listening, json_file))
        except StaleStoryError as stale:
            _forget(settings, stale)
            with addressed(settings, durable=False) as addresses:
                asyncio.run(_show(settings, addresses, listening, json_file))


async def _show(
    settings: "Settings", addresses: "Addresses", listening: "socket.socket", json_file: Path | None
) -> None:
    from api.commands.world import opened
    from demo.credentials import issue
    from demo.questions import questions
    from demo.run import today

    async with opened(addresses, settings) as context:
        tokens = await issue(context, await _filled(context))
        asking = questions(today(context.clock()))
        address = address_of(listening)

        def ready() -> None:
            if json_file is not None:
                _write(json_file, address, tokens, asking)
            _present(address, tokens, asking)

        await serving(context, settings, listening, True, ready)
    say("Stopped.")


async def _filled(context: "Context") -> "Demo":
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from demo.run import fill

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=told(), transient=True) as bar:
        task = bar.add_task("Telling the story of two providers", total=None)
        return await fill(context, lambda done, whole: bar.update(task, completed=done, total=whole))


def _forget(settings: "Settings", stale: Exception) -> None:
    """Remove the embedded server's story, so that it can be told anew.

    Raises:
        FailureError: the database is not ours to empty, or somebody is using it.
    """
    if settings.database_url:
        raise FailureError(
            f"The database holds a demo that is not today's ({stale}). Empty it, or name another by DATABASE_URL."
        ) from None
    directory = settings.data_directory.absolute()
    if any(directory.glob("**/postmaster.pid")):
        raise FailureError(f"Another demo is running on {directory}; end it first.") from None
    say(f"The story in {directory} is not today's ({stale}); telling it anew.")
    shutil.rmtree(directory)


def _present(address: str, tokens: "Sequence[Credential]", asking: "Sequence[Question]") -> None:
    lines = [
        "",
        "Two simulated providers are being served. Nothing in them is real.",
        "",
        f"  GraphiQL   {address}/graphiql      (paste a token into its Headers pane)",
        f"  GraphQL    {address}/graphql",
        "",
        'A token for each kind of user, as {"authorization": "Bearer …"}:',
        "",
    ]
    for one in tokens:
        lines += [f"  {one.user}: {one.who} of {one.provider} ({one.shows})", f"    {one.token}", ""]
    lines += ["Three queries to paste:", ""]
    for question in asking:
        lines += [f"# {question.title}", question.query, ""]
    give("\n".join(lines))
    say("Ctrl-C stops everything, the database too.")


def _write(file: Path, address: str, tokens: "Sequence[Credential]", asking: "Sequence[Question]") -> None:
    said = {
        "graphql": f"{address}/graphql",
        "graphiql": f"{address}/graphiql",
        "tokens": [
            {"user": t.user, "provider": t.provider, "who": t.who, "shows": t.shows, "token": t.token} for t in tokens
        ],
        "queries": [{"title": question.title, "query": question.query} for question in asking],
    }
    # Whoever waits for the file finds all of it; the tokens are for the one who started it alone.
    unfinished = file.with_name(f"{file.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(file)
