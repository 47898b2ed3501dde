"""A payload is decoded JSON that another system sent; each place in it is read strictly, and named when it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from integrations.cells import LONGEST_TEXT_CHARACTERS, MOST, cut
from integrations.instants import EPOCH_MILLISECONDS, EPOCH_SECONDS, ISO, InstantReader
from integrations.readings import Ignored, Unreadable

SAYS_NOTHING = frozenset({"", "None", "null"})
"""Texts that systems, or the programs that pass their answers on, write where there is no value."""

MOST_RECORDS = 10_000
"""Tickets, changes or cycles that are read of one list: more is no notice, but a file."""

MOST_DIGITS = 10**18
"""No system counts further; longer numbers can't be written out without harm."""

_OFFSET = re.compile(r"(Z|z|UTC|[+-]\d\d:?\d\d)$")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_ISO = InstantReader(ISO, ZoneInfo("UTC"))
_SECONDS = InstantReader(EPOCH_SECONDS, ZoneInfo("UTC"))
_MILLISECONDS = InstantReader(EPOCH_MILLISECONDS, ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a payload: its JSON path, and what stands there; None where nothing does."""

    path: str
    value: object

    @property
    def said(self) -> bool:
        """Whether anything stands here that says something."""
        return self.value is not None and not (isinstance(self.value, str) and self.value.strip() in SAYS_NOTHING)

    def at(self, *keys: str) -> Place:
        """Return the place under a key, and under the key inside it; nothing stands under an absent key.

        Raises:
            Unreadable: what stands on the way says something and is no object.
        """
        here = self
        for key in keys:
            found = here._object().get(key) if here.said else None
            here = Place(f"{here.path}.{key}", found)
        return here

    def first(self, *keys: str) -> Place:
        """Return the first of the keys under which something stands; the last one where none says anything."""
        found = self
        for key in keys:
            found = self.at(key)
            if found.said:
                break
        return found

    def has(self, *keys: str) -> bool:
        """Whether this is an object with one of the keys."""
        return isinstance(self.value, dict) and any(key in self.value for key in keys)

    def entries(self) -> Iterator[tuple[str, Place]]:
        """Give the keys of an object with their places."""
        for key, value in self._object().items():
            yield key, Place(f"{self.path}.{key}", value)

    def items(self) -> list[Place]:
        """Return the places of a list, none where nothing stands.

        Raises:
            Unreadable: it is no list, or one with more than `MOST_RECORDS` items.
        """
        if not self.said:
            return []
        if not isinstance(self.value, list):
            raise Unreadable(self.path, self.value, "a list is expected here.")
        if len(self.value) > MOST_RECORDS:
            raise Unreadable(self.path, self.value, f"the list has {len(self.value)} items; {MOST_RECORDS} are read.")
        return [Place(f"{self.path}[{number}]", item) for number, item in enumerate(self.value)]

    def key(self) -> str | None:
        """Return what identifies something: a text or a whole number, as a text.

        Raises:
            Unreadable: it is neither, too long, or can't be stored; cutting it would make two things one.
        """
        text = self._text("a text or a whole number")
        if text is None:
            return None
        if len(text) > LONGEST_TEXT_CHARACTERS:
            raise Unreadable(self.path, text, f"it is longer than {LONGEST_TEXT_CHARACTERS} characters.")
        if _UNSTORABLE.search(text):
            raise Unreadable(self.path, text, "it holds characters that no text may hold.")
        return text

    def needed_key(self) -> str:
        """Return the key.

        Raises:
            Unreadable: nothing stands here, or no key.
        """
        key = self.key()
        if key is None:
            raise Unreadable(self.path, self.value, "it is missing; without it the ticket can't be known again.")
        return key

    def words(self) -> str | None:
        """Return a title or a name for people, its white space folded, cut to what is stored.

        Raises:
            Unreadable: it is no text.
        """
        text = self._text("a text")
        if text is None:
            return None
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", cut(text)) or None

    def instant(self, *, naive: ZoneInfo | None = None) -> datetime | None:
        """Return an ISO 8601 moment; one without an offset only where the system documents the zone, as `naive`.

        Raises:
            Unreadable: it is none.
        """
        text = self._text("a moment such as 2026-03-01T09:30:00Z")
        if text is None:
            return None
        offset = _OFFSET.search(text) is not None
        if not offset and naive is None:
            raise Unreadable(self.path, text, "a moment with its offset from UTC is expected, 2026-03-01T09:30:00Z.")
        written = text.removesuffix("UTC").strip().replace(" +", "+").replace(" -", "-")
        reader = _ISO if offset or naive is None or naive.key == "UTC" else InstantReader(ISO, naive)
        return self._read(reader, written)

    def needed_instant(self, *, naive: ZoneInfo | None = None) -> datetime:
        """Return the moment.

        Raises:
            Unreadable: nothing stands here, or no moment.
        """
        moment = self.instant(naive=naive)
        if moment is None:
            raise Unreadable(self.path, self.value, "the moment is missing; without it the ticket belongs to no day.")
        return moment

    def epoch_seconds(self) -> datetime | None:
        """Return a moment that is counted in seconds since 1970.

        Raises:
            Unreadable: it is none.
        """
        text = self._text("a count of seconds since 1970")
        return None if text is None else self._read(_SECONDS, text)

    def epoch_milliseconds(self) -> datetime | None:
        """Return a moment that is counted in milliseconds since 1970.

        Raises:
            Unreadable: it is none.
        """
        text = self._text("a count of milliseconds since 1970")
        return None if text is None else self._read(_MILLISECONDS, text)

    def number(self) -> int | None:
        """Return a count from 0 to `MOST`.

        Raises:
            Unreadable: it is none.
        """
        text = self._text("a whole number")
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > len(str(MOST)) or int(text) > MOST:
            raise Unreadable(self.path, text, f"a whole number from 0 to {MOST} is expected.")
        return int(text)

    def yes(self) -> bool | None:
        """Return a yes or no, however the system writes it.

        Raises:
            Unreadable: it is neither.
        """
        if not self.said:
            return None
        if isinstance(self.value, bool):
            return self.value
        text = str(self.value).strip().lower() if isinstance(self.value, str | int) and _short(self.value) else ""
        if text in ("true", "1", "yes"):
            return True
        if text in ("false", "0", "no"):
            return False
        raise Unreadable(self.path, self.value, "true or false is expected.")

    def _object(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            raise Unreadable(self.path, self.value, "an object is expected here.")
        return self.value

    def _text(self, expected: str) -> str | None:
        if not self.said:
            return None
        if isinstance(self.value, str):
            return self.value.strip()
        if isinstance(self.value, int) and not isinstance(self.value, bool) and _short(self.value):
            return str(self.value)
        raise Unreadable(self.path, self.value, f"{expected} is expected here.")

    def _read(self, reader: InstantReader, text: str) -> datetime:
        try:
            return reader.read(text).astimezone(UTC)
        except ValueError as error:
            raise Unreadable(self.path, text, f"{error}") from error


def records(body: object, *wrappings: str) -> list[Place]:
    """Return the records of a body: one object, a list of them, or either of these inside one of the wrappings.

    Raises:
        Unreadable: a record is no object, or the lists are nested deeper than senders nest them.
        Ignored: there is none.
    """
    found = _records(Place("$", body), wrappings, depth=6)
    if not found:
        raise Ignored("The payload is empty.")
    return found


def _records(place: Place, wrappings: tuple[str, ...], depth: int) -> list[Place]:
    if depth == 0:
        raise Unreadable(place.path, place.value, "the payload is wrapped more often than its sender documents.")
    if isinstance(place.value, list):
        return [record for item in place.items() for record in _records(item, wrappings, depth - 1)]
    if not isinstance(place.value, dict):
        raise Unreadable(place.path, place.value, "an object is expected here.")
    for key in wrappings:
        inner = place.at(key)
        if isinstance(inner.value, dict | list):
            return _records(inner, wrappings, depth - 1)
    return [place] if place.value else []


def _short(value: object) -> bool:
    return not isinstance(value, int) or abs(value) < MOST_DIGITS
