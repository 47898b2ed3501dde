"""Bulk commands: many rows at once, each with a result of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from domain.errors import ErrorCode, UserError

ROWS_MOST = 1_000


class BulkPolicy(StrEnum):
    """What becomes of the good rows when others are refused."""

    REJECT_ALL = "REJECT_ALL"
    REJECT_FAILED = "REJECT_FAILED"


class BulkStatus(StrEnum):
    """What became of one row."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    FAILED = "FAILED"
    LEFT_OUT = "LEFT_OUT"


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one row of a bulk command; `index` is its place in the input, from 0."""

    index: int
    status: BulkStatus
    subject: UUID | None = None
    errors: tuple[UserError, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return the result as plain values, which a repeated command gives back."""
        errors = [{"code": e.code.value, "message": e.message, "path": list(e.path)} for e in self.errors]
        subject = self.subject.hex if self.subject else None
        return {"index": self.index, "status": self.status.value, "subject": subject, "errors": errors}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` wrote."""
        errors = tuple(UserError(ErrorCode(e["code"]), e["message"], tuple(e["path"])) for e in data["errors"])
        subject = UUID(hex=data["subject"]) if data["subject"] else None
        return cls(data["index"], BulkStatus(data["status"]), subject, errors)


def failed(index: int, *errors: UserError, listed: str = "rows") -> BulkResult:
    """Return the result of a refused row, its errors' paths leading to it from the whole input."""
    placed = tuple(replace(error, path=(listed, str(index), *error.path)) for error in errors)
    return BulkResult(index, BulkStatus.FAILED, None, placed)


def all_left_out(results: list[BulkResult]) -> list[BulkResult]:
    """Return what becomes of all rows when one refusal rejects them all."""
    return [r if r.errors else BulkResult(r.index, BulkStatus.LEFT_OUT) for r in results]
