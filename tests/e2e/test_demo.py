"""The demo as somebody starts it who has just come by: ready soon, answering every user, and gone without a trace."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import psutil
import pytest

from db.embedded import EmbeddedServer

pytestmark = pytest.mark.e2e

PATIENCE = 120.0
"""Seconds to wait for anything, on a machine that has much else to do."""

NAMES = "{ clients(first: 100) { nodes { id name } } }"


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not pytest's own directory, which is closed to the account that the server runs as when we are root.
    with tempfile.TemporaryDirectory(prefix="demo") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def started(directory: Path) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    arguments = ["--port", "0", "--data", str(directory / "data"), "--json", str(directory / "demo.json")]
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli", "demo", *arguments],
        cwd=directory,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str] | None" = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.05)


def running(directory: Path) -> list[str]:
    """Return every process that has to do with the directory: the demo, the database's programs and its guard."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if process.pid != os.getpid() and str(directory) in words + process.cwd():
                found.append(f"{process.pid} {words}")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


async def filling(directory: Path) -> bool:
    """Tell whether the story is being told by now."""
    try:
        connection = await asyncpg.connect(EmbeddedServer(directory / "data").url(), timeout=5)
        try:
            return bool(await connection.fetchval("select exists (select from client)"))
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError):
        return False


def ask(demo: dict[str, Any], user: str, query: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {demo['tokens'][user]['token']}"}
    response = httpx2.post(demo["graphql"], json={"query": query}, headers=headers, timeout=30, trust_env=False)
    answer: dict[str, Any] = response.json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


async def test_a_demo_killed_while_it_fills_is_told_afresh_and_answers_every_user_until_ctrl_c(
    directory: Path,
) -> None:
    killed = started(directory)
    deadline = time.monotonic() + PATIENCE
    while not await filling(directory):
        assert time.monotonic() < deadline
        assert killed.poll() is None, killed.communicate()
        await asyncio.sleep(0.1)
    killed.kill()
    killed.communicate()
    wait_for(lambda: running(directory) == [])
    assert not (directory / "demo.json").exists()

    process = started(directory)
    wait_for((directory / "demo.json").exists, process)
    assert (directory / "demo.json").stat().st_mode & 0o777 == 0o600
    demo = json.loads((directory / "demo.json").read_text(encoding="utf-8"))
    for user in demo["tokens"]:
        for question in demo["queries"]:
            assert ask(demo, user, question["query"])
    seen = {user: ask(demo, user, NAMES)["clients"]["nodes"] for user in demo["tokens"]}
    assert [len(seen[user]) for user in ("viewer", "lead", "automation", "admin", "partner", "other")] == [
        *([22] * 4),
        2,
        3,
    ]
    one_of_theirs = seen["other"][0]["id"]
    assert ask(demo, "admin", f'{{ node(id: "{one_of_theirs}") {{ id }} }}') == {"node": None}
    assert httpx2.get(demo["graphiql"], trust_env=False).status_code == 200

    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert "starting it afresh" in errors
    assert all(token["token"] in output for token in demo["tokens"].values())
    wait_for(lambda: running(directory) == [])
