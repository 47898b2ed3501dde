"""Running: one GraphQL operation for one caller, from its text to its answer, over any transport."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from graphql import ExecutionResult, GraphQLError, OperationType

from api import metrics
from api.bodies import GraphQLRequest
from api.context import OperationContext
from api.documents import TrustedDocuments
from api.errors import (
    MAX_ERRORS,
    UNKNOWN_OUTCOME,
    ApiError,
    DeadlineExceeded,
    RateLimited,
    body_of,
    is_ours,
    original_of,
    present_all,
)
from api.operations import Operation, Operations, Rejected
from api.rates import Buckets, Rate
from domain.access import Principal
from workflows.context import Context

SERVER_FAULT = 500
"""HTTP's border between the caller's faults and ours."""

log = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, with which token; limits count by `key`."""

    principal: Principal
    token: str

    @property
    def key(self) -> Hashable:
        return self.principal.token_id or (self.principal.tenant_id, self.principal.id)


@dataclass(slots=True)
class Answer:
    """What goes back: the body's members, and what transports and the log want to know of it."""

    body: Mapping[str, Any]
    status: int = 200
    executed: bool = False
    codes: Sequence[str] = ()
    headers: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return msgspec.json.encode(self.body)


class Runner:
    """Runs operations against one world, within each caller's allowance."""

    def __init__(
        self,
        operations: Operations,
        documents: TrustedDocuments,
        context: Context,
        buckets: Buckets,
        seconds: float,
    ) -> None:
        self.operations = operations
        self.documents = documents
        self.context = context
        self.buckets = buckets
        self.seconds = seconds

    def admit(self, request: GraphQLRequest, caller: Caller, request_id: str) -> tuple[Operation, OperationContext]:
        """Prepare an operation and take its cost out of the caller's allowance.

        Raises:
            Rejected: the document is not valid.
            ApiError: it asks for too much, or the caller has used up what it may for now.
        """
        text = self.documents.text_of(request)
        operation = self.operations.prepare(text, request.variables, request.operation_name)
        metrics.OPERATION_COST.observe(operation.cost)
        rate = self.buckets.take(caller.key, operation.cost)
        if not isinstance(rate, Rate):
            metrics.THROTTLED.inc()
            wait_s = max(1, round(rate + 0.5))
            raise RateLimited(
                f"This costs {operation.cost} points, and your allowance has fewer left; there is room in {wait_s} s.",
                wait_s,
                cost=operation.cost,
            )
        return operation, OperationContext(self.context, caller.principal, request_id, rate)

    async def run(
        self, request: GraphQLRequest, caller: Caller, request_id: str, *, reading_only: bool = False
    ) -> Answer:
        """Run a query or mutation; whatever goes wrong becomes an answer."""
        try:
            operation, context = self.admit(request, caller, request_id)
            if operation.kind is OperationType.SUBSCRIPTION:
                raise wants_stream()
            if reading_only and operation.kind is not OperationType.QUERY:
                raise only_post()
        except (Rejected, ApiError) as error:
            return refusal(error, request_id)
        return await self.execute(operation, context)

    async def execute(self, operation: Operation, context: OperationContext) -> Answer:
        """Run an admitted query or mutation within the time that one may take."""
        answer = await self._within_deadline(operation, context)
        answer.headers |= rate_headers(context.rate)
        answer.facts |= facts_of(operation)
        metrics.OPERATIONS.labels(operation.kind.value, "errors" if answer.codes else "ok").inc()
        return answer

    async def _within_deadline(self, operation: Operation, context: OperationContext) -> Answer:
        try:
            async with asyncio.timeout(self.seconds):
                result = await self.operations.execute(operation, context)
        except TimeoutError:
            message = f"The operation took longer than {self.seconds:g} seconds; ask for less. {UNKNOWN_OUTCOME}"
            return refusal(DeadlineExceeded(message), context.request_id)
        except (Rejected, ApiError) as error:
            return refusal(error, context.request_id)
        except Exception as error:  # noqa: BLE001 -- a fault of graphql-core or ours: resolvers' own come in the result
            return failure(error, context.request_id)
        finally:
            await _close(context)
        body, codes = shown(result, context.request_id)
        extensions = {"cost": cost_of(context.rate), **body.get("extensions", {})}
        return Answer({**body, "extensions": extensions}, executed=True, codes=codes)


def shown(result: ExecutionResult, request_id: str) -> tuple[dict[str, Any], list[str]]:
    """Return the answer's members for what an operation came to, and the codes of its errors."""
    if not result.errors:
        return {"data": result.data}, []
    log_internals(result.errors, request_id)
    errors, omitted = present_all(result.errors, request_id)
    body: dict[str, Any] = {"data": result.data, "errors": errors}
    if omitted:
        body["extensions"] = {"errorsOmitted": omitted}
    return body, [error["extensions"]["code"] for error in errors]


def refusal(error: Rejected | ApiError, request_id: str) -> Answer:
    """Return the answer to what was not executed: errors, and no `data`."""
    if isinstance(error, ApiError):
        facts = {"refused": error.message} if error.status < SERVER_FAULT else {"failed": error.message}
        return Answer(
            body_of(error, request_id), error.status, codes=[error.code.value], headers=dict(error.headers), facts=facts
        )
    log_internals(error.errors, request_id)
    errors, omitted = present_all(error.errors, request_id)
    body: dict[str, Any] = {"errors": errors}
    if omitted:
        body["extensions"] = {"errorsOmitted": omitted}
    return Answer(body, error.status, codes=[shown["extensions"]["code"] for shown in errors])


def failure(error: Exception, request_id: str) -> Answer:
    """Return the answer to a fault of our own, and leave its trace in the log."""
    wrapped = Rejected([GraphQLError("internal", original_error=error)], 500)
    return refusal(wrapped, request_id)


def log_internals(errors: Sequence[GraphQLError], request_id: str) -> None:
    """Log our own faults with their trace; a caller's mistakes are one word in the request's line."""
    for error in errors[:MAX_ERRORS]:
        if is_ours(error):
            log.error("internal error", request_id=request_id, path=error.path, exc_info=original_of(error))


def cost_of(rate: Rate) -> dict[str, int]:
    """Return what an answer's extensions say of its cost."""
    return {
        "points": rate.cost,
        "limit": rate.limit,
        "remaining": rate.remaining,
        "restoredPerSecond": rate.restored_per_second,
    }


def rate_headers(rate: Rate) -> dict[str, str]:
    return {
        "ratelimit-limit": str(rate.limit),
        "ratelimit-remaining": str(rate.remaining),
        "ratelimit-reset": str(rate.seconds_to_full),
        "x-operation-cost": str(rate.cost),
    }


def facts_of(operation: Operation) -> dict[str, Any]:
    """Return what the request's log line says of an operation: never its text or variables."""
    return {"operation": operation.name, "kind": operation.kind.value, "cost": operation.cost}


def wants_stream() -> ApiError:
    return ApiError(
        "A subscription needs a stream: connect a WebSocket with the subprotocol graphql-transport-ws, "
        "or send the POST with Accept: text/event-stream and no JSON type."
    )


def only_post() -> ApiError:
    error = ApiError("Only queries may be sent by GET; send mutations by POST.")
    error.status = 405
    error.headers = {"allow": "POST"}
    return error


async def _close(context: OperationContext) -> None:
    try:
        await context.close()
    except Exception as error:  # noqa: BLE001 -- the answer stands; a snapshot that cannot be ended held nothing
        log.warning("the snapshot could not be ended", request_id=context.request_id, reason=type(error).__name__)
