"""The turns of a contract as the API shows them: how it got to its signature, and whom it waited on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api.context import Info, OperationContext
from api.fields import FieldPrice, resolved, window
from db import contract_turns as stored
from domain import contract_turns
from domain.clients import ContractStatus, Party
from domain.contract_turns import Turn


@window(contract_turns.Turn, name="ContractTurn", description="How a contract stood from an instant on.")
class ContractTurn:
    at: datetime = strawberry.field(description="Since when, as it came about.")
    status: ContractStatus = strawberry.field(description="How far it was.")
    whose: Party | None = strawberry.field(
        description="Whose turn it was; a draft is the provider's unless it said otherwise. `null` where nobody's, or "
        "not known."
    )


async def turns_of(context: OperationContext, keys: Sequence[UUID]) -> list[list[Turn]]:
    """Load the turns of contracts, in the order in which they were noted."""
    async with context.reading() as tx:
        found = await stored.of_contracts(tx, keys)
    return [found.get(key, []) for key in keys]


@strawberry.type
class TurnedContract:
    """The field by which a contract shows its turns; the type of contracts inherits it."""

    @resolved(
        description="Each status and turn since it is known, in the order in which they were noted.",
        cost=FieldPrice(list_size=6),
    )
    async def turns(root: Any, info: Info) -> list[ContractTurn]:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(turns_of).load(root.id)  # type: ignore[return-value]
