"""Connections: how many sockets and streams a credential holds open, and how all of them end."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from api.errors import RateLimited


class Connections:
    """The open sockets and streams of this process."""

    def __init__(self) -> None:
        self._held: Counter[tuple[str, Hashable]] = Counter()
        self._ends: set[Callable[[], None]] = set()
        self.draining = False

    @contextmanager
    def held(self, kind: str, key: Hashable, limit: int) -> Iterator[None]:
        """Count one more connection of a kind for as long as the block lasts.

        Raises:
            RateLimited: the credential holds as many as it may.
        """
        place = (kind, key)
        if self._held[place] >= limit:
            raise RateLimited(f"This credential holds {limit} {kind} open, as many as it may; close one first.", 5)
        self._held[place] += 1
        try:
            yield
        finally:
            self._held[place] -= 1
            if not self._held[place]:
                del self._held[place]

    @contextmanager
    def ended_by_drain(self, end: Callable[[], None]) -> Iterator[None]:
        """Have `end` called when the server is about to stop."""
        self._ends.add(end)
        try:
            if self.draining:
                end()
            yield
        finally:
            self._ends.discard(end)

    def drain(self) -> None:
        """Ask every open connection to end: the server is about to stop."""
        self.draining = True
        for end in list(self._ends):
            end()
