"""Reading of documents: plain values taken in key by key, all that is wrong with them named by its path."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from domain.errors import UserError, invalid

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class Reading:
    """One reading of one document: it goes on behind what is wrong, so that all of it is named at once.

    What could not be read is stood in for by something of its type, which is never looked at: a reading with
    faults ends without rules.
    """

    def __init__(self) -> None:
        self.faults: list[UserError] = []
        self._absent: set[tuple[str, ...]] = set()

    def refuse(self, path: tuple[str, ...], message: str) -> None:
        """Note what is wrong at a place, unless it is known not to be there at all."""
        if path not in self._absent:
            self.faults.append(invalid(f"{'.'.join(path) or 'document'}: {message}", *path))

    def keyed(
        self, value: object, path: tuple[str, ...], known: frozenset[str], optional: frozenset[str] = frozenset()
    ) -> Mapping[str, Any]:
        """Return an object that has all the keys it must have and none beside those it can have."""
        if not isinstance(value, Mapping):
            self.refuse(path, f"{shown(value)} is no object; give one with the keys {_listed(sorted(known))}.")
            self._absent |= {(*path, key) for key in known}
            return {}
        for key in value:
            if key not in known:
                self.refuse((*path, str(key)), f"there is no such key here; there are {_listed(sorted(known))}.")
        for key in sorted(known - optional - set(value)):
            self.refuse((*path, key), "this is missing; give it.")
            self._absent.add((*path, key))
        return value

    def listed(self, value: object, path: tuple[str, ...], most: int) -> list[Any]:
        """Return a list of at most so many."""
        if not isinstance(value, list | tuple):
            self.refuse(path, f"{shown(value)} is no list; give one.")
            return []
        if len(value) > most:
            self.refuse(path, f"{len(value)} are too many; give at most {most}.")
        return list(value)[:most]

    def number(self, value: object, path: tuple[str, ...], least: int, most: int, *, whole: bool = True) -> Any:
        """Return a number within limits; a boolean is none, and neither is a share that is not a number."""
        kinds = (int,) if whole else (int, float)
        if isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most:
            return value if whole else float(value)
        what = "a whole number" if whole else "a share"
        self.refuse(path, f"{shown(value)} does not do; give {what} from {least} to {most}.")
        return least

    def one_of(self, kind: type[E], value: object, path: tuple[str, ...], among: Iterable[E] | None = None) -> E:
        """Return a member of an enum, or of some of its members."""
        options = tuple(kind if among is None else among)
        for option in options:
            if value == option.value:
                return option
        self.refuse(path, f"{shown(value)} does not do; give one of {_listed(o.value for o in options)}.")
        return next(iter(kind))

    def same(self, value: object, path: tuple[str, ...], expected: object) -> None:
        """Insist on one value."""
        if value != expected or isinstance(value, bool):
            self.refuse(path, f"{shown(value)} does not do; this reads {expected!r}.")

    def once(self, path: tuple[str, ...], key: T, seen: set[T], what: str) -> None:
        """Refuse what comes a second time."""
        if key in seen:
            self.refuse(path, f"{what} is there twice; leave one out.")
        seen.add(key)


def shown(value: object) -> str:
    """Return a value as a message can show it."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
