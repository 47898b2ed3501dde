"""The endpoint: GraphQL over HTTP, at POST /graphql."""

from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import bodies
from api.auth import Authenticator, bearer
from api.bodies import GraphQLRequest
from api.errors import BadRequest, told
from api.hardening import address_of, note
from api.negotiation import Media, choose, require_json
from api.running import Answer, Caller, Runner, failure, refusal
from api.settings import Settings
from api.streams import Streams

_JSON = "application/json; charset=utf-8"
_GRAPHQL = "application/graphql-response+json; charset=utf-8"


class Endpoint:
    """An ASGI application that answers each request in the media type that was asked for."""

    def __init__(self, runner: Runner, authenticator: Authenticator, streams: Streams, settings: Settings) -> None:
        self._runner = runner
        self._authenticator = authenticator
        self._streams = streams
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        request_id: str = scope["state"]["request_id"]
        media = Media.GRAPHQL
        try:
            self._check_method(request)
            media = choose(request.headers.get("accept"))
            caller = await self._caller(request)
            note(scope, tenant=str(caller.principal.tenant_id), principal=str(caller.principal.id))
            asked = await self._asked(request)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the caller gets an answer
            known = told(error)
            answer = refusal(known, request_id) if known else failure(error, request_id)
            await self._reply(scope, receive, send, answer, media, document=False)
            return
        if media is Media.EVENTS:
            response = await self._streams.open(asked, caller, request_id, scope)
            if not isinstance(response, Answer):
                await response(scope, receive, send)
                return
            answer = response
        else:
            answer = await self._runner.run(asked, caller, request_id, reading_only=request.method == "GET")
        await self._reply(scope, receive, send, answer, media, document=True)

    def _check_method(self, request: Request) -> None:
        allowed = ("GET", "POST") if self._settings.allow_get_queries else ("POST",)
        if request.method not in allowed:
            error = BadRequest(f"{request.method} is not served here; send {' or '.join(allowed)}.", status=405)
            error.headers = {"allow": ", ".join(allowed)}
            raise error

    async def _caller(self, request: Request) -> Caller:
        token = bearer(request.headers.get("authorization"))
        return Caller(await self._authenticator.principal(token, address_of(request.scope)), token)

    async def _asked(self, request: Request) -> GraphQLRequest:
        if request.method == "GET":
            return bodies.read_request(_of_query_string(request.scope["query_string"]))
        require_json(request.headers.get("content-type"))
        limit, seconds = self._settings.body_bytes, self._settings.body_seconds
        body = await bodies.read_body(request.stream(), request.headers.get("content-length"), limit, seconds)
        return bodies.read_request(bodies.read_json(body))

    async def _reply(
        self, scope: Scope, receive: Receive, send: Send, answer: Answer, media: Media, *, document: bool
    ) -> None:
        note(scope, codes=list(answer.codes) or None, **answer.facts)
        status = answer.status
        if media is Media.JSON and document and status in _DOCUMENT_STATUSES:
            # The specification's rule for the older media type: a well-formed request is answered with 200.
            status = 200
        content_type = _JSON if media is Media.JSON else _GRAPHQL
        response = Response(answer.encoded(), status, {"content-type": content_type, **answer.headers})
        await response(scope, receive, send)


_DOCUMENT_STATUSES = frozenset({400, 422})


def _of_query_string(query_string: bytes) -> dict[str, object]:
    """Return the members of a GET: `variables` and `extensions` are JSON in themselves."""
    try:
        pairs: dict[str, object] = dict(
            parse_qsl(query_string.decode("ascii"), strict_parsing=bool(query_string), errors="strict")
        )
        for name in ("variables", "extensions"):
            if name in pairs:
                pairs[name] = bodies.read_json(str(pairs[name]))
    except (ValueError, msgspec.MsgspecError):
        raise BadRequest("The query string cannot be read; send query, variables and operationName, encoded.") from None
    return pairs
