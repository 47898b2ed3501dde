"""Differences of definitions: what one version says otherwise than another, by plain paths."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.definition_documents import write
from domain.definitions import Rules


@dataclass(frozen=True, slots=True)
class DefinitionDifference:
    """One value that differs, such as `gates.BACKUP_VERIFIED`; nothing stands where a version has no such value."""

    path: str
    before: Any
    after: Any


def differences(before: Rules, after: Rules) -> tuple[DefinitionDifference, ...]:
    """Return what differs, in the order of the document; a list's order only where the same items stand otherwise."""
    old, new = write(before), write(after)
    was, becomes = _named(old) | _orders(old, new), _named(new) | _orders(new, old)
    found: list[DefinitionDifference] = []
    for path in dict.fromkeys((*was, *becomes)):
        found += _between(path, was.get(path), becomes.get(path))
    return tuple(found)


def _between(path: str, before: Any, after: Any) -> list[DefinitionDifference]:
    if before == after:
        return []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            DefinitionDifference(f"{path}.{key}", before[key], after[key])
            for key in before
            if before[key] != after[key]
        ]
    return [DefinitionDifference(path, before, after)]


def _named(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document's values by paths that stay the same wherever in a list something stands."""
    named: dict[str, Any] = {}
    for key, value in document.items():
        if key == "triggers":
            for trigger in value:
                path = f"triggers.{trigger['move']}.{trigger['survey']}.{trigger['audience']}"
                named[path] = {"delayDays": trigger["delayDays"]}
        elif key == "checklists":
            for stage, items in value.items():
                for item in items:
                    named[f"checklists.{stage}.{item['key']}"] = {k: v for k, v in item.items() if k != "key"}
        elif isinstance(value, Mapping):
            named |= {f"{key}.{name}": one for name, one in value.items()}
        else:
            named[key] = value
    return named


def _orders(document: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return in what order a document lists the items that both have, stage by stage."""
    orders = {}
    for stage, items in document["checklists"].items():
        common = {item["key"] for item in other["checklists"].get(stage, ())}
        orders[f"checklists.{stage}"] = [item["key"] for item in items if item["key"] in common]
    return {path: order for path, order in orders.items() if order}
