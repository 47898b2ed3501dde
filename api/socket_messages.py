"""Socket messages: what a client of graphql-transport-ws may send, checked before anything acts on it."""

from dataclasses import dataclass
from typing import Any

from api import bodies
from api.bodies import GraphQLRequest
from api.errors import BadRequest

MAX_ID_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Init:
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    pass


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


Message = Init | Ping | Pong | Subscribe | Complete


def read_message(text: str | None) -> Message:
    """Return what a frame says.

    Raises:
        BadRequest: it is no message of the protocol; the socket is to be closed with 4400.
    """
    if text is None:
        raise BadRequest("Messages are text frames of JSON.")
    value = bodies.read_json(text)
    if not isinstance(value, dict):
        raise BadRequest("A message is a JSON object.")
    payload = value.get("payload")
    match value.get("type"):
        case "connection_init":
            return Init(_object_or_none(payload) or {})
        case "ping":
            return Ping(_object_or_none(payload))
        case "pong":
            _object_or_none(payload)
            return Pong()
        case "subscribe":
            return Subscribe(_id(value), payload)
        case "complete":
            return Complete(_id(value))
        case kind:
            raise BadRequest(f"A message of type {str(kind)[:40]!r} is unknown.")


def request_of(message: Subscribe) -> GraphQLRequest:
    """Return the operation of a subscribe message.

    Raises:
        BadRequest: its payload is none; that operation alone fails.
    """
    return bodies.read_request(message.payload)


def _object_or_none(payload: Any) -> dict[str, Any] | None:
    if payload is None or isinstance(payload, dict):
        return payload
    raise BadRequest("A message's payload is an object.")


def _id(value: dict[str, Any]) -> str:
    id_ = value.get("id")
    if isinstance(id_, str) and 0 < len(id_) <= MAX_ID_CHARACTERS:
        return id_
    raise BadRequest(f"A message's id is a text of 1 to {MAX_ID_CHARACTERS} characters.")
