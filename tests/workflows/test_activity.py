"""Activity is what somebody does for an onboarding; whoever notes it waits for nobody for good."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import pytest

from db import activity, timeline
from domain.access import Principal, Role
from domain.clients import ExternalKey
from domain.errors import Outcome
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason
from domain.plans import Wish
from domain.stages import Stage
from domain.timeline import TimelineKind
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, done, sent
from workflows.client_batches import ClientRow, UpsertClients, upsert
from workflows.clients import UpdateClient
from workflows.clients import update as update_client
from workflows.contacts import CreateContact, UpdateContact
from workflows.contacts import create as create_contact
from workflows.contacts import update as update_contact
from workflows.contracts import UpdateContract
from workflows.contracts import update as update_contract
from workflows.notes import AddNote, add
from workflows.plans import PlanCommand, plan
from workflows.services import CreateService
from workflows.services import create as create_service
from workflows.teams import TeamCommand, change_team
from workflows.waivers import WaiverCommand, request_waiver


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


Doing = Callable[[Onboarding], Awaitable[object]]


async def a_move(o: Onboarding) -> None:
    done(await o.move(Move.HOLD, hold_reason=HoldReason.CLIENT))


async def a_contact(o: Onboarding) -> None:
    done(await create_contact(o.provider.context, o.lead, sent(), CreateContact(o.client, "Sam Second")))


async def a_contract(o: Onboarding) -> None:
    done(await update_contract(o.provider.context, o.lead, sent(), UpdateContract(o.contract, seats=20)))


async def a_note(o: Onboarding) -> None:
    done(await add(o.provider.context, o.lead, sent(), AddNote("Seen.", cycle=o.cycle)))


async def a_note_on_the_client(o: Onboarding) -> None:
    done(await add(o.provider.context, o.lead, sent(), AddNote("Seen.", client=o.client)))


async def a_waiver(o: Onboarding) -> None:
    command = WaiverCommand(o.cycle, Move.BEGIN_DISCOVERY, Gate.COVERAGE_HOURS, "agreed")
    done(await request_waiver(o.provider.context, o.lead, sent(), command))


async def an_attestation(o: Onboarding) -> None:
    await o.attest(Gate.THRESHOLD_SET)


async def a_planned_date(o: Onboarding) -> None:
    day = o.provider.clock().date() + timedelta(days=9)
    command = PlanCommand(o.cycle, o.version, (Wish(Stage.ASSET_DISCOVERY, day),))
    done(await plan(o.provider.context, o.lead, sent(), command))


async def another_team(o: Onboarding) -> None:
    done(await change_team(o.provider.context, o.lead, sent(), TeamCommand(o.cycle, o.version, engineers=(o.lead.id,))))


async def a_service(o: Onboarding) -> None:
    done(await create_service(o.provider.context, o.lead, sent(), CreateService(o.client, "Payroll")))


async def a_name_of_the_client(o: Onboarding) -> None:
    done(await update_client(o.provider.context, o.lead, sent(), UpdateClient(o.client, name="Ace")))


@pytest.mark.parametrize(
    "doing",
    [a_move, a_contact, a_contract, a_note, a_note_on_the_client, a_waiver, a_planned_date, another_team],
    ids=lambda doing: doing.__name__,
)
async def test_what_is_done_for_an_onboarding_is_its_activity(onboarding: Onboarding, doing: Doing) -> None:
    onboarding.provider.clock.forward(days=2)
    await doing(onboarding)
    assert (await onboarding.seen()).active_at == onboarding.provider.clock()


@pytest.mark.parametrize("doing", [a_service, a_name_of_the_client], ids=lambda doing: doing.__name__)
async def test_what_machines_bring_in_and_other_fields_are_none(onboarding: Onboarding, doing: Doing) -> None:
    before = (await onboarding.seen()).active_at
    onboarding.provider.clock.forward(days=2)
    await doing(onboarding)
    assert (await onboarding.seen()).active_at == before


async def test_activity_is_never_set_back_and_ended_onboardings_have_none(onboarding: Onboarding) -> None:
    async def touched(at: datetime) -> datetime:
        async with onboarding.provider.context.database.writing(onboarding.provider.admin) as tx:
            await activity.touch(tx, at, client=onboarding.client)
        return (await onboarding.seen()).active_at

    later = onboarding.provider.clock() + timedelta(days=3)
    assert await touched(later) == later
    assert await touched(later - timedelta(days=1)) == later
    onboarding.provider.clock.forward(days=4)
    done(await onboarding.move(Move.LOSE, outcome=EndReason.PRICE, reason="Too dear."))
    ended = (await onboarding.seen()).active_at
    assert await touched(later + timedelta(days=9)) == ended


async def test_many_at_once_neither_deadlock_nor_lose_anything(onboarding: Onboarding) -> None:
    """Contacts, notes, contracts, devices' services and moves of one client, all at the same moment."""
    provider, client = onboarding.provider, onboarding.client
    context, lead = provider.context, onboarding.lead
    calls: list[Awaitable[Outcome]] = []
    for number in range(6):
        calls += [
            create_contact(context, lead, sent(), CreateContact(client, f"Person {number}")),
            add(context, lead, sent(), AddNote(f"Note {number}", cycle=onboarding.cycle)),
            add(context, lead, sent(), AddNote(f"Note {number}", client=client)),
            update_contract(context, lead, sent(), UpdateContract(onboarding.contract, seats=10 + number)),
            create_service(context, lead, sent(), CreateService(client, f"Service {number}")),
        ]
    calls.append(onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    outcomes = await asyncio.gather(*calls)
    assert [outcome.errors for outcome in outcomes if outcome.errors] == []


async def edits(onboarding: Onboarding, by: Principal, *, of_client: bool) -> list[tuple[str, str | None]]:
    async with onboarding.provider.context.database.reading(by) as tx:
        if of_client:
            found = (await timeline.timelines_of_clients(tx, [onboarding.client], Everything()))[onboarding.client]
        else:
            found = (await timeline.timelines(tx, [onboarding.cycle], Everything()))[onboarding.cycle]
    kinds = {TimelineKind.CONTACT_ADDED, TimelineKind.CONTACT_EDITED, TimelineKind.CONTRACT_EDITED}
    return [(entry.kind.value, entry.detail) for entry in found if entry.kind in kinds]


async def test_a_timeline_names_the_fields_that_were_edited_while_it_went_on(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    provider.clock.forward(hours=1)
    contact = done(
        await create_contact(provider.context, onboarding.lead, sent(), CreateContact(onboarding.client, "Sam"))
    )
    provider.clock.forward(hours=1)
    change = UpdateContact(contact, opted_out=True, name="Sammy")
    done(await update_contact(provider.context, onboarding.lead, sent(), change))
    provider.clock.forward(hours=1)
    terms = UpdateContract(onboarding.contract, starts_on=date(2026, 3, 1), seats=12)
    done(await update_contract(provider.context, onboarding.lead, sent(), terms))
    told = [
        ("CONTACT_ADDED", None),
        ("CONTACT_ADDED", None),
        ("CONTACT_EDITED", "name, optedOut"),
        ("CONTRACT_EDITED", "seats, startsOn"),
    ]
    assert await edits(onboarding, provider.admin, of_client=False) == told
    provider.clock.forward(hours=1)
    done(await onboarding.move(Move.LOSE, outcome=EndReason.PRICE, reason="Too dear."))
    provider.clock.forward(hours=1)
    done(await update_contact(provider.context, onboarding.lead, sent(), UpdateContact(contact, name="Samuel")))
    assert await edits(onboarding, provider.admin, of_client=False) == told
    assert await edits(onboarding, provider.admin, of_client=True) == [*told, ("CONTACT_EDITED", "name")]


async def test_a_clients_own_fields_are_told_whichever_way_they_were_edited(onboarding: Onboarding) -> None:
    provider, admin = onboarding.provider, onboarding.provider.admin
    change = UpdateClient(onboarding.client, seats=40, external=(ExternalKey("PSA", "7"),))
    done(await update_client(provider.context, admin, sent(), change))
    provider.clock.forward(minutes=1)
    rows = (ClientRow(ExternalKey("PSA", "7"), "Ace", seats=41), ClientRow(ExternalKey("PSA", "8"), "New"))
    assert (await upsert(provider.context, admin, sent(), UpsertClients(rows))).errors == ()
    kinds = [TimelineKind.CLIENT_EDITED]
    async with provider.context.database.reading(admin) as tx:
        found = (await timeline.timelines_of_clients(tx, [onboarding.client], Everything(), kinds))[onboarding.client]
    assert [(entry.key, entry.detail) for entry in found] == [("CLIENT", "seats, external"), ("CLIENT", "name, seats")]


async def test_who_does_not_see_a_client_sees_nothing_of_its_timeline(onboarding: Onboarding) -> None:
    stranger = await onboarding.provider.invited(Role.AGENT)
    assert await edits(onboarding, stranger, of_client=True) == []
    assert await edits(onboarding, stranger, of_client=False) == []
