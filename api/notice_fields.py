"""Notices as an onboarding shows them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry

from api import client_enums, onboarding_enums  # noqa: F401 -- publishes the enums named here
from api.context import Info, OperationContext
from api.fields import FieldPrice, id_field, optional_id_field, resolved, window
from db import notices
from domain import onboarding
from domain.access import Scope
from domain.clients import Party
from domain.ids import IdKind
from domain.onboarding import EndReason


async def of_onboardings(context: OperationContext, keys: Sequence[UUID]) -> list[list[onboarding.Notice]]:
    """Load the notices of onboardings."""
    async with context.reading() as tx:
        found = await notices.of_cycles(tx, keys)
    return [found.get(key, []) for key in keys]


@window(onboarding.Notice, description="The end of service as it was announced.")
class OnboardingNotice:
    id: strawberry.ID = id_field(IdKind.NOTICE, description="The notice's id.")
    given_by: Party = strawberry.field(description="Who gave it.")
    contact_id: strawberry.ID | None = optional_id_field(
        IdKind.CONTACT, "contact_id", description="Which contact gave it, if known."
    )
    given_on: date = strawberry.field(description="The local day of the provider on which it was given.")
    ends_on: date = strawberry.field(description="The last day of service.")
    outcome: EndReason = strawberry.field(description="Why, in a code.")
    given_at: datetime = strawberry.field(description="When it was noted.")
    withdrawn_at: datetime | None = strawberry.field(description="When it was withdrawn; `null` while it stands.")

    @resolved(description="Why, in the words of whoever noted it.", scope=Scope.AUDIT_READ)
    def reason(root: Any) -> str | None:  # noqa: N805 -- the root is a domain value, not this class
        reason: str = root.reason
        return reason


@strawberry.type
class OnboardingNotices:
    @resolved(description="The notice that stands: service will end. `null` where none was given or it was withdrawn.")
    async def notice(root: Any, info: Info) -> OnboardingNotice | None:  # noqa: N805
        if root.notice_id is None:
            return None
        given = await info.context.loader(of_onboardings).load(root.id)
        return next((one for one in given if one.id == root.notice_id), None)  # type: ignore[return-value]

    @resolved(
        description="Every notice that was given, withdrawn ones too, oldest first.", cost=FieldPrice(list_size=2)
    )
    async def notices(root: Any, info: Info) -> list[OnboardingNotice]:  # noqa: N805
        given = await info.context.loader(of_onboardings).load(root.id)
        return list(given)  # type: ignore[arg-type]
