"""Erasures are done again after a restore: from a list of ids, and as often as one likes."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import Role
from domain.moves import Move
from domain.onboarding import EndReason
from domain.privacy import DataSubject, ErasureReason
from tests.support.onboarding import opened
from tests.support.postgres import Postgres
from tests.support.providers import Provider, done, new_provider, sent
from tests.support.words import tables_with
from workflows import notes, retention
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.context import Context
from workflows.erasures import Again, Erasure, again, listed
from workflows.members import DeactivateMember, InviteMember, deactivate, invite
from workflows.notes import AddNote
from workflows.privacy import EraseContact, EraseMember, contact_erase, member_erase

CONTACT, MEMBER = "Quirina Vanderbilt", "Mordecai Featherstone"
TRACES = (CONTACT, MEMBER, "Quirina", "Mordecai", "quirina@metal.example", "mordecai@provider.example")


async def test_a_restored_back_up_is_cleansed_by_the_list_of_erasures(
    postgres: Postgres, database_url: str, fresh_database: Database
) -> None:
    provider, contact, member = await _written(fresh_database)
    await fresh_database.close()
    async with _backed_up(postgres, database_url) as backup:
        async with _opened(postgres, database_url) as database:
            now = Provider(Context(database, provider.clock), provider.clock, provider.admin, provider.admin_token)
            late = await _erased(now, contact, member)
            kept = [one async for one in listed(now.context)]
        assert {one.kind for one in kept} == set(DataSubject)

        assert all((await tables_with(backup, *TRACES)).values())
        async with _opened(postgres, backup) as database:
            context = Context(database, provider.clock)
            became = [(one.subject_id, what) async for one, what in again(context, sent(), kept)]
            assert dict(became)[late] is Again.UNKNOWN
            counted = Counter(what for _, what in became)
            assert counted[Again.ERASED] >= 3
            assert await tables_with(backup, *TRACES) == {trace: set() for trace in TRACES}

            repeated = {what async for _, what in again(context, sent(), kept)}
            assert repeated == {Again.STILL_ERASED, Again.UNKNOWN}
            fresh = {(one.kind, one.subject_id) async for one in listed(context)}
            assert fresh == {(one.kind, one.subject_id) for one in kept} - {(DataSubject.CONTACT, late)}


async def test_erasures_hold_ids_and_codes_alone(provider: Provider) -> None:
    client = await provider.client()
    person = CreateContact(client, CONTACT, "quirina@metal.example")
    contact = done(await create_contact(provider.context, provider.admin, sent(), person))
    command = EraseContact(contact, ErasureReason.ENTERED_IN_ERROR)
    done(await contact_erase(provider.context, provider.admin, sent(), command))

    found = [one async for one in listed(provider.context, provider.tenant_id)]

    at = provider.clock()
    wanted = Erasure(provider.tenant_id, DataSubject.CONTACT, contact, ErasureReason.ENTERED_IN_ERROR, at)
    assert found == [wanted]


async def test_an_erasure_of_a_provider_that_is_not_here_is_unknown(provider: Provider) -> None:
    for kind in DataSubject:
        nobody = Erasure(uuid4(), kind, uuid4(), ErasureReason.REQUESTED, provider.clock())
        assert [what async for _, what in again(provider.context, sent(), [nobody])] == [Again.UNKNOWN]


async def _written(database: Database) -> tuple[Provider, UUID, UUID]:
    """Return a provider with a contact and a member who are both named in a note about a prospect that was lost."""
    provider = await new_provider(database)
    onboarding = await opened(provider)
    context, admin = provider.context, provider.admin
    person = CreateContact(onboarding.client, CONTACT, "quirina@metal.example")
    contact = done(await create_contact(context, admin, sent(), person))
    colleague = InviteMember(MEMBER, "mordecai@provider.example", (Role.ADMIN,))
    member = done(await invite(context, admin, sent(), colleague))
    note = AddNote(f"{MEMBER} talked to {CONTACT}", client=onboarding.client)
    done(await notes.add(context, admin, sent(), note))
    done(await onboarding.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    return provider, contact, member


async def _erased(provider: Provider, contact: UUID, member: UUID) -> UUID:
    """Erase both, the prospect, and a contact who came later, whom the back-up does not know."""
    context, admin = provider.context, provider.admin
    later = CreateContact(await provider.client("Newcomer"), "Somebody Later")
    late = done(await create_contact(context, admin, sent(), later))
    for one in (contact, late):
        done(await contact_erase(context, admin, sent(), EraseContact(one, ErasureReason.REQUESTED)))
    done(await deactivate(context, admin, sent(), DeactivateMember(member)))
    done(await member_erase(context, admin, sent(), EraseMember(member, ErasureReason.NO_LONGER_NEEDED)))
    provider.clock.forward(days=400)
    assert await retention.keep(context) == 1
    return late


@asynccontextmanager
async def _backed_up(postgres: Postgres, url: str) -> AsyncIterator[str]:
    """Lend the address of a copy of a database as it is now; nobody may be connected to it."""
    name = f"{postgres.prefix}_{uuid4().hex[:12]}"
    await postgres.run(f'create database "{name}" template "{_name(url)}" strategy file_copy')
    yield postgres.url(name)
    await postgres.drop(name)


@asynccontextmanager
async def _opened(postgres: Postgres, url: str) -> AsyncIterator[Database]:
    database = await Database.connect(postgres.url(_name(url), APP_ROLE), postgres.url(_name(url), RELAY_ROLE))
    try:
        yield database
    finally:
        await database.close()


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
