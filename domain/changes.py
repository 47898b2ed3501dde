"""Changes: what a command wants different, where leaving out is not the same as setting to nothing."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar

T = TypeVar("T")


class Unchanged(Enum):
    """The one value that says: leave it as it is."""

    UNCHANGED = "UNCHANGED"


UNCHANGED: Final = Unchanged.UNCHANGED

Change: TypeAlias = T | Literal[Unchanged.UNCHANGED]
"""A new value for a field, or `UNCHANGED`."""


def differences(current: object, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is given in `wanted` and differs from the object's attribute of the same name."""
    return {name: value for name, value in wanted.items() if value is not UNCHANGED and value != getattr(current, name)}
