"""The address of inbound: where other systems post what they have to say, over HTTP."""

import math

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.bodies import read_body
from api.errors import ApiError, BadRequest, Code, RateLimited, told
from api.hardening import address_of, log, note
from api.rates import Buckets
from api.settings import Settings
from domain.ids import IdKind, public
from domain.inbound import Sent
from workflows import inbound
from workflows.context import Context

PATH = "/inbound/"

_FAILURE = "Something went wrong on our side; send the message again."


class InboundAddress:
    """An ASGI application that keeps a message before it answers 202; who sends 5xx and 429 sends again."""

    def __init__(self, context: Context, settings: Settings) -> None:
        self._context = context
        self._settings = settings
        self._failures = Buckets(settings.failed_logins_per_minute, max(1, settings.failed_logins_per_minute // 60))
        self._messages = Buckets(settings.inbound_burst, settings.inbound_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        request_id: str = scope["state"]["request_id"]
        headers: dict[str, str] = {}
        try:
            status, answer = 202, await self._received(request)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the sender gets an answer
            known = told(error)
            if known is None:
                log.exception("inbound message not kept", request_id=request_id)
                known = ApiError(_FAILURE)
                known.status, known.code = 500, Code.INTERNAL_SERVER_ERROR
            status, headers = known.status, known.headers
            answer = {"error": {"code": known.code.value, "message": known.message, "requestId": request_id}}
        body = msgspec.json.encode(answer)
        response = Response(body, status, {"content-type": "application/json; charset=utf-8", **headers})
        await response(scope, receive, send)

    async def _received(self, request: Request) -> dict[str, object]:
        if request.method != "POST":
            refused = BadRequest(f"{request.method} is not served here; send POST.", status=405)
            refused.headers = {"allow": "POST"}
            raise refused
        caller = address_of(request.scope)
        if self._failures.look(caller).remaining == 0:
            raise RateLimited("Too many messages that proved nothing came from your address; wait a minute.", 60)
        try:
            gate = await inbound.gate(self._context, request.path_params["address"])
            if gate is None:
                self._failures.take(caller, 1)
                raise BadRequest("Nobody receives messages at this address; check the path.", status=404)
            note(request.scope, tenant=str(gate.tenant_id), source=str(gate.source.id))
            self._take_turn(gate)
            receipt = await inbound.receive(self._context, gate, await self._sent(request))
        except inbound.DisabledError:
            raise BadRequest("This source is disabled; its messages are no longer taken.", status=410) from None
        except inbound.UnprovedError:
            self._failures.take(caller, 1)
            refused = BadRequest(
                "Nothing proves that the message comes from this source; check its secret.", status=401
            )
            refused.code = Code.UNAUTHENTICATED
            raise refused from None
        return {"id": public(IdKind.INBOUND_MESSAGE, receipt.message), "duplicate": receipt.duplicate}

    def _take_turn(self, gate: inbound.Gate) -> None:
        left = self._messages.take(gate.source.id, 1)
        if isinstance(left, float):
            raise RateLimited(
                "The source sends more than is taken in a second; wait and send it again.", math.ceil(left)
            )

    async def _sent(self, request: Request) -> Sent:
        limit, seconds = self._settings.body_bytes, self._settings.body_seconds
        body = await read_body(request.stream(), request.headers.get("content-length"), limit, seconds)
        if not body.strip():
            raise BadRequest("The message has no body.")
        return Sent(dict(request.headers), body)
