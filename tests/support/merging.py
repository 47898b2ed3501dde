"""Two clients that are one company, with something of everything that is a client's own."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import text

from db import clients
from domain.access import Principal
from domain.clients import Client, ContractScope, ContractType, ExternalKey
from domain.errors import Outcome
from tests.support.providers import Provider, done, sent
from tests.support.tickets import report, ticket
from workflows.amendments import CreateAmendment
from workflows.amendments import create as create_amendment
from workflows.calendars import SetCalendar, set_contract, set_site
from workflows.clients import CreateClient
from workflows.clients import create as create_client
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.contracts import CreateContract
from workflows.contracts import create as create_contract
from workflows.device_batches import DeviceRow, UpsertDevices
from workflows.device_batches import upsert as upsert_devices
from workflows.devices import RecordDiscovery, record_discovery
from workflows.merging import MergeClients, merge
from workflows.notes import AddNote
from workflows.notes import add as add_note
from workflows.services import CreateService
from workflows.services import create as create_service
from workflows.sites import CreateSite
from workflows.sites import create as create_site
from workflows.working_weeks import Terms

RMM = "RMM"

DEVICES = text("select id from device where tenant_id = :tenant and client_id = :client")


async def seen(provider: Provider, client: UUID) -> Client:
    """Return a client's own row, though it be merged."""
    async with provider.context.database.reading(provider.admin) as tx:
        return (await clients.ROWS.many(tx, [client]))[client]


async def merged(
    provider: Provider,
    kept: UUID,
    duplicate: UUID,
    *,
    by: Principal | None = None,
    key: str | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Merge two clients on the versions that they have now."""
    command = MergeClients(
        kept,
        duplicate,
        "entered twice",
        (await seen(provider, kept)).version,
        (await seen(provider, duplicate)).version,
        dry_run,
    )
    return await merge(provider.context, by or provider.admin, sent(key), command)


async def doubled(provider: Provider, name: str, *, mark: str, device: str | None = None) -> UUID:
    """Return a client with something of everything, all of it marked; `device` is a device's key in the RMM."""
    context, admin = provider.context, provider.admin
    taken = CreateClient(name, external=(ExternalKey(f"PSA {mark}", mark),))
    client = done(await create_client(context, admin, sent(), taken))
    site = done(await create_site(context, admin, sent(), CreateSite(client, f"Depot {mark}", street=f"Street {mark}")))
    person = CreateContact(client, f"Person {mark}", f"{mark}@acme.example", site_id=site)
    done(await create_contact(context, admin, sent(), person))
    rows = (DeviceRow(device or f"device {mark}", f"Device {mark}", serial=f"SN-{mark}", site_id=site),)
    outcome = await upsert_devices(context, admin, sent(), UpsertDevices(client, RMM, rows))
    assert outcome.errors == ()
    async with context.database.reading(admin) as tx:
        (found,) = await tx.rows(DEVICES, tenant=tx.tenant, client=client)
    service = CreateService(client, f"Service {mark}", device_ids=(found["id"],), site_id=site)
    offered = done(await create_service(context, admin, sent(), service))
    done(await record_discovery(context, admin, sent(), RecordDiscovery(client, "scan", 1, site_id=site)))
    done(await add_note(context, admin, sent(), AddNote(f"Noted {mark}", client=client)))
    terms = CreateContract(client, f"Terms {mark}", ContractType.MANAGED, (ContractScope.ENDPOINTS,))
    contract = done(await create_contract(context, admin, sent(), terms))
    addition = CreateAmendment(contract, f"Addition {mark}", service_id=offered)
    done(await create_amendment(context, admin, sent(), addition))
    done(await set_contract(context, admin, sent(), SetCalendar(contract, Terms())))
    done(await set_site(context, admin, sent(), SetCalendar(site, Terms())))
    await logged(provider, client, mark)
    return client


async def logged(provider: Provider, client: UUID, mark: str, count: int = 3) -> None:
    """Log tickets on days one before the other, every other one escalated."""
    tickets = [
        replace(ticket(n, tiers=(1, 2) if n % 2 else (1,), days=-n), external_id=f"{mark}-{n}") for n in range(count)
    ]
    await report(provider, *tickets, client=client)
