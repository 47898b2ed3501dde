"""Jobs as a test looks at them."""

from dataclasses import dataclass

from db import jobs
from db.session import Transaction
from domain.jobs import Job


@dataclass(frozen=True, slots=True)
class Latest:
    """A stretch of the latest of a list."""

    limit: int = 10
    backward: bool = False
    after: None = None
    before: None = None


async def latest(tx: Transaction) -> list[Job]:
    """Return the latest jobs, newest first."""
    return await jobs.listed(tx, Latest(), {})
