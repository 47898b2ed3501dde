"""The embedded PostgreSQL comes up from anything and goes down with its last user."""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import asyncpg
import pytest

from db.embedded import EmbeddedServer
from db.embedded_programs import SYSTEM_STATE, EmbeddedServerError, can_enter, server_account, within_reach

pytestmark = pytest.mark.e2e

PATIENCE = 20.0  # seconds
USER = """
import sys
from pathlib import Path
from db.embedded import EmbeddedServer
EmbeddedServer(Path(sys.argv[1])).start()
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not pytest's own directory, which is closed to the account that the server runs as when we are root.
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        Path(name).chmod(0o711)
        yield Path(name) / "data"


async def ask(server: EmbeddedServer, question: str) -> object:
    connection = await asyncpg.connect(server.url(), timeout=5)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def postmaster(server: EmbeddedServer) -> int:
    return int((server.home / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0])


def is_down(server: EmbeddedServer) -> bool:
    return not (server.home / ".s.PGSQL.5432").exists()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def another_user(directory: Path, become: Mapping[str, Any] = MappingProxyType({})) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", USER, str(directory)]
    user: subprocess.Popen[str] = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **become
    )
    assert user.stdout is not None
    assert user.stdout.readline() == "up\n"
    return user


def leave(user: "subprocess.Popen[str]") -> None:
    user.communicate(timeout=PATIENCE)


async def test_it_starts_on_nothing_and_keeps_what_it_was_told(directory: Path) -> None:
    server = EmbeddedServer(directory).start()
    await ask(server, "create table kept as select 7 as number")
    server.stop()
    assert is_down(server)

    server.start()
    try:
        assert await ask(server, "select number from kept") == 7
        assert await ask(server, "show fsync") == "on"
        assert await ask(server, "show synchronous_commit") == "on"
    finally:
        server.stop()


async def test_only_its_own_account_can_come_to_its_socket(directory: Path) -> None:
    server = EmbeddedServer(directory).start()
    try:
        assert server.home.stat().st_mode & 0o777 == 0o700
        assert await ask(server, "show listen_addresses") == ""
        assert {path.stat().st_mode & 0o777 for path in directory.iterdir() if path.is_file()} == {0o600}
    finally:
        server.stop()


async def test_a_killed_server_is_started_again_with_every_commit(directory: Path) -> None:
    server = EmbeddedServer(directory).start()
    await ask(server, "create table kept as select 7 as number")
    os.kill(postmaster(server), signal.SIGKILL)

    again = EmbeddedServer(directory).start()
    try:
        assert await ask(again, "select number from kept") == 7
    finally:
        again.stop()
        server.stop()
    assert is_down(server)


async def test_a_stale_pid_that_now_belongs_to_a_stranger_does_not_stop_it(directory: Path) -> None:
    server = EmbeddedServer(directory).start()
    pid_file = server.home / "cluster" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))

    server.start()
    try:
        assert postmaster(server) != os.getpid()
        assert await ask(server, "select 1") == 1
    finally:
        server.stop()


async def test_the_last_of_two_users_stops_it(directory: Path) -> None:
    server = EmbeddedServer(directory).start()
    user = another_user(directory)
    server.stop()
    assert await ask(server, "select 1") == 1
    leave(user)
    assert is_down(server)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_no_end_of_its_last_user_leaves_it_running(directory: Path, end: signal.Signals) -> None:
    user = another_user(directory)
    server = EmbeddedServer(directory)
    user.send_signal(end)
    user.communicate(timeout=PATIENCE)
    wait_until(lambda: is_down(server))


def test_users_who_race_on_nothing_share_one_server(directory: Path) -> None:
    command = [sys.executable, "-c", USER, str(directory)]
    users = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for user in users:
        assert user.stdout is not None
        assert user.stdout.readline() == "up\n"
    for user in users:
        leave(user)
    assert is_down(EmbeddedServer(directory))


async def test_what_it_holds_is_discarded_only_when_nobody_uses_it(directory: Path) -> None:
    server = EmbeddedServer(directory).start()
    await ask(server, "create table kept as select 7 as number")
    with pytest.raises(EmbeddedServerError, match="end the process that uses it"):
        EmbeddedServer(directory).discard()
    server.stop()
    server.discard()

    server.start()
    try:
        assert await ask(server, "select to_regclass('kept')") is None
    finally:
        server.stop()


def test_a_path_too_long_for_a_socket_is_refused_with_what_to_do(directory: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="Choose a shorter directory, or set DATABASE_URL"):
        EmbeddedServer(directory / ("d" * 100)).start()
    assert not directory.exists()


def test_a_directory_that_cannot_be_made_is_refused_with_what_to_do(directory: Path) -> None:
    directory.write_text("a file stands here")
    with pytest.raises(EmbeddedServerError, match=r"File exists\. Choose another directory, or set DATABASE_URL"):
        EmbeddedServer(directory).start()


def test_without_the_wheel_nothing_is_made(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.embedded_programs.WHEEL", "no_such_wheel")
    with pytest.raises(EmbeddedServerError, match="set DATABASE_URL to the address of a server of your own"):
        EmbeddedServer(directory).start()
    assert not directory.exists()


def test_a_cluster_of_another_version_is_refused_untouched(directory: Path) -> None:
    server = EmbeddedServer(directory).start()
    server.stop()
    (server.home / "cluster" / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedServerError, match="was made by PostgreSQL 15"):
        server.start()
    assert is_down(server)


def test_what_postgresql_said_is_part_of_the_error(directory: Path) -> None:
    server = EmbeddedServer(directory).start()
    server.stop()
    (server.home / "cluster" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedServerError, match="no_such_setting"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a server account to care for")
def test_root_finds_a_place_that_the_servers_account_can_come_to(directory: Path) -> None:
    account = server_account()
    assert account is not None
    assert within_reach(directory, account) == directory
    directory.mkdir(mode=0o700)
    stand_in = within_reach(directory / "data", account)
    assert stand_in.parent == SYSTEM_STATE
    assert within_reach(stand_in, account) == stand_in


def test_an_ordinary_account_runs_it_as_itself(directory: Path) -> None:
    ordinary = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    if not can_enter(Path(sys.executable).resolve().parent, ordinary):
        pytest.skip(f"{ordinary.pw_name} cannot come to {sys.executable}")
    directory.mkdir()
    if os.geteuid() == 0:
        os.chown(directory, ordinary.pw_uid, ordinary.pw_gid)
    become = {"user": ordinary.pw_uid, "group": ordinary.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    user = another_user(directory, become)
    assert (directory / "server").stat().st_uid == ordinary.pw_uid
    leave(user)
    assert not (directory / "server" / ".s.PGSQL.5432").exists()
