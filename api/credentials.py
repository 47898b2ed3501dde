"""Credentials of open connections: a token revoked, or a role lowered, ends them within seconds.

Open sockets and streams of one token share one check. It runs every few seconds, and before every
push: what happened after a token was revoked is never shown to its holder.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum

import structlog

from api.auth import Authenticator
from api.running import Caller

log = structlog.get_logger("api")

_TRUSTED_UNCHECKED_S = 10.0
"""How long a credential counts while the database cannot be asked; no new event can come meanwhile."""


class End(StrEnum):
    """Why a credential holds no more, in words for its holder."""

    TOKEN = "The token was revoked or has expired."  # noqa: S105 -- a sentence, not a secret
    RIGHTS = "The token stands for other rights now; connect again."


class Credential:
    """One token with open connections; `on_end` is called for each of them when it ends."""

    def __init__(self, caller: Caller, authenticator: Authenticator) -> None:
        self.caller = caller
        self.ended: End | None = None
        self.on_end: set[Callable[[End], None]] = set()
        self._authenticator = authenticator
        self._checked_at = time.monotonic()
        self._checked_for: object = None
        self._checking = asyncio.Lock()

    async def holds(self, event: object = None) -> bool:
        """Tell whether the token still stands for the same rights, by a check begun after an event came.

        All who are about to push the same event share one check.
        """
        if event is None or self._checked_for is not event:
            async with self._checking:
                if self.ended is None and (event is None or self._checked_for is not event):
                    await self._check()
                    self._checked_for = event
        return self.ended is None

    async def _check(self) -> None:
        began = time.monotonic()
        try:
            principal = await self._authenticator.again(self.caller.token)
        except Exception as error:  # noqa: BLE001 -- whatever hinders the check, an old one counts a little longer
            log.warning("credentials could not be checked", reason=type(error).__name__)
            if began - self._checked_at < _TRUSTED_UNCHECKED_S:
                return
            principal = None
        self._checked_at = began
        if principal != self.caller.principal:
            self.ended = End.TOKEN if principal is None else End.RIGHTS
            for end in list(self.on_end):
                end(self.ended)


class Credentials:
    """The credentials of all open connections of this process."""

    def __init__(self, authenticator: Authenticator, recheck_seconds: float) -> None:
        self._authenticator = authenticator
        self._recheck_s = recheck_seconds
        self._open: dict[str, Credential] = {}

    @asynccontextmanager
    async def watched(self, caller: Caller, on_end: Callable[[End], None]) -> AsyncIterator[Credential]:
        """Watch a caller's credential for as long as a connection is open."""
        credential = self._open.get(caller.token)
        if credential is None or credential.ended or credential.caller.principal != caller.principal:
            credential = self._open[caller.token] = Credential(caller, self._authenticator)
        credential.on_end.add(on_end)
        try:
            yield credential
        finally:
            credential.on_end.discard(on_end)
            if not credential.on_end and self._open.get(caller.token) is credential:
                del self._open[caller.token]

    async def run(self) -> None:
        """Check every open connection's credential now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._recheck_s)
            for credential in list(self._open.values()):
                await credential.holds()
