"""Bodies: bytes from outside become a GraphQL request, or a refusal that says what is wrong."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from api.errors import BadRequest

MAX_DEPTH = 64
"""Levels of lists and objects in a body; deeper ones are no honest variables."""

_NUL_ESCAPE = re.compile(r"\\u(0000|\{0+\})")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The members of a GraphQL request; `document_id` stands for a document that was not sent."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None
    document_id: str | None = None


async def read_body(chunks: AsyncIterator[bytes], declared: str | None, limit: int, seconds: float) -> bytes:
    """Read a request's body within a size and a time.

    Raises:
        BadRequest: 413 where it is larger than `limit` bytes, 408 where it takes longer than `seconds`.
    """
    if declared is not None and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        message = f"The body took longer than {seconds:g} seconds to arrive."
        raise BadRequest(message, status=408) from None
    return bytes(body)


def read_json(body: bytes | str) -> Any:
    """Decode JSON from outside.

    Raises:
        BadRequest: it is no JSON, no UTF-8, too deep, or holds what no variable can hold.
    """
    try:
        value = msgspec.json.decode(body)
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8; send JSON encoded as UTF-8.") from None
    except RecursionError:
        raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except msgspec.DecodeError as error:
        raise BadRequest(f"The body is no JSON that can be used: {error}.") from None
    _check_depth(value)
    escaped = b"\\u0000" if isinstance(body, bytes) else "\\u0000"
    if escaped in body and _holds_nul(value):  # type: ignore[operator]
        raise BadRequest("A text holds U+0000, which cannot be stored; leave it out.")
    return value


def read_request(value: Any) -> GraphQLRequest:
    """Return the GraphQL request that decoded JSON stands for.

    Raises:
        BadRequest: it is no object, a batch, or a member has the wrong type.
    """
    if isinstance(value, list):
        raise BadRequest("Batches are not supported; send one operation per request, or several fields in one.")
    if not isinstance(value, dict):
        raise BadRequest(f"The body is {_named(value)}; send an object with a member query.")
    query = value.get("query")
    document_id = _document_id(value)
    variables, name = _member(value, "variables", dict) or {}, _member(value, "operationName", str)
    if query is None and document_id is not None:
        return GraphQLRequest("", variables, name, document_id)
    if not isinstance(query, str) or not query.strip():
        raise BadRequest(f"The member query is {_named(query)}; send the document as a string.")
    if _NUL_ESCAPE.search(query):
        raise BadRequest("The document holds an escaped U+0000, which cannot be stored; leave it out.")
    return GraphQLRequest(query, variables, name)


def _document_id(value: Mapping[str, Any]) -> str | None:
    """Return the hash by which a document is named: Apollo's extension, or the specification's member."""
    persisted = (_member(value, "extensions", dict) or {}).get("persistedQuery")
    if isinstance(persisted, dict):
        value, name = persisted, "sha256Hash"
    else:
        name = "documentId"
    found: str | None = _member(value, name, str)
    return found


def _member(value: Mapping[str, Any], name: str, kind: type) -> Any:
    member = value.get(name)
    if member is None or isinstance(member, kind):
        return member
    expected = "an object" if kind is dict else "a string"
    raise BadRequest(f"The member {name} is {_named(member)}; send {expected}, null, or leave it out.")


def _named(value: Any) -> str:
    match value:
        case None:
            return "null or missing"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "an empty string" if not value.strip() else "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level := [inner for outer in level for inner in _inside(outer)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, dict | list)]
    return [inner for inner in value if isinstance(inner, dict | list)] if isinstance(value, list) else []


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_nul(inner) for inner in value)


def _too_large(limit: int) -> BadRequest:
    return BadRequest(f"The body is larger than {limit} bytes; send less at a time, or use an import.", status=413)
