"""Expansions for tests: a client in service, its sites and amendments, and the onboardings of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from domain.access import Principal
from domain.amendments import AmendmentStatus
from domain.clients import ContractScope, ContractStatus, ContractType
from domain.errors import Outcome
from domain.stages import Stage
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, done, sent
from workflows.amendments import CreateAmendment
from workflows.amendments import create as create_amendment
from workflows.beginning import Team
from workflows.contracts import CreateContract
from workflows.contracts import create as create_contract
from workflows.expansion import ExpandCommand, expand
from workflows.services import CreateService
from workflows.services import create as create_service
from workflows.sites import CreateSite
from workflows.sites import create as create_site


@dataclass
class Served:
    """A client whose onboarding as a whole has reached service."""

    whole: Onboarding

    @property
    def provider(self) -> Provider:
        return self.whole.provider

    async def site(self, name: str = "Depot") -> UUID:
        return done(
            await create_site(self.provider.context, self.provider.admin, sent(), CreateSite(self.whole.client, name))
        )

    async def service(self, name: str = "Web shop", **details: Any) -> UUID:
        command = CreateService(self.whole.client, name, **details)
        return done(await create_service(self.provider.context, self.provider.admin, sent(), command))

    async def contract(self, **details: Any) -> UUID:
        """Note a contract that no onboarding names yet."""
        command = CreateContract(self.whole.client, "More", ContractType.MANAGED, (ContractScope.ENDPOINTS,), **details)
        return done(await create_contract(self.provider.context, self.provider.admin, sent(), command))

    async def signed_contract(self, starts_on: date) -> UUID:
        return await self.contract(
            status=ContractStatus.SIGNED, starts_on=starts_on, coverage_hours="Mon-Fri 08:00-18:00"
        )

    async def amendment(self, **details: Any) -> UUID:
        """Note an amendment of the contract under which the whole client is onboarded."""
        command = CreateAmendment(self.whole.contract, "Addition", **details)
        return done(await create_amendment(self.provider.context, self.provider.admin, sent(), command))

    async def signed_amendment(self, starts_on: date, **details: Any) -> UUID:
        return await self.amendment(status=AmendmentStatus.SIGNED, starts_on=starts_on, **details)

    async def expand(
        self,
        *,
        by: Principal | None = None,
        lead: UUID | None = None,
        site: UUID | None = None,
        service: UUID | None = None,
        contract: UUID | None = None,
        amendment: UUID | None = None,
    ) -> Outcome:
        """Send an expansion as the lead of the whole client, or as somebody else."""
        team = Team(lead or self.whole.lead.id)
        command = ExpandCommand(self.whole.client, team, site, service, contract, amendment)
        return await expand(self.provider.context, by or self.whole.lead, sent(), command)

    async def expanded(self, contract: UUID, *, site: UUID | None = None, service: UUID | None = None) -> Onboarding:
        """Return the onboarding of a site or service, as one that a test can move."""
        outcome = await self.expand(contract=contract, site=site, service=service)
        return Onboarding(
            self.provider, self.whole.lead, self.whole.client, contract, done(outcome), outcome.version or 0
        )


async def served(provider: Provider) -> Served:
    """Take a new client into early support."""
    whole = await opened(provider)
    await whole.forward()
    assert await whole.forward() is Stage.EARLY_SUPPORT
    return Served(whole)
