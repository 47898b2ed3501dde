"""The schema: the roots inherit from every concept, and hold nothing of their own.

A concept adds `<Concept>Query`, `<Concept>Mutation` or `<Concept>Subscription` to the bases below.
"""

from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from api.absences import AbsencesMutation
from api.amending import AmendingMutation
from api.amendment_mutations import AmendmentsMutation
from api.arrivals import ArrivalsMutation
from api.calendar_mutations import CalendarsMutation
from api.checklist_mutations import ChecklistsMutation
from api.checklists import ChecklistQuery
from api.client_mutations import ClientsMutation
from api.clients import ClientsQuery
from api.contact_mutations import ContactsMutation, ContractsMutation
from api.definition_mutations import DefinitionMutation
from api.definitions import DefinitionQuery
from api.desk import DeskQuery
from api.device_mutations import DevicesMutation, ServicesMutation
from api.escalation_rules import EscalationRulesMutation, EscalationRulesQuery
from api.event_types import EventTypesQuery
from api.events import EventsQuery, EventsSubscription
from api.expansions import ExpansionMutation
from api.fields import guard
from api.follow_ups import FollowUpQuery, FollowUpsMutation
from api.hand_offs import HandOffMutation
from api.imports import ImportsMutation
from api.inbound import InboundQuery
from api.inbound_mutations import InboundMutation
from api.job_changes import JobSubscription
from api.jobs import JobQuery
from api.kpi_changes import KpiSubscription
from api.kpis import KpiQuery
from api.member_mutations import MembersMutation
from api.members import MembersQuery
from api.merging import MergingMutation
from api.migrations import MigrationMutation
from api.moves import MovesMutation
from api.nodes import NodesQuery
from api.notes import NotesMutation
from api.nulls import refuse_nulls
from api.onboarding import OnboardingQuery
from api.onboarding_batches import OnboardingBatchesMutation
from api.onboarding_changes import OnboardingSubscription
from api.pipeline import PipelineQuery
from api.plans import PlansMutation
from api.privacy import PrivacyQuery
from api.privacy_mutations import PrivacyMutation
from api.rate_limit import RateLimitQuery
from api.scalars import SCALARS
from api.scorecards import ScorecardQuery
from api.site_mutations import SitesMutation
from api.sites import SitesQuery
from api.targets import TargetsMutation, TargetsQuery
from api.tenant_mutations import TenantMutation
from api.tenants import TenantQuery
from api.ticket_batches import TicketBatchesMutation
from api.ticket_keys import TicketKeysMutation, TicketKeysQuery
from api.ticket_mutations import TicketsMutation
from api.tickets import TicketQuery
from api.token_mutations import TokensMutation
from api.tokens import TokensQuery
from api.user_errors import USER_ERRORS
from api.viewer import ViewerQuery
from api.waivers import WaiversMutation


@strawberry.type(description="What can be read.")
class Query(
    ViewerQuery,
    NodesQuery,
    ClientsQuery,
    SitesQuery,
    RateLimitQuery,
    OnboardingQuery,
    PipelineQuery,
    DeskQuery,
    FollowUpQuery,
    ChecklistQuery,
    DefinitionQuery,
    TicketQuery,
    TicketKeysQuery,
    EscalationRulesQuery,
    KpiQuery,
    ScorecardQuery,
    TargetsQuery,
    MembersQuery,
    TokensQuery,
    InboundQuery,
    TenantQuery,
    EventsQuery,
    EventTypesQuery,
    PrivacyQuery,
    JobQuery,
):
    pass


@strawberry.type(description="What can be done.")
class Mutation(
    ClientsMutation,
    ContactsMutation,
    ContractsMutation,
    AmendmentsMutation,
    SitesMutation,
    CalendarsMutation,
    DevicesMutation,
    ServicesMutation,
    MovesMutation,
    ArrivalsMutation,
    ExpansionMutation,
    AmendingMutation,
    NotesMutation,
    PlansMutation,
    OnboardingBatchesMutation,
    WaiversMutation,
    FollowUpsMutation,
    ChecklistsMutation,
    HandOffMutation,
    TicketsMutation,
    TicketBatchesMutation,
    TicketKeysMutation,
    MembersMutation,
    AbsencesMutation,
    TokensMutation,
    InboundMutation,
    TargetsMutation,
    TenantMutation,
    DefinitionMutation,
    EscalationRulesMutation,
    MergingMutation,
    MigrationMutation,
    PrivacyMutation,
    ImportsMutation,
):
    pass


@strawberry.type(description="What can be followed as it happens.")
class Subscription(EventsSubscription, OnboardingSubscription, KpiSubscription, JobSubscription):
    pass


def build(
    query: type = Query, mutation: type | None = None, subscription: type | None = None, types: tuple[type, ...] = ()
) -> strawberry.Schema:
    """Build a schema with our scalars and directives, every required scope guarded."""
    schema = strawberry.Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=(*USER_ERRORS, *types),
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    guard(executable(schema))
    refuse_nulls(executable(schema))
    _describe_arguments(executable(schema))
    return schema


def executable(schema: strawberry.Schema) -> GraphQLSchema:
    """Return the graphql-core schema behind strawberry's."""
    built: GraphQLSchema = schema._schema  # noqa: SLF001 -- strawberry offers no other way to it
    return built


def _describe_arguments(schema: GraphQLSchema) -> None:
    """Describe what strawberry cannot: the arguments of directives, and the one `input` of mutations."""
    for directive in schema.directives:
        definition = directive.extensions.get("strawberry-definition")
        for field in getattr(definition, "fields", ()):
            argument = directive.args.get(field.graphql_name or field.python_name)
            if argument is not None:
                argument.description = field.description
    for mutation in schema.mutation_type.fields.values() if schema.mutation_type else ():
        if "input" in mutation.args and mutation.args["input"].description is None:
            mutation.args["input"].description = "What is to be done."


@cache
def product() -> strawberry.Schema:
    """Return the product's schema, built once per process."""
    return build(mutation=Mutation, subscription=Subscription)
