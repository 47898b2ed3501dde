"""The command of the demo keeps away from what is not its own."""

import sys

import asyncpg
import pytest

from api.cli import main
from db.session import Database
from tests.support.providers import new_provider


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str) -> str:
    """Return what the demo says when it refuses a database."""
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(sys, "argv", ["steadystate", "demo", "--port", "0"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    return capsys.readouterr().err


@pytest.fixture
async def strangers_url(fresh_database: Database, database_url: str) -> str:
    await new_provider(fresh_database)
    return database_url


@pytest.fixture
async def older_url(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    await connection.execute("update alembic_version set version_num = '0001'")
    await connection.close()
    return database_url


def test_a_database_with_other_providers_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], strangers_url: str
) -> None:
    assert "holds other providers" in refused(monkeypatch, capsys, strangers_url)


def test_a_database_in_use_by_an_older_version_is_not_migrated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], older_url: str
) -> None:
    assert "at revision 0001, and the demo leaves it alone" in refused(monkeypatch, capsys, older_url)
