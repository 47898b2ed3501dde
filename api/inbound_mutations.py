"""Mutations of inbound: letting a system send, changing and disabling it, and replaying what it sent."""

from datetime import datetime, timedelta
from typing import Any

import strawberry

from api.changing import EXPECTED, Payload, change, change_as, id_of
from api.consequences import DRY_RUN
from api.context import Info
from api.fields import mutation_field
from api.inbound import InboundMessage, InboundSource, message, source
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.inbound import AdapterKind, MessageStatus
from workflows import inbound_messages, inbound_sources
from workflows.credentials import Issued
from workflows.inbound_messages import ReplayMessages
from workflows.inbound_sources import CreateSource, RotateSourceSecret, SwitchSource, UpdateSource

SECRET = "The secret, shown this once; `null` where you gave it yourself."  # noqa: S105 -- a description
GIVEN = "The secret, where the system makes its own as Zendesk does: 16 to 200 characters. Left out, one is made."
SYSTEM = "The name of the system whose tickets they are, and by whose keys clients are found: 1 to 40 characters."
CLIENT = "Whose all its tickets are."
SOURCE = "The source."
SOURCE_NOW = "The source as it is now, where it is known."
OVERLAP = timedelta(hours=24)


@strawberry.input(description="A system that is let send to us.")
class InboundSourceCreateInput:
    name: str = strawberry.field(description="What people call it: 1 to 200 characters.")
    adapter: AdapterKind = strawberry.field(description="Which system sends.")
    system: str | None = strawberry.field(default=None, description=f"{SYSTEM} Left out, the adapter's name.")
    client_id: strawberry.ID | None = strawberry.field(
        default=None, description=f"{CLIENT} Left out, each ticket names its client by the system's key."
    )
    secret: str | None = strawberry.field(default=None, description=GIVEN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="What of a source is to change; what is left out stays.")
class InboundSourceUpdateInput:
    source_id: strawberry.ID = strawberry.field(description=SOURCE)
    name: strawberry.Maybe[str] = strawberry.field(default=None, description="What people call it.")
    system: strawberry.Maybe[str] = strawberry.field(default=None, description=SYSTEM)
    client_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description=f"{CLIENT} `null`: each ticket names its client."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A source that gets a new secret.")
class InboundSourceRotateSecretInput:
    source_id: strawberry.ID = strawberry.field(description=SOURCE)
    overlap: timedelta = strawberry.field(
        default=OVERLAP,
        description="How much longer the secret before is taken as well: up to 7 days, `PT0S` not at all.",
    )
    secret: str | None = strawberry.field(default=None, description=GIVEN)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A source that may send no more.")
class InboundSourceDisableInput:
    source_id: strawberry.ID = strawberry.field(description=SOURCE)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A source that may send again.")
class InboundSourceEnableInput:
    source_id: strawberry.ID = strawberry.field(description=SOURCE)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A message that is interpreted once more.")
class InboundMessageReplayInput:
    message_id: strawberry.ID = strawberry.field(description="The message.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Messages that are interpreted once more: those for which every condition given holds.")
class InboundMessagesReplayInput:
    source_id: strawberry.ID | None = strawberry.field(default=None, description="Of this source; left out, of all.")
    statuses: list[MessageStatus] | None = strawberry.field(
        default=None, description="With one of these statuses; left out, `FAILED`."
    )
    received_from: datetime | None = strawberry.field(default=None, description="Received at this instant or later.")
    received_before: datetime | None = strawberry.field(default=None, description="Received before this instant.")
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The new source with its secret, or why none was made.")
class InboundSourceCreatePayload(Payload):
    source: InboundSource | None = strawberry.field(description=SOURCE_NOW)
    secret: str | None = strawberry.field(description=SECRET)


@strawberry.type(description="The changed source, or why nothing changed.")
class InboundSourceUpdatePayload(Payload):
    source: InboundSource | None = strawberry.field(description=SOURCE_NOW)


@strawberry.type(description="The source with its new secret, or why it kept the old one.")
class InboundSourceRotateSecretPayload(Payload):
    source: InboundSource | None = strawberry.field(description=SOURCE_NOW)
    secret: str | None = strawberry.field(description=SECRET)


@strawberry.type(description="The disabled source, or why nothing changed.")
class InboundSourceDisablePayload(Payload):
    source: InboundSource | None = strawberry.field(description=SOURCE_NOW)


@strawberry.type(description="The enabled source, or why nothing changed.")
class InboundSourceEnablePayload(Payload):
    source: InboundSource | None = strawberry.field(description=SOURCE_NOW)


@strawberry.type(description="The message that waits again, or why it does not.")
class InboundMessageReplayPayload(Payload):
    message: InboundMessage | None = strawberry.field(description="The message as it is now, where it is known.")


@strawberry.type(description="How many messages wait again, or why none do.")
class InboundMessagesReplayPayload(Payload):
    replayed: int = strawberry.field(description="How many messages wait again, or with `dryRun` would: up to 10,000.")


