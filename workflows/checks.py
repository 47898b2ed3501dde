"""Checks: what a command runs through before its first write, each ending it with a refusal."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar
from uuid import UUID

from db.errors import DuplicateError, RetryableError
from db.session import Transaction
from domain.errors import Outcome, UserError, not_found, refused, stale

T = TypeVar("T")


class RefusedError(Exception):
    """A check has failed before anything was written; `refusable` turns it into the command's outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("refused")
        self.outcome = outcome


class Versioned(Protocol):
    """Something that changes, and counts its changes."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


def refusable(act: Callable[[Transaction], Awaitable[Outcome]]) -> Callable[[Transaction], Awaitable[Outcome]]:
    """Let a use case's transaction end by a check; checks stand before the first write, for it commits."""

    async def run(tx: Transaction) -> Outcome:
        try:
            return await act(tx)
        except RefusedError as refusal:
            return refusal.outcome

    return run


def found(value: T | None, what: str, *path: str) -> T:
    """Return what a command names, or refuse: the same for an unknown id and for somebody else's."""
    if value is None:
        raise RefusedError(refused(not_found(what, *path)))
    return value


def fresh(value: Versioned, expected_version: int | None) -> None:
    """Refuse a command that was decided on another version."""
    if expected_version not in (None, value.version):
        raise RefusedError(refused(stale(value.version), subject=value.id))


def fit(errors: Iterable[UserError], subject: UUID | None = None) -> None:
    """Refuse a command with anything wrong in it, naming everything that is."""
    if every := tuple(errors):
        raise RefusedError(refused(*every, subject=subject))


@contextmanager
def running_again_on_duplicates() -> Iterator[None]:
    """Run the command again when another has written the same key at the same moment: then it finds it."""
    try:
        yield
    except DuplicateError as error:
        raise RetryableError(str(error)) from error
