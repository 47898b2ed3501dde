"""What the provider's people say among themselves, and who they are, is not shown to those outside."""

from datetime import timedelta
from typing import Any

import pytest

from domain.access import PERSONS_ONLY, PROVIDERS_ONLY, Principal, Scope
from domain.ids import IdKind, public
from domain.moves import Gate, Move
from domain.onboarding import HoldReason
from domain.plans import Wish
from domain.stages import Stage
from domain.tokens import TokenKind
from tests.support.asking import answered, asked
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent, shown
from workflows import notes, plans, tokens
from workflows.notes import AddNote
from workflows.plans import PlanCommand
from workflows.teams import TeamCommand, change_team
from workflows.tokens import CreateToken

ON_ONBOARDING = (
    "waivers { reason }",
    "attestations { statement }",
    "transitions(first: 5) { nodes { reason } }",
    "timeline(first: 5) { nodes { detail } }",
    "holds { note }",
    "notes(first: 5) { nodes { text } }",
    "client { notes(first: 5) { nodes { text } } }",
    "client { timeline(first: 5) { nodes { detail } } }",
    "plannedDates { history { reason } }",
    "plannedDates { history { actorId } }",
    "lead { name }",
    "leadId",
    "accountManager { name }",
    "accountManagerId",
    "technicalLead { name }",
    "technicalLeadId",
    "engineers { name }",
    "engineerIds",
    "client { ownerId }",
    "client { accountManagerId }",
)
ONBOARDING = "query ($id: ID!) { onboarding(id: $id) { stage %s } }"
FOLLOW_UPS = "{ followUps(first: 5) { nodes { note } } }"
TEAM = """
query ($id: ID!) { onboarding(id: $id) {
  accountManagerId technicalLeadId engineerIds
  accountManager { id } technicalLead { id } engineers { id }
} }
"""


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    """Return an onboarding that was waived, put on hold, noted and planned, with words said about each."""
    found = await opened(provider)
    await found.waive(Move.BEGIN_DISCOVERY, Gate.COVERAGE_HOURS)
    done(await found.move(Move.HOLD, hold_reason=HoldReason.CLIENT, reason="agreed to wait"))
    context = provider.context
    done(await notes.add(context, found.lead, sent(), AddNote("agreed on the phone", cycle=found.cycle)))
    wish = Wish(Stage.ASSET_DISCOVERY, provider.clock().date() + timedelta(days=9))
    plan = PlanCommand(found.cycle, found.version, (wish,), "agreed with the client")
    planned = await plans.plan(context, found.lead, sent(), plan)
    done(planned)
    found.version = planned.version or 0
    return found


async def test_a_partner_reads_no_word_of_the_provider_and_nobody_of_its_staff(onboarding: Onboarding) -> None:
    scopes = tuple(scope for scope in Scope if scope not in PROVIDERS_ONLY)
    partner = await _program(onboarding, TokenKind.PARTNER, scopes)

    for selection in ON_ONBOARDING:
        data, errors = await answered(onboarding.provider, ONBOARDING % selection, _named(onboarding), partner)
        assert errors, selection
        assert "agreed" not in str(data), selection
        assert onboarding.lead.id.hex not in str(data), selection
    assert "AUDIT_READ" in (await answered(onboarding.provider, FOLLOW_UPS, principal=partner))[1][0]
    assert await _node_of_a_follow_up(onboarding, partner) == ["AUDIT_READ"]


async def test_a_program_reads_the_providers_words_if_they_are_among_its_scopes(onboarding: Onboarding) -> None:
    reader = await _program(onboarding, TokenKind.SERVICE, (Scope.CLIENTS_READ, Scope.AUDIT_READ))
    seen = await asked(onboarding.provider, ONBOARDING % " ".join(ON_ONBOARDING[:5]), _named(onboarding), reader)

    assert seen["onboarding"]["waivers"] == [{"reason": "agreed with the client"}]
    assert seen["onboarding"]["holds"] == [{"note": "agreed to wait"}]
    assert "AUDIT_READ" not in str(await _node_of_a_follow_up(onboarding, reader))


async def test_no_partner_can_be_given_the_providers_words(onboarding: Onboarding) -> None:
    command = CreateToken(
        TokenKind.PARTNER, "partner", scopes=(Scope.CLIENTS_READ, Scope.AUDIT_READ), clients=(onboarding.client,)
    )
    issued = await tokens.create(onboarding.provider.context, onboarding.provider.admin, sent(), command)

    assert (codes(issued.outcome), issued.secret) == (["INVALID"], None)
    assert {Scope.AUDIT_READ, Scope.NOTES_WRITE} == PROVIDERS_ONLY - PERSONS_ONLY


async def test_who_closes_a_follow_up_without_the_right_to_read_it_is_not_shown_it(onboarding: Onboarding) -> None:
    mover = await _program(onboarding, TokenKind.PARTNER, (Scope.CHECKLIST_WRITE,))
    follow_up = (await asked(onboarding.provider, "{ followUps(first: 1) { nodes { id } } }"))["followUps"]["nodes"][0]
    closing = """
    mutation ($id: ID!) {
      followUpClose(input: {followUpId: $id, expectedVersion: 1, note: "n", idempotencyKey: "k"}) {
        followUp { note } eventId errors { code }
      }
    }
    """
    closed = (await asked(onboarding.provider, closing, follow_up, mover))["followUpClose"]

    assert closed["eventId"]
    assert (closed["followUp"], closed["errors"]) == (None, [])


async def test_a_person_sees_the_whole_team(onboarding: Onboarding) -> None:
    admin, lead = onboarding.provider.admin, onboarding.lead
    before = (await asked(onboarding.provider, TEAM, _named(onboarding)))["onboarding"]
    assert (before["accountManager"], before["technicalLead"], before["engineers"]) == (None, None, [])
    team = TeamCommand(
        onboarding.cycle, onboarding.version, account_manager=admin.id, technical_lead=lead.id, engineers=(admin.id,)
    )
    done(await change_team(onboarding.provider.context, admin, sent(), team))

    seen = (await asked(onboarding.provider, TEAM, _named(onboarding)))["onboarding"]

    assert seen["accountManager"] == {"id": seen["accountManagerId"]}
    assert seen["technicalLead"] == {"id": seen["technicalLeadId"]} == {"id": public(IdKind.MEMBER, lead.id)}
    assert [one["id"] for one in seen["engineers"]] == seen["engineerIds"] == [public(IdKind.MEMBER, admin.id)]


async def _program(onboarding: Onboarding, kind: TokenKind, scopes: tuple[Scope, ...]) -> Principal:
    provider = onboarding.provider
    command = CreateToken(kind, "program", scopes=scopes, clients=(onboarding.client,))
    return await provider.signed_in(shown(await tokens.create(provider.context, provider.admin, sent(), command)))


async def _node_of_a_follow_up(onboarding: Onboarding, principal: Principal) -> list[str]:
    """Return which scope is missing to read a follow-up by its id."""
    provider = onboarding.provider
    (found,) = (await asked(provider, "{ followUps(first: 1) { nodes { id } } }"))["followUps"]["nodes"]
    text = "query ($id: ID!) { node(id: $id) { ... on FollowUp { note } } }"
    _, errors = await answered(provider, text, found, principal)
    return [scope.value for scope in Scope if any(scope.value in error for error in errors)]


def _named(onboarding: Onboarding) -> dict[str, Any]:
    return {"id": public(IdKind.ONBOARDING, onboarding.cycle)}
