"""A server as a process of its own, to be killed: `python -m tests.support.server_process APP_URL RELAY_URL PORT`."""

import asyncio
import signal
import sys

from api.app import create_app
from api.logs import configure
from api.server import server
from api.settings import Settings
from db.session import Database
from workflows import worker
from workflows.context import Context
from workflows.feed import following


async def serve(app_url: str, relay_url: str, port: int) -> None:
    """Serve the product with its feed and its worker until SIGTERM."""
    settings = Settings(port=port, shutdown_seconds=5)
    configure("json", "WARNING")
    stop = asyncio.Event()
    database = await Database.connect(app_url, relay_url)
    try:
        async with following(database) as feed:
            context = Context(database, feed=feed)
            work = asyncio.create_task(worker.run(context, stop, feed.wire))
            try:
                serving = server(create_app(context, settings), settings)
                # By itself uvicorn raises the signal again at its end, which would skip ours.
                asyncio.get_running_loop().add_signal_handler(
                    signal.SIGTERM, lambda: setattr(serving, "should_exit", True)
                )
                await serving._serve()
            finally:
                stop.set()
                await work
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
