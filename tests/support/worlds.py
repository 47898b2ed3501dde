"""A provider with something of everything, and every id that its rows hold."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from domain.absences import AbsenceReason
from domain.clients import DeviceState, ExternalKey
from domain.ids import IdKind, public
from domain.moves import Gate, Move
from domain.onboarding import HoldReason
from domain.plans import Wish
from domain.privacy import DataSubject
from domain.stages import Stage
from domain.tickets import HandOver
from tests.support.checklists import hand_over, work_through
from tests.support.events import number
from tests.support.inbound import filled
from tests.support.jobs import TICKETS_OF_DESK, imported
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, done, sent
from tests.support.tickets import NOON, report, ticket
from workflows import (
    absences,
    amendments,
    calendars,
    clients,
    device_batches,
    devices,
    notes,
    plans,
    privacy,
    services,
    sites,
    ticket_work,
)
from workflows.absences import AddAbsence
from workflows.amendments import CreateAmendment
from workflows.beginning import Team
from workflows.calendars import SetCalendar
from workflows.clients import UpdateClient
from workflows.device_batches import DeviceRow, UpsertDevices
from workflows.devices import RecordDiscovery
from workflows.expansion import ExpandCommand, expand
from workflows.notes import AddNote
from workflows.plans import PlanCommand
from workflows.privacy import ExportSubject
from workflows.services import CreateService
from workflows.sites import CreateSite
from workflows.targets import SetTarget, set_target
from workflows.ticket_work import OpenTicket
from workflows.working_weeks import Terms

TABLES = {
    "tenant": IdKind.TENANT,
    "member": IdKind.MEMBER,
    "absence": IdKind.ABSENCE,
    "token": IdKind.TOKEN,
    "client": IdKind.CLIENT,
    "contact": IdKind.CONTACT,
    "contract": IdKind.CONTRACT,
    "amendment": IdKind.AMENDMENT,
    "site": IdKind.SITE,
    "service": IdKind.SERVICE,
    "device": IdKind.DEVICE,
    "discovery_run": IdKind.DISCOVERY_RUN,
    "definition": IdKind.DEFINITION,
    "cycle": IdKind.ONBOARDING,
    "visit": IdKind.VISIT,
    "transition": IdKind.TRANSITION,
    "hold": IdKind.HOLD,
    "waiver": IdKind.WAIVER,
    "attestation": IdKind.ATTESTATION,
    "effect": IdKind.EFFECT,
    "checklist_item": IdKind.CHECKLIST_ITEM,
    "follow_up": IdKind.FOLLOW_UP,
    "escalation_window": IdKind.WINDOW,
    "note": IdKind.NOTE,
    "ticket": IdKind.TICKET,
    "escalation": IdKind.ESCALATION,
    "escalation_rule": IdKind.ESCALATION_RULE,
    "ticket_term": IdKind.TERM,
    "kpi_target": IdKind.KPI_TARGET,
    "privacy_record": IdKind.PRIVACY_RECORD,
    "job": IdKind.JOB,
    "inbound_source": IdKind.INBOUND_SOURCE,
    "inbound_message": IdKind.INBOUND_MESSAGE,
}
"""Where the ids of each kind lie."""

SYSTEM = "PSA"

_UUIDS = """
    select table_name as table, column_name as name, data_type = 'ARRAY' as many
    from information_schema.columns
    where table_schema = 'public' and (udt_name = 'uuid' or udt_name = '_uuid')
"""


@dataclass(frozen=True, slots=True)
class World:
    """A provider with two clients under way, each marked by a word that occurs nowhere else."""

    provider: Provider
    mark: str
    first: Onboarding
    second: Onboarding

    def key(self, onboarding: Onboarding) -> str:
        """Return a client's key in another system."""
        return f"{self.mark}-{1 if onboarding is self.first else 2}"


async def peopled(provider: Provider) -> World:
    """Return a world in which there is something of every kind."""
    mark = f"mark{uuid4().hex[:10]}"
    world = World(provider, mark, await opened(provider), await opened(provider))
    for onboarding in (world.first, world.second):
        await fill(onboarding, world.key(onboarding))
    await number(provider.context.database)
    return world


