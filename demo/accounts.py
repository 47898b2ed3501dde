"""Accounts: a client of the story with its people, contracts, devices and services."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Self
from uuid import UUID

from demo.tales import Tale
from demo.telling import Verb
from demo.words import DISCOVERY_SOURCES, FAMILY_NAMES, GIVEN_NAMES, SERVICES
from domain.access import Principal
from domain.bulk import BulkResult
from domain.clients import (
    ContactRole,
    ContractScope,
    ContractStatus,
    ContractType,
    DeviceState,
    ExternalKey,
    GapReason,
    Party,
)
from domain.stages import Stage
from workflows import clients, contacts, contracts, device_batches, devices, services
from workflows.clients import CreateClient
from workflows.contacts import CreateContact
from workflows.contracts import CreateContract, UpdateContract
from workflows.device_batches import RESULTS, DeviceRow, UpsertDevices
from workflows.devices import RecordDiscovery
from workflows.services import CreateService

PSA, RMM = "PSA", "RMM"
"""The systems that know the clients and the devices, by made-up keys."""

EVERYTHING = tuple(ContractScope)
SERVERS_SHARE = 0.08
GAPS = (GapReason.BYOD, GapReason.IOT, GapReason.VENDOR_MANAGED, GapReason.TO_RETIRE, GapReason.OFFLINE)


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of client it is, and who of the provider works for it, by first names.

    `calm` and `troubled` are the shares of its tickets that are escalated in steady state and when service begins.
    """

    key: str
    name: str
    industry: str
    seats: int
    lead: str
    account_manager: str
    technical_lead: str
    engineers: tuple[str, ...] = ()
    scope: tuple[ContractScope, ...] = EVERYTHING
    type: ContractType = ContractType.MANAGED
    hours: str = "Mon-Fri 08:00-18:00"
    calm: float = 0.12
    troubled: float = 0.36


@dataclass(frozen=True, slots=True)
class Stay:
    """From `since` on the client was in a stage."""

    since: datetime
    stage: Stage


