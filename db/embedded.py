"""An embedded PostgreSQL, whose life is shared by the processes that use it.

Everything of one server lies in one directory:

    server/    its socket, cluster and log; belongs to the account it runs as and is closed to others
    pgsql-…/   a copy of its programs, where that account cannot come to the installed ones
    output     what the program run last had to say
    gate       exclusive lock: one process at a time starts or stops the server
    users      shared lock: held by every process that uses the server; the kernel drops it however one ends
    guard      exclusive lock: held by the guard, a process that stops the server once it can lock `users` for itself

Whoever waits for two of them takes `users` before `gate`.
"""

import atexit
import fcntl
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

from db.embedded_programs import (
    MAJOR_VERSION,
    EmbeddedServerError,
    installed_programs,
    installed_wheel,
    private_file,
    server_account,
    within_reach,
)

SOCKET_PATH_BYTES = 103  # the least that a system allows: macOS; Linux has four more
START_SECONDS = 120  # crash recovery may take its time
RETRY_SECONDS = 10  # backends of a killed server may still be leaving…
BACKENDS_REMAIN = "is still in use"  # …and hold its shared memory, says PostgreSQL then
GUARD_POST = 0  # the guard's standard input is its lock, handed over by the user who started it
IMPOSSIBLE_PID = 99_999_999
LAST_WORDS = 2_000  # characters of a log worth showing

COMMON_SETTINGS = ("listen_addresses=", "max_connections=200", "timezone=UTC", "log_timezone=UTC")
DURABLE_SETTINGS = ("fsync=on", "synchronous_commit=on")
FORGETFUL_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
)


