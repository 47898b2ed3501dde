"""The demo: two simulated providers, everything served, and a token for each kind of user."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.serving import address_of, bound, serving
from api.commands.voice import FailureError, give, say, told

if TYPE_CHECKING:
    import socket

    from api.commands.demo_home import Home
    from api.settings import Settings


def demo(
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Also write addresses, tokens and queries to this file, for scripts, once ready."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of STEADYSTATE_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port, instead of STEADYSTATE_PORT; 0 takes a free one.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Directory of its own server; demo in STEADYSTATE_DATA_DIRECTORY if left out.")
    ] = None,
) -> None:
    """Serve two simulated providers until Ctrl-C, with a token for each kind of user and three queries to paste.

    Their story is told relative to today: what the embedded PostgreSQL holds is found again the same day and told
    anew on another. With DATABASE_URL the database must hold no other providers.
    """
    import uvloop

    from api.commands.demo_home import at_home
    from api.commands.world import read_settings
    from api.logs import configure
    from demo.run import today
    from workflows.context import utc_now

    anchor = today(utc_now())
    settings = read_settings()
    changes = {"host": host or settings.host, "port": settings.port if port is None else port}
    settings = settings.model_copy(update=changes)
    configure("console", "WARNING")
    if json_file is not None:
        json_file.unlink(missing_ok=True)
    with _ended_as_by_ctrl_c(), bound(settings.host, settings.port) as listening, at_home(settings, data) as home:
        if not _is_told(settings, home, anchor):
            uvloop.run(_tell(settings, home, anchor))
        uvloop.run(_show(settings, home, anchor, listening, json_file))


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the demo in good order while it starts and fills, too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_told(settings: "Settings", home: "Home", anchor: date) -> bool:
    """Migrate the database and say whether today's story is in it; throw away an embedded one's older story.

    Raises:
        FailureError: the database of DATABASE_URL holds an older story.
        ForeignTenantsError: it holds providers that are not the demo's.
    """
    import uvloop

    from demo.run import StaleStoryError

    home.prepare()
    try:
        found = uvloop.run(_found(settings, home, anchor))
    except StaleStoryError as stale:
        if home.directory is None:
            message = f"The database holds a demo that is not today's ({stale}). Name an empty one by DATABASE_URL."
            raise FailureError(message) from None
        say(f"The demo in {home.directory} is not today's ({stale}): starting it afresh.")
        home.prepare(anew=True)
        return False
    if found:
        say(f"Using today's demo in {home.directory or 'the database of DATABASE_URL'}.")
    return found


async def _found(settings: "Settings", home: "Home", anchor: date) -> bool:
    from api.commands.world import opened
    from demo.run import look

    async with opened(home.addresses, settings) as context:
        return await look(context, anchor) is not None


async def _tell(settings: "Settings", home: "Home", anchor: date) -> None:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from api.commands.world import opened
    from demo.run import fill

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    async with opened(home.hurried, settings) as context:
        with Progress(*columns, console=told(), transient=True) as bar:
            task = bar.add_task("Simulating two providers", total=None)
            await fill(context, lambda done, whole: bar.update(task, completed=done, total=whole), anchor)


async def _show(
    settings: "Settings", home: "Home", anchor: date, listening: "socket.socket", json_file: Path | None
) -> None:
    from api.commands.demo_showing import Showing
    from api.commands.world import opened
    from demo.credentials import issue
    from demo.questions import questions
    from demo.run import look

    async with opened(home.addresses, settings) as context:
        demo = await look(context, anchor)
        if demo is None:
            raise FailureError("The demo's data have just been taken away; start it again.")
        showing = Showing(address_of(listening), await issue(context, demo), questions(anchor))

        def ready() -> None:
            give(showing.text())
            if json_file is not None:
                showing.write(json_file)
            say("Ready. Ctrl-C stops everything, the database too.")

        await serving(context, settings, listening, works=True, ready=ready)
    say("Stopped.")
