"""Comparing answers: sides that don't say the same are no peers."""

import math
from typing import Any


def difference(ours: Any, theirs: Any) -> str | None:
    """Return where two answers differ first, or `None`.

    Numbers are equal where twelve digits are; and an object with one member, or a list of one, is as good as
    what it holds, because every side has wrappings of its own.
    """
    return _difference(_unwrapped(ours), _unwrapped(theirs), "")


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return _unwrapped(*value.values()) if len(value) == 1 else {key: _unwrapped(one) for key, one in value.items()}
    if isinstance(value, list):
        return _unwrapped(*value) if len(value) == 1 else [_unwrapped(one) for one in value]
    return value


def _difference(ours: Any, theirs: Any, path: str) -> str | None:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        pairs = [(f"{path}.{key}", ours.get(key), theirs.get(key)) for key in {**ours, **theirs}]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(f"{path}[{n}]", *pair) for n, pair in enumerate(zip(ours, theirs, strict=True))]
    elif isinstance(ours, int | float) and isinstance(theirs, int | float):
        return None if math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-12) else f"{path}: {ours} and {theirs}"
    else:
        return None if ours == theirs else f"{path}: {str(ours)[:200]} and {str(theirs)[:200]}"
    return next((found for key, one, other in pairs if (found := _difference(one, other, key))), None)
