"""Cycles for tests: a client that is ready for a move, and the verbs that move it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db import cycles
from domain.access import Principal, Role
from domain.clients import ContactRole, ContractScope, ContractStatus, ContractType
from domain.errors import Outcome
from domain.moves import Gate, Move
from domain.onboarding import Cycle
from domain.readiness import FORWARD
from domain.stages import Stage
from tests.support.providers import Provider, done, sent
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.contracts import CreateContract, UpdateContract
from workflows.contracts import create as create_contract
from workflows.contracts import update as update_contract
from workflows.onboarding import MoveCommand, move_cycle
from workflows.opening import OpenCommand, open_cycle
from workflows.waivers import AttestCommand, WaiverCommand, WaiverDecision, attest, grant_waiver, request_waiver


@dataclass(frozen=True, slots=True)
class Everything:
    """The whole of a list, oldest first."""

    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    limit: int = 100_000


@dataclass
class Onboarding:
    """One client's cycle in a test, with its lead; `version` follows along."""

    provider: Provider
    lead: Principal
    client: UUID
    contract: UUID
    cycle: UUID
    version: int
    _contract_version: int = field(default=1)

    async def move(
        self,
        move: Move,
        *,
        by: Principal | None = None,
        version: int | None = None,
        key: str | None = None,
        **details: object,
    ) -> Outcome:
        """Send a move as the lead (or somebody else) on the version last seen."""
        command = MoveCommand(self.cycle, move, version or self.version, **details)  # type: ignore[arg-type]
        outcome = await move_cycle(self.provider.context, by or self.lead, sent(key), command)
        if not outcome.errors and outcome.version:
            self.version = outcome.version
        return outcome

    async def waive(self, move: Move, gate: Gate, *, hard: bool = False) -> UUID:
        """Waive a gate; a hard one gets its second person."""
        context = self.provider.context
        command = WaiverCommand(self.cycle, move, gate, "agreed with the client")
        waiver = done(await request_waiver(context, self.lead, sent(), command))
        if hard or gate is Gate.CONTRACT_SIGNED:
            done(await grant_waiver(context, self.provider.admin, sent(), WaiverDecision(waiver)))
        return waiver

    async def attest(self, gate: Gate) -> None:
        """Give the lead's word for a gate that nothing measures."""
        today = self.provider.clock().date()
        done(await attest(self.provider.context, self.lead, sent(), AttestCommand(self.cycle, gate, "seen", today)))

    async def sign(self) -> None:
        """Sign the contract, starting today."""
        context, today = self.provider.context, self.provider.clock().date()
        change = UpdateContract(
            self.contract, status=ContractStatus.SIGNED, starts_on=today, coverage_hours="Mon-Fri 08:00-18:00"
        )
        done(await update_contract(context, self.provider.admin, sent(), change))

    async def forward(self) -> Stage:
        """Take the cycle one stage on, waiving every soft gate that is shut."""
        now = await self.seen()
        move = FORWARD[now.stage]
        if move is Move.BEGIN_DISCOVERY:
            await self.sign()
        outcome = await self.move(move)
        if outcome.errors:
            for blocker in outcome.errors[0].blockers:  # type: ignore[attr-defined]
                await self.waive(move, Gate(blocker.gate))
            done(await self.move(move))
        return (await self.seen()).stage

    async def seen(self) -> Cycle:
        """Return the cycle as it is stored."""
        async with self.provider.context.database.reading(self.provider.admin) as tx:
            return (await cycles.by_ids(tx, [self.cycle]))[self.cycle]


async def opened(provider: Provider, *, lead: Principal | None = None) -> Onboarding:
    """Open the onboarding of a new client that has a drafted contract and a primary contact."""
    lead = lead or await provider.invited(Role.ONBOARDING_LEAD)
    client = await provider.client(owner=lead)
    context, admin = provider.context, provider.admin
    contract = done(
        await create_contract(
            context,
            admin,
            sent(),
            CreateContract(client, "Managed services", ContractType.MANAGED, (ContractScope.ENDPOINTS,)),
        )
    )
    done(
        await create_contact(
            context,
            admin,
            sent(),
            CreateContact(client, "Pat Primary", email="pat@client.example", roles=(ContactRole.PRIMARY,)),
        )
    )
    command = OpenCommand(client=client, lead=lead.id, contract=contract)
    outcome = await open_cycle(context, lead, sent(), command)
    return Onboarding(provider, lead, client, contract, done(outcome), outcome.version or 0)
