"""Who can open a gate that holds a move back, as fields of a blocker."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from api import client_enums, client_loaders  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.context import Info, OperationContext
from api.covers import covering
from api.enums import described
from api.fields import FieldPrice, member_id_field, resolved, window
from db import checklists, desk
from domain import unblocking
from domain.access import Scope
from domain.clients import Party
from domain.definitions import Hardness
from domain.moves import Gate
from domain.unblocking import GRANTING, Surroundings, Way

if TYPE_CHECKING:
    from api.members import Member

described(
    Way,
    "How somebody can open a gate.",
    MEET="By doing what it asks for.",
    WAIVE="By waiving it; where it is hard, only for somebody else who asks.",
)


async def surroundings(context: OperationContext, keys: Sequence[UUID]) -> list[Surroundings | None]:
    """Load what of onboardings tells who can open their gates."""
    found = await context.loader(loaders.cycle).load_many(list(keys))
    contracts = {one.contract_id for one in found if one is not None and one.contract_id is not None}
    async with context.reading() as tx:
        items = await checklists.of_cycles(tx, keys)
        managers = await desk.granting(tx, GRANTING)
        turns = await desk.waiting_on(tx, contracts)
    cover = await covering(context)
    return [
        Surroundings(
            one, items.get(one.id, []), managers, turns.get(one.contract_id) if one.contract_id else None, cover
        )
        if one
        else None
        for one in found
    ]


@window(unblocking.Unblocker, description="Somebody who can open a gate, and how.")
class Unblocker:
    way: Way = strawberry.field(description="How.")
    member_id: strawberry.ID | None = member_id_field("member_id", description="Who: today, deputies included.")

    @resolved(description="Who: today, deputies included.", scope=Scope.MEMBERS_READ)
    async def member(root: Any, info: Info) -> Annotated["Member", strawberry.lazy("api.members")] | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(client_loaders.member).load(root.member_id)  # type: ignore[return-value]


@strawberry.type
class Unblocking:
    """Who can open a gate, as fields of what it blocks."""

    @resolved(
        description="Who can open it: first those whose work meets it, then those who may waive it. Whoever is away is "
        "left out for their deputy.",
        scope=Scope.MEMBERS_READ,
        cost=FieldPrice(list_size=2),
    )
    async def unblocked_by(root: Any, info: Info) -> list[Unblocker] | None:  # noqa: N805
        if root.cycle_id is None:
            return []
        around = await info.context.loader(surroundings).load(root.cycle_id)
        return list(around.unblocked_by(Gate(root.gate), Hardness(root.hardness))) if around else []  # type: ignore[arg-type]

    @resolved(description="Whose turn it is, where the gate waits for a contract to be signed.")
    async def waiting_on(root: Any, info: Info) -> Party | None:  # noqa: N805
        if root.cycle_id is None:
            return None
        around = await info.context.loader(surroundings).load(root.cycle_id)
        return around.waits_on(Gate(root.gate)) if around else None
