"""Bulk results: what became of each row of a bulk mutation."""

from typing import Any

import strawberry

from api import client_enums  # noqa: F401 -- publishes the enum named here
from api.user_errors import UserError
from domain import bulk
from domain.bulk import BulkStatus
from domain.errors import Outcome
from domain.ids import IdKind, public

RESULTS = "results"


@strawberry.type(description="What became of one row.")
class BulkResult:
    index: int = strawberry.field(description="Its place in the input, from 0.")
    status: BulkStatus = strawberry.field(description="What became of it.")
    id: strawberry.ID | None = strawberry.field(description="The object that it created, changed or matched.")
    errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


def results_of(outcome: Outcome, kind: IdKind) -> list[BulkResult]:
    """Return the results of a bulk command, first answer or repeated."""
    rows: Any = outcome.facts.get(RESULTS, ())
    return [_shown(bulk.BulkResult.from_data(row), kind) for row in rows]


def _shown(result: bulk.BulkResult, kind: IdKind) -> BulkResult:
    return BulkResult(
        index=result.index,
        status=result.status,
        id=strawberry.ID(public(kind, result.subject)) if result.subject else None,
        errors=list(result.errors),  # type: ignore[arg-type]
    )