@strawberry.type
class InboundMutation:
    @mutation_field(
        scope=Scope.INBOUND_WRITE,
        description="Let a system send to us: its `path` is where it posts, the secret is what it signs with.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.CONFLICT, ErrorCode.SECRET_ALREADY_SHOWN),
    )
    async def inbound_source_create(self, info: Info, input: InboundSourceCreateInput) -> InboundSourceCreatePayload:
        client = id_of(IdKind.CLIENT, input.client_id)
        command = CreateSource(input.name, input.adapter, input.system, client, input.secret)
        request = info.context.command(input.idempotency_key)
        issued = await info.context.perform(inbound_sources.create, request, command)
        return InboundSourceCreatePayload(secret=_secret(issued), **await _shown(info, issued.outcome))

    @mutation_field(
        scope=Scope.INBOUND_WRITE,
        description="Change what a source is called, whose tickets it tells of, or whose they are. What was "
        "interpreted before stays as it is; replay it to have it read anew.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.CONFLICT, ErrorCode.STALE_VERSION),
    )
    async def inbound_source_update(self, info: Info, input: InboundSourceUpdateInput) -> InboundSourceUpdatePayload:
        command = UpdateSource(
            parse(IdKind.INBOUND_SOURCE, input.source_id),
            change(input.name),
            change(input.system),
            change_as(input.client_id, lambda given: id_of(IdKind.CLIENT, given)),
            input.expected_version,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(inbound_sources.update, request, command)
        return InboundSourceUpdatePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.INBOUND_WRITE,
        description="Give a source a new secret and show it once; the one before is taken for a while longer.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.SECRET_ALREADY_SHOWN),
    )
    async def inbound_source_rotate_secret(
        self, info: Info, input: InboundSourceRotateSecretInput
    ) -> InboundSourceRotateSecretPayload:
        source_id = parse(IdKind.INBOUND_SOURCE, input.source_id)
        command = RotateSourceSecret(source_id, input.overlap, input.secret, input.expected_version)
        request = info.context.command(input.idempotency_key)
        issued = await info.context.perform(inbound_sources.rotate, request, command)
        return InboundSourceRotateSecretPayload(secret=_secret(issued), **await _shown(info, issued.outcome))

    @mutation_field(
        scope=Scope.INBOUND_WRITE,
        description="Refuse what a source sends from now on; what was received is still interpreted.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def inbound_source_disable(self, info: Info, input: InboundSourceDisableInput) -> InboundSourceDisablePayload:
        return InboundSourceDisablePayload(**await _switched(info, input, on=False))

    @mutation_field(
        scope=Scope.INBOUND_WRITE,
        description="Take what a disabled source sends again.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def inbound_source_enable(self, info: Info, input: InboundSourceEnableInput) -> InboundSourceEnablePayload:
        return InboundSourceEnablePayload(**await _switched(info, input, on=True))

    @mutation_field(
        scope=Scope.INBOUND_WRITE,
        description="Interpret one message once more, such as after what made it fail was put right. What it says that "
        "is known already changes nothing.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.CONFLICT),
    )
    async def inbound_message_replay(self, info: Info, input: InboundMessageReplayInput) -> InboundMessageReplayPayload:
        request = info.context.command(input.idempotency_key)
        message_id = parse(IdKind.INBOUND_MESSAGE, input.message_id)
        outcome = await info.context.perform(inbound_messages.replay, request, message_id)
        found = await info.context.loader(message).load(outcome.subject) if outcome.subject else None
        return InboundMessageReplayPayload(
            message=found,  # type: ignore[arg-type]
            event_id=None,
            errors=list(outcome.errors),  # type: ignore[arg-type]
        )

    @mutation_field(
        scope=Scope.INBOUND_WRITE,
        description="Interpret up to 10,000 messages once more, the oldest first; send it again for more.",
        may_fail=(ErrorCode.NOT_FOUND,),
    )
    async def inbound_messages_replay(
        self, info: Info, input: InboundMessagesReplayInput
    ) -> InboundMessagesReplayPayload:
        command = ReplayMessages(
            statuses=(MessageStatus.FAILED,) if input.statuses is None else tuple(input.statuses),
            source_id=id_of(IdKind.INBOUND_SOURCE, input.source_id),
            received_from=input.received_from,
            received_before=input.received_before,
            dry_run=input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(inbound_messages.replay_all, request, command)
        replayed: Any = outcome.facts.get("replayed", 0)
        return InboundMessagesReplayPayload(replayed=replayed, event_id=None, errors=list(outcome.errors))  # type: ignore[arg-type]


async def _switched(
    info: Info, input: InboundSourceDisableInput | InboundSourceEnableInput, *, on: bool
) -> dict[str, Any]:
    command = SwitchSource(parse(IdKind.INBOUND_SOURCE, input.source_id), on, input.expected_version)
    request = info.context.command(input.idempotency_key)
    return await _shown(info, await info.context.perform(inbound_sources.switch, request, command))


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    found = await info.context.loader(source).load(outcome.subject) if outcome.subject else None
    return {"source": found, "event_id": event_id(outcome), "errors": list(outcome.errors)}


def _secret(issued: Issued) -> str | None:
    return issued.secret.text if issued.secret else None
