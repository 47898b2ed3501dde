"""Schema directives: what a field costs, which scope it takes, what a mutation may answer."""

import strawberry
from strawberry.schema_directive import Location

from api.enums import described
from domain.access import PrincipalKind, Scope
from domain.errors import ErrorCode

described(
    Scope,
    "One right. A role is a set of scopes; a service token lists its own.",
    CLIENTS_READ="Read clients, their contracts, services and devices.",
    CLIENTS_WRITE="Create and change clients, contacts, contracts, services and devices.",
    CONTACTS_READ="Read the people of a client: names, addresses, phone numbers.",
    NOTES_WRITE="Write notes on clients and onboardings, and edit one's own. No partner can be given it.",
    AUDIT_READ="Read the provider's own words on an onboarding: its audit trail, timeline, waivers, attestations, "
    "follow-ups and notes of holds. No partner can be given it.",
    ONBOARDING_MOVE="Open an onboarding and move it from stage to stage.",
    ONBOARDING_HOLD="Put an onboarding on hold, and resume it.",
    CHECKLIST_WRITE="Work through checklists and follow-ups, and write the hand-off record.",
    ONBOARDING_END="Roll back, lose, off-board and reopen.",
    WAIVE_SOFT="Waive a soft gate, with a reason.",
    WAIVE_HARD="Ask for or grant the waiver of a hard gate; it takes two people.",
    TICKETS_READ="Read tickets and escalations.",
    TICKETS_WRITE="Bring in and correct tickets.",
    KPIS_READ="Read KPIs of clients and of the provider.",
    POLICIES_READ="Read definitions, gates and policies.",
    POLICIES_WRITE="Change definitions, gates and policies.",
    MEMBERS_READ="Read the provider's members and their roles.",
    MEMBERS_WRITE="Invite and change members, make and revoke tokens.",
    TENANT_WRITE="Change the provider's own settings and calendar.",
    PRIVACY_WRITE="Erase people's data, hand it out, and see what was erased.",
    INBOUND_WRITE="Let other systems send, and see and replay what they sent.",
    EVENTS_READ="Read and subscribe to the feed of events.",
    SELF_WRITE="Make, rotate and revoke one's own personal tokens.",
)

described(
    PrincipalKind,
    "What kind of caller it is.",
    PERSON="A member of the provider.",
    SERVICE="A program of the provider, by a service token.",
    PARTNER="A program of a partner.",
    SYSTEM="The product itself: a timer, or its upkeep.",
)

described(
    ErrorCode,
    "Why a mutation was refused. One list for the whole API; `@mayFail` says which a mutation can answer with.",
    INVALID="An input value cannot be used; the message names it and says what can.",
    NOT_FOUND="No such object is visible to you.",
    CONFLICT="The command does not fit the present state of the object.",
    ALREADY_EXISTS="There is one already.",
    STALE_VERSION="The object changed since you read it; read it again and decide anew.",
    BUSY="Somebody else is changing it at this moment; try again.",
    NOT_ALLOWED="Your role may do this elsewhere, but not here.",
    MOVE_NOT_POSSIBLE="No move of this kind leads on from the present stage.",
    TRANSITION_BLOCKED="Gates stand in the way; `blockers` lists them.",
    SECOND_PERSON_REQUIRED="This takes a second person, and you are the first.",
    IDEMPOTENCY_KEY_REQUIRED="A program must send an `idempotencyKey` with every mutation.",
    IDEMPOTENCY_MISMATCH="This `idempotencyKey` was used before with another input.",
    IDEMPOTENCY_IN_PROGRESS="The first call with this `idempotencyKey` is still under way; try again.",
    SECRET_ALREADY_SHOWN="A secret is shown once; make a new one.",  # noqa: S106 -- a code, not a secret
)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cost",
    description="What selecting the field costs in points, before its selection is counted. Without it, a field that "
    "returns objects costs 1 point and a plain value 0.1; a selection inside a list counts once per item.",
)
class Cost:
    weight: int = strawberry.field(
        name="weight", default=1, description="Points for the field itself, for each time that it is resolved."
    )
    list_size: int | None = strawberry.field(
        name="listSize",
        default=strawberry.UNSET,
        description="How many items a list is taken to have, if no argument says so.",
    )
    sized_by: list[str] | None = strawberry.field(
        name="sizedBy", default=strawberry.UNSET, description="List arguments whose length is the number of items."
    )


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requires",
    description="The scope that the caller's credential must hold; without it the answer is `FORBIDDEN`.",
)
class Requires:
    scope: Scope = strawberry.field(name="scope", description="The scope.")
    or_one_of: list[Scope] | None = strawberry.field(
        name="orOneOf", default=strawberry.UNSET, description="Further scopes, any of which will do as well."
    )


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="mayFail",
    description="The codes that the mutation's `errors` may hold.",
)
class MayFail:
    codes: list[ErrorCode] = strawberry.field(name="codes", description="The codes.")
