"""Members: invited, changed, deactivated, and never without an admin."""

import asyncio

import pytest

from db import members as stored
from domain.access import Role
from domain.members import Member
from tests.support.providers import Provider, codes, done, sent
from workflows import members
from workflows.members import DeactivateMember, InviteMember, UpdateMember


async def read(provider: Provider, member: object) -> Member:
    async with provider.context.database.reading(provider.admin) as tx:
        found = await stored.get(tx, member)  # type: ignore[arg-type]
    assert found is not None
    return found


async def test_an_invited_person_is_a_member_with_their_roles(provider: Provider) -> None:
    command = InviteMember(" Bo Lead ", "Bo@Provider.example", (Role.ONBOARDING_LEAD, Role.VIEWER, Role.VIEWER))
    member = await read(provider, done(await members.invite(provider.context, provider.admin, sent(), command)))

    assert (member.name, member.email) == ("Bo Lead", "bo@provider.example")
    assert member.roles == (Role.VIEWER, Role.ONBOARDING_LEAD)
    assert member.active


async def test_an_invitation_sent_five_times_at_once_makes_one_member(provider: Provider) -> None:
    command = InviteMember("Bo", "bo@provider.example", (Role.VIEWER,))
    outcomes = await asyncio.gather(
        *(members.invite(provider.context, provider.admin, sent(), command) for _ in range(5))
    )
    assert sorted(map(str, map(codes, outcomes))) == ["['ALREADY_EXISTS']"] * 4 + ["[]"]

    again = [await members.invite(provider.context, provider.admin, sent("key"), command) for _ in range(2)]
    assert again[0] == again[1]


async def test_a_person_who_comes_back_is_who_they_were(provider: Provider) -> None:
    command = InviteMember("Bo", "bo@provider.example", (Role.VIEWER,))
    member = done(await members.invite(provider.context, provider.admin, sent(), command))
    done(await members.deactivate(provider.context, provider.admin, sent(), DeactivateMember(member)))

    assert done(await members.invite(provider.context, provider.admin, sent(), command)) == member
    assert (await read(provider, member)).version == 3


@pytest.mark.parametrize("field", ["name", "email", "roles"])
async def test_what_cannot_be_a_member_is_refused_by_field(provider: Provider, field: str) -> None:
    values: dict[str, object] = {"name": "Bo", "email": "bo@provider.example", "roles": (Role.VIEWER,)}
    values[field] = () if field == "roles" else "\x00"
    outcome = await members.invite(provider.context, provider.admin, sent(), InviteMember(**values))  # type: ignore[arg-type]

    assert [(error.code.value, error.path) for error in outcome.errors] == [("INVALID", (field,))]


async def test_the_last_admin_stays_one(provider: Provider) -> None:
    admin = provider.admin.id
    demoted = await members.update(provider.context, provider.admin, sent(), UpdateMember(admin, roles=(Role.VIEWER,)))
    gone = await members.deactivate(provider.context, provider.admin, sent(), DeactivateMember(admin))

    assert codes(demoted) == codes(gone) == ["CONFLICT"]
    assert (await read(provider, admin)).is_admin


async def test_two_admins_who_demote_each_other_leave_one(provider: Provider) -> None:
    second = await provider.invited(Role.ADMIN)
    outcomes = await asyncio.gather(
        members.update(provider.context, provider.admin, sent(), UpdateMember(second.id, roles=(Role.VIEWER,))),
        members.update(provider.context, second, sent(), UpdateMember(provider.admin.id, roles=(Role.VIEWER,))),
    )

    assert sorted(map(str, map(codes, outcomes))) == ["['CONFLICT']", "[]"]


async def test_of_two_changes_to_one_version_the_second_is_stale(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    command = UpdateMember(viewer.id, name="First", expected_version=1)
    done(await members.update(provider.context, provider.admin, sent(), command))
    outcome = await members.update(provider.context, provider.admin, sent(), command)

    assert codes(outcome) == ["STALE_VERSION"]
    assert getattr(outcome.errors[0], "current", None) == 2


async def test_a_change_that_changes_nothing_keeps_the_version(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    name = (await read(provider, viewer.id)).name
    outcome = await members.update(provider.context, provider.admin, sent(), UpdateMember(viewer.id, name=name))

    assert (outcome.version, outcome.event) == (1, None)


async def test_a_deputy_is_another_active_member_of_the_same_provider(
    provider: Provider, other_provider: Provider
) -> None:
    viewer, deputy = await provider.invited(Role.VIEWER), await provider.invited(Role.VIEWER)
    for wrong, code in ((viewer.id, "INVALID"), (other_provider.admin.id, "NOT_FOUND")):
        outcome = await members.update(
            provider.context, provider.admin, sent(), UpdateMember(viewer.id, deputy_id=wrong)
        )
        assert codes(outcome) == [code]
    done(await members.update(provider.context, provider.admin, sent(), UpdateMember(viewer.id, deputy_id=deputy.id)))
    assert (await read(provider, viewer.id)).deputy_id == deputy.id


async def test_another_providers_member_is_not_to_be_found(provider: Provider, other_provider: Provider) -> None:
    theirs = other_provider.admin.id
    outcomes = [
        await members.update(provider.context, provider.admin, sent(), UpdateMember(theirs, name="Mine")),
        await members.deactivate(provider.context, provider.admin, sent(), DeactivateMember(theirs)),
    ]
    assert [codes(outcome) for outcome in outcomes] == [["NOT_FOUND"], ["NOT_FOUND"]]
