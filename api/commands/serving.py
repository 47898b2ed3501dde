"""Serving: the API, and the worker beside it or alone."""

import asyncio
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.voice import Exit, FailureError, say

if TYPE_CHECKING:
    from api.commands.world import Addresses
    from api.server import Server
    from api.settings import Settings
    from workflows.context import Context


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of STEADYSTATE_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port, instead of STEADYSTATE_PORT; 0 takes a free one.")
    ] = None,
    worker: Annotated[
        bool | None,
        typer.Option(
            "--worker/--no-worker",
            help="Work beside serving, in the same process. Without DATABASE_URL that is usual; with it, "
            "run steadystate worker as a process of its own.",
        ),
    ] = None,
) -> None:
    """Serve the API until Ctrl-C or SIGTERM.

    Without DATABASE_URL an embedded PostgreSQL is started in STEADYSTATE_DATA_DIRECTORY, and stopped at the end.
    """
    import uvloop

    from api.commands.world import addressed, read_settings
    from api.logs import configure

    settings = read_settings()
    settings = settings.model_copy(
        update={name: value for name, value in (("host", host), ("port", port)) if value is not None}
    )
    with bound(settings.host, settings.port) as listening, addressed(settings) as addresses:
        configure(settings.log_format, settings.log_level)
        uvloop.run(_serve(settings, addresses, listening, addresses.embedded if worker is None else worker))


def worker() -> None:
    """Do the upkeep until SIGTERM: number events, fire timers, keep what is due.

    Any number of workers may run; they share the work. One process of serve has its own unless DATABASE_URL is set.
    """
    import uvloop

    from api.commands.world import addressed, read_settings
    from api.logs import configure

    settings = read_settings()
    configure(settings.log_format, settings.log_level)
    with addressed(settings) as addresses:
        uvloop.run(_work(settings, addresses))


async def _serve(settings: "Settings", addresses: "Addresses", listening: socket.socket, works: bool) -> None:
    from api.commands.world import opened

    if addresses.embedded:
        say(f"Using the embedded server in {settings.data_directory.absolute()}.")
    beside = " with a worker beside" if works else ""
    async with opened(addresses, settings) as world:
        await serving(
            world, settings, listening, works, lambda: say(f"Serving on {address_of(listening)}/graphql{beside}")
        )
    say("Stopped.")


async def serving(
    world: "Context", settings: "Settings", listening: socket.socket, works: bool, ready: Callable[[], None]
) -> None:
    """Serve a world on a port until Ctrl-C or SIGTERM; `ready` is called once requests are answered."""
    from api.app import create_app
    from api.server import server
    from workflows import worker as working
    from workflows.feed import following

    stop = asyncio.Event()
    async with following(world.database) as feed:
        context = replace(world, feed=feed)
        served = server(create_app(context, settings), settings)
        work = asyncio.create_task(working.run(context, stop, feed.wire)) if works else None

        def end() -> None:
            # The second Ctrl-C is from somebody who does not want to wait.
            served.force_exit = served.should_exit
            served.should_exit = True

        _on_signals(end)
        telling = asyncio.create_task(_when_started(served, ready))
        try:
            # By itself uvicorn raises the signal again at its end, which would skip ours.
            await served._serve([listening])  # noqa: SLF001
        finally:
            telling.cancel()
            stop.set()
            if work is not None:
                await work


async def _when_started(served: "Server", ready: Callable[[], None]) -> None:
    while not served.started:  # noqa: ASYNC110 -- a flag is all by which uvicorn tells that it has started
        await asyncio.sleep(0.02)
    ready()


async def _work(settings: "Settings", addresses: "Addresses") -> None:
    from api.commands.world import opened
    from workflows import worker as working

    stop = asyncio.Event()
    _on_signals(stop.set)
    async with opened(addresses, settings) as context:
        say("Working. Ctrl-C ends it.")
        await working.run(context, stop)
    say("Stopped.")


def address_of(listening: socket.socket) -> str:
    """Return the address under which a browser on this machine finds the server."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def bound(host: str, port: int) -> socket.socket:
    """Take the port before anything is started, so that a taken one is said at once."""
    listening = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Two may bind a port that nobody listens on: the second is told now, not after its database has started.
        listening.listen()
    except OSError as error:
        if listening is not None:
            listening.close()
        message = f"Cannot listen on {host}:{port}: {error.strerror or error}. Give another --host or --port."
        raise FailureError(message, Exit.UNAVAILABLE) from error
    return listening


def _on_signals(act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, act)
