"""The mutation that makes one client of two."""

import strawberry

from api import client_loaders as loaders
from api.clients import Client
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode
from domain.ids import IdKind, parse
from workflows.merging import MergeClients, merge


@strawberry.input(description="Two clients that are the same company.")
class ClientMergeInput:
    client_id: strawberry.ID = strawberry.field(description="The client that is kept.")
    duplicate_id: strawberry.ID = strawberry.field(description="The other, whose id leads to the kept one afterwards.")
    reason: str = strawberry.field(description="Why: 1 to 2,000 characters, kept with the duplicate.")
    expected_version: int = strawberry.field(description="The version of the kept client on which this was decided.")
    duplicate_expected_version: int = strawberry.field(
        description="The version of the duplicate on which this was decided."
    )
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="What came of `clientMerge`.")
class ClientMergePayload(ForeseeingPayload):
    client: Client | None = strawberry.field(description="The client that is kept, as it is now.")


@strawberry.type
class MergingMutation:
    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Make one client of two: contacts, sites, devices, services, notes, keys, tickets and contracts of "
        "the duplicate go over, its onboarding in `CONTRACTING` is discarded, and its tickets are placed by the kept "
        "client's history. Ended onboardings of the duplicate stay its history with the contracts that they name.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def client_merge(self, info: Info, input: ClientMergeInput) -> ClientMergePayload:
        command = MergeClients(
            client_id=parse(IdKind.CLIENT, input.client_id),
            duplicate_id=parse(IdKind.CLIENT, input.duplicate_id),
            reason=input.reason,
            expected_version=input.expected_version,
            duplicate_expected_version=input.duplicate_expected_version,
            dry_run=input.dry_run,
        )
        outcome = await info.context.perform(merge, info.context.command(input.idempotency_key), command)
        readable = outcome.subject is not None and info.context.principal.has(Scope.CLIENTS_READ)
        client = await info.context.loader(loaders.client).load(outcome.subject) if readable else None
        return ClientMergePayload(
            client=client,  # type: ignore[arg-type]
            event_id=event_id(outcome),
            errors=list(outcome.errors),  # type: ignore[arg-type]
            changes=changes_of(outcome.facts),
        )
