"""Access in the API: the viewer, members, tokens and what the provider has decided for itself."""

from typing import Any

import pytest

from domain.access import Role, Scope
from domain.ids import IdKind, public
from tests.support.asking import answered, asked
from tests.support.providers import Provider

TOKEN = """
    mutation ($input: TokenCreateInput!) {
      tokenCreate(input: $input) { token { id prefix scopes clientIds member { name } } secret errors { code message } }
    }
"""
SETTINGS = """
    mutation ($input: TenantSettingsUpdateInput!) {
      tenantSettingsUpdate(input: $input) { tenant { name version settings { language brand hardWaiverPersons
        calendar { zone weekStart version hours { weekday opens closes } } } } errors { code path } }
    }
"""


async def test_the_viewer_says_who_is_asking_and_what_they_may_do(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    own, foreign = await provider.client("Own", owner=lead), await provider.client("Foreign")
    answer = await asked(
        provider,
        """query ($own: ID!, $foreign: ID!) { viewer {
          kind name roles member { email } tokens(first: 5) { nodes { prefix } totalCount } scopes { scope reach }
          any: can(scope: CLIENTS_WRITE) none: can(scope: TENANT_WRITE)
          own: can(scope: CLIENTS_WRITE, client: {id: $own})
          foreign: can(scope: CLIENTS_WRITE, client: {id: $foreign})
          read: can(scope: CLIENTS_READ, client: {id: $foreign})
          nowhere: can(scope: CLIENTS_READ, client: {external: {system: "X", key: "1"}})
        } }""",
        {"own": public(IdKind.CLIENT, own), "foreign": public(IdKind.CLIENT, foreign)},
        lead,
    )
    viewer = answer["viewer"]

    assert (viewer["kind"], viewer["roles"]) == ("PERSON", ["ONBOARDING_LEAD"])
    assert viewer["tokens"]["totalCount"] == 1
    assert {"scope": "CLIENTS_WRITE", "reach": "OWN"} in viewer["scopes"]
    flags = {name: viewer[name] for name in ("any", "none", "own", "foreign", "read", "nowhere")}
    assert flags == {"any": True, "none": False, "own": True, "foreign": False, "read": True, "nowhere": False}


async def test_a_program_is_a_viewer_without_a_member(provider: Provider) -> None:
    program = await provider.program(Scope.KPIS_READ)
    answer = await asked(
        provider, "{ viewer { kind memberId member { name } tokens(first: 1) { totalCount } } }", None, program
    )
    assert answer["viewer"] == {"kind": "SERVICE", "memberId": None, "member": None, "tokens": None}


async def test_members_are_invited_changed_listed_and_deactivated(provider: Provider) -> None:
    invited = await asked(
        provider,
        """mutation { memberInvite(input: {name: "Bo", email: "Bo@x.example", roles: [AGENT]}) {
          member { id email roles active } eventId errors { code } } }""",
    )
    member = invited["memberInvite"]["member"]
    assert (member["email"], member["roles"], member["active"]) == ("bo@x.example", ["AGENT"], True)
    changed = await asked(
        provider,
        """mutation ($id: ID!, $deputy: ID!) {
          memberUpdate(input: {memberId: $id, roles: [VIEWER, AGENT], deputyId: $deputy}) {
            member { roles deputy { name } } errors { code } }
          memberDeactivate(input: {memberId: $id}) { member { active } errors { code } }
        }""",
        {"id": member["id"], "deputy": public(IdKind.MEMBER, provider.admin.id)},
    )
    assert changed["memberUpdate"]["member"] == {"roles": ["VIEWER", "AGENT"], "deputy": {"name": "Ada Admin"}}
    assert changed["memberDeactivate"]["member"] == {"active": False}
    listed = await asked(provider, "{ members(first: 5) { nodes { name active } totalCount } }")
    assert listed["members"]["totalCount"] == 2


async def test_a_secret_is_in_the_first_answer_alone(provider: Provider) -> None:
    given = {"input": {"kind": "SERVICE", "name": "loader", "scopes": ["TICKETS_WRITE"], "idempotencyKey": "k"}}
    first, again = [(await asked(provider, TOKEN, given))["tokenCreate"] for _ in range(2)]

    assert first["secret"].startswith(first["token"]["prefix"])
    assert again["secret"] is None
    assert [error["code"] for error in again["errors"]] == ["SECRET_ALREADY_SHOWN"]
    assert again["token"]["id"] == first["token"]["id"]
    rotated = await asked(
        provider,
        "mutation ($id: ID!) { tokenRotate(input: {tokenId: $id}) { secret token { version } errors { code } } }",
        {"id": first["token"]["id"]},
    )
    assert rotated["tokenRotate"]["secret"] not in (None, first["secret"])
    node = await asked(provider, "query ($id: ID!) { node(id: $id) { id } }", {"id": first["token"]["id"]})
    assert node == {"node": {"id": first["token"]["id"]}}
    revoked = await asked(
        provider,
        "mutation ($id: ID!) { tokenRevoke(input: {tokenId: $id}) { token { revokedAt } errors { code } } }",
        {"id": first["token"]["id"]},
    )
    assert revoked["tokenRevoke"]["token"]["revokedAt"] is not None


async def test_settings_change_and_show_the_week(provider: Provider) -> None:
    hours = [
        {"weekday": "SUNDAY", "opens": "08:00", "closes": "12:30"},
        {"weekday": "SUNDAY", "opens": "13:00", "closes": "24:00"},
    ]
    given = {"hours": hours, "weekStart": "SUNDAY", "zone": "Asia/Dubai", "brand": "North", "hardWaiverPersons": 1}
    payload = (await asked(provider, SETTINGS, {"input": given}))["tenantSettingsUpdate"]
    calendar = payload["tenant"]["settings"]["calendar"]

    assert payload["errors"] == []
    assert calendar == {"zone": "Asia/Dubai", "weekStart": "SUNDAY", "version": 2, "hours": hours}
    read = await asked(provider, "{ tenant { settings { brand hardWaiverPersons ownDays } } }")
    assert read["tenant"]["settings"] == {"brand": "North", "hardWaiverPersons": 1, "ownDays": []}


async def test_settings_sent_again_with_their_key_change_once(provider: Provider) -> None:
    given = {"zone": "Asia/Tokyo", "country": "JP", "idempotencyKey": "k"}
    first, again = [(await asked(provider, SETTINGS, {"input": given}))["tenantSettingsUpdate"] for _ in range(2)]

    assert first["errors"] == again["errors"] == []
    assert again["tenant"]["version"] == 2


@pytest.mark.parametrize("opens", ["9:00", "25:00", "24:30", "nine"])
async def test_what_is_no_time_of_day_is_refused(provider: Provider, opens: str) -> None:
    given: dict[str, Any] = {"hours": [{"weekday": "MONDAY", "opens": opens, "closes": "17:00"}]}
    _, errors = await answered(provider, SETTINGS, {"input": given})

    assert len(errors) == 1
    assert opens in errors[0]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_only_an_admin_sees_all_tokens_and_writes_members(provider: Provider, role: Role) -> None:
    person = await provider.invited(role)
    data, errors = await answered(provider, "{ tokens(first: 1) { totalCount } }", None, person)
    assert (data, len(errors)) == ({"tokens": None}, 1)
    _, errors = await answered(
        provider,
        'mutation { memberInvite(input: {name: "X", email: "x@x.example", roles: [ADMIN]}) { eventId } }',
        None,
        person,
    )
    assert "MEMBERS_WRITE" in errors[0]
