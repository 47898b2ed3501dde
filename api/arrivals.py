"""Existing clients brought in: the mutation for programs, and what it tells of each row."""

from datetime import date, datetime
from typing import Any

import strawberry

from api import client_enums, onboarding_enums  # noqa: F401 -- publish the enums named here
from api.clients import ExternalKeyInput
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.enums import described
from api.fields import FieldPrice, mutation_field, optional_id_field, resolved, window
from api.payloads import KEY, event_id
from api.user_errors import UserError
from domain import moving_in
from domain.access import Scope
from domain.clients import ContactRole, ContractScope, ContractStatus, ContractType
from domain.effects import EffectKind, EffectState
from domain.errors import ErrorCode
from domain.ids import IdKind
from domain.moving_in import Arrival, ArrivalStatus, ToldContact, ToldContract, ToldHold
from domain.moving_in_sums import counts
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage
from workflows.moving_in import ImportClients, import_clients, results_of

LOCAL = "A local day of the provider, meant from its first moment on."

described(
    ArrivalStatus,
    "What became of one existing client.",
    CREATED="It is new here, with all that was told of it.",
    JOINED="It was here already without an onboarding, and has one now; what was known of it stays.",
    EXISTS="It was here already and had an onboarding, or came without one: nothing changed.",
    FAILED="Something is wrong with the row; `errors` says what.",
)


@strawberry.input(description="What was agreed with an existing client.")
class ExistingContractInput:
    title: str = strawberry.field(description="What it is called: 1 to 200 characters.")
    type: ContractType = strawberry.field(default=ContractType.MANAGED, description="How the work is shared.")
    status: ContractStatus | None = strawberry.field(
        default=None, description="How far it is; left out, `SIGNED` where `signedOn` is given, else `DRAFT`."
    )
    scope: list[ContractScope] | None = strawberry.field(default=None, description="What it covers.")
    seats: int | None = strawberry.field(default=None, description="For how many people.")
    coverage_hours: str | None = strawberry.field(
        default=None, description="`24x7`, or spans like `Mon-Fri 08:00-18:00, Sat 09:00-12:00`."
    )
    sent_on: date | None = strawberry.field(default=None, description="When it was sent.")
    signed_on: date | None = strawberry.field(default=None, description="When it was signed.")
    starts_on: date | None = strawberry.field(default=None, description="When service begins by it.")
    ends_on: date | None = strawberry.field(default=None, description="When it ends.")
    renews_on: date | None = strawberry.field(default=None, description="When it is renewed.")

    def told(self) -> ToldContract:
        return ToldContract(
            title=self.title,
            type=self.type,
            status=self.status,
            scope=tuple(self.scope or ()),
            seats=self.seats,
            coverage_hours=self.coverage_hours,
            sent_on=self.sent_on,
            signed_on=self.signed_on,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            renews_on=self.renews_on,
        )


@strawberry.input(description="A person of an existing client.")
class ExistingContactInput:
    name: str = strawberry.field(description="Their name: 1 to 200 characters.")
    email: str | None = strawberry.field(default=None, description="Where they are written to.")
    phone: str | None = strawberry.field(default=None, description="Where they are called.")
    roles: list[ContactRole] | None = strawberry.field(
        default=None, description="What they are to the work; left out, `PRIMARY`."
    )
    language: str | None = strawberry.field(default=None, description="The language they are written to in.")
    opted_out: bool = strawberry.field(default=False, description="Whether they want no surveys.")

    def told(self) -> ToldContact:
        roles = (ContactRole.PRIMARY,) if self.roles is None else tuple(self.roles)
        return ToldContact(self.name, self.email, self.phone, roles, self.language, self.opted_out)


@strawberry.input(description="Since when and why an existing client's onboarding stands still.")
class ExistingHoldInput:
    since: date = strawberry.field(description=LOCAL)
    reason: HoldReason = strawberry.field(description="Why.")
    note: str | None = strawberry.field(default=None, description="More of it, in your words.")
    expected_resume_on: date | None = strawberry.field(default=None, description="When it is to go on.")

    def told(self) -> ToldHold:
        return ToldHold(self.since, self.reason, self.note, self.expected_resume_on)


