"""A worker as a process of its own, to be killed: `python -m tests.support.worker_process APP_URL RELAY_URL`."""

import asyncio
import sys

from db.session import Database
from workflows import worker
from workflows.context import Context


async def work(app_url: str, relay_url: str) -> None:
    database = await Database.connect(app_url, relay_url)
    await worker.run(Context(database), asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
