"""Credentials: who gets in, with which rights, for how long."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from domain.access import PERSONS_ONLY, ROLE_GRANTS, PrincipalKind, Reach, Role, Scope, system
from domain.errors import ForbiddenError
from domain.tokens import TokenKind, hash_of, is_written
from tests.support.providers import Provider, codes, done, new_provider, sent, shown
from workflows import access, members, tokens
from workflows.access import authenticate
from workflows.members import DeactivateMember, UpdateMember
from workflows.tokens import CreateToken, RevokeToken, RotateToken


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every credential be read anew, so that a test need not wait."""
    monkeypatch.setattr(access, "REMEMBERED_S", 0.0)


async def test_a_token_lets_its_member_in_with_the_scopes_of_their_roles(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)

    assert lead.kind is PrincipalKind.PERSON
    assert lead.tenant_id == provider.tenant_id
    assert lead.scopes == ROLE_GRANTS[Role.ONBOARDING_LEAD]
    assert lead.clients is None


@pytest.mark.parametrize(
    "token",
    ["", "x", "ss_pat_", "ss_pat_" + "a" * 49, "a" * 8_192, "ss_pat_" + "a" * 8_185, "ss_pat_\x00", "☃" * 56],
)
async def test_what_is_no_token_lets_nobody_in(provider: Provider, token: str) -> None:
    assert await authenticate(provider.context, token) is None


async def test_a_token_with_one_digit_changed_lets_nobody_in(provider: Provider) -> None:
    token = provider.admin_token
    changed = token[:20] + ("a" if token[20] != "a" else "b") + token[21:]

    assert is_written(token)
    assert not is_written(changed)
    assert await authenticate(provider.context, changed) is None


async def test_only_the_hash_of_a_token_is_kept(provider: Provider) -> None:
    async with provider.context.database.reading(system(provider.tenant_id)) as tx:
        rows = await tx.rows(
            text(
                "select d.hash, t::text as token from door d join token t on t.id = d.subject_id where t.tenant_id = :t"
            ),
            t=provider.tenant_id,
        )

    assert [row["hash"] for row in rows] == [hash_of(provider.admin_token)]
    assert all(provider.admin_token not in row["token"] for row in rows)
    assert provider.admin_token.startswith(rows[0]["token"].split(",")[5])


async def test_a_token_ends_when_it_expires(provider: Provider) -> None:
    expiry = provider.clock.now.replace(hour=12)
    command = CreateToken(TokenKind.PERSONAL, "short", expires_at=expiry)
    token = shown(await tokens.create(provider.context, provider.admin, sent(), command))

    assert await authenticate(provider.context, token) is not None
    provider.clock.now = expiry
    assert await authenticate(provider.context, token) is None


async def test_a_remembered_credential_still_ends_at_its_expiry(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "REMEMBERED_S", 60.0)
    expiry = provider.clock.now.replace(hour=12)
    command = CreateToken(TokenKind.PERSONAL, "short", expires_at=expiry)
    token = shown(await tokens.create(provider.context, provider.admin, sent(), command))
    assert await authenticate(provider.context, token) is not None

    provider.clock.now = expiry
    assert await authenticate(provider.context, token) is None


