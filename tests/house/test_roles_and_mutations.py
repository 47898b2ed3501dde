"""Who may do what: every role and kind of token against every mutation of the schema, each cell tried."""

from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType

from api.fields import scope_of, scopes_of
from domain.access import PERSONS_ONLY, PROVIDERS_ONLY, ROLE_GRANTS, Principal, PrincipalKind, Reach, Role, Scope
from tests.support.providers import Provider
from tests.support.schema_walk import Asker, least, nobodys, schema

OWN_TOKENS = {"absenceAdd", "absenceEnd", "absenceRemove", "tokenCreate", "tokenRevoke", "tokenRotate"}
BELONGINGS = {
    "amendmentCreate",
    "amendmentUpdate",
    "clientBulkUpsert",
    "clientCreate",
    "clientMerge",
    "clientUpdate",
    "contactCreate",
    "contactUpdate",
    "contractCalendarSet",
    "contractCreate",
    "contractUpdate",
    "deviceUpdate",
    "deviceUpsert",
    "discoveryRunRecord",
    "serviceCreate",
    "serviceUpdate",
    "siteArchive",
    "siteCalendarSet",
    "siteCreate",
    "siteUpdate",
    "ticketKeyMap",
}
HOLDS = {
    "onboardingGiveNotice",
    "onboardingHold",
    "onboardingResume",
    "onboardingWithdrawNotice",
    "onboardingsHold",
    "onboardingsResume",
}
MOVES = {
    "onboardingAdvance",
    "onboardingExpand",
    "onboardingCorrect",
    "onboardingLose",
    "onboardingUndo",
    "onboardingOpen",
    "onboardingPlan",
    "onboardingRollBack",
    "onboardingUpdate",
    "onboardingsPlan",
    "onboardingsReassign",
}
CHECKLISTS = {
    "checklistItemAdd",
    "checklistItemComplete",
    "checklistItemRemove",
    "checklistItemReopen",
    "checklistItemUpdate",
    "followUpClose",
    "followUpOpen",
    "followUpUpdate",
    "handOffUpdate",
}
NOTES = {"noteAdd", "noteDelete", "noteEdit"}
ATTESTS = {"gateAttest"}
ENDS = {"onboardingDiscard", "onboardingImport", "onboardingOffBoard", "onboardingReopen"}
SOFT_WAIVERS = {"waiverRequest", "waiverWithdraw"}
HARD_WAIVERS = {"waiverGrant"}
PEOPLE = {"memberDeactivate", "memberErase", "memberInvite", "memberUpdate"}
PRIVACY = {"contactErase", "subjectExport"}
INBOUND = {
    "inboundMessageReplay",
    "inboundMessagesReplay",
    "inboundSourceCreate",
    "inboundSourceDisable",
    "inboundSourceEnable",
    "inboundSourceRotateSecret",
    "inboundSourceUpdate",
}
JOBS = {"importStart", "jobCancel"}
TICKETS = {
    "ticketAssign",
    "ticketBulkUpsert",
    "ticketCreate",
    "ticketEscalate",
    "ticketExclude",
    "ticketHold",
    "ticketMerge",
    "ticketMove",
    "ticketReopen",
    "ticketResolve",
    "ticketRespond",
    "ticketRestore",
    "ticketResume",
    "ticketUpdate",
}
SETTINGS = {"tenantSettingsUpdate"}
POLICIES = {
    "escalationRuleApply",
    "escalationRuleSet",
    "kpiTargetRemove",
    "kpiTargetSet",
    "onboardingDefinitionEdit",
    "onboardingDefinitionImport",
    "onboardingMigrate",
}

SERVICE_MANAGER = (
    INBOUND
    | POLICIES
    | JOBS
    | TICKETS
    | OWN_TOKENS
    | BELONGINGS
    | HOLDS
    | MOVES
    | CHECKLISTS
    | NOTES
    | ATTESTS
    | ENDS
    | SOFT_WAIVERS
    | HARD_WAIVERS
    | PRIVACY
)
PROGRAM = POLICIES | JOBS | TICKETS | BELONGINGS | HOLDS | MOVES | CHECKLISTS | ENDS

