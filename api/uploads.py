"""Uploads and downloads of jobs by plain HTTP: a file on its way in, bad lines and results on their way out."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from uuid import UUID

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from api.auth import Authenticator, bearer
from api.errors import ApiError, BadRequest, RateLimited, body_of, told
from api.hardening import address_of, note
from api.rates import Buckets, Rate
from api.running import Caller, failure
from api.settings import Settings
from db import jobs
from domain.access import Principal
from domain.errors import ErrorCode
from domain.ids import IdKind, MalformedIdError, parse
from domain.jobs import Job, JobError
from workflows import context, uploads
from workflows.uploads import PIECE_BYTES, UploadRefused

POINTS = 100
"""What a file costs its caller, in or out."""

ROWS_AT_ONCE = 1_000
COLUMNS = ("line", "column", "value", "reason")

_STATUSES = {ErrorCode.NOT_FOUND: 404, ErrorCode.CONFLICT: 409}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute (OWASP, CSV injection)."""


class JobNotFound(ApiError):
    """No such job, or one that is not the caller's to see: both are answered alike."""

    status = 404

    def __init__(self) -> None:
        super().__init__("No job with this id is visible to you; check the id.")


class Uploads:
    """Files of jobs, for whoever may see them."""

    def __init__(
        self, world: context.Context, authenticator: Authenticator, buckets: Buckets, settings: Settings
    ) -> None:
        self._context, self._authenticator, self._buckets, self._settings = world, authenticator, buckets, settings

    async def put(self, request: Request) -> Response:
        """Take a job's file in, as it comes; answer 202 when all of it is kept."""
        return await self._answered(request, self._put)

    async def errors(self, request: Request) -> Response:
        """Answer with all bad lines of a job, as CSV or as JSON lines."""
        return await self._answered(request, self._errors)

    async def result(self, request: Request) -> Response:
        """Answer with what became of every row of a job, as JSON lines."""
        return await self._answered(request, self._result)

    async def _answered(
        self, request: Request, answer: Callable[[Request, Principal], Awaitable[Response]]
    ) -> Response:
        request_id: str = request.scope["state"]["request_id"]
        try:
            principal = await self._admitted(request)
            return await answer(request, principal)
        except ClientDisconnect:
            # Nobody is left to be answered: the line was cut in the middle of the body.
            note(request.scope, refused="the upload broke off")
            return Response(status_code=400)
        except UploadRefused as refusal:
            known: ApiError | None = BadRequest(str(refusal), status=_STATUSES.get(refusal.error.code, 400))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the caller gets an answer
            known = told(error)
            if known is None:
                return Response(failure(error, request_id).encoded(), 500, media_type="application/json")
        if known is None:
            raise AssertionError
        note(request.scope, refused=known.message)
        # What was not read of the body is not worth a connection.
        return JSONResponse(dict(body_of(known, request_id)), known.status, {**known.headers, "connection": "close"})

    async def _admitted(self, request: Request) -> Principal:
        token = bearer(request.headers.get("authorization"))
        principal = await self._authenticator.principal(token, address_of(request.scope))
        note(request.scope, tenant=str(principal.tenant_id), principal=str(principal.id))
        rate = self._buckets.take(Caller(principal, token).key, POINTS)
        if not isinstance(rate, Rate):
            wait_s = max(1, round(rate + 0.5))
            raise RateLimited(f"You have used up what you may for now; there is room in {wait_s} s.", wait_s)
        return principal

    async def _put(self, request: Request, principal: Principal) -> Response:
        job = _job_id(request)
        _check_head(request, self._settings.upload_bytes)
        command = context.Request(request.scope["state"]["request_id"], context.Channel.API)
        seconds = self._settings.upload_seconds
        try:
            async with asyncio.timeout(seconds):
                kept = await uploads.receive(self._context, principal, command, job, self._pieces(request))
        except TimeoutError:
            raise BadRequest(f"The file took longer than {seconds:g} seconds to arrive.", status=408) from None
        return JSONResponse({"job": kept.public_id, "status": kept.status.value, "bytes": kept.total}, 202)

    async def _pieces(self, request: Request) -> AsyncIterator[bytes]:
        """Give a body in pieces of a mebibyte, as it comes, within its size; a line that falls silent is cut."""
        limit, silence, size, piece = self._settings.upload_bytes, self._settings.body_seconds, 0, bytearray()
        chunks = aiter(request.stream())
        while True:
            try:
                async with asyncio.timeout(silence):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise BadRequest(f"Nothing came for {silence:g} seconds; send the file again.", status=408) from None
            if chunk is None:
                break
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            piece += chunk
            while len(piece) >= PIECE_BYTES:
                yield bytes(piece[:PIECE_BYTES])
                del piece[:PIECE_BYTES]
        if piece:
            yield bytes(piece)

    async def _errors(self, request: Request, principal: Principal) -> Response:
        job = await self._seen(request, principal)
        asked = request.query_params.get("format", "csv")
        written = {"csv": (_csv, "text/csv; charset=utf-8"), "jsonl": (_jsonl, "application/jsonl")}.get(asked)
        if written is None:
            raise BadRequest(f"format: {asked[:20]!r} is none of csv, jsonl.")
        write, media = written

        async def rows() -> AsyncIterator[bytes]:
            yield b",".join(name.encode() for name in COLUMNS) + b"\r\n" if write is _csv else b""
            number = 0
            while True:
                async with self._context.database.reading(principal) as tx:
                    found = await jobs.bad_lines(tx, job.id, number, ROWS_AT_ONCE)
                if not found:
                    return
                number = found[-1].number
                yield b"".join(write(one) for one in found)

        return StreamingResponse(rows(), media_type=media, headers=_attached(f"{job.public_id}-errors.{asked}"))

    async def _result(self, request: Request, principal: Principal) -> Response:
        job = await self._seen(request, principal)

        async def rows() -> AsyncIterator[bytes]:
            number = 0
            while True:
                async with self._context.database.reading(principal) as tx:
                    found = await jobs.results(tx, job.id, number, ROWS_AT_ONCE)
                if not found:
                    return
                number = found[-1][0]
                yield b"".join(msgspec.json.encode(body) + b"\n" for _, body in found)

        return StreamingResponse(
            rows(), media_type="application/jsonl", headers=_attached(f"{job.public_id}-result.jsonl")
        )

    async def _seen(self, request: Request, principal: Principal) -> Job:
        async with self._context.database.reading(principal) as tx:
            job = await jobs.get(tx, _job_id(request))
        if job is None or not job.seen_by(principal):
            raise JobNotFound
        return job


def _job_id(request: Request) -> UUID:
    try:
        return parse(IdKind.JOB, request.path_params["job"])
    except MalformedIdError:
        raise JobNotFound from None


def _check_head(request: Request, limit: int) -> None:
    """Refuse by its head what would be refused after all of it has come."""
    packing = request.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("identity", "gzip"):
        raise BadRequest(f"content-encoding: {packing[:20]!r} is not read; send the file plain or as gzip.", status=415)
    if "content-range" in request.headers:
        raise BadRequest("A part of a file is not taken; send the whole file in one PUT.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> BadRequest:
    message = f"The file is larger than {limit} bytes; pack it with gzip, or split it and import the parts."
    return BadRequest(message, status=413)


def _csv(error: JobError) -> bytes:
    line = io.StringIO()
    cells = (error.column or "", error.value or "", error.reason)
    csv.writer(line).writerow([error.line, *(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)])
    return line.getvalue().encode()


def _jsonl(error: JobError) -> bytes:
    return msgspec.json.encode({name: getattr(error, name) for name in COLUMNS}) + b"\n"


def _attached(name: str) -> Mapping[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}
