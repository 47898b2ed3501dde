"""Erasing a contact: nothing of them is found anywhere, and every figure stays what it was."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db import contacts
from db.words import WORDS, WordKind
from domain.access import Role
from domain.clients import Contact, ContactRole, name_key
from domain.consequences import ConsequenceKind, untold
from domain.errors import Outcome
from domain.ids import IdKind, public
from domain.privacy import ErasureReason
from domain.redaction import ERASED
from tests.support.asking import answered, asked
from tests.support.checklists import contact_of, hand_over
from tests.support.events import number
from tests.support.every_figure import every_figure
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from tests.support.words import tables_with, write_everywhere
from tests.support.worlds import peopled
from workflows import notes
from workflows.clients import UpdateClient
from workflows.clients import update as update_client
from workflows.contacts import CreateContact, UpdateContact, create, update
from workflows.notes import AddNote
from workflows.privacy import EraseContact, contact_erase


@dataclass(frozen=True)
class Known:
    """A contact whose name, address and number occur nowhere else in the database."""

    provider: Provider
    client: UUID
    id: UUID
    first: str
    last: str
    email: str
    phone: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def traces(self) -> tuple[str, ...]:
        return self.name, self.email, self.phone, self.phone.replace(" ", ""), self.first, self.last

    async def erase(self, **given: Any) -> Outcome:
        command = EraseContact(self.id, ErasureReason.REQUESTED, **given)
        return await contact_erase(self.provider.context, self.provider.admin, sent(), command)

    async def seen(self) -> Contact:
        async with self.provider.context.database.reading(self.provider.admin) as tx:
            found = await contacts.get(tx, self.id)
        assert found is not None
        return found


async def known(provider: Provider, client: UUID) -> Known:
    """Note a contact whom nobody could be mistaken for."""
    mark = "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:10])
    person = Known(
        provider,
        client,
        UUID(int=0),
        f"Zoë{mark}",
        f"O'Vries{mark[::-1]}",
        f"zoe.{mark}@client.example",
        f"+31 6 {uuid4().int % 10**4:04} {uuid4().int % 10**4:04}",
    )
    command = CreateContact(client, person.name, person.email, person.phone, (ContactRole.PRIMARY,), "nl")
    id_ = done(await create(provider.context, provider.admin, sent(), command))
    return Known(provider, client, id_, person.first, person.last, person.email, person.phone)


async def test_after_erasing_a_search_of_the_whole_database_finds_nothing_of_the_contact(
    provider: Provider, worker_database: str
) -> None:
    client = await provider.client()
    person = await known(provider, client)
    said = f"Ask {person.name.upper()}, {person.email} or {person.phone.replace(' ', '')}; {person.name} knows."
    change = UpdateClient(client, seats=5)
    done(await update_client(provider.context, provider.admin, sent(person.email), change))
    written = await write_everywhere(worker_database, provider.tenant_id, client, said)
    await write_everywhere(worker_database, provider.tenant_id, await provider.client("Elsewhere"), said)
    before = await tables_with(worker_database, *person.traces)
    assert before[person.email] == written | {"contact", "idempotency"}, "or the search could not fail"
    assert before[person.name] >= written | {"contact"}

    outcome = await person.erase()

    assert outcome.errors == ()
    await number(provider.context.database)
    assert await tables_with(worker_database, *person.traces) == {trace: set() for trace in person.traces}
    told = {one.name for one in untold(outcome.facts) if one.kind is ConsequenceKind.FREE_TEXT}
    assert told == {f"{word.table}.{word.column}" for word in WORDS}


async def test_facts_beside_the_words_stay_as_they_were(provider: Provider, worker_database: str) -> None:
    client = await provider.client()
    person = await known(provider, client)
    said, left = f"It is {person.name} who says so.", f"It is {ERASED} who says so."
    await write_everywhere(worker_database, provider.tenant_id, client, said)
    before = await _rows(worker_database, provider.tenant_id)

    done(await person.erase())

    after = await _rows(worker_database, provider.tenant_id)
    gone = {word.table for word in WORDS if word.kind is WordKind.KEY}
    changing = gone | {"contact", "privacy_record", "pending", "event_log", "client"}
    assert before.keys() - changing == after.keys() - changing
    for table in before.keys() - changing:
        for old, new in zip(before[table], after[table], strict=True):
            assert old.replace(said, left).replace(name_key(said), name_key(left)) == new, table


async def test_every_figure_is_what_it_was(provider: Provider, worker_database: str) -> None:
    world = await peopled(provider)
    for onboarding in (world.first, world.second):
        person = await known(provider, onboarding.client)
        await _named_in_a_note(onboarding, person)
    before = await every_figure(provider)

    for contact in await _contacts_of(worker_database, provider.tenant_id):
        command = EraseContact(contact, ErasureReason.REQUESTED)
        done(await contact_erase(provider.context, provider.admin, sent(), command))

    assert await every_figure(provider) == before


async def test_what_is_left_is_a_tombstone_that_no_list_shows(provider: Provider) -> None:
    onboarding = await opened(provider)
    person = await known(provider, onboarding.client)
    done(await person.erase())

    left = await person.seen()
    assert (left.name, left.email, left.phone, left.roles, left.language) == (ERASED, None, None, (), None)
    assert (left.erased, left.opted_out, left.surveyable) == (True, True, False)
    text = """query ($client: ID!, $contact: ID!) {
        client(ref: {id: $client}) { contacts(first: 10) { totalCount nodes { name } } }
        node(id: $contact) { ... on Contact { name erased email } }
    }"""
    ids = {"client": public(IdKind.CLIENT, onboarding.client), "contact": public(IdKind.CONTACT, person.id)}
    seen = await asked(provider, text, ids)
    assert seen["client"]["contacts"] == {"totalCount": 1, "nodes": [{"name": "Pat Primary"}]}
    assert seen["node"] == {"name": ERASED, "erased": True, "email": None}


async def test_an_erased_contact_gets_no_survey(provider: Provider, worker_database: str) -> None:
    onboarding = await opened(provider)
    await onboarding.forward()
    people = await _contacts_of(worker_database, provider.tenant_id)
    waiting = "select recipient from effect where tenant_id = $1 and kind = 'SURVEY' and state = 'PLANNED'"
    assert {UUID(one) for one in await _values(worker_database, waiting, provider.tenant_id)} >= set(people)

    for contact in people:
        command = EraseContact(contact, ErasureReason.REQUESTED)
        outcome = await contact_erase(provider.context, provider.admin, sent(), command)
        assert [one.count for one in untold(outcome.facts) if one.kind is ConsequenceKind.SURVEY] == [1]

    assert not set(people) & {UUID(one) for one in await _values(worker_database, waiting, provider.tenant_id)}
    reasons = "select reason from effect where tenant_id = $1 and kind = 'SURVEY' and state = 'CANCELLED'"
    assert await _values(worker_database, reasons, provider.tenant_id) == ["ERASED"] * len(people)


async def test_an_erased_contact_meets_no_gate(provider: Provider, worker_database: str) -> None:
    onboarding = await opened(provider)
    assert await _answers(onboarding) == ["PASS", "PASS"]

    (contact,) = await _contacts_of(worker_database, provider.tenant_id)
    done(await contact_erase(provider.context, provider.admin, sent(), EraseContact(contact, ErasureReason.REQUESTED)))

    assert await _answers(onboarding) == ["FAIL", "FAIL"]


async def test_an_erased_contact_stands_in_no_open_hand_off_record(provider: Provider) -> None:
    onboarding = await opened(provider)
    await hand_over(onboarding)
    contact = await contact_of(onboarding)
    text = "query ($id: ID!) { onboarding(id: $id) { handOff { contacts { role } missing } } }"
    given = {"id": public(IdKind.ONBOARDING, onboarding.cycle)}
    assert len((await asked(provider, text, given))["onboarding"]["handOff"]["contacts"]) == 1

    command = EraseContact(contact, ErasureReason.REQUESTED)
    outcome = await contact_erase(provider.context, provider.admin, sent(), command)

    told = [one for one in untold(outcome.facts) if one.kind is ConsequenceKind.ONBOARDING]
    assert [(one.name, one.subject) for one in told] == [("HAND_OFF", given["id"])]
    left = (await asked(provider, text, given))["onboarding"]["handOff"]
    assert left["contacts"] == []
    assert "CONTACTS" in left["missing"]


async def test_a_dry_run_tells_the_same_and_changes_nothing(provider: Provider, worker_database: str) -> None:
    onboarding = await opened(provider)
    person = await known(provider, onboarding.client)
    await _named_in_a_note(onboarding, person)

    foreseen = await person.erase(dry_run=True)
    assert (await person.seen()).name == person.name
    outcome = await person.erase()

    assert foreseen.event is None
    assert untold(foreseen.facts) == untold(outcome.facts)
    assert await tables_with(worker_database, person.name) == {person.name: set()}


async def test_whoever_is_erased_is_neither_changed_nor_erased_again(provider: Provider) -> None:
    person = await known(provider, await provider.client())
    done(await person.erase())

    assert codes(await person.erase()) == ["CONFLICT"]
    change = UpdateContact(person.id, name="Back again")
    assert codes(await update(provider.context, provider.admin, sent(), change)) == ["CONFLICT"]


async def test_a_former_name_goes_where_it_is_given(provider: Provider, worker_database: str) -> None:
    onboarding = await opened(provider)
    person = await known(provider, onboarding.client)
    former = f"Former{person.last} Name{person.first}"
    note = AddNote(f"{former} married", client=onboarding.client)
    done(await notes.add(provider.context, onboarding.lead, sent(), note))
    done(await person.erase(also_known_as=(former,)))

    assert await tables_with(worker_database, former) == {former: set()}
    assert codes(await person.erase(also_known_as=("x",) * 11)) == ["INVALID"]


async def test_others_of_the_same_name_keep_theirs(provider: Provider, worker_database: str) -> None:
    """Elsewhere a namesake is meant; and a word of somebody else's name stays wherever it stands."""
    here, elsewhere = await opened(provider), await opened(provider)
    person = await known(provider, here.client)
    for client, name in ((elsewhere.client, person.name), (here.client, f"{person.first} Other")):
        done(await create(provider.context, provider.admin, sent(), CreateContact(client, name)))
    for onboarding, words in ((here, f"{person.first} and {person.last}"), (elsewhere, f"{person.name} says")):
        note = AddNote(words, client=onboarding.client)
        done(await notes.add(provider.context, onboarding.lead, sent(), note))

    done(await person.erase())

    left = await _values(worker_database, "select text from note where tenant_id = $1 order by id", provider.tenant_id)
    assert left == [f"{person.first} and {ERASED}", f"{person.name} says"]


