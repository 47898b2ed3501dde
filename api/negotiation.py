"""Negotiation: which media type an answer has, by the GraphQL-over-HTTP and graphql-sse specifications."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from api.errors import BadRequest


class Media(StrEnum):
    """What an answer can be."""

    GRAPHQL = "application/graphql-response+json"
    JSON = "application/json"
    EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class _Range:
    type: str
    quality: float


@lru_cache(maxsize=256)
def choose(accept: str | None) -> Media:
    """Return the media type to answer with.

    A stream is chosen only where no JSON type is named: some clients (urql) name
    `text/event-stream` in the Accept of every query.

    Raises:
        BadRequest: 406 where nothing that we have is accepted.
    """
    ranges = _ranges(accept or "*/*")
    quality = {range_.type: range_.quality for range_ in ranges if range_.quality > 0}
    graphql, json = quality.get(Media.GRAPHQL, 0.0), quality.get(Media.JSON, 0.0)
    if graphql or json:
        return Media.GRAPHQL if graphql >= json else Media.JSON
    if Media.EVENTS in quality:
        return Media.EVENTS
    if quality.keys() & {"*/*", "application/*"}:
        return Media.GRAPHQL
    raise BadRequest(f"Nothing in Accept can be served; accept {', '.join(Media)}.", status=406)


@lru_cache(maxsize=256)
def require_json(content_type: str | None) -> None:
    """Let only bodies pass that a page of another origin cannot send without asking first.

    Raises:
        BadRequest: 415 where the content type is not JSON in UTF-8.
    """
    kind, *parameters = (content_type or "").lower().split(";")
    charset = next(
        (value.strip(' "') for name, _, value in (p.partition("=") for p in parameters) if name.strip() == "charset"),
        "utf-8",
    )
    if kind.strip() != Media.JSON or charset not in ("utf-8", "utf8"):
        shown = (content_type or "none")[:80]
        raise BadRequest(f"The content type is {shown!r}; send application/json in UTF-8.", status=415)


def _ranges(accept: str) -> list[_Range]:
    found = []
    for part in accept.lower().split(","):
        kind, *parameters = part.split(";")
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        found.append(_Range(kind.strip(), quality))
    return found
