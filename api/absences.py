"""Absences as the API shows them, and the mutations that tell of them."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders as loaders
from api.changing import Payload
from api.context import Info, OperationContext
from api.covers import covering
from api.enums import described
from api.fields import FieldPrice, id_field, mutation_field, resolved, window
from api.payloads import KEY, event_id
from db import absences as stored
from db import tenants
from domain import absences
from domain.absences import Absence, AbsenceReason
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.periods import local_day
from workflows import absences as telling
from workflows.absences import AddAbsence, EndAbsence, RemoveAbsence

if TYPE_CHECKING:
    from api.members import Member

described(
    AbsenceReason,
    "Why somebody is away.",
    HOLIDAY="On holiday.",
    SICK="Ill.",
    TRAINING="At a training.",
    PARENTAL="On parental leave.",
    OTHER="For another reason.",
)


async def of_members(context: OperationContext, keys: Sequence[UUID]) -> list[list[Absence]]:
    """Load the absences of members that are not over."""
    async with context.reading() as tx:
        found = await stored.of_members(tx, keys)
        zone = (await tenants.get(tx)).settings.zone
    today = local_day(context.context.clock(), zone)
    return [stored.current(found.get(key, []), today) for key in keys]


@window(absences.Absence, description="Local days of the provider on which somebody is away.", name="Absence")
class AbsenceShown:
    id: strawberry.ID = id_field(IdKind.ABSENCE, description="The absence's id.")
    version: int = strawberry.field(description="How often it changed, counted from 1.")

    @resolved(description="The first day.", name="from")
    def starts(root: Any) -> date:  # noqa: N805 -- the root is a domain value, not this class
        day: date = root.starts_on
        return day

    @resolved(description="The last day; `null` where it is not known yet.", name="to")
    def ends(root: Any) -> date | None:  # noqa: N805
        day: date | None = root.ends_on
        return day

    @resolved(description="Why; `null` to whoever is neither the person nor an admin.")
    def reason(root: Any, info: Info) -> AbsenceReason | None:  # noqa: N805
        who = info.context.principal
        told = who.member_id == root.member_id or who.has(Scope.MEMBERS_WRITE)
        return root.reason if told else None


@strawberry.type
class MemberAbsences:
    """When a member is away, as fields of them."""

    @resolved(description="Their absence of today; `null` where they are not away.")
    async def away(root: Any, info: Info) -> AbsenceShown | None:  # noqa: N805
        return (await covering(info.context)).absences.get(root.id)  # type: ignore[return-value]

    @resolved(description="Their absences that are not over, the earliest first.", cost=FieldPrice(list_size=5))
    async def absences(root: Any, info: Info) -> list[AbsenceShown]:  # noqa: N805
        return await info.context.loader(of_members).load(root.id)  # type: ignore[return-value]

    @resolved(
        description="Who does today what is theirs to do: they themselves, while they are away their deputy, or the "
        "deputy's where that one is away too; `null` where nobody stands in.",
        scope=Scope.MEMBERS_READ,
    )
    async def acting_deputy(
        root: Any,  # noqa: N805
        info: Info,
    ) -> Annotated["Member", strawberry.lazy("api.members")] | None:
        who = (await covering(info.context)).acting(root.id)
        return await info.context.loader(loaders.member).load(who) if who else None  # type: ignore[return-value]


@strawberry.type
class ActingLead:
    """Who acts for the lead, as a field of an onboarding."""

    @resolved(
        description="Who leads it today: the lead, or while they are away whoever stands in and may then do what the "
        "lead may; `null` where nobody stands in.",
        scope=Scope.MEMBERS_READ,
    )
    async def acting_lead(
        root: Any,  # noqa: N805
        info: Info,
    ) -> Annotated["Member", strawberry.lazy("api.members")] | None:
        who = (await covering(info.context)).acting(root.lead_id)
        return await info.context.loader(loaders.member).load(who) if who else None  # type: ignore[return-value]


@strawberry.input(description="Days on which somebody is away.")
class AbsenceAddInput:
    starts_on: date = strawberry.field(name="from", description="The first local day.")
    ends_on: date | None = strawberry.field(
        name="to", default=None, description="The last local day; left out, until `absenceEnd` says which."
    )
    reason: AbsenceReason = strawberry.field(description="Why; only the person and admins see it.")
    member_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who; you, if left out. Somebody else takes `MEMBERS_WRITE`."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Another last day of an absence.")
class AbsenceEndInput:
    absence_id: strawberry.ID = strawberry.field(description="The absence.")
    ends_on: date = strawberry.field(name="to", description="Its last local day.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="An absence that was none.")
class AbsenceRemoveInput:
    absence_id: strawberry.ID = strawberry.field(description="The absence.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="What came of `absenceAdd`.")
class AbsenceAddPayload(Payload):
    absence: AbsenceShown | None = strawberry.field(description="The absence, where it was written.")


@strawberry.type(description="What came of `absenceEnd`.")
class AbsenceEndPayload(Payload):
    absence: AbsenceShown | None = strawberry.field(description="The absence as it is now, where it is known.")


@strawberry.type(description="What came of `absenceRemove`.")
class AbsenceRemovePayload(Payload):
    pass


@strawberry.type
class AbsencesMutation:
    @mutation_field(
        scope=Scope.SELF_WRITE,
        description="Tell that you are away, or as an admin that somebody else is. Meanwhile the deputy gets the "
        "lead's timers and may do what the lead may.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.CONFLICT),
    )
    async def absence_add(self, info: Info, input: AbsenceAddInput) -> AbsenceAddPayload:
        who = parse(IdKind.MEMBER, input.member_id) if input.member_id else info.context.principal.id
        command = AddAbsence(who, input.starts_on, input.ends_on, input.reason)
        outcome = await info.context.perform(telling.add, info.context.command(input.idempotency_key), command)
        return AbsenceAddPayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.SELF_WRITE,
        description="Give an absence another last day: to be back sooner or later.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.CONFLICT),
    )
    async def absence_end(self, info: Info, input: AbsenceEndInput) -> AbsenceEndPayload:
        command = EndAbsence(parse(IdKind.ABSENCE, input.absence_id), input.ends_on)
        outcome = await info.context.perform(telling.end, info.context.command(input.idempotency_key), command)
        return AbsenceEndPayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.SELF_WRITE,
        description="Remove an absence; whoever has been there all the time is not away.",
        may_fail=(ErrorCode.NOT_FOUND,),
    )
    async def absence_remove(self, info: Info, input: AbsenceRemoveInput) -> AbsenceRemovePayload:
        command = RemoveAbsence(parse(IdKind.ABSENCE, input.absence_id))
        outcome = await info.context.perform(telling.remove, info.context.command(input.idempotency_key), command)
        return AbsenceRemovePayload(event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    absence = None
    if outcome.subject is not None:
        async with info.context.reading() as tx:
            absence = await stored.get(tx, outcome.subject)
    return {"absence": absence, "event_id": event_id(outcome), "errors": list(outcome.errors)}
