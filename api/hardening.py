"""Hardening: what every HTTP answer carries, and the one log line that every request leaves."""

import re
import time
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics

log = structlog.get_logger("api")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_ALWAYS_NAMES = frozenset({b"x-request-id", *(name for name, _ in _ALWAYS)})
_UNLESS_SET = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
_KNOWN_PATHS = frozenset(
    {
        "/",
        "/graphql",
        "/schema.graphql",
        "/onboarding-definition.json",
        "/ticket.json",
        "/graphiql",
        "/health/live",
        "/health/ready",
        "/metrics",
    }
)
_KNOWN_FOLDERS = ("/uploads/", "/jobs/", "/inbound/")
_QUIET_PATHS = ("/graphiql/files/", "/health/", "/metrics")
_SERVER_FAULT = 500


class Hardening:
    """Gives a request its id, its headers and its log line, and turns what escaped into a plain 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = _request_id(Headers(scope=scope).get("x-request-id"))
        state["facts"] = {}
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id: str = scope["state"]["request_id"]
        began = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = list(message.get("headers", ()))
                message["headers"] = _with_headers(given, request_id, secure=scope["scheme"] == "https")
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            log.exception("internal error", request_id=request_id)
            if not status:
                await _plain_500(sending, request_id)
        finally:
            seconds = time.perf_counter() - began
            path = _known(scope["path"])
            metrics.REQUESTS.labels(path, str(status)).inc()
            metrics.REQUEST_SECONDS.labels(path).observe(seconds)
            level = log.error if status >= _SERVER_FAULT else log.info
            if status < _SERVER_FAULT and scope["path"].startswith(_QUIET_PATHS):
                level = log.debug
            facts = {name: value for name, value in scope["state"]["facts"].items() if value is not None}
            level(
                "request",
                request_id=request_id,
                method=scope["method"],
                path=scope["path"][:200],
                status=status,
                ms=round(seconds * 1000, 1),
                **facts,
            )


def _known(path: str) -> str:
    """Return a path as figures are kept by it: never with anybody's id."""
    if path in _KNOWN_PATHS:
        return path
    return next((folder for folder in _KNOWN_FOLDERS if path.startswith(folder)), "other")


def note(scope: Scope, **facts: object) -> None:
    """Add facts to the request's log line."""
    scope["state"]["facts"].update(facts)


def address_of(scope: Scope) -> str:
    """Return the caller's network address, as far as trusted proxies tell."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _request_id(given: str | None) -> str:
    return given if given and _REQUEST_ID.fullmatch(given) else uuid4().hex


def _with_headers(given: list[tuple[bytes, bytes]], request_id: str, *, secure: bool) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers with those that every one carries; ours take the place of the same ones."""
    names = {name for name, _ in given}
    kept = given if names.isdisjoint(_ALWAYS_NAMES) else [one for one in given if one[0] not in _ALWAYS_NAMES]
    unless_set = [one for one in _UNLESS_SET if one[0] not in names]
    security = [_STRICT_TRANSPORT] if secure else []
    return [*kept, (b"x-request-id", request_id.encode()), *_ALWAYS, *unless_set, *security]


async def _plain_500(send: Send, request_id: str) -> None:
    body = f"Something went wrong on our side; quote request id {request_id}.\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
