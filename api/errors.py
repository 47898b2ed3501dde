"""Top-level errors: what a caller is told, under which code, and what stays with us."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from db.errors import DatabaseUnavailableError, LockTimeoutError, RetryableError, StatementTimeoutError
from domain.errors import ForbiddenError, UnauthenticatedError
from domain.feed import CursorExpiredError, MalformedCursorError
from domain.ids import MalformedIdError

MAX_ERRORS = 5
"""An answer lists no more; `extensions.errorsOmitted` counts the rest."""


class Code(StrEnum):
    """Apollo's names where they fit, since clients and fuzzers know them."""

    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    BAD_REQUEST = "BAD_REQUEST"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class ApiError(Exception):
    """An error whose message is written for the caller; `facts` go into its extensions."""

    code = Code.BAD_REQUEST
    status = 400

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts
        self.headers: dict[str, str] = {}


class BadRequest(ApiError):
    """The request is none that GraphQL over HTTP knows; `status` is the answer's."""

    def __init__(self, message: str, *, status: int = 400, **facts: object) -> None:
        super().__init__(message, **facts)
        self.status = status


class PersistedQueryNotFound(ApiError):
    """The client sent a hash and no document; clients that know the code send the document next."""

    code = Code.PERSISTED_QUERY_NOT_FOUND

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound: no document is kept for this hash; send the document itself.")


class BadUserInput(ApiError):
    """An argument cannot be used; the message names the value and says what can."""

    code = Code.BAD_USER_INPUT


class Refused(ApiError):
    """The document asks for more than one operation may; facts are limit, measured and allowed."""

    code = Code.GRAPHQL_VALIDATION_FAILED
    status = 422


class Unauthenticated(ApiError):
    """No usable credential."""

    code = Code.UNAUTHENTICATED
    status = 401

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.headers = {"www-authenticate": "Bearer"}


class RateLimited(ApiError):
    """The caller has used up what it may for now; `retry_after_s` says until when."""

    code = Code.RATE_LIMITED
    status = 429

    def __init__(self, message: str, retry_after_s: int, **facts: object) -> None:
        super().__init__(message, retryAfter=retry_after_s, **facts)
        self.headers = {"retry-after": str(retry_after_s)}


class CursorExpired(ApiError):
    """The feed no longer holds what came after the cursor; `oldest` is where to begin anew."""

    code = Code.CURSOR_EXPIRED

    def __init__(self, message: str, oldest: str) -> None:
        super().__init__(message, oldest=oldest)


class DeadlineExceeded(ApiError):
    """The operation took longer than one may."""

    code = Code.DEADLINE_EXCEEDED
    status = 504


class Unavailable(ApiError):
    """The database cannot be reached, or has no room for one more at this moment."""

    code = Code.SERVICE_UNAVAILABLE
    status = 503

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.headers = {"retry-after": "1"}


UNKNOWN_OUTCOME = "A mutation sent again with the same idempotencyKey gives the first answer."


def told(error: Exception) -> ApiError | None:
    """Return what the caller is told of an exception, or `None` where it is our own fault."""
    if isinstance(error, ApiError):
        return error
    return next((tell(error) for kinds, tell in _TOLD if isinstance(error, kinds)), None)


_TOLD: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], ApiError]], ...] = (
    (ForbiddenError, lambda error: _as(Code.FORBIDDEN, 403, str(error))),
    (UnauthenticatedError, lambda error: Unauthenticated(str(error))),
    ((MalformedIdError, MalformedCursorError), lambda error: BadUserInput(f"{error}.")),
    (CursorExpiredError, lambda error: CursorExpired(str(error), error.oldest.text())),
    (
        (LockTimeoutError, RetryableError),
        lambda _: Unavailable("Somebody else is changing the same thing at this moment; send it again."),
    ),
    (
        StatementTimeoutError,
        lambda _: DeadlineExceeded(f"A statement took longer than it may; ask for less. {UNKNOWN_OUTCOME}"),
    ),
    (
        DatabaseUnavailableError,
        lambda _: Unavailable(f"The database cannot be reached; try again in a moment. {UNKNOWN_OUTCOME}"),
    ),
    (
        TimeoutError,
        lambda _: DeadlineExceeded(f"The operation took longer than it may; ask for less. {UNKNOWN_OUTCOME}"),
    ),
)


def present(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """Return one error as the answer shows it: code, request id, and no internals.

    The predicate is on the original exception: GraphQL's own complaints about a document, a variable
    or an argument are the caller's to read; what it says of a value that we produced is ours to
    repair.
    """
    known = _known(error)
    if known is None:
        known = _as(
            Code.INTERNAL_SERVER_ERROR, 500, f"Something went wrong on our side; quote request id {request_id}."
        )
    shown: dict[str, Any] = {"message": known.message}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations[:MAX_ERRORS]]
    if error.path:
        shown["path"] = list(error.path)
    shown["extensions"] = {"code": known.code.value, "requestId": request_id, **known.facts}
    return shown


def present_all(errors: Iterable[GraphQLError], request_id: str) -> tuple[list[dict[str, Any]], int]:
    """Return the first errors as shown, and how many were left out."""
    everything = list(errors)
    return [present(error, request_id) for error in everything[:MAX_ERRORS]], max(0, len(everything) - MAX_ERRORS)


def body_of(error: ApiError, request_id: str) -> Mapping[str, Any]:
    """Return the answer to a request that did not come to be executed: errors and no `data`."""
    return {"errors": [present(GraphQLError(error.message, original_error=error), request_id)]}


def is_ours(error: GraphQLError) -> bool:
    """Tell whether an error is a fault of the server, and so worth a stack trace in the log."""
    return _known(error) is None


def original_of(error: GraphQLError) -> Exception:
    """Return the exception at the bottom of a chain of GraphQL errors."""
    found: Exception = error
    while isinstance(found, GraphQLError) and found.original_error is not None:
        found = found.original_error
    return found


def _known(error: GraphQLError) -> ApiError | None:
    original = original_of(error)
    if not isinstance(original, GraphQLError):
        return told(original)
    if isinstance(original, GraphQLSyntaxError):
        return _as(Code.GRAPHQL_PARSE_FAILED, 400, original.message)
    if code := (original.extensions or {}).get("code"):
        return _as(Code(code), 400, original.message)
    # A field's value that does not fit its type is located at a path, by an error that names no node.
    is_of_value = error.path is not None and not original.nodes
    return None if is_of_value else BadUserInput(error.message)


def _as(code: Code, status: int, message: str) -> ApiError:
    error = ApiError(message)
    error.code, error.status = code, status
    return error