async def test_a_revoked_token_lets_nobody_in(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    token = await provider.token_of(lead.id)
    principal = await provider.signed_in(token)
    assert principal.token_id is not None

    done(await tokens.revoke(provider.context, principal, sent(), RevokeToken(principal.token_id)))

    assert await authenticate(provider.context, token) is None


async def test_a_revoked_token_is_forgotten_within_two_seconds() -> None:
    assert access.REMEMBERED_S <= 2


async def test_a_changed_role_changes_what_an_open_token_may_do(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    token = await provider.token_of(viewer.id)
    command = UpdateMember(viewer.id, roles=(Role.SERVICE_MANAGER,))
    done(await members.update(provider.context, provider.admin, sent(), command))

    assert (await provider.signed_in(token)).scopes == ROLE_GRANTS[Role.SERVICE_MANAGER]


async def test_a_deactivated_member_gets_in_by_no_token(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    held = [await provider.token_of(viewer.id) for _ in range(2)]
    done(await members.deactivate(provider.context, provider.admin, sent(), DeactivateMember(viewer.id)))

    assert [await authenticate(provider.context, token) for token in held] == [None, None]


async def test_an_agent_sees_only_clients_whose_team_they_are_on(provider: Provider) -> None:
    agent = await provider.invited(Role.AGENT)
    own = await provider.client("Own", owner=agent)
    await provider.client("Foreign")

    again = await provider.signed_in(await provider.token_of(agent.id))

    assert again.clients == frozenset({own})


async def test_an_agent_with_a_narrow_token_sees_no_more(provider: Provider) -> None:
    agent = await provider.invited(Role.AGENT)
    await provider.client("Foreign")
    command = CreateToken(TokenKind.PERSONAL, "tickets", scopes=(Scope.TICKETS_READ,))
    narrow = await provider.signed_in(shown(await tokens.create(provider.context, agent, sent(), command)))

    assert narrow.scopes == {Scope.TICKETS_READ: Reach.OWN}
    assert narrow.clients == frozenset()


async def test_a_program_has_the_scopes_and_clients_of_its_token(provider: Provider) -> None:
    client = await provider.client()
    program = await provider.program(Scope.CLIENTS_READ, clients=(client,))

    assert program.kind is PrincipalKind.SERVICE
    assert program.scopes == {Scope.CLIENTS_READ: Reach.ALL}
    assert program.clients == frozenset({client})


async def test_the_use_of_a_token_is_noted_at_most_once_a_minute(provider: Provider) -> None:
    async def last_used() -> object:
        async with provider.context.database.reading(provider.admin) as tx:
            return await tx.value(text("select max(last_used_at) from token where tenant_id = :t"), t=tx.tenant)

    first = provider.clock.now
    assert await last_used() == first
    provider.clock.forward(seconds=59)
    await provider.signed_in(provider.admin_token)
    assert await last_used() == first
    later = provider.clock.forward(seconds=1)
    await provider.signed_in(provider.admin_token)
    assert await last_used() == later


async def test_a_rotated_token_opens_with_its_new_secret_alone(provider: Provider) -> None:
    program = await provider.program(Scope.CLIENTS_READ)
    assert program.token_id is not None
    issued = await tokens.rotate(provider.context, provider.admin, sent(), RotateToken(program.token_id))

    assert (await provider.signed_in(shown(issued))).id == program.id
    assert issued.secret is not None
    assert shown(issued) not in repr(issued.secret)


async def test_a_credential_tells_who_was_shown_its_secret(provider: Provider) -> None:
    person = await provider.invited(Role.SERVICE_MANAGER)
    assert (provider.admin.issued_by, person.issued_by) == (None, provider.admin.id)
    assert person.token_id is not None

    again = await tokens.rotate(provider.context, person, sent(), RotateToken(person.token_id))

    assert (await provider.signed_in(shown(again))).issued_by == person.id


async def test_a_tenants_credential_says_nothing_of_another_tenants(provider: Provider) -> None:
    other = await new_provider(provider.context.database)
    outcome = await tokens.revoke(
        provider.context, provider.admin, sent(), RevokeToken(other.admin.token_id or other.tenant_id)
    )

    assert codes(outcome) == ["NOT_FOUND"]
    assert await authenticate(other.context, other.admin_token) is not None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_only_an_admin_changes_who_may_what(provider: Provider, role: Role) -> None:
    person = await provider.invited(role)
    command = UpdateMember(person.id, roles=(Role.ADMIN,))

    with pytest.raises(ForbiddenError, match="MEMBERS_WRITE"):
        await members.update(provider.context, person, sent(), command)
    for kind, holder in ((TokenKind.SERVICE, None), (TokenKind.PERSONAL, provider.admin.id)):
        asked = CreateToken(kind, "x", holder, (Scope.CLIENTS_READ,))
        issued = await tokens.create(provider.context, person, sent(), asked)
        assert (codes(issued.outcome), issued.secret) == (["NOT_ALLOWED"], None)


@pytest.mark.parametrize("scope", sorted(PERSONS_ONLY))
async def test_no_program_gets_a_scope_for_persons(provider: Provider, scope: Scope) -> None:
    command = CreateToken(TokenKind.SERVICE, "program", scopes=(scope,))
    issued = await tokens.create(provider.context, provider.admin, sent(), command)

    assert codes(issued.outcome) == ["INVALID"]
    assert issued.secret is None


async def test_a_limited_token_makes_no_unlimited_one(provider: Provider) -> None:
    command = CreateToken(TokenKind.PERSONAL, "narrow", scopes=(Scope.SELF_WRITE, Scope.KPIS_READ))
    narrow = await provider.signed_in(shown(await tokens.create(provider.context, provider.admin, sent(), command)))

    wide = CreateToken(TokenKind.PERSONAL, "wide", scopes=(Scope.CLIENTS_WRITE,))
    assert codes((await tokens.create(provider.context, narrow, sent(), wide)).outcome) == ["INVALID"]
    unsaid = CreateToken(TokenKind.PERSONAL, "unsaid")
    made = await provider.signed_in(shown(await tokens.create(provider.context, narrow, sent(), unsaid)))
    assert made.scopes == narrow.scopes


async def test_a_token_that_expires_makes_none_that_outlives_it(provider: Provider) -> None:
    soon = provider.clock.now.replace(hour=23)
    admin = replace(provider.admin, expires_at=soon)
    command = CreateToken(TokenKind.PERSONAL, "longer")

    assert codes((await tokens.create(provider.context, admin, sent(), command)).outcome) == ["NOT_ALLOWED"]
    shown(await tokens.create(provider.context, admin, sent(), replace(command, expires_at=soon)))


async def test_what_is_remembered_of_a_credential_is_forgotten_when_rights_may_have_changed(
    provider: Provider, other_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "REMEMBERED_S", 60.0)
    member = await provider.invited(Role.VIEWER)
    token = await provider.token_of(member.id)
    assert await authenticate(provider.context, token) is not None
    done(await members.deactivate(provider.context, provider.admin, sent(), DeactivateMember(member.id)))
    access.forget(provider.context.database, other_provider.tenant_id)
    assert await authenticate(provider.context, token) is not None
    access.forget(provider.context.database, provider.tenant_id)
    assert await authenticate(provider.context, token) is None
