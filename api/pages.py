"""Pages: GraphiQL with nothing fetched from elsewhere, and the schemas as files."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from starlette.websockets import WebSocket

from api.auth import Authenticator, bearer
from api.errors import ApiError, body_of
from api.hardening import address_of
from domain.definition_schema import definition_schema
from integrations import ticket_documents

FILES = Path(__file__).with_name("static") / "graphiql"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
_MISSING = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>GraphiQL is not installed</title></head>
<body><h1>GraphiQL is not installed yet</h1>
<p>Its files are built from its npm package at installation and are not there. In the project's directory, run:</p>
<pre>make graphiql</pre>
<p>and load this page again. The API itself is served at <code>POST /graphql</code> and does not need them.</p>
</body></html>
"""


class GraphiQL:
    """GraphiQL's page and files, as built into api/static/graphiql."""

    def __init__(self, files: Path = FILES) -> None:
        self._files = files
        self.files = _Files(directory=files, check_dir=False)

    async def page(self, _: Request) -> Response:
        """Answer with the page, or with how to install it."""
        page = self._files / "index.html"
        if not page.is_file():
            return HTMLResponse(_MISSING, 503)
        return FileResponse(page, headers={"content-security-policy": _POLICY, "cache-control": "no-cache"})


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=3600"
        # A worker's own requests go by the policy of its own file.
        response.headers["content-security-policy"] = _POLICY
        return response


class Sdl:
    """The schema in its own language, for callers who are signed in."""

    def __init__(self, sdl: str, authenticator: Authenticator) -> None:
        self._sdl = sdl
        self._authenticator = authenticator

    async def answer(self, request: Request) -> Response:
        """Answer with the schema, or 401."""
        try:
            token = bearer(request.headers.get("authorization"))
            await self._authenticator.principal(token, address_of(request.scope))
        except ApiError as error:
            request_id: str = request.scope["state"]["request_id"]
            return JSONResponse(dict(body_of(error, request_id)), error.status, error.headers)
        return PlainTextResponse(self._sdl, headers={"content-type": "application/graphql; charset=utf-8"})


async def definition_schema_page(_: Request) -> Response:
    """Answer with the JSON Schema of a definition's document, for whoever writes one; it says nothing of anybody."""
    return JSONResponse(
        definition_schema(),
        headers={"content-type": "application/schema+json", "cache-control": "public, max-age=3600"},
    )


async def ticket_schema_page(_: Request) -> Response:
    """Answer with the JSON Schema of a ticket in our own JSON, for whoever sends some."""
    return JSONResponse(
        ticket_documents.schema(),
        headers={"content-type": "application/schema+json", "cache-control": "public, max-age=3600"},
    )


async def refuse_path(websocket: WebSocket) -> None:
    """Refuse the handshake of a socket on a path where none is served."""
    await websocket.close()
