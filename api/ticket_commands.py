"""What commands on tickets take and give: an input and a payload for each."""

from datetime import datetime

import strawberry

from api import ticket_enums  # noqa: F401 -- publishes the enums named here
from api.changing import EXPECTED, Payload
from api.clients import ClientRef
from api.consequences import DRY_RUN, ForeseeingPayload
from api.payloads import KEY
from api.tickets import Ticket
from domain.tickets import EscalationKind, Exclusion, Priority, TicketKind, TicketSource, WaitingOn


@strawberry.input(description="A ticket to be opened here.")
class TicketCreateInput:
    client: ClientRef = strawberry.field(description="The client whose matter it is.")
    title: str = strawberry.field(description="What it is about, in a line of up to 500 characters.")
    kind: TicketKind = strawberry.field(default=TicketKind.INCIDENT, description="What sort of matter it is.")
    source: TicketSource = strawberry.field(default=TicketSource.PERSON, description="Who raised it.")
    priority: Priority = strawberry.field(default=Priority.UNKNOWN, description="How urgent it is.")
    category: str | None = strawberry.field(default=None, description="The category.")
    site_id: strawberry.ID | None = strawberry.field(default=None, description="The client's site that it is about.")
    device_id: strawberry.ID | None = strawberry.field(
        default=None, description="The client's device that it is about."
    )
    team: str | None = strawberry.field(default=None, description="The team that gets it first.")
    tier: int | None = strawberry.field(default=None, description="The support line of that team, 1 being the first.")
    agent: str | None = strawberry.field(default=None, description="Who in the team gets it first.")
    logged_at: datetime | None = strawberry.field(default=None, description="When it was raised; left out, now.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="What every command on a ticket takes.")
class TicketCommandInput:
    ticket_id: strawberry.ID = strawberry.field(description="The ticket.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="What every command takes that says when something was done.")
class TicketWorkInput(TicketCommandInput):
    at: datetime | None = strawberry.field(default=None, description="When it was done; left out, now.")


@strawberry.input(description="What every command takes that restates figures of the past.")
class TicketRestatingInput(TicketCommandInput):
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)


@strawberry.input(description="A change of a ticket; what is left out stays as it is.")
class TicketUpdateInput(TicketCommandInput):
    title: strawberry.Maybe[str | None] = strawberry.field(default=None, description="What it is about, in a line.")
    kind: strawberry.Maybe[TicketKind] = strawberry.field(default=None, description="What sort of matter it is.")
    priority: strawberry.Maybe[Priority] = strawberry.field(default=None, description="How urgent it is.")
    category: strawberry.Maybe[str | None] = strawberry.field(default=None, description="The category.")
    site_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The client's site that it is about."
    )
    device_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The client's device that it is about."
    )


@strawberry.input(description="To whom a ticket goes; a team left out stays, and so does its support line.")
class TicketAssignInput(TicketWorkInput):
    team: str | None = strawberry.field(default=None, description="The team.")
    tier: int | None = strawberry.field(default=None, description="Its support line, 1 being the first.")
    agent: str | None = strawberry.field(
        default=None, description="Who in the team, by the key that the ticket's system has for them."
    )


@strawberry.input(description="How a ticket is escalated.")
class TicketEscalateInput(TicketWorkInput):
    kind: EscalationKind = strawberry.field(
        default=EscalationKind.FUNCTIONAL,
        description="What rises. `FUNCTIONAL` and `VENDOR` hand it to `toTeam`; of the others that team is only told.",
    )
    to_team: str | None = strawberry.field(default=None, description="The team that it rises to.")
    to_tier: int | None = strawberry.field(default=None, description="The support line that it rises to.")
    reason: str | None = strawberry.field(default=None, description="Why, in a line.")


@strawberry.input(description="Whose first answer it is.")
class TicketRespondInput(TicketWorkInput):
    pass


@strawberry.input(description="For whom a ticket waits.")
class TicketHoldInput(TicketWorkInput):
    on: WaitingOn = strawberry.field(default=WaitingOn.CUSTOMER, description="Who is to act.")


@strawberry.input(description="Which ticket waits no longer.")
class TicketResumeInput(TicketWorkInput):
    pass


@strawberry.input(description="Which ticket is settled.")
class TicketResolveInput(TicketWorkInput):
    first_contact: bool | None = strawberry.field(
        default=None,
        description="Whether the first contact resolved it; left out, that follows from who had it and what it waited "
        "for.",
    )


@strawberry.input(description="Which ticket is taken up again.")
class TicketReopenInput(TicketWorkInput):
    pass


@strawberry.input(description="Which ticket is to stand for another.")
class TicketMergeInput(TicketRestatingInput):
    into_ticket_id: strawberry.ID = strawberry.field(
        description="The ticket that stands for it: of the same client and system, and itself counting."
    )


@strawberry.input(description="Whose a ticket is.")
class TicketMoveInput(TicketRestatingInput):
    client: ClientRef = strawberry.field(description="The client whose matter it is.")


@strawberry.input(description="Why a ticket is to be left out.")
class TicketExcludeInput(TicketRestatingInput):
    reason: Exclusion = strawberry.field(description="`SPAM` or `DELETED`.")


@strawberry.input(description="Which ticket is to count again.")
class TicketRestoreInput(TicketRestatingInput):
    pass


@strawberry.type
class TicketPayload(Payload):
    ticket: Ticket | None = strawberry.field(description="The ticket as it is now, where it is known.")


@strawberry.type
class RestatingPayload(ForeseeingPayload):
    ticket: Ticket | None = strawberry.field(description="The ticket as it is now, where it is known.")


@strawberry.type(description="The new ticket, or why none was opened.")
class TicketCreatePayload(TicketPayload):
    pass


@strawberry.type(description="The ticket after the change, or why nothing changed.")
class TicketUpdatePayload(TicketPayload):
    pass


@strawberry.type(description="The ticket with whoever has it now, or why nothing changed.")
class TicketAssignPayload(TicketPayload):
    pass


@strawberry.type(description="The escalated ticket, or why nothing changed.")
class TicketEscalatePayload(TicketPayload):
    pass


@strawberry.type(description="The answered ticket, or why nothing changed.")
class TicketRespondPayload(TicketPayload):
    pass


@strawberry.type(description="The waiting ticket, or why nothing changed.")
class TicketHoldPayload(TicketPayload):
    pass


@strawberry.type(description="The ticket that waits no longer, or why nothing changed.")
class TicketResumePayload(TicketPayload):
    pass


@strawberry.type(description="The resolved ticket, or why nothing changed.")
class TicketResolvePayload(TicketPayload):
    pass


@strawberry.type(description="The reopened ticket, or why nothing changed.")
class TicketReopenPayload(TicketPayload):
    pass


@strawberry.type(description="The merged ticket, or why nothing changed.")
class TicketMergePayload(RestatingPayload):
    pass


@strawberry.type(description="The moved ticket, or why nothing changed.")
class TicketMovePayload(RestatingPayload):
    pass


@strawberry.type(description="The ticket that was left out, or why nothing changed.")
class TicketExcludePayload(RestatingPayload):
    pass


@strawberry.type(description="The ticket that counts again, or why nothing changed.")
class TicketRestorePayload(RestatingPayload):
    pass
