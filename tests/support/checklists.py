"""Work for tests: the items of an onboarding's checklist, and a hand-off record that says everything."""

from typing import Any
from uuid import UUID

from db import checklists, contacts, hand_offs
from domain.access import Principal
from domain.changes import UNCHANGED
from domain.checklists import Item
from domain.clients import ContactRole
from domain.errors import Outcome
from domain.hand_off import HandOff, HandOffContact, HandOffField
from domain.stages import Stage
from tests.support.onboarding import Everything, Onboarding
from tests.support.providers import done, sent
from workflows.checklists import CompleteItem, complete
from workflows.hand_offs import UpdateHandOff, update


async def items(onboarding: Onboarding, stage: Stage | None = None) -> list[Item]:
    """Return the items of an onboarding as they are stored, the first due first."""
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        found = (await checklists.of_cycles(tx, [onboarding.cycle])).get(onboarding.cycle, [])
    return [item for item in found if stage in (None, item.stage)]


async def item_of(onboarding: Onboarding, key: str) -> Item:
    """Return the item that the definition calls so."""
    return next(item for item in await items(onboarding) if item.key == key)


async def finish(onboarding: Onboarding, key: str, *, by: Principal | None = None, **details: Any) -> Outcome:
    """Say that an item is done, as the lead or somebody else."""
    command = CompleteItem((await item_of(onboarding, key)).id, **details)
    return await complete(onboarding.provider.context, by or onboarding.lead, sent(), command)


async def work_through(onboarding: Onboarding, stage: Stage | None = None, note: str | None = None) -> None:
    """Do everything that is required in a stage, or in all that is laid out by now."""
    for item in await items(onboarding, stage):
        if item.required and not item.done:
            command = CompleteItem(item.id, note=note or UNCHANGED)
            done(await complete(onboarding.provider.context, onboarding.lead, sent(), command))


async def record_of(onboarding: Onboarding) -> HandOff | None:
    """Return the hand-off record of an onboarding as it is stored."""
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await hand_offs.of_cycles(tx, [onboarding.cycle])).get(onboarding.cycle)


async def contact_of(onboarding: Onboarding) -> UUID:
    """Return a contact of the onboarding's client."""
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        found = await contacts.LISTING.rows_of(tx, [onboarding.client], "NAME", Everything())
    contact: UUID = found[onboarding.client][0]["id"]
    return contact


async def hand_over(onboarding: Onboarding, promises: str = "Printers are replaced before winter.") -> None:
    """Write a hand-off record that leaves nothing unsaid."""
    contact = await contact_of(onboarding)
    given = {
        HandOffField.SCOPE_SOLD: "Everything but the telephones.",
        HandOffField.PROMISES: promises,
        HandOffField.CONTACTS: (HandOffContact(ContactRole.PRIMARY, contact),),
        HandOffField.SUPPORT: "By e-mail and telephone, on weekdays.",
        HandOffField.APPROVERS: (contact,),
        HandOffField.SECRETS_PLACE: "In the vault, folder of the client.",
    }
    none = (HandOffField.INCUMBENT, HandOffField.VIPS, HandOffField.RISKS)
    command = UpdateHandOff(onboarding.cycle, given, none)
    done(await update(onboarding.provider.context, onboarding.lead, sent(), command))
