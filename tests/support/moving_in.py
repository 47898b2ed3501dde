"""Moving in, in tests: existing clients brought in, and all that is stored of them afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db import cycles, effects, histories, members
from domain.access import Principal, Role
from domain.clients import ContractScope, ExternalKey
from domain.effects import Effect
from domain.moving_in import Arrival, ArrivalStatus, Arrived, ToldContact, ToldContract
from domain.onboarding import Cycle, EndReason, Hold, Transition, Visit, Window
from domain.stages import Stage
from tests.support.onboarding import Everything
from tests.support.providers import Provider, sent
from workflows.moving_in import ImportClients, import_clients, results_of


@dataclass(frozen=True, slots=True)
class Lead:
    """A member who can lead onboardings, with the address by which files name them."""

    principal: Principal
    email: str


@dataclass(frozen=True, slots=True)
class Story:
    """One onboarding with all that is stored of it."""

    cycle: Cycle
    history: tuple[Transition, ...]
    visits: tuple[Visit, ...]
    windows: Sequence[Window]
    holds: Sequence[Hold]
    effects: Sequence[Effect]


CONTRACT = ToldContract(
    "Managed services",
    scope=(ContractScope.ENDPOINTS,),
    signed_on=date(2026, 1, 5),
    starts_on=date(2026, 2, 1),
    coverage_hours="Mon-Fri 08:00-18:00",
)

STEADY: dict[str, Any] = {
    "stage": Stage.STEADY_STATE,
    "contracting_on": date(2025, 3, 3),
    "discovery_on": date(2025, 3, 17),
    "live_on": date(2025, 4, 1),
    "steady_on": date(2025, 7, 15),
}
"""A client of a whole past, as of the tests' clock on 2 March 2026."""


OFFBOARDED: dict[str, Any] = {
    "stage": Stage.OFFBOARDED,
    "live_on": date(2025, 4, 1),
    "steady_on": date(2025, 7, 15),
    "ended_on": date(2025, 12, 1),
    "outcome": EndReason.INSOURCED,
    "end_reason": "They have their own people now.",
}
LOST: dict[str, Any] = {
    "stage": Stage.LOST,
    "live_on": None,
    "contracting_on": date(2025, 9, 1),
    "ended_on": date(2025, 10, 1),
    "outcome": EndReason.PRICE,
}

COUNTED = ("client", "contract", "contact", "cycle", "visit", "transition", "effect", "external_ref")


async def lead_of(provider: Provider) -> Lead:
    """Return a new lead."""
    principal = await provider.invited(Role.ONBOARDING_LEAD)
    async with provider.context.database.reading(provider.admin) as tx:
        member = await members.get(tx, principal.id)
    assert member is not None
    return Lead(principal, member.email)


def row(lead: Lead, number: int = 1, /, **told: Any) -> Arrival:
    """Return a client in early support since 10 February, with a signed contract and a contact."""
    known: dict[str, object] = {
        "name": f"Client {number}",
        "external": ExternalKey("PSA", str(number)),
        "lead_email": lead.email,
        "contract": CONTRACT,
        "contacts": (ToldContact("Pat Primary", f"pat@client{number}.example"),),
        "stage": Stage.EARLY_SUPPORT,
        "live_on": date(2026, 2, 10),
    }
    return Arrival(**(known | told))  # type: ignore[arg-type]


async def brought(
    provider: Provider, *rows: Arrival, by: Principal | None = None, dry_run: bool = False
) -> list[Arrived]:
    """Bring clients in and return what became of each."""
    outcome = await import_clients(provider.context, by or provider.admin, sent(), ImportClients(rows, dry_run))
    assert outcome.errors == (), outcome.errors
    return results_of(outcome)


async def stories_of(provider: Provider, client: UUID | None) -> list[Story]:
    """Return the onboardings of a client, the oldest first."""
    assert client is not None
    async with provider.context.database.reading(provider.admin) as tx:
        found = (await cycles.of_clients(tx, [client])).get(client, [])
        ids = [cycle.id for cycle in found]
        trails = await histories.histories(tx, ids, Everything())
        visits, windows, holds = (
            await cycles.visits(tx, ids),
            await cycles.windows(tx, ids),
            await cycles.holds(tx, ids),
        )
        planned = await effects.of_cycles(tx, ids)
    return [
        Story(
            one,
            tuple(trails.get(one.id, [])),
            visits.get(one.id, ()),
            windows.get(one.id, []),
            holds.get(one.id, []),
            planned.get(one.id, []),
        )
        for one in found
    ]


def bare(one: Arrived) -> Arrived:
    """Return a report without the ids of what came into being, which no two runs share."""
    effects = tuple(replace(effect, contact=None) for effect in one.effects)
    here = {"client": None, "onboarding": None, "contract": None} if one.status is not ArrivalStatus.EXISTS else {}
    return replace(one, **here, effects=effects)  # type: ignore[arg-type]


async def counted(provider: Provider) -> dict[str, int]:
    """Return how many rows of everything that an import writes a provider has."""
    parts = ", ".join(f"(select count(*) from {t} where tenant_id = :tenant) as {t}" for t in COUNTED)  # noqa: S608 -- names of ours
    async with provider.context.database.reading(provider.admin) as tx:
        found = await tx.one(text(f"select {parts}"), tenant=tx.tenant)
    assert found is not None
    return dict(found)
