"""What an answer reads of onboardings, one statement a kind whatever the number of clients."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from api.context import OperationContext
from api.paging import Page
from db import cycles, definitions, effects, evidence, follow_ups, histories, waivers
from db.keyset import Listing
from domain.baselines import Baseline, Span, Tally
from domain.definitions import Definition
from domain.effects import Effect
from domain.follow_ups import FollowUp
from domain.onboarding import Cycle, Hold, Transition, Visit, Window
from domain.waivers import Attestation, Waiver
from workflows.readiness import Judged
from workflows.readiness import judged as judge


async def cycle(context: OperationContext, keys: Sequence[UUID]) -> list[Cycle | None]:
    """Load onboardings by id."""
    async with context.reading() as tx:
        found = await cycles.by_ids(tx, keys)
    return [found.get(key) for key in keys]


async def of_client(context: OperationContext, keys: Sequence[UUID]) -> list[list[Cycle]]:
    """Load all onboardings of clients, oldest first."""
    async with context.reading() as tx:
        found = await cycles.of_clients(tx, keys)
    return [found.get(key, []) for key in keys]


async def definition(context: OperationContext, keys: Sequence[UUID]) -> list[Definition]:
    """Load definitions by id."""
    async with context.reading() as tx:
        found = await definitions.by_ids(tx, keys)
    return [found[key] for key in keys]


async def judged(context: OperationContext, keys: Sequence[UUID]) -> list[Judged]:
    """Load onboardings with every next move judged now."""
    async with context.reading() as tx:
        found = await judge(tx, keys, now(context))
    return [found[key] for key in keys]


async def visits(context: OperationContext, keys: Sequence[UUID]) -> list[tuple[Visit, ...]]:
    """Load the visits of onboardings."""
    async with context.reading() as tx:
        found = await cycles.visits(tx, keys)
    return [found.get(key, ()) for key in keys]


async def holds(context: OperationContext, keys: Sequence[UUID]) -> list[list[Hold]]:
    """Load the holds of onboardings."""
    async with context.reading() as tx:
        found = await cycles.holds(tx, keys)
    return [found.get(key, []) for key in keys]


async def windows(context: OperationContext, keys: Sequence[UUID]) -> list[list[Window]]:
    """Load the escalation windows of onboardings."""
    async with context.reading() as tx:
        found = await cycles.windows(tx, keys)
    return [found.get(key, []) for key in keys]


async def baselines(context: OperationContext, keys: Sequence[UUID]) -> list[list[Baseline]]:
    """Load what was recorded at graduation."""
    async with context.reading() as tx:
        found = await cycles.baselines(tx, keys)
    return [found.get(key, []) for key in keys]


async def tallied(context: OperationContext, keys: Sequence[Span]) -> list[Tally]:
    """Count the tickets of spans as they are now."""
    async with context.reading() as tx:
        return await evidence.tallies(tx, keys)


async def planned(context: OperationContext, keys: Sequence[UUID]) -> list[list[Effect]]:
    """Load the effects of onboardings."""
    async with context.reading() as tx:
        found = await effects.of_cycles(tx, keys)
    return [found.get(key, []) for key in keys]


async def waived(context: OperationContext, keys: Sequence[UUID]) -> list[list[Waiver]]:
    """Load the waivers of onboardings."""
    async with context.reading() as tx:
        found = await waivers.of_cycles(tx, keys)
    return [found.get(key, []) for key in keys]


async def attested(context: OperationContext, keys: Sequence[UUID]) -> list[list[Attestation]]:
    """Load the attestations of onboardings."""
    async with context.reading() as tx:
        found = await waivers.attestations(tx, keys)
    return [found.get(key, []) for key in keys]


async def history(context: OperationContext, keys: Sequence[UUID], page: Page) -> list[list[Transition]]:
    """Load a stretch of the audit trail of each onboarding."""
    async with context.reading() as tx:
        found = await histories.histories(tx, keys, page)
    return [found[key] for key in keys]


async def lengths(context: OperationContext, keys: Sequence[UUID], listing: Listing) -> list[int]:
    """Count what each onboarding has in a list."""
    async with context.reading() as tx:
        found = await listing.count_of(tx, keys)
    return [found.get(key, 0) for key in keys]


async def waiver(context: OperationContext, keys: Sequence[UUID]) -> list[Waiver | None]:
    """Load waivers by id."""
    async with context.reading() as tx:
        found = await waivers.WAIVERS.many(tx, keys)
    return [found.get(key) for key in keys]


async def follow_up(context: OperationContext, keys: Sequence[UUID]) -> list[FollowUp | None]:
    """Load follow-ups by id."""
    async with context.reading() as tx:
        found = await follow_ups.FOLLOW_UPS.many(tx, keys)
    return [found.get(key) for key in keys]


async def followed(context: OperationContext, keys: Sequence[UUID]) -> list[list[FollowUp]]:
    """Load the follow-ups of onboardings."""
    async with context.reading() as tx:
        found = await follow_ups.of_cycles(tx, keys)
    return [found.get(key, []) for key in keys]


def now(context: OperationContext) -> datetime:
    """Return the present instant of the application's clock."""
    return context.context.clock()
