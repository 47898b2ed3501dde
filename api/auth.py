"""Authentication: the credential of a request or socket, and whether it still holds."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from api.errors import RateLimited, Unauthenticated
from api.rates import Buckets
from domain.access import Principal
from workflows.context import Context

MAX_TOKEN_CHARACTERS = 8_192

Authenticate = Callable[[Context, str], Awaitable[Principal | None]]

_HOW = "Send your token as: Authorization: Bearer <token>."


class Authenticator:
    """Turns tokens into principals, and refuses an address that keeps guessing."""

    def __init__(self, context: Context, authenticate: Authenticate, failed_logins_per_minute: int) -> None:
        self.context = context
        self._authenticate = authenticate
        self._failures = Buckets(failed_logins_per_minute, max(1, failed_logins_per_minute // 60))

    async def principal(self, token: str, address: str) -> Principal:
        """Return who holds a token.

        Raises:
            Unauthenticated: nobody does, or no more.
            RateLimited: the address has sent too many bad ones.
        """
        if self._failures.look(address).remaining == 0:
            raise RateLimited("Too many bad credentials came from your address; wait a minute.", 60)
        principal = await self.again(token)
        if principal is None:
            self._failures.take(address, 1)
            raise Unauthenticated(f"The token is unknown, expired or revoked. {_HOW}")
        return principal

    async def again(self, token: str) -> Principal | None:
        """Return who holds a token at this moment, or `None`."""
        if not 0 < len(token) <= MAX_TOKEN_CHARACTERS or not token.isascii() or not token.isprintable():
            return None
        return await self._authenticate(self.context, token)


def bearer(authorization: str | None) -> str:
    """Return the token of an Authorization header.

    Raises:
        Unauthenticated: there is none, or it has another scheme.
    """
    if not authorization:
        raise Unauthenticated(f"No credential came with the request. {_HOW}")
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(f"The Authorization header holds no bearer token. {_HOW}")
    return token.strip()


def bearer_of_init(payload: Mapping[str, Any]) -> str:
    """Return the token of a socket's connection_init: `authorization` as in HTTP, or `token` alone.

    Raises:
        Unauthenticated: there is none.
    """
    given = {name.lower(): value for name, value in payload.items() if isinstance(value, str)}
    if "token" in given:
        return given["token"].strip()
    return bearer(given.get("authorization"))
