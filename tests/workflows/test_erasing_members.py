"""Erasing a member: nothing of them is found anywhere, and what they did stays under their id."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg

from db import members
from db.words import WORDS
from domain.access import Principal, Role
from domain.consequences import ConsequenceKind, untold
from domain.errors import Outcome
from domain.ids import IdKind, public
from domain.privacy import ErasureReason
from domain.redaction import ERASED
from tests.support.asking import asked
from tests.support.events import number
from tests.support.onboarding import opened
from tests.support.providers import Provider, codes, done, sent
from tests.support.words import tables_with, write_everywhere
from workflows import notes
from workflows.access import authenticate
from workflows.members import DeactivateMember, InviteMember, UpdateMember, deactivate, invite, update
from workflows.notes import AddNote
from workflows.privacy import EraseMember, member_erase
from workflows.teams import TeamCommand, change_team

LETTERS = "abcdefghijklmnop"


def _name() -> str:
    mark = "".join(LETTERS[int(digit, 16)] for digit in uuid4().hex[:10])
    return f"Mo{mark} Leaving{mark[::-1]}"


async def _named(provider: Provider, name: str, *roles: Role) -> tuple[UUID, str]:
    """Return a new member of a name, with the address that goes with it."""
    email = f"{name.split(maxsplit=1)[0].lower()}@provider.example"
    return done(await invite(provider.context, provider.admin, sent(), InviteMember(name, email, roles))), email


async def _erase(provider: Provider, member: UUID, **given: Any) -> Outcome:
    command = EraseMember(member, ErasureReason.REQUESTED, **given)
    return await member_erase(provider.context, provider.admin, sent(), command)


async def test_after_erasing_a_search_of_the_whole_database_finds_nothing_of_the_member(
    provider: Provider, worker_database: str
) -> None:
    name = _name()
    member, email = await _named(provider, name, Role.AGENT)
    traces = (name, email, *name.split())
    said = f"{name.upper()} ({email}) said so; ask {name}."
    written = await write_everywhere(worker_database, provider.tenant_id, await provider.client(), said)
    before = await tables_with(worker_database, *traces)
    assert before[name] == before[email] == written | {"member"}
    done(await deactivate(provider.context, provider.admin, sent(), DeactivateMember(member)))

    outcome = await _erase(provider, member)

    assert outcome.errors == ()
    await number(provider.context.database)
    assert await tables_with(worker_database, *traces) == {trace: set() for trace in traces}
    told = {one.name for one in untold(outcome.facts) if one.kind is ConsequenceKind.FREE_TEXT}
    assert told == {f"{word.table}.{word.column}" for word in WORDS}


async def test_what_a_member_did_stays_under_their_id(provider: Provider, worker_database: str) -> None:
    onboarding = await opened(provider)
    former = onboarding.lead
    note = AddNote("Called them", client=onboarding.client)
    done(await notes.add(provider.context, former, sent(), note))
    successor = await provider.invited(Role.ONBOARDING_LEAD)
    await _hand_over(provider, onboarding.cycle, onboarding.version, successor)
    token = await provider.token_of(former.id)
    done(await deactivate(provider.context, provider.admin, sent(), DeactivateMember(former.id)))
    before = await _did(worker_database, former.id)
    assert before > 0

    outcome = await _erase(provider, former.id)

    assert outcome.errors == ()
    assert await _did(worker_database, former.id) == before
    assert await authenticate(provider.context, token) is None
    tokens = "select count(*) from token where member_id = $1"
    assert await _value(worker_database, tokens, former.id) == 0
    assert [one.count for one in untold(outcome.facts) if one.kind is ConsequenceKind.TOKEN] == [2]


async def test_what_is_left_is_a_tombstone_that_the_list_does_not_show(provider: Provider) -> None:
    member, _ = await _named(provider, _name(), Role.AGENT)
    colleague, _ = await _named(provider, _name(), Role.AGENT)
    stand_in = UpdateMember(colleague, deputy_id=member)
    done(await update(provider.context, provider.admin, sent(), stand_in))
    done(await deactivate(provider.context, provider.admin, sent(), DeactivateMember(member)))
    done(await _erase(provider, member))

    text = """query ($id: ID!) {
        node(id: $id) { ... on Member { name email erased active roles } } members(first: 50) { nodes { id } }
    }"""
    seen = await asked(provider, text, {"id": public(IdKind.MEMBER, member)})
    nobody = {"name": ERASED, "email": f"{member.hex}@erased.invalid", "erased": True, "active": False, "roles": []}
    assert seen["node"] == nobody
    assert public(IdKind.MEMBER, member) not in {one["id"] for one in seen["members"]["nodes"]}
    async with provider.context.database.reading(provider.admin) as tx:
        left = await members.get(tx, colleague)
    assert left is not None
    assert left.deputy_id is None


async def test_when_and_why_a_member_was_away_is_forgotten(provider: Provider, worker_database: str) -> None:
    member, _ = await _named(provider, _name(), Role.AGENT)
    away = """
        insert into absence (member_id, starts_on, reason, created_at, version, tenant_id, id)
        values ($1, '2026-03-02', 'SICK', $2, 1, $3, $4) returning 1
    """
    assert await _value(worker_database, away, member, provider.clock(), provider.tenant_id, uuid4()) == 1
    done(await deactivate(provider.context, provider.admin, sent(), DeactivateMember(member)))

    done(await _erase(provider, member))

    assert await _value(worker_database, "select count(*) from absence where member_id = $1", member) == 0


async def test_only_who_is_deactivated_and_on_no_open_onboarding_is_erased(provider: Provider) -> None:
    onboarding = await opened(provider)
    lead = onboarding.lead.id
    assert codes(await _erase(provider, lead)) == ["CONFLICT"]
    other = await provider.invited(Role.ONBOARDING_LEAD)
    stays = TeamCommand(onboarding.cycle, None, lead=other.id, technical_lead=lead)
    done(await change_team(provider.context, provider.admin, sent(), stays))
    done(await deactivate(provider.context, provider.admin, sent(), DeactivateMember(lead)))

    refused = await _erase(provider, lead)
    assert codes(refused) == ["CONFLICT"]
    assert public(IdKind.ONBOARDING, onboarding.cycle) in refused.errors[0].message

    goes = TeamCommand(onboarding.cycle, None, technical_lead=None)
    done(await change_team(provider.context, provider.admin, sent(), goes))
    done(await _erase(provider, lead))
    assert codes(await _erase(provider, lead)) == ["CONFLICT"]
    change = UpdateMember(lead, name="Back again")
    assert codes(await update(provider.context, provider.admin, sent(), change)) == ["CONFLICT"]


async def test_an_address_that_was_erased_can_be_invited_as_somebody_new(provider: Provider) -> None:
    name = _name()
    member, email = await _named(provider, name, Role.AGENT)
    done(await deactivate(provider.context, provider.admin, sent(), DeactivateMember(member)))
    done(await _erase(provider, member))

    again = InviteMember(name, email, (Role.AGENT,))
    assert done(await invite(provider.context, provider.admin, sent(), again)) != member


async def _hand_over(provider: Provider, cycle: UUID, version: int, to: Principal) -> None:
    command = TeamCommand(cycle, version, lead=to.id)
    done(await change_team(provider.context, provider.admin, sent(), command))


async def _did(url: str, member: UUID) -> int:
    """Return in how many rows of the audit trail and of notes a member is who did it."""
    found = 0
    for table, column in (("transition", "actor_id"), ("note", "author_id"), ("client_edit", "actor_id")):
        found += await _value(url, f"select count(*) from {table} where {column} = $1", member)  # noqa: S608 -- names from above
    return found


async def _value(url: str, statement: str, *given: object) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *given)
    finally:
        await connection.close()