class Account:
    """One client, told day by day: `on(-30)` says when, every verb after it says what."""

    def __init__(self, tale: Tale, profile: Profile) -> None:
        self.tale = tale
        self.profile = profile
        self.rng = Random(f"{tale.cast.company.slug}:{profile.key}")
        self.stays: list[Stay] = []
        self.urgent: list[tuple[datetime, str]] = []
        """Matters of the highest priority that the script lets happen, with what they are about."""
        self._day = 0
        self._client: UUID | None = None
        self._contracts: list[UUID] = []
        self._devices: list[UUID] = []

    def on(self, day: int) -> Self:
        """Say on which day, counted from today, the next verbs happen."""
        self._day = day
        return self

    def is_taken_on(self, **terms: object) -> Self:
        """Become a client with a few contacts and a first draft of a contract."""
        self._then(self._take_on)
        return self.gets_a_draft(**terms)

    def gets_a_draft(self, **terms: object) -> Self:
        """Get a contract in DRAFT; `terms` are fields of CreateContract."""

        async def act() -> None:
            profile = self.profile
            usual: dict[str, object] = {
                "title": f"{profile.name}: {profile.type.value.replace('_', '-').lower()} services",
                "type": profile.type,
                "scope": profile.scope,
                "seats": profile.seats,
                "waiting_on": Party.PROVIDER,
            }
            command = CreateContract(self.client, **(usual | terms))  # type: ignore[arg-type]
            self._contracts.append(await self._told(contracts.create, command))

        return self._then(act)

    def contract_becomes(self, status: ContractStatus, *, waiting_on: Party | None = None) -> Self:
        async def act() -> None:
            command = UpdateContract(self.contract, status=status)
            if waiting_on:
                command = UpdateContract(self.contract, status=status, waiting_on=waiting_on)
            await self._told(contracts.update, command)

        return self._then(act)

    def signs(self, *, ends: int | None = None) -> Self:
        """Sign; the contract starts that day, and ends on a day counted from today where one is given."""
        signed_on = self.tale.day(self._day)
        ends_on = self.tale.day(ends) if ends is not None else signed_on + timedelta(days=3 * 365)

        async def act() -> None:
            command = UpdateContract(
                self.contract,
                status=ContractStatus.SIGNED,
                coverage_hours=self.profile.hours,
                starts_on=signed_on,
                ends_on=ends_on,
                renews_on=ends_on - timedelta(days=60),
            )
            await self._told(contracts.update, command)

        return self._then(act)

    def is_searched(self, share: float = 1.0) -> Self:
        """Let its network be searched; a first search brings in devices, PENDING until somebody decides."""

        async def act() -> None:
            source = self.rng.choice(DISCOVERY_SOURCES)
            found = round(self.profile.seats * 1.15 * share)
            if not self._devices:
                self._devices = await self._upserted([self._device(number) for number in range(found)])
            run = RecordDiscovery(self.client, source, found)
            await self._told(devices.record_discovery, run, by=self.tale.connector)

        return self._then(act)

    def devices_are_decided(self, managed: float = 0.97, *, explained: bool = True) -> Self:
        """Let a share of the devices be managed; the others get a reason why not, or stay undecided."""

        async def act() -> None:
            count = len(self._devices)
            rows = [
                DeviceRow(self._device_key(number), state=DeviceState.MANAGED)
                for number in range(round(count * managed))
            ]
            if explained:
                rows += [
                    DeviceRow(self._device_key(number), state=DeviceState.UNMANAGED, gap_reason=self.rng.choice(GAPS))
                    for number in range(round(count * managed), count)
                ]
            await self._upserted(rows)

        return self._then(act)

    def devices_are_released(self) -> Self:
        async def act() -> None:
            rows = [DeviceRow(self._device_key(n), state=DeviceState.RETIRED) for n in range(len(self._devices))]
            await self._upserted(rows)

        return self._then(act)

    def services_are_mapped(self, *, but: str | None = None) -> Self:
        """Note what the client depends on and the servers that it runs on, all but one where one is named."""

        async def act() -> None:
            servers = self._devices[: self._servers]
            for name, critical in SERVICES:
                runs_on = () if name == but else tuple(self.rng.sample(servers, min(2, len(servers))))
                await self._told(services.create, CreateService(self.client, name, critical, runs_on))

        return self._then(act)

    def suffers(self, what: str) -> Self:
        """Let something of the highest priority happen that is not solved yet."""

        async def act() -> None:
            self.urgent.append((self.tale.telling.clock(), what))

        return self._then(act)

    @property
    def client(self) -> UUID:
        if self._client is None:
            raise LookupError(f"{self.profile.name} is no client yet on this day of the story")
        return self._client

    @property
    def contract(self) -> UUID:
        return self._contracts[-1]

    def person(self, first_name: str) -> Principal:
        return self.tale.cast[first_name]

    def stage_at(self, instant: datetime) -> Stay | None:
        """Return the stay in a stage that an instant falls into."""
        return next((stay for stay in reversed(self.stays) if stay.since <= instant), None)

    def _then(self, act: Callable[[], Awaitable[None]]) -> Self:
        self.tale.plan(self._day, self.profile.key, act)
        return self

    async def _take_on(self) -> None:
        profile = self.profile
        external = (ExternalKey(PSA, profile.key),)
        owner, manager = self.person(profile.lead), self.person(profile.account_manager)
        create = CreateClient(profile.name, profile.industry, profile.seats, owner.id, manager.id, external)
        self._client = await self._told(clients.create, create)
        roles = [
            (ContactRole.SIGNER, ContactRole.SPONSOR),
            (ContactRole.PRIMARY, ContactRole.TECHNICAL, ContactRole.AFTER_HOURS),
            (ContactRole.BILLING, ContactRole.USER),
        ]
        domain = re.sub(r"[^a-z]+", "-", profile.name.lower()).strip("-")
        given = self.rng.sample(GIVEN_NAMES, len(roles))
        for number, (name, held) in enumerate(zip(given, roles, strict=True)):
            contact = CreateContact(
                self.client,
                f"{name} {self.rng.choice(FAMILY_NAMES)}",
                email=f"{name.lower().replace('ë', 'e')}@{domain}.example",
                phone=f"+00 555 {self.rng.randrange(1000, 9999)}" if number < 2 else None,  # noqa: PLR2004 -- the first two
                roles=held,
                language="nl" if number % 2 else "en",
                opted_out=ContactRole.BILLING in held,
            )
            await self._told(contacts.create, contact)

    async def _told(self, verb: Verb, command: object, *, by: Principal | None = None) -> UUID:
        actor = by or self.person(self.profile.account_manager)
        key = None if actor.member_id else f"demo-{self.profile.key}-{self.tale.telling.clock():%Y%m%d%H%M%S}"
        outcome = await self.tale.telling.told(verb, actor, command, key=key)
        return outcome.subject or UUID(int=0)

    async def _upserted(self, rows: list[DeviceRow]) -> list[UUID]:
        command = UpsertDevices(self.client, RMM, tuple(rows))
        key = f"demo-{self.profile.key}-{self.tale.telling.clock():%Y%m%d%H%M%S}"
        outcome = await self.tale.telling.told(device_batches.upsert, self.tale.connector, command, key=key)
        results = outcome.facts[RESULTS]
        if not isinstance(results, list):
            raise TypeError(f"a batch of devices came back without its rows: {results!r}")
        return [subject for row in results if (subject := BulkResult.from_data(row).subject)]

    @property
    def _servers(self) -> int:
        return max(2, round(self.profile.seats * SERVERS_SHARE))

    def _device_key(self, number: int) -> str:
        return f"{self.profile.key}-{number:04}"

    def _device(self, number: int) -> DeviceRow:
        prefix = "".join(word[0] for word in self.profile.name.split() if word[0].isalpha())
        if number < self._servers:
            kind, name = "SERVER", f"{prefix}-SRV{number + 1:02}"
        else:
            kind = self.rng.choices(("WORKSTATION", "NOTEBOOK", "PRINTER", "SWITCH", "PHONE"), (40, 38, 6, 6, 10))[0]
            name = f"{prefix}-{kind[:2]}{number + 1:03}"
        return DeviceRow(self._device_key(number), name, kind, serial=f"SIM{self.rng.randrange(16**8):08X}")
