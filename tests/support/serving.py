"""A durable database with a server process on it that can be killed and started again, and a client that insists."""

import asyncio
import itertools
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from db.embedded import EmbeddedServer
from db.migrate import upgrade
from db.session import APP_ROLE, RELAY_ROLE, Database
from tests.support.edge import begin

PATIENCE_S = 120
"""How long a client insists: a restart, a database that is away, and whatever else the machine is at."""

SETTLES_BY_ITSELF = {"BUSY", "IDEMPOTENCY_IN_PROGRESS"}
"""Answers that keep nothing: sent again with the same key, the command is tried again."""


@asynccontextmanager
async def durable(directory: Path) -> AsyncIterator[tuple[EmbeddedServer, Database]]:
    """Run a migrated server that keeps what it acknowledged, with the product's door to it."""
    postgres = await asyncio.to_thread(EmbeddedServer(directory).start)
    try:
        await asyncio.to_thread(upgrade, postgres.url())
        database = await Database.connect(*urls(postgres))
        try:
            yield postgres, database
        finally:
            await database.close()
    finally:
        await asyncio.to_thread(postgres.stop)


def urls(postgres: EmbeddedServer) -> tuple[str, str]:
    """Return the addresses of both logins."""
    return postgres.url("postgres", APP_ROLE), postgres.url("postgres", RELAY_ROLE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class ServerProcess:
    """One server on one port, whatever happens to its process."""

    app_url: str
    relay_url: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=_free_port)
    process: asyncio.subprocess.Process | None = None
    starts_s: list[float] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> Self:
        """Start the process and wait until it says that it is ready."""
        began = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("steadystate"),
            "serve",
            "--worker",
            "--port",
            str(self.port),
            env={
                **os.environ,
                "DATABASE_URL": self.app_url,
                "STEADYSTATE_RELAY_DATABASE_URL": self.relay_url,
                "STEADYSTATE_LOG_LEVEL": "ERROR",
                "STEADYSTATE_SHUTDOWN_SECONDS": "5",
                **self.settings,
            },
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(60):
            while not await self.ready():
                assert self.process.returncode is None, "the server ended by itself"
                await asyncio.sleep(0.05)
        self.starts_s.append(time.monotonic() - began)
        return self

    async def ready(self) -> bool:
        try:
            async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
                return (await client.get(f"{self.url}/health/ready")).status_code == 200
        except httpx2.TransportError:
            return False

    async def kill(self) -> None:
        """End the process as a power cut would."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
        await self.ended()

    async def stop(self) -> int:
        """Ask the process to end; return its exit code."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
        return await self.ended()

    async def ended(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(30):
            return await self.process.wait()

    @asynccontextmanager
    async def socket(self, token: str) -> AsyncIterator[ClientConnection]:
        """Open a socket as the holder of a token."""
        address, spoken = f"ws://127.0.0.1:{self.port}/graphql", [Subprotocol("graphql-transport-ws")]
        async with connect(address, subprotocols=spoken, proxy=None, max_size=None) as socket:
            await begin(socket, token)
            yield socket


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Let something go on beside a block, and no longer; what goes wrong with it is not passed over."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@dataclass
class Caller:
    """A client of the API who sends again, under the same key, until there is an answer."""

    server: ServerProcess
    token: str
    _client: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(trust_env=False, timeout=20))

    async def ask(self, query: str, patience_s: float = PATIENCE_S, **variables: Any) -> dict[str, Any]:
        """Return the data of an answer; a lost connection, a lack of readiness and a throttle are no answers."""
        return (await self._insist(query, patience_s, variables))[0]

    async def command(self, mutation: str, input: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Send a mutation under its key until it is settled; return its payload, and how often it was sent."""
        sent = 0
        while True:
            data, tries = await self._insist(MUTATIONS[mutation], PATIENCE_S, {"input": input})
            sent += tries
            payload: dict[str, Any] = data[mutation]
            if not {error["code"] for error in payload["errors"]} & SETTLES_BY_ITSELF:
                return payload, sent
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        await self._client.aclose()

    async def _insist(self, query: str, patience_s: float, variables: dict[str, Any]) -> tuple[dict[str, Any], int]:
        body = {"query": query, "variables": variables}
        headers = {"authorization": f"Bearer {self.token}", "accept": "application/graphql-response+json"}
        async with asyncio.timeout(patience_s):
            for tries in itertools.count(1):
                try:
                    response = await self._client.post(f"{self.server.url}/graphql", json=body, headers=headers)
                    answer = response.json()
                except (httpx2.TransportError, json.JSONDecodeError):
                    answer = None
                if answer is not None and not _passing(answer):
                    assert "errors" not in answer, answer
                    return answer["data"], tries
                await asyncio.sleep(0.1)
        raise AssertionError


_ERRORS = "errors { code message path ... on StaleVersion { current } ... on TransitionBlocked { blockers { gate } } }"


def _mutation(name: str, input: str, shown: str) -> str:
    return f"mutation ($input: {input}!) {{ {name}(input: $input) {{ {shown} eventId {_ERRORS} }} }}"


_CYCLE = "onboarding { version stage heldAt }"

MUTATIONS = {
    "onboardingAdvance": _mutation("onboardingAdvance", "OnboardingAdvanceInput", _CYCLE),
    "onboardingRollBack": _mutation("onboardingRollBack", "OnboardingRollBackInput", _CYCLE),
    "onboardingHold": _mutation("onboardingHold", "OnboardingHoldInput", _CYCLE),
    "onboardingResume": _mutation("onboardingResume", "OnboardingResumeInput", _CYCLE),
    "waiverRequest": _mutation("waiverRequest", "WaiverRequestInput", "waiver { id }"),
}


def _passing(answer: dict[str, Any]) -> bool:
    """Tell whether an answer says to come back, rather than what was done."""
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    return bool(codes & {"RATE_LIMITED", "SERVICE_UNAVAILABLE", "DEADLINE_EXCEEDED"})