async def fill(onboarding: Onboarding, key: str) -> None:
    """Give a client something of every kind, and take its onboarding on until it is held in early support."""
    provider, client = onboarding.provider, onboarding.client
    context, admin = provider.context, provider.admin
    change = UpdateClient(
        client,
        name=f"Client {key}",
        account_manager_id=onboarding.lead.id,
        external=(ExternalKey(SYSTEM, key),),
    )
    done(await clients.update(context, admin, sent(), change))
    rows = (DeviceRow(f"device {key}", f"Device {key}", state=DeviceState.MANAGED),)
    outcome = await device_batches.upsert(context, admin, sent(), UpsertDevices(client, SYSTEM, rows))
    assert outcome.errors == ()
    done(await services.create(context, admin, sent(), CreateService(client, f"Service {key}")))
    done(await devices.record_discovery(context, admin, sent(), RecordDiscovery(client, key, 1)))
    tickets = (
        replace(ticket(1, tiers=(1, 2)), external_id=f"{key}-1", category=f"Category {key}"),
        replace(
            ticket(2), external_id=f"{key}-2", hand_overs=(HandOver(NOON, f"Team {key}", 1, agent=f"Agent {key}"),)
        ),
    )
    await report(provider, *tickets, client=client)
    results: Any = outcome.facts[device_batches.RESULTS]
    device = UUID(results[0]["subject"])
    site = await sited(onboarding, key, device)
    done(await set_target(context, admin, sent(), SetTarget("ESCALATION_RATE", client, 0.2)))
    done(await calendars.set_contract(context, admin, sent(), SetCalendar(onboarding.contract, Terms())))
    await onboarding.attest(Gate.THRESHOLD_SET)
    await hand_over(onboarding, f"Promised {key}")
    await work_through(onboarding, note=f"Said {key}")
    for note in (AddNote(f"Noted {key}", cycle=onboarding.cycle), AddNote(f"Noted {key}", client=client, pinned=True)):
        done(await notes.add(context, onboarding.lead, sent(), note))
    await planned(onboarding, f"Planned {key}")
    await filled(provider, client, f"Said {key}")
    await imported(provider, TICKETS_OF_DESK, f"{key}.jsonl", b'{"id": 1}\n')
    far = provider.clock().date() + timedelta(days=300)
    leave = AddAbsence(onboarding.lead.id, far, far, AbsenceReason.HOLIDAY)
    done(await absences.add(context, onboarding.lead, sent(), leave))
    exported, _ = await privacy.export(context, admin, sent(), ExportSubject(DataSubject.MEMBER, onboarding.lead.id))
    done(exported)
    await onboarding.forward()
    await onboarding.forward()
    await expanded(onboarding, key, site)
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT, reason=f"Held {key}"))


async def sited(onboarding: Onboarding, key: str, device: UUID) -> UUID:
    """Give a client a site with a ticket about it and about a device, and return the site."""
    context, admin = onboarding.provider.context, onboarding.provider.admin
    depot = CreateSite(onboarding.client, f"Depot {key}", street=f"Street {key}", external=(ExternalKey(SYSTEM, key),))
    site = done(await sites.create(context, admin, sent(), depot))
    visit = OpenTicket(onboarding.client, f"Visit {key}", site_id=site, device_id=device, logged_at=NOON)
    done(await ticket_work.create(context, admin, sent(), visit))
    return site


async def expanded(onboarding: Onboarding, key: str, site: UUID) -> None:
    """Begin to onboard a site of the client by an amendment of its contract."""
    context, admin = onboarding.provider.context, onboarding.provider.admin
    addition = CreateAmendment(onboarding.contract, f"Addition {key}", site_id=site, note=f"Agreed {key}")
    amendment = done(await amendments.create(context, admin, sent(), addition))
    command = ExpandCommand(onboarding.client, Team(onboarding.lead.id), site=site, amendment=amendment)
    done(await expand(context, admin, sent(), command))


async def planned(onboarding: Onboarding, reason: str) -> None:
    """Plan the last stage, and plan it anew."""
    for days in (100, 110):
        wish = Wish(Stage.STEADY_STATE, onboarding.provider.clock().date() + timedelta(days=days))
        command = PlanCommand(onboarding.cycle, onboarding.version, (wish,), reason)
        outcome = await plans.plan(onboarding.provider.context, onboarding.lead, sent(), command)
        done(outcome)
        onboarding.version = outcome.version or 0


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of some rows: those that could be asked for, by kind, and every UUID that the rows hold."""

    by_kind: dict[IdKind, list[str]]
    held: frozenset[str]


async def ids_of_tenant(url: str, tenant: UUID) -> Ids:
    """Return all of a provider's ids, read past every policy."""
    return await _ids(url, tenant, None)


async def ids_of_client(url: str, tenant: UUID, client: UUID) -> Ids:
    """Return the ids of what belongs to one client, without what is the whole provider's."""
    found = await _ids(url, tenant, client)
    shared = await _ids(url, tenant, None, without=client)
    return Ids(found.by_kind, found.held - shared.held)


async def _ids(url: str, tenant: UUID, client: UUID | None, without: UUID | None = None) -> Ids:
    by_kind: dict[IdKind, list[str]] = {}
    held: set[str] = set()
    connection = await asyncpg.connect(url)
    try:
        columns: dict[str, list[asyncpg.Record]] = {}
        for row in await connection.fetch(_UUIDS):
            columns.setdefault(row["table"], []).append(row)
        for table, found in columns.items():
            names = {row["name"] for row in found}
            where = _rows_of(table, names, client, without)
            if where is None:
                continue
            some = [client or without] if client or without else []
            rows = await connection.fetch(f'select * from "{table}" where {where}', tenant, *some)  # noqa: S608 -- names from the catalogue
            for row in rows:
                for column in found:
                    value = row[column["name"]]
                    held.update(one.hex for one in (value if column["many"] else [value]) or [] if one is not None)
            if table in TABLES:
                by_kind[TABLES[table]] = [public(TABLES[table], row["id"]) for row in rows]
    finally:
        await connection.close()
    return Ids(by_kind, frozenset(held))


def _rows_of(table: str, columns: set[str], client: UUID | None, without: UUID | None) -> str | None:
    owner = "id" if table == "tenant" else "tenant_id"
    if owner not in columns:
        return None
    holder = "id" if table == "client" else "client_id" if "client_id" in columns else None
    if client is not None:
        return f"{owner} = $1 and {holder} = $2" if holder else None
    if without is not None:
        # The second parameter is named so that every statement has it.
        return f"{owner} = $1 and {holder or 'null'} is distinct from cast($2 as uuid)"
    return f"{owner} = $1"