@strawberry.input(
    description="One existing client. Of its stages give the days that are known: what nobody knows any more is left "
    "out and not made up. A stay is recorded where its beginning and the beginning of the next stage are given."
)
class ExistingClientInput:
    name: str = strawberry.field(description="Its name. Without `external` the client is known again by it.")
    external: ExternalKeyInput | None = strawberry.field(
        default=None, description="Its key in another system, by which it is known again."
    )
    industry: str | None = strawberry.field(default=None, description="What it does.")
    seats: int | None = strawberry.field(default=None, description="How many people work there with a computer.")
    owner_email: str | None = strawberry.field(default=None, description="The member to whom it belongs.")
    account_manager_email: str | None = strawberry.field(
        default=None, description="The member who looks after the account."
    )
    lead_email: str | None = strawberry.field(
        default=None, description="The member who leads the onboarding; needed with a stage."
    )
    technical_lead_email: str | None = strawberry.field(default=None, description="The member who leads the technics.")
    contract: ExistingContractInput | None = strawberry.field(default=None, description="What was agreed.")
    contacts: list[ExistingContactInput] | None = strawberry.field(default=None, description="Its people, at most 50.")
    stage: Stage | None = strawberry.field(
        default=None, description="Where it stands; left out, it comes in without an onboarding."
    )
    contracting_on: date | None = strawberry.field(default=None, description="When it came into `CONTRACTING`.")
    discovery_on: date | None = strawberry.field(default=None, description="When it came into `ASSET_DISCOVERY`.")
    live_on: date | None = strawberry.field(default=None, description="When it came into `EARLY_SUPPORT`.")
    steady_on: date | None = strawberry.field(default=None, description="When it came into `STEADY_STATE`.")
    ended_on: date | None = strawberry.field(default=None, description="When it was lost or off-boarded.")
    outcome: EndReason | None = strawberry.field(default=None, description="Why it ended, as a code.")
    end_reason: str | None = strawberry.field(default=None, description="Why it ended, in your words.")
    hold: ExistingHoldInput | None = strawberry.field(default=None, description="The hold that it is on.")

    def told(self) -> Arrival:
        return Arrival(
            name=self.name,
            external=self.external.value() if self.external else None,
            industry=self.industry,
            seats=self.seats,
            owner_email=self.owner_email,
            account_manager_email=self.account_manager_email,
            lead_email=self.lead_email,
            technical_lead_email=self.technical_lead_email,
            contract=self.contract.told() if self.contract else None,
            contacts=tuple(one.told() for one in self.contacts or ()),
            stage=self.stage,
            contracting_on=self.contracting_on,
            discovery_on=self.discovery_on,
            live_on=self.live_on,
            steady_on=self.steady_on,
            ended_on=self.ended_on,
            outcome=self.outcome,
            end_reason=self.end_reason,
            hold=self.hold.told() if self.hold else None,
        )


@strawberry.input(description="Existing clients to be brought in. Every row that is sound comes in.")
class OnboardingImportInput:
    rows: list[ExistingClientInput] = strawberry.field(description="1 to 200 clients.")
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@window(moving_in.Stay, description="A stay in a stage of which both ends are known; the present one goes on.")
class ArrivedStay:
    stage: Stage = strawberry.field(description="The stage.")
    entered_at: datetime = strawberry.field(description="When it began.")
    left_at: datetime | None = strawberry.field(description="When it ended; `null` while it goes on.")


