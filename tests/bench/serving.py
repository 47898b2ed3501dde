"""A server as a process of its own: `python -m tests.bench.serving product|raw|sockets APP_URL RELAY_URL PORT`.

The product and the bare route are served by the same server on the same event loop; they differ in the
application alone. Sockets are served by nothing but the event loop. What is called unpoliced comes in as a login
that no policy binds, so that only the statements' own predicates keep tenants apart.
"""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import uvicorn
import uvloop

from api.app import create_app
from api.limits import CallerLimits, DocumentLimits
from api.logs import configure
from api.server import server
from api.settings import Settings
from db.session import Database
from tests.bench import peers, policies, raw_reads, raw_sockets
from tests.bench.world import World
from tests.support.serving import _free_port
from workflows import worker
from workflows.context import Context
from workflows.feed import following

POOL = 10
"""Connections to the database, of either kind of server."""


async def serve_product(app_url: str, relay_url: str, port: int) -> None:
    """Serve the product with its feed and its worker, and allowances that a benchmark doesn't use up."""
    allowed = CallerLimits(points=10**9, points_per_second=10**6, sockets=5_000)
    settings = Settings(port=port, caller=allowed, document=DocumentLimits(cost_points=50_000), connections=5_000)
    configure("json", "WARNING")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    database = await Database.connect(app_url, relay_url, size=POOL)
    stop = asyncio.Event()
    async with following(database) as feed:
        context = Context(database, feed=feed)
        work = asyncio.create_task(worker.run(context, stop, feed.wire))
        await _until_told(server(create_app(context, settings), settings))
        stop.set()
        await work
    await database.close()


async def serve_raw(app_url: str, port: int) -> None:
    """Serve the bare route."""
    app = await raw_reads.create_app(app_url, POOL)
    await _until_told(
        uvicorn.Server(
            uvicorn.Config(
                app, port=port, loop="none", http="httptools", lifespan="off", log_config=None, access_log=False
            )
        )
    )


async def _until_told(serving: uvicorn.Server) -> None:
    # By itself uvicorn raises the signal again at its end, which would skip ours.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: setattr(serving, "should_exit", True))
    await serving._serve()


@asynccontextmanager
async def served(kind: str, world: World) -> AsyncIterator[tuple[str, int]]:
    """Run a server of one kind for as long as the block lasts, and give its address and its process."""
    port = _free_port()
    command = [sys.executable, "-m", "tests.bench.serving", kind, *world.urls, str(port)]
    environment: dict[str, str] = {}
    if kind in peers.KINDS:
        command, environment = peers.command(kind, world, port, POOL)
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
    address = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30), httpx2.AsyncClient(trust_env=False) as client:
            while not await _answers(client, f"{address}/health/ready"):  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.1)
        yield address, process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(client: httpx2.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(address)).status_code in {200, 404}  # a peer may know no such path
    except httpx2.TransportError:
        return False


if __name__ == "__main__":
    kind, app_url, relay_url, port = sys.argv[1:]
    if kind.endswith(" unpoliced"):
        kind, app_url = policies.unpoliced(kind, app_url)
    kinds = {
        "product": lambda: serve_product(app_url, relay_url, int(port)),
        "raw": lambda: serve_raw(app_url, int(port)),
        "sockets": lambda: raw_sockets.serve(relay_url, int(port)),
    }
    uvloop.run(kinds[kind]())