MAY = {
    "VIEWER": OWN_TOKENS,
    "AGENT": OWN_TOKENS | CHECKLISTS | NOTES | TICKETS | JOBS,
    "ONBOARDING_LEAD": OWN_TOKENS | BELONGINGS | HOLDS | MOVES | CHECKLISTS | NOTES | ATTESTS | SOFT_WAIVERS,
    "ACCOUNT_MANAGER": OWN_TOKENS | BELONGINGS | HOLDS | CHECKLISTS | NOTES,
    "TEAM_MANAGER": OWN_TOKENS | TICKETS | JOBS,
    "SERVICE_MANAGER": SERVICE_MANAGER,
    "ADMIN": SERVICE_MANAGER | PEOPLE | SETTINGS,
    "service token without scopes": set(),
    "service token with every scope": PROGRAM | NOTES,
    "partner token without scopes": set(),
    "partner token with every scope": PROGRAM,
}
"""The table of rights, written out so that a change of them is seen by whoever reviews it."""

PERSONS_WORD = {"gateAttest"}
"""Mutations that take a person besides their scope: a program has no word to give."""

STAFF = {
    "actingDeputy",
    "actingLead",
    "unblockedBy",
    "accountManager",
    "actor",
    "assignee",
    "attestedBy",
    "author",
    "closedBy",
    "createdBy",
    "deputy",
    "doneBy",
    "engineer",
    "grantedBy",
    "lead",
    "member",
    "openedBy",
    "owner",
    "recipient",
    "requestedBy",
    "technicalLead",
    "agent",
}
"""What fields that show one of the provider's people are called, with or without `Id`."""

OF_ONESELF = {
    "Event.actor",
    "KpiMember.member",
    "Member.deputy",
    "Member.deputyId",
    "MemberDeactivatePayload.member",
    "MemberErasePayload.member",
    "MemberInvitePayload.member",
    "MemberUpdatePayload.member",
    "Token.createdById",
    "Token.memberId",
    "Viewer.member",
    "Viewer.memberId",
}
"""Where the way there takes a right over members, where it is the caller, a dimension's, and the feed's ids alone."""

MUTATIONS = schema().mutation_type.fields  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class Caller:
    """One column of the table."""

    name: str
    kind: PrincipalKind
    scopes: frozenset[Scope]
    role: Role | None = None

    async def at(self, provider: Provider) -> Principal:
        if self.role:
            return await provider.invited(self.role)
        program = await provider.program(Scope.CLIENTS_READ, *self.scopes)
        held = {scope: reach for scope, reach in program.scopes.items() if scope in self.scopes}
        return replace(program, kind=self.kind, scopes=held)

    def may(self, mutation: str) -> bool:
        """Compute the cell from the domain's grants and what the schema says it takes."""
        persons = self.kind is not PrincipalKind.PERSON and mutation in PERSONS_WORD
        return not self.scopes.isdisjoint(scopes_of(MUTATIONS[mutation])) and not persons


def _callers() -> list[Caller]:
    people = [Caller(role.value, PrincipalKind.PERSON, frozenset(ROLE_GRANTS[role]), role) for role in Role]
    every = frozenset(Scope)
    programs = [
        Caller(f"{kind.value.lower()} token {words}", kind, scopes)
        for kind, nevers in ((PrincipalKind.SERVICE, PERSONS_ONLY), (PrincipalKind.PARTNER, PROVIDERS_ONLY))
        for words, scopes in (("without scopes", frozenset[Scope]()), ("with every scope", every - nevers))
    ]
    return people + programs


CALLERS = _callers()


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
async def test_every_mutation_lets_in_whom_the_grants_name_and_nobody_else(provider: Provider, caller: Caller) -> None:
    asker, principal = Asker(provider.context), await caller.at(provider)
    let_in = {name for name in MUTATIONS if await _let_in(asker, principal, name)}

    assert let_in == {name for name in MUTATIONS if caller.may(name)}
    assert let_in == MAY[caller.name]


def test_the_table_names_every_role_every_kind_of_token_and_every_mutation() -> None:
    assert set(MAY) == {caller.name for caller in CALLERS}
    assert set().union(*MAY.values()) == set(MUTATIONS)


