"""Mutations of sites."""

from typing import Any
from zoneinfo import ZoneInfo

import strawberry

from api import client_loaders as loaders
from api.changing import EXPECTED, Payload, change, change_as
from api.clients import ClientRef, ExternalKeyInput
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from api.sites import Site
from domain.access import Scope
from domain.clients import ExternalKey
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from workflows import sites
from workflows.sites import ArchiveSite, CreateSite, UpdateSite

COUNTRY = "The country's code of ISO 3166-1, such as `NL`."
EXTERNAL = "Its keys in other systems; a key is one site of that client."
SITE = "The site as it is now, where it is known."


@strawberry.input(description="A place at which a client works, to be noted.")
class SiteCreateInput:
    client: ClientRef = strawberry.field(description="The client.")
    name: str = strawberry.field(description="What it is called: 1 to 200 characters.")
    street: str | None = strawberry.field(default=None, description="Street and number.")
    postcode: str | None = strawberry.field(default=None, description="The postcode.")
    city: str | None = strawberry.field(default=None, description="The town.")
    country: str | None = strawberry.field(default=None, description=COUNTRY)
    zone: ZoneInfo | None = strawberry.field(default=None, description="Its zone, where it is not the provider's.")
    external: list[ExternalKeyInput] | None = strawberry.field(default=None, description=EXTERNAL)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of a site; what is left out stays as it is.")
class SiteUpdateInput:
    site_id: strawberry.ID = strawberry.field(description="The site.")
    name: strawberry.Maybe[str] = strawberry.field(default=None, description="What it is called.")
    street: strawberry.Maybe[str | None] = strawberry.field(default=None, description="Street and number.")
    postcode: strawberry.Maybe[str | None] = strawberry.field(default=None, description="The postcode.")
    city: strawberry.Maybe[str | None] = strawberry.field(default=None, description="The town.")
    country: strawberry.Maybe[str | None] = strawberry.field(default=None, description=COUNTRY)
    zone: strawberry.Maybe[ZoneInfo | None] = strawberry.field(
        default=None, description="Its zone; `null` for the provider's."
    )
    external: strawberry.Maybe[list[ExternalKeyInput]] = strawberry.field(
        default=None, description="All its keys in other systems anew."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A site to be taken out of use.")
class SiteArchiveInput:
    site_id: strawberry.ID = strawberry.field(description="The site.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The new site, or why none was noted.")
class SiteCreatePayload(Payload):
    site: Site | None = strawberry.field(description=SITE)


@strawberry.type(description="The site after the change, or why nothing changed.")
class SiteUpdatePayload(Payload):
    site: Site | None = strawberry.field(description=SITE)


@strawberry.type(description="The archived site, or why it stays in use.")
class SiteArchivePayload(Payload):
    site: Site | None = strawberry.field(description=SITE)


@strawberry.type
class SitesMutation:
    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Note a place at which a client works.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.ALREADY_EXISTS),
    )
    async def site_create(self, info: Info, input: SiteCreateInput) -> SiteCreatePayload:
        command = CreateSite(
            client=input.client.value(),
            name=input.name,
            street=input.street,
            postcode=input.postcode,
            city=input.city,
            country=input.country,
            zone=input.zone,
            external=_keys(input.external or []),
        )
        outcome = await info.context.perform(sites.create, info.context.command(input.idempotency_key), command)
        return SiteCreatePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Change a site. An archived one stays as it was.",
        may_fail=(
            ErrorCode.NOT_FOUND,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.STALE_VERSION,
            ErrorCode.ALREADY_EXISTS,
            ErrorCode.CONFLICT,
        ),
    )
    async def site_update(self, info: Info, input: SiteUpdateInput) -> SiteUpdatePayload:
        command = UpdateSite(
            site_id=parse(IdKind.SITE, input.site_id),
            name=change(input.name),
            street=change(input.street),
            postcode=change(input.postcode),
            city=change(input.city),
            country=change(input.country),
            zone=change(input.zone),
            external=change_as(input.external, _keys),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(sites.update, info.context.command(input.idempotency_key), command)
        return SiteUpdatePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Take a site out of use: nothing new is put there, and what is there stays. Refused while the site "
        "has an open onboarding of its own.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def site_archive(self, info: Info, input: SiteArchiveInput) -> SiteArchivePayload:
        command = ArchiveSite(parse(IdKind.SITE, input.site_id), input.expected_version)
        outcome = await info.context.perform(sites.archive, info.context.command(input.idempotency_key), command)
        return SiteArchivePayload(**await _shown(info, outcome))


def _keys(given: list[ExternalKeyInput]) -> tuple[ExternalKey, ...]:
    return tuple(one.value() for one in given)


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    readable = outcome.subject is not None and info.context.principal.has(Scope.CLIENTS_READ)
    site = await info.context.loader(loaders.site).load(outcome.subject) if readable else None
    return {"site": site, "event_id": event_id(outcome), "errors": list(outcome.errors)}
