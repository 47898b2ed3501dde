"""What can be said of a payload instead of tickets: that it cannot be read, or that it holds none."""

from __future__ import annotations

from datetime import datetime

LONGEST_VALUE_SHOWN = 60

_JSON_WORDS = {None: "null", True: "true", False: "false"}
"""As whoever wrote the payload knows them."""


class Unreadable(Exception):
    """A value of the payload is not what its system documents; nothing of the payload is taken."""

    def __init__(self, path: str, value: object, reason: str) -> None:
        """`path` is the place in the JSON (`$.issue.key`), `reason` says what is wrong and what is expected."""
        self.path = path
        self.value = value
        self.reason = reason
        super().__init__(f"{path} is {_shown(value)}: {reason}")


class Ignored(Exception):
    """The payload is well formed and says nothing of any ticket, such as a notice about a comment alone."""

    def __init__(self, reason: str) -> None:
        """`reason` says in one sentence why there is nothing to take."""
        self.reason = reason
        super().__init__(reason)


def _shown(value: object) -> str:
    """Return a value as one short line; what it contains is not told beyond its first characters."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None or isinstance(value, bool):
        return _JSON_WORDS[value]
    written = repr(value.isoformat() if isinstance(value, datetime) else value)
    return written if len(written) <= LONGEST_VALUE_SHOWN else written[: LONGEST_VALUE_SHOWN - 1] + "…"
