"""Filling: both simulated providers told into a database, once a day, the same every time for one seed.

The story is told relative to today and ends as today begins, in UTC; day -1 is yesterday. What it
becomes depends on the seed, on today's date and on nothing else, except for ids and secrets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from db import tenants
from demo import northwind, northwind_onboarding, northwind_service, palmgrove
from demo.desks import Desk
from demo.people import Cast, gathered
from demo.tales import founded
from demo.telling import Progress, Telling
from domain.access import system
from domain.tenants import Tenant
from workflows.context import Context
from workflows.tenants import UpdateSettings, update_settings

STORY = 2
"""The story's number; it rises with every change that makes it tell something else."""

SEED = 7
STORY_DAYS = 650

COMPANIES = (northwind.COMPANY, palmgrove.COMPANY)


@dataclass(frozen=True, slots=True)
class Demo:
    """The simulated providers as they stand in a database."""

    northwind: Cast
    palmgrove: Cast

    @property
    def casts(self) -> tuple[Cast, ...]:
        return (self.northwind, self.palmgrove)


class ForeignTenantsError(RuntimeError):
    """The database holds providers that are not the demo's; the message says what to do."""


class StaleStoryError(RuntimeError):
    """The database holds a demo of another day, another version or one not told to its end; the message says which."""


def today(now: datetime) -> date:
    """Return the day on which the story ends: the one that an instant falls on in UTC."""
    return now.astimezone(UTC).date()


def mark(anchor: date, seed: int = SEED) -> str:
    """Return what a provider of this story has for its brand once the story is told to its end."""
    return f"Simulated: story {STORY}, seed {seed}, told until {anchor}"


async def standing(context: Context) -> Mapping[str, Tenant]:
    """Return the demo's providers in a database, by their short names.

    Raises:
        ForeignTenantsError: there are others too, whose data a simulation must not come near.
    """
    async with context.database.relaying() as relaying:
        found = {tenant.slug: tenant for tenant in await tenants.every(relaying)}
    if strangers := sorted(set(found) - {company.slug for company in COMPANIES}):
        raise ForeignTenantsError(
            f"This database holds other providers ({', '.join(strangers[:5])}), and the demo leaves it alone. "
            "Point DATABASE_URL at an empty database, or unset it to use the embedded one."
        )
    return found


async def look(context: Context, anchor: date, seed: int = SEED) -> Demo | None:
    """Return the demo where it was told to its end today, or `None` where there is none.

    Raises:
        ForeignTenantsError: the database holds providers that are not the demo's.
        StaleStoryError: it holds the demo's, told on another day, by another version, or not to the end.
    """
    found = await standing(context)
    if not found:
        return None
    brands = [found[company.slug].settings.brand if company.slug in found else None for company in COMPANIES]
    if set(brands) != {mark(anchor, seed)}:
        raise StaleStoryError("; ".join(sorted({brand or "not told to its end" for brand in brands})))
    casts = []
    for company in COMPANIES:
        async with context.database.reading(system(found[company.slug].id)) as tx:
            casts.append(await gathered(tx, company))
    return Demo(*casts)


async def fill(context: Context, progress: Progress, anchor: date | None = None, seed: int = SEED) -> Demo:
    """Tell the whole story into a database without providers, or find it told today already.

    Raises:
        ForeignTenantsError: the database holds providers that are not the demo's.
        StaleStoryError: it holds the demo's, told on another day, by another version, or not to the end.
        StoryError: the product refused a turn of the story.
    """
    anchor = anchor or today(context.clock())
    return await look(context, anchor, seed) or await _tell(context, progress, anchor, seed)


async def _tell(context: Context, progress: Progress, anchor: date, seed: int) -> Demo:
    end = datetime.combine(anchor, time(), UTC)
    telling = Telling.begun(context, end - timedelta(days=STORY_DAYS))
    ours = await founded(telling, northwind.COMPANY, northwind.SETTINGS, anchor, seed)
    theirs = await founded(telling, palmgrove.COMPANY, palmgrove.SETTINGS, anchor, seed)
    clients = [*northwind_service.stories(ours), *northwind_onboarding.stories(ours)]
    Desk(ours, clients, northwind.TICKETS_SINCE_DAY, Random(f"{seed}:tickets")).plan()
    Desk(theirs, palmgrove.stories(theirs), palmgrove.TICKETS_SINCE_DAY, Random(f"{seed}:other tickets")).plan()
    await telling.play(end, progress)
    for tale in (ours, theirs):
        await telling.told(update_settings, tale.cast.admin, UpdateSettings(brand=mark(anchor, seed)))
    await telling.settle()
    return Demo(ours.cast, theirs.cast)
