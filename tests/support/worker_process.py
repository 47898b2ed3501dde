"""A worker as a process of its own, to be killed: `python -m tests.support.worker_process APP_URL RELAY_URL`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from db.session import Database
from workflows import worker
from workflows.context import Context


async def work(app_url: str, relay_url: str) -> None:
    database = await Database.connect(app_url, relay_url)
    await worker.run(Context(database), asyncio.Event())


@asynccontextmanager
async def workers(urls: tuple[str, str]) -> AsyncIterator[None]:
    """Run two workers as processes of their own, and kill both at the end."""
    command = (sys.executable, "-m", "tests.support.worker_process", *urls)
    running = [await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL) for _ in range(2)]
    try:
        yield
    finally:
        for process in running:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
