"""Upkeep: migrations of the database, and the schema as a file."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from api.commands.voice import FailureError, give, say

SCHEMA_FILE = Path("schema.graphql")


def migrate(
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Change nothing; fail unless the migrations lead to exactly the tables that the code declares. "
            "Without DATABASE_URL an empty database is migrated for the purpose and thrown away.",
        ),
    ] = False,
) -> None:
    """Bring the database to the newest revision; safe to run again, and by several at once."""
    from api.commands.world import addressed, read_settings
    from db.migrate import current, head, upgrade

    settings = read_settings()
    if check:
        _check(settings.database_url)
        return
    with addressed(settings) as addresses:
        before = current(addresses.owner)
        upgrade(addresses.owner)
    say(f"The database is at revision {head()}" + ("." if before == head() else f", from {before or 'nothing'}."))


def schema(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail unless the file says the same.")] = False,
    file: Annotated[Path, typer.Option(help="The file.", dir_okay=False)] = SCHEMA_FILE,
) -> None:
    """Write the GraphQL schema with its descriptions to schema.graphql."""
    from api.schema import product

    sdl = product().as_str() + "\n"
    if check:
        if not file.is_file() or file.read_text(encoding="utf-8") != sdl:
            raise FailureError(f"{file} differs from the code; run steadystate schema and look at the difference.")
        say(f"{file} is what the code serves.")
        return
    file.write_text(sdl, encoding="utf-8")
    give(str(file))


def _check(url: str | None) -> None:
    from db.migrate import current, drift, head

    with _migrated(url) as owner:
        found = current(owner)
        if found != head():
            raise FailureError(f"The database is at revision {found or 'none'}, the newest is {head()}.")
        if differences := drift(owner):
            listed = "\n      ".join(differences)
            raise FailureError(f"The migrations and the declared tables differ:\n      {listed}")
    say(f"Revision {found} is what the code declares.")


@contextmanager
def _migrated(url: str | None) -> Iterator[str]:
    """Lend the database named, or an empty one migrated for the purpose and thrown away."""
    from db.embedded import EmbeddedServer
    from db.migrate import upgrade

    if url:
        yield url
        return
    directory = Path(tempfile.mkdtemp(prefix="steadystate-check-"))
    try:
        server = EmbeddedServer(directory / "postgres", durable=False).start()
        try:
            upgrade(server.url())
            yield server.url()
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
