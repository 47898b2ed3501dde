"""Scopes as the API shows them: what an onboarding is about, and by which agreement."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api import client_loaders as loaders
from api.amendments import Amendment
from api.context import Info
from api.fields import optional_id_field, resolved
from domain.ids import IdKind, public
from domain.onboarding import ScopeKind

if TYPE_CHECKING:
    from api.belongings import Contract, Service
    from api.sites import Site

_SITE = "The site that it is about; `null` where it is about something else."
_SERVICE = "The service that it is about; `null` where it is about something else."


@strawberry.type
class OnboardingScope:
    """What an onboarding is about, as fields of it."""

    amendment_id: strawberry.ID | None = optional_id_field(
        IdKind.AMENDMENT, "amendment_id", description="The amendment of its contract that it works towards."
    )

    @resolved(description="The contract it works towards.")
    async def contract(
        root: Any,  # noqa: N805 -- the root is a domain value, not this class
        info: Info,
    ) -> Annotated["Contract", strawberry.lazy("api.belongings")] | None:
        return await info.context.loader(loaders.contract).load(root.contract_id) if root.contract_id else None  # type: ignore[return-value]

    @resolved(description="The amendment of its contract that it works towards.")
    async def amendment(root: Any, info: Info) -> Amendment | None:  # noqa: N805
        return await info.context.loader(loaders.amendment).load(root.amendment_id) if root.amendment_id else None  # type: ignore[return-value]

    @resolved(description="The name of its site or service; `null` for the whole client.")
    async def scope_name(root: Any, info: Info) -> str | None:  # noqa: N805
        place = await _site(root, info) or await _service(root, info)
        return place.name if place else None

    @resolved(description=_SITE)
    def site_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        return strawberry.ID(public(IdKind.SITE, root.place_id)) if root.scope_kind is ScopeKind.SITE else None

    @resolved(description=_SITE)
    async def site(root: Any, info: Info) -> Annotated["Site", strawberry.lazy("api.sites")] | None:  # noqa: N805
        return await _site(root, info)  # type: ignore[no-any-return]

    @resolved(description=_SERVICE)
    def service_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        return strawberry.ID(public(IdKind.SERVICE, root.place_id)) if root.scope_kind is ScopeKind.SERVICE else None

    @resolved(description=_SERVICE)
    async def service(
        root: Any,  # noqa: N805
        info: Info,
    ) -> Annotated["Service", strawberry.lazy("api.belongings")] | None:
        return await _service(root, info)  # type: ignore[no-any-return]


async def _site(cycle: Any, info: Info) -> Any:
    return await info.context.loader(loaders.site).load(cycle.place_id) if cycle.scope_kind is ScopeKind.SITE else None


async def _service(cycle: Any, info: Info) -> Any:
    if cycle.scope_kind is not ScopeKind.SERVICE:
        return None
    return await info.context.loader(loaders.service).load(cycle.place_id)