async def test_another_contact_with_the_address_is_named_and_stays(provider: Provider) -> None:
    client = await provider.client()
    person = await known(provider, client)
    twin = done(
        await create(
            provider.context, provider.admin, sent(), CreateContact(client, "Somebody", email=person.email.upper())
        )
    )
    outcome = await person.erase()

    assert outcome.facts["same_address"] == [public(IdKind.CONTACT, twin)]


@pytest.mark.parametrize("role", [Role.ONBOARDING_LEAD, Role.ACCOUNT_MANAGER, Role.VIEWER])
async def test_erasing_takes_the_right_to(provider: Provider, role: Role) -> None:
    caller = await provider.invited(role)
    text = f'mutation {{ contactErase(input: {{contactId: "con_{"0" * 32}"}}) {{ errors {{ code }} }} }}'
    _, errors = await answered(provider, text, principal=caller)
    assert "PRIVACY_WRITE" in errors[0]


async def _answers(onboarding: Onboarding) -> list[str]:
    """Return what the gates of a primary contact and of one who can be asked answer."""
    text = "query ($id: ID!) { onboarding(id: $id) { readiness { move gates { gate answer } } } }"
    seen = await asked(onboarding.provider, text, {"id": public(IdKind.ONBOARDING, onboarding.cycle)})
    answers = {
        gate["gate"]: gate["answer"]
        for move in seen["onboarding"]["readiness"]
        if move["move"] == "BEGIN_DISCOVERY"
        for gate in move["gates"]
    }
    return [answers["PRIMARY_CONTACT"], answers["SURVEYABLE_CONTACT"]]


async def _named_in_a_note(onboarding: Onboarding, person: Known) -> None:
    note = AddNote(f"Talked to {person.name} and to {person.first}.", client=onboarding.client)
    done(await notes.add(onboarding.provider.context, onboarding.lead, sent(), note))


async def _rows(url: str, tenant: UUID) -> dict[str, list[str]]:
    """Return every row of a provider as text, by table."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "select table_name as name from information_schema.columns"
            " where table_schema = 'public' and column_name = 'tenant_id'"
        )
        return {
            row["name"]: [
                found["row"]
                for found in await connection.fetch(
                    f'select t::text as row from "{row["name"]}" as t where tenant_id = $1 order by 1',  # noqa: S608 -- from the catalogue
                    tenant,
                )
            ]
            for row in tables
        }
    finally:
        await connection.close()


async def _contacts_of(url: str, tenant: UUID) -> list[UUID]:
    return await _values(url, "select id from contact where tenant_id = $1 and erased_at is null order by id", tenant)


async def _values(url: str, statement: str, *given: object) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(statement, *given)]
    finally:
        await connection.close()
