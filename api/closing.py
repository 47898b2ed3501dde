"""Closing: with which code and reason the server ends a socket."""

from enum import IntEnum

from api.errors import Code, told
from api.running import SERVER_FAULT, failure


class Close(IntEnum):
    """Close codes: the protocol's own, and ours where it leaves room."""

    RESTART = 1012
    BAD_MESSAGE = 4400
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    NO_PROTOCOL = 4406
    INIT_TIMEOUT = 4408
    DUPLICATE_OR_SLOW = 4409
    LIMIT = 4429
    INTERNAL = 4500


class Closing(Exception):
    """The socket is to be closed with this code and reason."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def refusing(error: Exception, request_id: str) -> Closing:
    """Return how a socket whose caller could not be let in is closed."""
    known = told(error)
    if known is None:
        failure(error, request_id)
        return Closing(Close.INTERNAL, f"Something went wrong on our side; quote request id {request_id}.")
    if known.status >= SERVER_FAULT:
        return Closing(Close.RESTART, known.message)
    return Closing(Close.FORBIDDEN if known.code is Code.FORBIDDEN else Close.UNAUTHENTICATED, known.message)
