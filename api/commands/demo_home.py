"""The demo's home: a directory with a server of its own, for one demo at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from api.commands.voice import FailureError
from api.commands.world import Addresses
from api.settings import Settings
from db.embedded import SOCKET_PATH_BYTES, EmbeddedServer
from db.embedded_programs import private_file
from db.migrate import current, head, upgrade
from db.session import APP_ROLE, RELAY_ROLE

HURRY = "&synchronous_commit=off"
"""While the story is told nobody waits for the disk: what a crash takes away is told again."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the demo's data lie: an embedded server, or the database of DATABASE_URL."""

    addresses: Addresses
    directory: Path | None
    _server: EmbeddedServer | None

    @property
    def hurried(self) -> Addresses:
        """The addresses by which to fill."""
        if self._server is None:
            return self.addresses
        given = self.addresses
        return Addresses(given.owner, given.app + HURRY, given.relay + HURRY, embedded=True)

    def prepare(self, *, anew: bool = False) -> None:
        """Migrate the database; with `anew`, throw an embedded one away before and make another.

        Raises:
            FailureError: it is somebody's own, and at another revision: not the demo's to migrate.
        """
        if self._server is None and (found := current(self.addresses.owner)) not in (None, head()):
            message = f"The database is in use, at revision {found}, and the demo leaves it alone."
            raise FailureError(f"{message} Point DATABASE_URL at an empty database, or unset it.")
        if anew and self._server is not None:
            self._server.stop()
            self._server.discard()
            self._server.start()
        upgrade(self.addresses.owner)


@contextmanager
def at_home(settings: Settings, directory: Path | None) -> Iterator[Home]:
    """Lend the database of DATABASE_URL, or an embedded server that is stopped at the end.

    Raises:
        FailureError: another demo runs there.
    """
    if url := settings.database_url:
        app, relay = settings.app_database_url or url, settings.relay_database_url or url
        yield Home(Addresses(url, app, relay, embedded=False), None, None)
        return
    server = EmbeddedServer(directory or _usual(settings)).start()
    try:
        with _alone(server.directory):
            app, relay = server.url(user=APP_ROLE), server.url(user=RELAY_ROLE)
            yield Home(Addresses(server.url(), app, relay, embedded=True), server.directory, server)
    finally:
        server.stop()


def _usual(settings: Settings) -> Path:
    """Return a directory beside the other data, or in the account's cache where that path is too long for a socket."""
    beside = (settings.data_directory / "demo").absolute()
    if len(os.fsencode(beside / "server" / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES:
        return beside
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "steadystate" / sha256(os.fsencode(beside)).hexdigest()[:12]


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep a second demo out: it would end the first one's tokens, and on another day its data."""
    with private_file(directory / "demo") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Another demo runs in {directory}. Stop it, or give this one a directory of its own by --data."
            raise FailureError(message) from None
        yield
