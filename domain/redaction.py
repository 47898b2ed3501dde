"""Redaction: finding a person in what others wrote, by name, address and number, and taking them out of it.

One description of the person makes both the pattern that cuts and a wider one by which the database looks up the rows
that could hold them. The wider one spells every letter out in its cases, for it must not depend on how a database was
told to fold them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ERASED = "[erased]"
"""What stands where somebody was named."""

PART_LEAST = 3
"""Letters from which a part of a name can stand for the person."""

PHONE_LEAST = 7
"""Digits from which a number can be somebody's telephone."""
PHONE_CORE = 9
"""Last digits by which a number is known, however its country and area are written before them."""

_GAP = r"[\s._\-]+"
_BEFORE, _AFTER = r"(?<![^\W_])", r"(?![^\W_])"
_BETWEEN_DIGITS = r"[\s().\-/]{0,3}"


@dataclass(frozen=True, slots=True)
class Person:
    """By what somebody can be known: names in full (also former ones), addresses and telephone numbers."""

    names: tuple[str, ...]
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()

    @property
    def parts(self) -> frozenset[str]:
        """The words of the names that could stand for the person: capitalised, or of a script without capitals."""
        words = (word for name in self.names if len(name.split()) > 1 for word in re.split(r"[\s.,]+", name))
        return frozenset(word for word in words if len(word) >= PART_LEAST and not word[0].islower())


@dataclass(frozen=True, slots=True)
class Sought:
    """Patterns of a person: `cut` takes them out, `lookup` finds the rows that could hold them.

    `lookup` is written so that Python and PostgreSQL read it alike; nothing that `cut` matches escapes it.
    """

    cut: "re.Pattern[str]"
    lookup: str

    def without(self, text: str) -> str:
        """Return a text with the placeholder wherever the person stands in it."""
        return self.cut.sub(ERASED, text)


def known_by(person: Person, *, parts: Iterable[str] = ()) -> Sought | None:
    """Return what finds a person, or `None` where there is nothing to find them by.

    `parts` are the words of their names that count by themselves, as they are written. A name of one word counts only
    as it is written, for it may be a word like any other.
    """
    emails = [_folded(email.strip()) for email in person.emails if email.strip()]
    numbers = [core for phone in person.phones if (core := _core(phone))]
    whole = list(_names(person.names))
    words = [_literal(part) for part in sorted(parts)]
    # An address goes before the name in it, and a whole name before its parts.
    cuts = [rf"(?:(?<![\w.+\-]){email}(?![\w\-]|\.\w))" for email in emails]
    cuts += [rf"(?:(?<!\d)\+?\d{{0,5}}{_BETWEEN_DIGITS}(?:\(0\))?{_BETWEEN_DIGITS}{core}(?!\d))" for core in numbers]
    cuts += [f"(?:{_BEFORE}(?:{name}){_AFTER})" for name in (*whole, *words)]
    if not cuts:
        return None
    lookups = (*emails, *numbers, *whole, *words)
    return Sought(re.compile("|".join(cuts)), "|".join(f"(?:{one})" for one in lookups))


def _names(names: Iterable[str]) -> Iterator[str]:
    """Yield the patterns of names: as given, the last word first, and without what stands in the middle."""
    for name in names:
        words = name.replace(",", " ").split()
        if len(words) == 1:
            yield _literal(words[0])
        elif words:
            folded = [_folded(word) for word in words]
            yield _GAP.join(folded)
            yield rf"{folded[-1]},\s*{_GAP.join(folded[:-1])}"
            if len(folded) > 2:  # noqa: PLR2004 -- a first name, a last name, and something between them
                yield _GAP.join((folded[0], folded[-1]))


def _folded(text: str) -> str:
    """Return a pattern of a text whatever its capitals and accents."""
    return "(?:" + "|".join(dict.fromkeys("".join(map(_cases, form)) for form in _forms(text))) + ")"


def _literal(text: str) -> str:
    """Return a pattern of a text as it is written, or all in capitals."""
    forms = (case for form in _forms(text) for case in (form, form.upper()))
    return "(?:" + "|".join(dict.fromkeys("".join(map(_escaped, form)) for form in forms)) + ")"


def _forms(text: str) -> Iterator[str]:
    """Yield the ways in which a text can be stored: composed, taken apart, and without its accents."""
    yield unicodedata.normalize("NFC", text)
    apart = unicodedata.normalize("NFD", text)
    yield apart
    yield "".join(character for character in apart if not unicodedata.combining(character))


def _cases(character: str) -> str:
    cases = list(dict.fromkeys((character, character.lower(), character.upper(), character.title())))
    if len(cases) > 1 and all(len(case) == 1 for case in cases):
        return f"[{''.join(cases)}]"
    spelt = ["".join(map(_escaped, case)) for case in cases]
    return spelt[0] if len(spelt) == 1 else "(?:" + "|".join(spelt) + ")"


def _escaped(character: str) -> str:
    if character in "'’`":
        return "['’`]"
    if character.isspace():
        return r"\s+"
    # A quotation mark or a backslash carries a backslash before it in JSON.
    if character in '"\\':
        return rf"\\*\{character}"
    return character if character.isalnum() or unicodedata.combining(character) else f"\\{character}"


def _core(phone: str) -> str | None:
    digits = [character for character in phone if character.isascii() and character.isdigit()]
    return _BETWEEN_DIGITS.join(digits[-PHONE_CORE:]) if len(digits) >= PHONE_LEAST else None
