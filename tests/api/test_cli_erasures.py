"""Erasures on the command line: kept in a file, done again from it, and seen before they happen."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.ids import IdKind, public
from domain.moves import Move
from domain.onboarding import EndReason
from domain.privacy import ErasureReason
from tests.support.command_line import CommandLine
from tests.support.onboarding import opened
from tests.support.postgres import Postgres
from tests.support.providers import done, new_provider, sent
from workflows.contacts import CreateContact, create
from workflows.privacy import EraseContact, contact_erase

pytestmark = pytest.mark.e2e


async def _erased(postgres: Postgres, url: str) -> tuple[str, str, str]:
    """Return a provider's short name, a contact of theirs who was erased, and a prospect who was lost."""
    name = urlsplit(url).path.removeprefix("/")
    database = await Database.connect(postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE))
    try:
        provider = await new_provider(database)
        onboarding = await opened(provider)
        person = CreateContact(onboarding.client, "Quirina Vanderbilt")
        contact = done(await create(provider.context, provider.admin, sent(), person))
        command = EraseContact(contact, ErasureReason.REQUESTED)
        done(await contact_erase(provider.context, provider.admin, sent(), command))
        done(await onboarding.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    finally:
        await database.close()
    connection = await asyncpg.connect(url)
    try:
        slug = await connection.fetchval("select slug from tenant where id = $1", provider.tenant_id)
    finally:
        await connection.close()
    return slug, public(IdKind.CONTACT, contact), public(IdKind.CLIENT, onboarding.client)


async def _brought_back(url: str) -> None:
    """Do what a restore of an older back-up does to somebody who was erased."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("update contact set name = 'Quirina Vanderbilt', erased_at = null")
    finally:
        await connection.close()


def test_erasures_are_kept_in_a_file_and_done_again_from_it(
    steadystate: CommandLine, postgres: Postgres, database_url: str, tmp_path: Path
) -> None:
    slug, contact, _ = asyncio.run(_erased(postgres, database_url))
    kept = steadystate.done("erasures", "list", "--json")
    assert {key: json.loads(kept)[key] for key in ("kind", "subject", "reason")} == {
        "kind": "CONTACT",
        "subject": contact,
        "reason": "REQUESTED",
    }
    assert contact in steadystate.done("erasures", "list", "--tenant", slug)
    file = tmp_path / "erasures.jsonl"
    file.write_text(kept, encoding="utf-8")
    assert "0 erased, 1 still erased, 0 unknown." in steadystate.run("erasures", "apply", str(file)).stderr

    asyncio.run(_brought_back(database_url))

    assert "1 erased, 0 still erased, 0 unknown." in steadystate.run("erasures", "apply", str(file)).stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no json", "Expecting value"),
        ('{"tenant": "ten_1"}', "'kind' is missing"),
        ('{"kind": "CONTACT", "tenant": "ten_1"}', "is no tenant id"),
        ('{"kind": "PET"}', "'PET' is none of CONTACT, MEMBER, CLIENT"),
        ("[]", "no JSON object"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_erased(
    steadystate: CommandLine, tmp_path: Path, line: str, said: str
) -> None:
    file = tmp_path / "erasures.jsonl"
    file.write_text(f"\n{line}\n", encoding="utf-8")
    ended = steadystate.run("erasures", "apply", str(file))

    assert ended.returncode == 1
    assert "line 2" in ended.stderr
    assert said in ended.stderr
    assert "Nothing was erased." in ended.stderr


def test_what_is_due_is_listed_beforehand(steadystate: CommandLine, postgres: Postgres, database_url: str) -> None:
    slug, _, client = asyncio.run(_erased(postgres, database_url))

    assert "Nothing is due." in steadystate.run("erasures", "due", "--tenant", slug, "--until", "2026-03-03").stderr
    listed = json.loads(steadystate.done("erasures", "due", "--tenant", slug, "--until", "2028-01-01", "--json"))
    assert listed == [{"dueOn": "2027-03-02", "client": client, "retention": "LOST_PROSPECT", "contacts": "1"}]
    assert steadystate.done("erasures", "due", "--tenant", slug, "--until", "2028-01-01").startswith("2027-03-02\tcli_")