def test_every_mutation_requires_a_scope_that_some_role_holds() -> None:
    granted = {scope for grants in ROLE_GRANTS.values() for scope in grants}
    assert {name for name, field in MUTATIONS.items() if scope_of(field) not in granted} == set()


def test_whatever_may_be_refused_is_nullable_so_that_the_rest_of_an_answer_stands() -> None:
    blanking = {
        f"{type_.name}.{name}"
        for type_ in schema().type_map.values()
        # A subscription that is refused never begins: there is nothing beside it to blank.
        if isinstance(type_, GraphQLObjectType) and type_ is not schema().subscription_type
        for name, field in type_.fields.items()
        if scope_of(field) is not None and isinstance(field.type, GraphQLNonNull)
    }
    assert blanking == set()


def test_whoever_of_the_provider_reads_clients_reads_what_was_said_of_them() -> None:
    reaches = {role: (held.get(Scope.CLIENTS_READ), held.get(Scope.AUDIT_READ)) for role, held in ROLE_GRANTS.items()}
    assert {clients for clients, _ in reaches.values()} == {Reach.ALL, Reach.OWN}
    assert [role for role, (clients, audit) in reaches.items() if clients is not audit] == []


def test_what_the_providers_people_say_among_themselves_takes_a_right_of_its_own() -> None:
    types = schema().type_map
    internal = {
        "Onboarding": ("waivers", "attestations", "transitions", "timeline", "handOff", "followUps", "notes"),
        "OnboardingHold": ("note",),
        "ChecklistItem": ("note", "link"),
        "Client": ("timeline", "notes"),
        "Note": ("text",),
        "PlannedDateChange": ("reason",),
    }
    named = [(types[name].fields[field], name, field) for name, fields in internal.items() for field in fields]  # type: ignore[attr-defined]
    named.append((schema().query_type.fields["followUps"], "Query", "followUps"))  # type: ignore[union-attr]
    assert [(name, field) for found, name, field in named if scope_of(found) is not Scope.AUDIT_READ] == []


def test_who_of_the_staff_it_is_takes_the_right_to_know_them() -> None:
    open_to_all = {
        f"{type_.name}.{name}"
        for type_ in schema().type_map.values()
        if isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items()
        if name.removesuffix("s").removesuffix("Id") in STAFF and scope_of(field) is not Scope.MEMBERS_READ
    }
    assert open_to_all == OF_ONESELF


def test_no_program_can_be_given_a_right_over_staff_waivers_or_settings() -> None:
    private = SOFT_WAIVERS | HARD_WAIVERS | PEOPLE | PRIVACY | INBOUND | SETTINGS | OWN_TOKENS
    assert {scope_of(MUTATIONS[name]) for name in private} <= PERSONS_ONLY


async def test_a_refused_mutation_leaves_the_answers_beside_it(provider: Provider) -> None:
    manager = await provider.invited(Role.SERVICE_MANAGER)
    text = """mutation {
        clientCreate(input: {name: "Kept"}) { client { name } }
        tenantSettingsUpdate(input: {}) { eventId }
    }"""
    body, codes = await Asker(provider.context).ask(manager, text)
    assert codes == ["FORBIDDEN"]
    assert body["data"] == {"clientCreate": {"client": {"name": "Kept"}}, "tenantSettingsUpdate": None}


async def _let_in(asker: Asker, principal: Principal, name: str) -> bool:
    """Call a mutation with the least that it takes; whoever is let in is answered by data, refusals too."""
    field = MUTATIONS[name]
    variables = least(field.args, name, nobodys)
    variables["input"] |= {"idempotencyKey": uuid4().hex}
    type_ = field.args["input"].type
    text = f"mutation ($input: {type_}) {{ {name}(input: $input) {{ eventId errors {{ code }} }} }}"
    body, codes = await asker.ask(principal, text, variables)
    if codes:
        assert (codes, body["data"]) == (["FORBIDDEN"], {name: None}), (name, body)
    else:
        assert body["data"][name] is not None
    return not codes
