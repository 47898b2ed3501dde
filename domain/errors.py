"""Refusals: expected errors as values, which a use case returns and the caller reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class ErrorCode(StrEnum):
    """Why a mutation was refused; one list for the whole product."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    STALE_VERSION = "STALE_VERSION"
    BUSY = "BUSY"
    NOT_ALLOWED = "NOT_ALLOWED"
    MOVE_NOT_POSSIBLE = "MOVE_NOT_POSSIBLE"
    TRANSITION_BLOCKED = "TRANSITION_BLOCKED"
    SECOND_PERSON_REQUIRED = "SECOND_PERSON_REQUIRED"
    IDEMPOTENCY_KEY_REQUIRED = "IDEMPOTENCY_KEY_REQUIRED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    SECRET_ALREADY_SHOWN = "SECRET_ALREADY_SHOWN"  # noqa: S105 -- a code, not a secret


@dataclass(frozen=True, slots=True)
class UserError:
    """One thing that is wrong with a command: what, where in the input, and what to do."""

    code: ErrorCode
    message: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StaleVersion(UserError):
    """Someone else changed the object first; `current` is its version now."""

    current: int = 0


@dataclass(frozen=True, slots=True)
class Blocker:
    """One gate that holds a move back: what it saw, who may waive it, and of which onboarding, where that is known."""

    gate: str
    hardness: str
    answer: str
    reason: str
    waivable_by: tuple[str, ...] = ()
    cycle_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TransitionBlocked(UserError):
    """The move is possible from here, but gates stand in the way."""

    blockers: tuple[Blocker, ...] = ()


def invalid(message: str, *path: str) -> UserError:
    """Return the refusal of one input value; the message names the value and what to do."""
    return UserError(ErrorCode.INVALID, message, path)


def not_found(what: str, *path: str) -> UserError:
    """Return the refusal that is the same for an unknown id and for somebody else's."""
    return UserError(ErrorCode.NOT_FOUND, f"No {what} with this id is visible to you; check the id.", path)


def erased(what: str, *path: str) -> UserError:
    """Return the refusal of changing somebody of whom nothing is left."""
    return UserError(ErrorCode.CONFLICT, f"This {what} is erased; there is nothing left to change.", path)


def stale(current: int) -> StaleVersion:
    """Return the refusal of a command that was decided on an older version."""
    message = (
        f"The object has changed since you read it and is now at version {current}; read it again and decide anew."
    )
    return StaleVersion(ErrorCode.STALE_VERSION, message, ("expectedVersion",), current)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a use case came to: the changed object by id, or why nothing changed.

    `facts` holds what cannot be read afresh from the object, such as the results of a bulk
    command by input index; it is stored with the idempotency key and so never holds a secret.
    """

    subject: UUID | None = None
    version: int | None = None
    event: UUID | None = None
    errors: tuple[UserError, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


def refused(*errors: UserError, subject: UUID | None = None) -> Outcome:
    """Return the outcome of a command that changed nothing."""
    return Outcome(subject=subject, errors=errors)


class ForbiddenError(Exception):
    """The caller lacks the right; the message names the scope that it takes."""


class UnauthenticatedError(Exception):
    """The credential is missing, unknown, expired or revoked."""