class EmbeddedServer:
    """One user's hold on the server of a directory: `start` brings it up, the last `stop` brings it down.

    A user that is killed counts as gone. `durable=False` may lose everything in a crash and is meant for tests.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self._account = server_account()
        self.directory = within_reach(directory.absolute(), self._account)
        self.home = self.directory / "server"
        self.log = self.home / "server.log"
        self._durable = durable
        self._cluster = self.home / "cluster"
        self._pid_file = self._cluster / "postmaster.pid"
        self._socket = self.home / ".s.PGSQL.5432"
        self._hold: IO[str] | None = None
        self._guard: int | None = None

    def start(self) -> Self:
        """Bring the server up, or join it where it runs already.

        Raises:
            EmbeddedServerError: the programs are missing, the directory is unfit, or PostgreSQL refused to start.
        """
        installed_wheel()
        self._open_directory()
        try:
            self._hold = self._open("users")
            fcntl.flock(self._hold, fcntl.LOCK_SH)
            with self._gate():
                self._post_guard()
                self._create_cluster()
                self._start_server()
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Let go of the server; the last user stops it. Harmless when called again."""
        if self._hold is None:
            return
        self._hold.close()
        self._hold = None
        atexit.unregister(self.stop)
        with self._gate():
            if self._is_unused():
                self._stop_server()
                self._dismiss_guard()

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Return the address of a database; `postgres` is the superuser, reachable over the socket alone."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.home))}"

    def discard(self) -> None:
        """Remove the cluster with all that it holds.

        Raises:
            EmbeddedServerError: somebody is using it.
        """
        self._open_directory()
        with self._gate():
            if not self._is_unused():
                raise EmbeddedServerError(
                    f"The embedded server in {self.directory} is in use, so its data stays;"
                    " end the process that uses it first."
                )
            self._stop_server()
            shutil.rmtree(self.home)

    def guard(self) -> None:
        """Wait until the last user is gone, however that user went, and stop the server."""
        with self._open("users") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            with self._gate():
                self._stop_server()
                os.close(GUARD_POST)  # inside the gate, so that the next user knows to post a new guard

    def _open_directory(self) -> None:
        if (length := len(os.fsencode(self._socket))) > SOCKET_PATH_BYTES:
            raise EmbeddedServerError(
                f"{self.directory} is too long a path for an embedded server: its socket there would have"
                f" {length} bytes, and a system allows {SOCKET_PATH_BYTES}."
                " Choose a shorter directory, or set DATABASE_URL."
            )
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedServerError(
                f"The embedded server's directory {self.directory} cannot be made: {error.strerror}."
                " Choose another directory, or set DATABASE_URL."
            ) from None
        # The server's account passes through to its own folder and lists nothing on the way.
        self.directory.chmod(0o711 if self._account else 0o700)
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.home.chmod(0o700)
        if self._account:
            os.chown(self.home, self._account.pw_uid, self._account.pw_gid)

    def _open(self, lock: str) -> IO[str]:
        return private_file(self.directory / lock)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        with self._open("gate") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def _is_unused(self) -> bool:
        """Say whether nobody holds the server; whoever locks the users out can only be the guard."""
        with self._open("users") as users:
            return _lock(users, fcntl.LOCK_EX) or not _lock(users, fcntl.LOCK_SH)

    def _post_guard(self) -> None:
        """Start a guard where there is none, in a session of its own: no signal meant for this process reaches it."""
        with self._open("guard") as post:
            if not _lock(post, fcntl.LOCK_EX):
                return
            self._guard = os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", "db.embedded", str(self.directory)],
                os.environ | {"PYTHONPATH": os.pathsep.join((str(Path(__file__).parents[1]), *sys.path))},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, post.fileno(), GUARD_POST),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=True,
            )

    def _dismiss_guard(self) -> None:
        if self._guard is not None:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._guard, signal.SIGKILL)
                os.waitpid(self._guard, 0)
            self._guard = None

    def _create_cluster(self) -> None:
        version = self._cluster / "PG_VERSION"
        if not version.exists():
            unfinished = self.home / "cluster.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            sync = () if self._durable else ("--no-sync",)
            # PostgreSQL's own C.UTF-8 sorts and folds the same way on every system.
            locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
            self._run("initdb", "-D", str(unfinished), "-U", "postgres", "-A", "trust", "-E", "UTF8", *locale, *sync)
            unfinished.rename(self._cluster)
        elif (made_by := version.read_text(encoding="utf-8").strip()) != MAJOR_VERSION:
            raise EmbeddedServerError(
                f"{self._cluster} was made by PostgreSQL {made_by}, and {MAJOR_VERSION} is installed. Dump it with"
                f" the old version and restore it, or remove {self.directory} to begin anew."
            )

    def _start_server(self) -> None:
        durability = DURABLE_SETTINGS if self._durable else FORGETFUL_SETTINGS
        settings = (*COMMON_SETTINGS, *durability, f"unix_socket_directories={self.home}")
        options = shlex.join(part for setting in settings for part in ("-c", setting))
        deadline = time.monotonic() + RETRY_SECONDS
        while self._call("pg_isready", "-q", "-h", str(self.home)) != 0:
            if not self._is_running():
                self._disown_stale_pid()
            if self.log.exists():
                self.log.replace(self.log.with_suffix(".log.before"))
            try:
                self._pg_ctl("-l", str(self.log), "-o", options, "start")
            except EmbeddedServerError as error:
                if BACKENDS_REMAIN not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _stop_server(self) -> None:
        if self._is_running():
            self._pg_ctl("-m", "fast", "stop")

    def _is_running(self) -> bool:
        """Say whether the process that the pid file names is alive and a PostgreSQL."""
        import psutil  # noqa: PLC0415  comes with the extra that carries the programs

        try:
            process = psutil.Process(int(self._pid_file.read_text(encoding="utf-8").split("\n", 1)[0]))
            return process.status() != psutil.STATUS_ZOMBIE and "postgres" in process.name()
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return False

    def _disown_stale_pid(self) -> None:
        """Let the lock files of a dead server name no process.

        Its number may belong to a zombie or, after a restart, to a stranger, and PostgreSQL would refuse to start.
        The other lines of the pid file stay: by them it still waits for the dead server's last backends.
        """
        self._socket.with_name(f"{self._socket.name}.lock").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            _, others = self._pid_file.read_text(encoding="utf-8").split("\n", 1)
            self._pid_file.write_text(f"{IMPOSSIBLE_PID}\n{others}", encoding="utf-8")

    def _pg_ctl(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._cluster), "-w", "-t", str(START_SECONDS), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        if self._call(program, *arguments) != 0:
            reports = [path for path in (self.directory / "output", self.log) if path.exists()]
            words = "\n".join(path.read_text(errors="replace")[-LAST_WORDS:].strip() for path in reports)
            raise EmbeddedServerError(f"PostgreSQL's {program} failed in {self.directory}:\n{words}")

    def _call(self, program: str, *arguments: str) -> int:
        programs = installed_programs(self._account, copies=self.directory)
        return programs.call(program, *arguments, cwd=self.home, output=self.directory / "output")


def _lock(file: IO[str], kind: int) -> bool:
    """Lock a file until it is closed, unless somebody else's lock forbids it; say whether that worked."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    EmbeddedServer(Path(sys.argv[1])).guard()
