"""Written secrets: what people paste into notes and must not; texts say where a secret lies, never the secret."""

import re
from collections.abc import Iterator

from domain.errors import UserError, invalid

_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----")
_IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@", re.IGNORECASE)
_KNOWN_SHAPES = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|xox[abprs]-[A-Za-z0-9-]{20,}"
    r"|ss_(?:pat|svc|par)_[A-Za-z0-9]{20,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+)"
)
_NAMED = re.compile(
    r"\b(?P<name>pass(?:word|wd|code|phrase|wort)?|wachtwoord|kennwort|mot de passe|contraseña|pwd|pin|secret"
    r"|(?:api|access|secret|private|shared|recovery|license)[ _-]?key|(?:access|api|bearer)?[ _-]?token|psk)s?"
    r"\s*(?P<sign>[:=]|\bis\b)\s*(?P<value>\S.*)$",
    re.IGNORECASE,
)
_PLACES = re.compile(
    r"\b(?:vault|safe|keeper|bitwarden|1password|lastpass|keepass|hudu|it ?glue|passbolt|manager|entry|stored|kept"
    r"|see|ask|none|unknown|n/a|tbd|rotated|changed|not)\b",
    re.IGNORECASE,
)
"""Words by which a line says where a secret lies, or that there is none."""

_WORD = re.compile(r"[A-Za-zÀ-ÿ'’-]+[.,;]?")


def secret_faults(text: str, *path: str) -> Iterator[UserError]:
    """Tell where a text holds what looks like a secret; the refusal repeats nothing of it."""
    for number, line in enumerate(text.splitlines(), 1):
        if what := _secret_in(line):
            where = f"Line {number}" if "\n" in text else "This"
            message = (
                f"{where} looks like {what}. Keep it in your vault and write where it lies, such as "
                "“in the vault, entry Acme firewall”; whoever reads this may not be meant to know it."
            )
            yield invalid(message, *path)


def _secret_in(line: str) -> str | None:
    if _KEY_BLOCK.search(line):
        return "a private key"
    if _IN_ADDRESS.search(line):
        return "an address with a password in it"
    if _KNOWN_SHAPES.search(line):
        return "an access token"
    named = _NAMED.search(line)
    if named and _is_value(named["value"], stated=named["sign"] in ":="):
        return f"a {named['name'].lower()} written out"
    return None


def _is_value(said: str, *, stated: bool) -> bool:
    """Tell a secret from a sentence about one: a place is named by ordinary words, a secret is none."""
    first = said.split(maxsplit=1)[0].strip("\"'`“”‘’()[]<>")
    ordinary = _WORD.fullmatch(first) is not None
    if not ordinary:
        return True
    return stated and len(said.split()) == 1 and not _PLACES.search(said)
