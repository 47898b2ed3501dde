"""Leads who move many clients at once, each by what was last seen of a client, and remember every answer."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.access import Principal, Role
from domain.clients import ContactRole, ContractScope, ContractStatus, ContractType
from domain.ids import IdKind, public
from tests.support.providers import Provider, done, sent
from tests.support.serving import Caller, ServerProcess
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.contracts import CreateContract, UpdateContract
from workflows.contracts import create as create_contract
from workflows.contracts import update as update_contract
from workflows.opening import OpenCommand, open_cycle

NEXT = {"CONTRACTING": "ASSET_DISCOVERY", "ASSET_DISCOVERY": "EARLY_SUPPORT"}
FORWARD = {"CONTRACTING": "BEGIN_DISCOVERY", "ASSET_DISCOVERY": "GO_LIVE"}
EARLIER = {"ASSET_DISCOVERY": ["CONTRACTING"], "EARLY_SUPPORT": ["CONTRACTING", "ASSET_DISCOVERY"]}


@dataclass
class Seen:
    """One onboarding as some lead saw it last; another may have moved it since. Its own lead alone may waive."""

    id: str
    lead: Caller
    version: int = 1
    stage: str = "CONTRACTING"
    held: bool = False
    shut: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sent:
    """One command and what it was answered."""

    lead: Caller
    mutation: str
    input: dict[str, Any]
    answer: dict[str, Any]
    tries: int

    @property
    def event(self) -> str | None:
        return None if self.answer["errors"] else self.answer["eventId"]

    @property
    def moved(self) -> bool:
        return self.event is not None and self.mutation != "waiverRequest"


@dataclass
class Leads:
    """All of them together; `enough` ends their work."""

    callers: Sequence[Caller]
    onboardings: Sequence[Seen]
    seed: int = 7
    sent: list[Sent] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def moves(self) -> int:
        return sum(command.moved for command in self.sent)

    async def moved(self, moves: int) -> None:
        """Wait until so many moves are acknowledged."""
        while self.moves < moves:  # noqa: ASYNC110 -- what is waited for is a count
            await asyncio.sleep(0.02)

    async def work(self, moves: int) -> None:
        """Let every lead work until so many moves are acknowledged between them."""
        await asyncio.gather(*(self._work(number, caller, moves) for number, caller in enumerate(self.callers)))

    async def _work(self, number: int, caller: Caller, moves: int) -> None:
        chance = random.Random(self.seed * 1000 + number)
        while self.moves < moves:
            seen = chance.choice(self.onboardings)
            mutation, wish = _wish(seen, chance)
            command = {"onboardingId": seen.id, "idempotencyKey": uuid4().hex} | wish
            sender = seen.lead if mutation == "waiverRequest" else caller
            answer, tries = await sender.command(mutation, command)
            self.sent.append(Sent(sender, mutation, command, answer, tries))
            _look(seen, answer)
        self.enough.set()


def _wish(seen: Seen, chance: random.Random) -> tuple[str, dict[str, Any]]:
    version = {"expectedVersion": seen.version}
    if seen.shut and not seen.held and seen.stage in FORWARD:
        wish = {"move": FORWARD[seen.stage], "gate": seen.shut.pop(), "reason": "agreed with the client"}
        return "waiverRequest", wish
    if seen.held:
        return "onboardingResume", version
    if seen.stage in NEXT and chance.random() < 0.6:
        return "onboardingAdvance", version | {"to": NEXT[seen.stage]}
    if seen.stage in EARLIER and chance.random() < 0.5:
        return "onboardingRollBack", version | {"to": chance.choice(EARLIER[seen.stage]), "reason": "wrong scope"}
    return "onboardingHold", version | {"holdReason": "CLIENT"}


def _look(seen: Seen, answer: dict[str, Any]) -> None:
    now = answer.get("onboarding")
    if now and now["version"] >= seen.version:
        if now["stage"] != seen.stage:
            seen.shut.clear()
        seen.version, seen.stage, seen.held = now["version"], now["stage"], now["heldAt"] is not None
    for error in answer["errors"]:
        if "current" in error:
            seen.version = max(seen.version, error["current"])
        if error["code"] == "TRANSITION_BLOCKED" and not seen.shut:
            seen.shut = [blocker["gate"] for blocker in error["blockers"]]


async def hired(provider: Provider, server: ServerProcess, leads: int, clients: int) -> Leads:
    """Return leads who are together on the team of every one of so many clients."""
    people = [await provider.invited(Role.ONBOARDING_LEAD) for _ in range(leads)]
    callers = [Caller(server, await provider.token_of(person.id)) for person in people]
    seen = []
    for number in range(clients):
        cycle = await _opened(provider, people[number:] + people[:number], number)
        seen.append(Seen(public(IdKind.ONBOARDING, cycle), callers[number]))
    return Leads(callers, seen)


async def _opened(provider: Provider, team: Sequence[Principal], number: int) -> UUID:
    context, admin, today = provider.context, provider.admin, provider.clock().date()
    client = await provider.client(f"Client {number}")
    contract = CreateContract(client, "Managed services", ContractType.MANAGED, (ContractScope.ENDPOINTS,))
    signed = done(await create_contract(context, admin, sent(), contract))
    change = UpdateContract(
        signed,
        status=ContractStatus.SIGNED,
        starts_on=today - timedelta(days=1),
        coverage_hours="Mon-Fri 08:00-18:00",
    )
    done(await update_contract(context, admin, sent(), change))
    contact = CreateContact(client, "Pat Primary", email="pat@client.example", roles=(ContactRole.PRIMARY,))
    done(await create_contact(context, admin, sent(), contact))
    lead, *others = (person.id for person in team)
    command = OpenCommand(client=client, lead=lead, contract=signed, engineers=tuple(others))
    return done(await open_cycle(context, admin, sent(), command))
