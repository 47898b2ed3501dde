"""Targets as the API shows them: what a provider wants of its figures, with every version, and the mutations for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.changing import Payload, id_of, ids_of
from api.context import Info, OperationContext
from api.fields import id_field, mutation_field, optional_id_field, query_field, resolved, window
from api.kpi_enums import KpiKey
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from api.payloads import KEY, event_id
from db import targets as stored
from domain import targets
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind
from workflows.targets import SetTarget, remove_target, set_target

BY_RECORDED = Ordering("targets", (datetime, UUID))

WHOM = "The client it is for; left out, the provider as a whole."
NUMBER = "The `number` on which you decided, 0 if there was none; another one gets `STALE_VERSION`."


async def of_ids(context: OperationContext, keys: Sequence[UUID]) -> list[targets.KpiTarget | None]:
    """Load versions of targets by id."""
    async with context.reading() as tx:
        found = await stored.many(tx, keys)
    return [found.get(key) for key in keys]


async def of_provider(context: OperationContext, keys: Sequence[str]) -> list[targets.KpiTarget | None]:
    """Load the provider's own targets of figures."""
    async with context.reading() as tx:
        standing = await stored.standing(tx, keys, context.context.clock())
    found = {one.kpi: one for one in standing if one.client_id is None}
    return [found.get(key) for key in keys]


@window(
    targets.KpiTarget,
    description="One version of what is wanted of a figure: it stands from when it was set until the next version.",
    name="KpiTarget",
)
class KpiTargetShown(Node):
    id: strawberry.ID = id_field(IdKind.KPI_TARGET, description="The version's id.")
    client_id: strawberry.ID | None = optional_id_field(
        IdKind.CLIENT, "client_id", description="The client it is for; `null` for the provider as a whole."
    )
    number: int = strawberry.field(description="Which version it is, counted from 1 for each figure and client.")
    value: float | None = strawberry.field(
        description="What is wanted: of a share from 0 to 1, of a count per 30 days, else in the figure's unit; `null` "
        "where the target was removed."
    )

    @resolved(description="The figure.")
    def key(root: Any) -> KpiKey:  # noqa: N805 -- the root is a domain value, not this class
        return KpiKey[root.kpi]

    @resolved(description="When it was set.")
    def set_at(root: Any) -> datetime:  # noqa: N805
        at: datetime = root.recorded_at
        return at


nodes_of(IdKind.KPI_TARGET, of_ids, Scope.KPIS_READ)


@strawberry.type
class TargetsQuery:
    @query_field(
        scope=Scope.KPIS_READ,
        description="What is wanted of figures, the newest version first; with `standing` only those that hold now.",
    )
    async def kpi_targets(
        self,
        info: Info,
        keys: Annotated[list[KpiKey] | None, strawberry.argument(description="Of these figures.")] = None,
        client_ids: Annotated[
            list[strawberry.ID] | None, strawberry.argument(description="For these clients alone.")
        ] = None,
        standing: Annotated[
            bool | None, strawberry.argument(description="`true`: those that hold; `false`: all others.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[KpiTargetShown] | None:
        where: dict[str, object] = {}
        if keys is not None:
            where["kpis"] = [key.value for key in keys]
        if client_ids is not None:
            where["clients"] = list(ids_of(IdKind.CLIENT, client_ids))
        if standing is not None:
            where["standing"] = standing
        page = page_of(BY_RECORDED, first=first, after=after, last=last, before=before)

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx, where)

        async with info.context.reading() as tx:
            rows = await stored.history(tx, page, where)
        return connection(page, rows, key=lambda row: (row.recorded_at, row.id), count=count)


@strawberry.input(description="What is wanted of a figure.")
class KpiTargetSetInput:
    key: KpiKey = strawberry.field(description="The figure; one of which neither way is better has no target.")
    client_id: strawberry.ID | None = strawberry.field(default=None, description=WHOM)
    value: float = strawberry.field(
        description="At most so much where lower is better, at least so much where higher is: of a share from 0 to 1, "
        "of a count per 30 days, else in the figure's unit."
    )
    expected_number: int | None = strawberry.field(default=None, description=NUMBER)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A target that no longer holds.")
class KpiTargetRemoveInput:
    key: KpiKey = strawberry.field(description="The figure.")
    client_id: strawberry.ID | None = strawberry.field(default=None, description=WHOM)
    expected_number: int | None = strawberry.field(default=None, description=NUMBER)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="What came of `kpiTargetSet`.")
class KpiTargetSetPayload(Payload):
    target: KpiTargetShown | None = strawberry.field(description="The version that stands now.")


@strawberry.type(description="What came of `kpiTargetRemove`.")
class KpiTargetRemovePayload(Payload):
    target: KpiTargetShown | None = strawberry.field(description="The version that says that there is none.")


@strawberry.type
class TargetsMutation:
    @mutation_field(
        scope=Scope.POLICIES_WRITE,
        description="Say what is wanted of a figure, of all clients or of one. A share or a duration that is wanted of "
        "the provider is wanted of each client without a target of its own; a count is not. Every version is kept.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION),
    )
    async def kpi_target_set(self, info: Info, input: KpiTargetSetInput) -> KpiTargetSetPayload:
        command = SetTarget(input.key.value, id_of(IdKind.CLIENT, input.client_id), input.value, input.expected_number)
        outcome = await info.context.perform(set_target, info.context.command(input.idempotency_key), command)
        return KpiTargetSetPayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.POLICIES_WRITE,
        description="Want nothing of a figure any more; a client then falls under the provider's own target.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION),
    )
    async def kpi_target_remove(self, info: Info, input: KpiTargetRemoveInput) -> KpiTargetRemovePayload:
        command = SetTarget(input.key.value, id_of(IdKind.CLIENT, input.client_id), None, input.expected_number)
        outcome = await info.context.perform(remove_target, info.context.command(input.idempotency_key), command)
        return KpiTargetRemovePayload(**await _shown(info, outcome))


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    target = None
    if outcome.subject is not None:
        async with info.context.reading() as tx:
            target = await stored.get(tx, outcome.subject)
    return {"target": target, "event_id": event_id(outcome), "errors": list(outcome.errors)}
