"""Savepoints: a part of a transaction that can be taken back while the rest of it stands."""

from sqlalchemy import text

from db.session import Transaction

BEGIN = text("savepoint part")
TAKE_BACK = text("rollback to savepoint part")
END = text("release savepoint part")


async def begin(tx: Transaction) -> None:
    """Begin a part; one within another hides that until it ends itself."""
    await tx.run(BEGIN)


async def take_back(tx: Transaction) -> None:
    """Undo what was done since the part began, and end it."""
    await tx.run(TAKE_BACK)
    await tx.run(END)


async def keep(tx: Transaction) -> None:
    """End a part and keep what it did."""
    await tx.run(END)