@window(moving_in.ArrivedEffect, description="What was planned for an existing client, or left out because it is past.")
class ArrivedEffect:
    kind: EffectKind = strawberry.field(description="What sort of thing.")
    name: str = strawberry.field(description="Which survey or timer.")
    due_at: datetime = strawberry.field(description="When it is due, or was.")
    state: EffectState = strawberry.field(description="`PLANNED` or `SKIPPED`.")
    reason: str | None = strawberry.field(description="Why it is skipped: `IMPORTED` where its time has passed.")
    contact_index: int | None = strawberry.field(
        description="Whom it asks: the place among the row's contacts, from 0."
    )

    contact_id: strawberry.ID | None = optional_id_field(
        IdKind.CONTACT, "contact", description="Whom it asks, where the client had this contact before."
    )
    member_id: strawberry.ID | None = optional_id_field(
        IdKind.MEMBER, "member", description="Whom of the team it asks or reminds.", scope=Scope.MEMBERS_READ
    )


@window(moving_in.Arrived, description="What became of one row, or would become of it.")
class ArrivedClient:
    status: ArrivalStatus = strawberry.field(description="What became of it.")
    name: str = strawberry.field(description="The client's name as it stands here.")
    contacts: int = strawberry.field(description="How many contacts are new.")
    stage: Stage | None = strawberry.field(description="Where its onboarding stands.")
    target_at: datetime | None = strawberry.field(description="When its stage is to be over.")
    stays: list[ArrivedStay] = strawberry.field(description="Its stays as far as they are known.")
    held_since: datetime | None = strawberry.field(description="Since when it is on hold.")
    effects: list[ArrivedEffect] = strawberry.field(description="What is planned for it, and what is skipped and why.")
    items: int = strawberry.field(description="How many items its stage's checklist has, due from today on.")
    baseline: bool = strawberry.field(
        description="Whether its escalation window's figures were recorded, from tickets that were here before."
    )
    tickets: int = strawberry.field(description="How many tickets that were here before changed stage or phase.")
    warnings: list[str] = strawberry.field(description="What it comes in without, or beside.")
    errors: list[UserError] = strawberry.field(description="What is wrong with the row.")

    @resolved(description="Its place in the input, from 0.")
    def index(root: Any) -> int:  # noqa: N805
        place: int = root.place
        return place

    client_id: strawberry.ID | None = optional_id_field(
        IdKind.CLIENT, "client", description="The client; in a dry run only one that is here already."
    )
    onboarding_id: strawberry.ID | None = optional_id_field(
        IdKind.ONBOARDING, "onboarding", description="The onboarding that it was given; `null` in a dry run."
    )


@strawberry.type(description="What became of each existing client; `eventId` is the last of several events for each.")
class OnboardingImportPayload(ForeseeingPayload):
    results: list[ArrivedClient] = strawberry.field(description="What became of each row, in the order of the input.")
    created: int = strawberry.field(description="How many clients are new.")
    joined: int = strawberry.field(description="How many were here already and have an onboarding now.")
    existing: int = strawberry.field(description="How many were here already, so that nothing changed.")
    failed: int = strawberry.field(description="How many rows something is wrong with.")


@strawberry.type
class ArrivalsMutation:
    @mutation_field(
        scope=Scope.ONBOARDING_END,
        description="Bring existing clients in with where they stand and the past that they had elsewhere. What was "
        "due in the past is skipped, what is still to come is planned. Sent again, it changes nothing. It takes "
        "`CLIENTS_WRITE` too, both for every client.",
        may_fail=(ErrorCode.NOT_ALLOWED,),
        cost=FieldPrice(weight=200),
    )
    async def onboarding_import(self, info: Info, input: OnboardingImportInput) -> OnboardingImportPayload:
        command = ImportClients(tuple(one.told() for one in input.rows), input.dry_run)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(import_clients, request, command)
        results = results_of(outcome)
        became = counts(results)
        return OnboardingImportPayload(
            results=results,  # type: ignore[arg-type]
            created=became[ArrivalStatus.CREATED],
            joined=became[ArrivalStatus.JOINED],
            existing=became[ArrivalStatus.EXISTS],
            failed=became[ArrivalStatus.FAILED],
            changes=changes_of(outcome.facts),
            event_id=event_id(outcome),
            errors=list(outcome.errors),  # type: ignore[arg-type]
        )
