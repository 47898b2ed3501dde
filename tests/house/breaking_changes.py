"""What a front-end would trip over: `schema.graphql` held against what was last given to them.

    python -m tests.house.breaking_changes

ends with status 1 when something that clients may rely on is gone. What was deprecated with
"Removal after DATE" may go once that date has passed.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from graphql import (
    REMOVE,
    BreakingChange,
    DangerousChange,
    DirectiveNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    StringValueNode,
    Visitor,
    VisitorAction,
    build_ast_schema,
    build_schema,
    find_schema_changes,
    parse,
    visit,
)

REPOSITORY = Path(__file__).parents[2]
SCHEMA = "schema.graphql"
REMOVAL = re.compile(r"Removal after (\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new schema does to those who use the old one."""

    breaking: tuple[str, ...]
    dangerous: tuple[str, ...]


def changes(before: str, after: str, today: date) -> Changes:
    """Compare two schemas, leaving out of the old one what was announced to be gone by today."""
    expected = visit(parse(before), _AnnouncedRemovals(today))
    found = find_schema_changes(build_ast_schema(expected), build_schema(after))
    return Changes(
        breaking=tuple(change.description for change in found if isinstance(change, BreakingChange)),
        dangerous=tuple(change.description for change in found if isinstance(change, DangerousChange)),
    )


class _AnnouncedRemovals(Visitor):
    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today

    def enter_field_definition(self, node: FieldDefinitionNode, *_: object) -> VisitorAction:
        return self._verdict(node.directives)

    def enter_enum_value_definition(self, node: EnumValueDefinitionNode, *_: object) -> VisitorAction:
        return self._verdict(node.directives)

    def enter_input_value_definition(self, node: InputValueDefinitionNode, *_: object) -> VisitorAction:
        return self._verdict(node.directives)

    def _verdict(self, directives: Sequence[DirectiveNode] | None) -> VisitorAction:
        reasons = [
            argument.value.value
            for directive in directives or ()
            if directive.name.value == "deprecated"
            for argument in directive.arguments or ()
            if isinstance(argument.value, StringValueNode)
        ]
        dates = [date.fromisoformat(found[1]) for reason in reasons if (found := REMOVAL.search(reason))]
        return REMOVE if dates and max(dates) < self._today else None


def baseline() -> tuple[str, str] | None:
    """Return the name and the schema of the last release, or else of what is published on main.

    Between two commits that nobody was given, nothing can break.
    """
    published = "origin/main" if _git("rev-parse", "HEAD") != _git("rev-parse", "origin/main") else "origin/main^"
    for commit in (_git("describe", "--tags", "--abbrev=0", "--match", "v*"), published):
        if commit and (schema := _git("show", f"{commit}:{SCHEMA}")):
            return commit, schema
    return None


def main() -> int:
    before = baseline()
    if before is None:
        print(f"{SCHEMA}: no release and no published version to compare with")
        return 0
    name, schema = before
    found = changes(schema, (REPOSITORY / SCHEMA).read_text(encoding="utf-8"), datetime.now(UTC).date())
    for kind, sentences in (("breaking", found.breaking), ("dangerous", found.dangerous)):
        for sentence in sentences:
            print(f"{SCHEMA}: {kind} since {name}: {sentence}")
    if found.breaking:
        print(
            "Clients rely on these. Bring them back, marked"
            ' @deprecated(reason: "Use X. Removal after DATE."), and remove them after that date.'
        )
        return 1
    print(f"{SCHEMA}: nothing breaks since {name}")
    return 0


def _git(*arguments: str) -> str | None:
    try:
        result = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout if arguments[0] == "show" else result.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
