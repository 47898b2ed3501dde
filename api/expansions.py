"""The mutation that opens an onboarding of one more site or service."""

import strawberry

from api.changing import id_of, ids_of
from api.context import Info
from api.fields import mutation_field
from api.moves import OnboardingPayload, onboarding_of
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode
from domain.ids import IdKind, parse
from workflows.beginning import Team
from workflows.expansion import ExpandCommand, expand


@strawberry.input(description="A site or a service of a client in service, to be onboarded on its own.")
class OnboardingExpandInput:
    client_id: strawberry.ID = strawberry.field(description="The client.")
    lead_id: strawberry.ID = strawberry.field(description="The member who leads it.")
    site_id: strawberry.ID | None = strawberry.field(default=None, description="The site, instead of `serviceId`.")
    service_id: strawberry.ID | None = strawberry.field(default=None, description="The service, instead of `siteId`.")
    contract_id: strawberry.ID | None = strawberry.field(
        default=None, description="A contract that no other onboarding names, or the contract of the amendment."
    )
    amendment_id: strawberry.ID | None = strawberry.field(
        default=None, description="An amendment that names the site or the service, and no other onboarding names."
    )
    account_manager_id: strawberry.ID | None = strawberry.field(default=None, description="The account manager.")
    technical_lead_id: strawberry.ID | None = strawberry.field(default=None, description="The technical lead.")
    engineer_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="The engineers.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)

    def command(self) -> ExpandCommand:
        """Return the command that the input stands for."""
        return ExpandCommand(
            client=parse(IdKind.CLIENT, self.client_id),
            team=Team(
                parse(IdKind.MEMBER, self.lead_id),
                id_of(IdKind.MEMBER, self.account_manager_id),
                id_of(IdKind.MEMBER, self.technical_lead_id),
                ids_of(IdKind.MEMBER, self.engineer_ids),
            ),
            site=id_of(IdKind.SITE, self.site_id),
            service=id_of(IdKind.SERVICE, self.service_id),
            contract=id_of(IdKind.CONTRACT, self.contract_id),
            amendment=id_of(IdKind.AMENDMENT, self.amendment_id),
        )


@strawberry.type(description="What came of `onboardingExpand`.")
class OnboardingExpandPayload(OnboardingPayload):
    pass


@strawberry.type
class ExpansionMutation:
    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Open an onboarding of one site or one service, in `CONTRACTING`, for a client that is in service "
        "and not under notice. The client's own stage stays what it is.",
        may_fail=(
            ErrorCode.NOT_FOUND,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.ALREADY_EXISTS,
            ErrorCode.MOVE_NOT_POSSIBLE,
            ErrorCode.CONFLICT,
        ),
    )
    async def onboarding_expand(self, info: Info, input: OnboardingExpandInput) -> OnboardingExpandPayload:
        outcome = await info.context.perform(expand, info.context.command(input.idempotency_key), input.command())
        return OnboardingExpandPayload(
            onboarding=await onboarding_of(info, outcome),
            event_id=event_id(outcome),
            errors=list(outcome.errors),  # type: ignore[arg-type]
        )
