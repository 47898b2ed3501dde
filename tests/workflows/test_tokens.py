"""Tokens: shown once, retried safely, refused with a reason."""

import asyncio
from dataclasses import replace

from sqlalchemy import text

from domain.access import Principal, Role, Scope
from domain.tokens import TokenKind
from tests.support.providers import Provider, codes, done, sent, shown
from workflows import tokens
from workflows.access import authenticate
from workflows.tokens import CreateToken, RevokeToken, RotateToken


async def test_a_secret_is_shown_once_and_a_retry_says_so(provider: Provider) -> None:
    command = CreateToken(TokenKind.SERVICE, "loader", scopes=(Scope.TICKETS_WRITE,))
    first = await tokens.create(provider.context, provider.admin, sent("key"), command)
    again = await tokens.create(provider.context, provider.admin, sent("key"), command)

    assert shown(first).startswith("ss_svc_")
    assert again.secret is None
    assert codes(again.outcome) == ["SECRET_ALREADY_SHOWN"]
    assert again.outcome.subject == first.outcome.subject


async def test_no_secret_is_kept_with_an_idempotency_key(provider: Provider) -> None:
    command = CreateToken(TokenKind.SERVICE, "loader", scopes=(Scope.TICKETS_WRITE,))
    secret = shown(await tokens.create(provider.context, provider.admin, sent("key"), command))
    async with provider.context.database.reading(provider.admin) as tx:
        kept = await tx.value(
            text("select string_agg(i::text, '') from idempotency i where tenant_id = :t"), t=tx.tenant
        )
        told = await tx.value(text("select string_agg(p::text, '') from pending p where tenant_id = :t"), t=tx.tenant)

    assert secret not in f"{kept}{told}"


async def test_of_five_rotations_at_once_one_secret_is_left(provider: Provider) -> None:
    program = await provider.program(Scope.CLIENTS_READ)
    assert program.token_id is not None
    command = RotateToken(program.token_id)
    rotated = await asyncio.gather(
        *(tokens.rotate(provider.context, provider.admin, sent(), command) for _ in range(5))
    )

    inside = [await authenticate(provider.context, shown(issued)) for issued in rotated]
    assert sum(principal is not None for principal in inside) == 1


async def test_of_five_rotations_that_expect_a_version_one_wins(provider: Provider) -> None:
    program = await provider.program(Scope.CLIENTS_READ)
    assert program.token_id is not None
    command = RotateToken(program.token_id, expected_version=1)
    rotated = await asyncio.gather(
        *(tokens.rotate(provider.context, provider.admin, sent(), command) for _ in range(5))
    )

    assert sorted(map(str, (codes(issued.outcome) for issued in rotated))) == ["['STALE_VERSION']"] * 4 + ["[]"]


async def test_a_person_makes_tokens_for_themselves_alone(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    issued = await tokens.create(provider.context, viewer, sent(), CreateToken(TokenKind.PERSONAL, "laptop"))
    own = await provider.signed_in(shown(issued))
    assert own.id == viewer.id

    other = await provider.invited(Role.VIEWER)
    assert other.token_id is not None
    assert codes(await tokens.revoke(provider.context, viewer, sent(), RevokeToken(other.token_id))) == ["NOT_FOUND"]


async def test_a_revoked_token_is_not_revoked_again_nor_rotated(provider: Provider) -> None:
    program = await provider.program(Scope.CLIENTS_READ)
    assert program.token_id is not None
    done(await tokens.revoke(provider.context, provider.admin, sent(), RevokeToken(program.token_id)))

    again = await tokens.revoke(provider.context, provider.admin, sent(), RevokeToken(program.token_id))
    rotated = await tokens.rotate(provider.context, provider.admin, sent(), RotateToken(program.token_id))
    assert codes(again) == codes(rotated.outcome) == ["CONFLICT"]


async def test_a_holder_cannot_prolong_a_token_nor_an_admin_get_its_secret(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    end = provider.clock.now.replace(hour=20)
    made = await tokens.create(
        provider.context, provider.admin, sent(), CreateToken(TokenKind.PERSONAL, "x", viewer.id, expires_at=end)
    )
    token = done(made.outcome)
    longer = RotateToken(token, expires_at=end.replace(hour=22))

    assert codes((await tokens.rotate(provider.context, viewer, sent(), longer)).outcome) == ["NOT_ALLOWED"]
    for asked in (longer, RotateToken(token)):
        issued = await tokens.rotate(provider.context, provider.admin, sent(), asked)
        assert (codes(issued.outcome), issued.secret) == (["NOT_ALLOWED"], None)


async def test_an_admin_prolongs_a_programs_token(provider: Provider) -> None:
    program = await provider.program(Scope.CLIENTS_READ)
    assert program.token_id is not None
    end = provider.clock.now.replace(hour=20)

    longer = await tokens.rotate(
        provider.context, provider.admin, sent(), RotateToken(program.token_id, expires_at=end)
    )

    assert (await provider.signed_in(shown(longer))).expires_at == end


async def test_a_limited_token_gets_no_secret_of_its_holders_wider_one(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    assert lead.token_id is not None
    narrow = await _limited(provider, lead, Scope.SELF_WRITE, Scope.KPIS_READ)
    assert narrow.token_id is not None

    wide = await tokens.rotate(provider.context, narrow, sent(), RotateToken(lead.token_id))
    own = await tokens.rotate(provider.context, narrow, sent(), RotateToken(narrow.token_id))

    assert (codes(wide.outcome), wide.secret) == (["NOT_ALLOWED"], None)
    assert (await provider.signed_in(shown(own))).scopes == narrow.scopes


async def test_a_token_that_expires_gets_no_secret_of_one_that_lasts_longer(provider: Provider) -> None:
    admin = provider.admin
    program = await provider.program(Scope.CLIENTS_READ)
    assert admin.token_id is not None
    assert program.token_id is not None
    ending = replace(admin, expires_at=provider.clock.now.replace(hour=20))

    for token in (admin.token_id, program.token_id):
        issued = await tokens.rotate(provider.context, ending, sent(), RotateToken(token))
        assert (codes(issued.outcome), issued.secret) == (["NOT_ALLOWED"], None)


async def test_a_limited_admin_makes_nobody_a_token_that_may_do_more(provider: Provider) -> None:
    manager = await provider.invited(Role.SERVICE_MANAGER)
    program = await provider.program(Scope.TICKETS_WRITE)
    assert program.token_id is not None
    limited = await _limited(provider, provider.admin, Scope.SELF_WRITE, Scope.MEMBERS_WRITE, Scope.CLIENTS_READ)
    wider = (
        CreateToken(TokenKind.PERSONAL, "x", manager.id),
        CreateToken(TokenKind.PERSONAL, "x", manager.id, (Scope.WAIVE_HARD,)),
        CreateToken(TokenKind.SERVICE, "x", scopes=(Scope.TICKETS_WRITE,)),
    )

    for command in wider:
        issued = await tokens.create(provider.context, limited, sent(), command)
        assert (codes(issued.outcome), issued.secret) == (["NOT_ALLOWED"], None), command
    rotated = await tokens.rotate(provider.context, limited, sent(), RotateToken(program.token_id))
    assert (codes(rotated.outcome), rotated.secret) == (["NOT_ALLOWED"], None)
    within = CreateToken(TokenKind.PERSONAL, "x", manager.id, (Scope.CLIENTS_READ,))
    shown(await tokens.create(provider.context, limited, sent(), within))


async def test_an_admins_token_that_expires_makes_nobody_one_that_lasts_longer(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    soon = provider.clock.now.replace(hour=20)
    ending = replace(provider.admin, expires_at=soon)
    commands = (
        CreateToken(TokenKind.PERSONAL, "x", viewer.id),
        CreateToken(TokenKind.SERVICE, "x", scopes=(Scope.CLIENTS_READ,)),
    )

    for command in commands:
        assert codes((await tokens.create(provider.context, ending, sent(), command)).outcome) == ["NOT_ALLOWED"]
        shown(await tokens.create(provider.context, ending, sent(), replace(command, expires_at=soon)))


async def test_a_token_made_with_somebody_elses_keeps_their_mark(provider: Provider) -> None:
    manager = await provider.invited(Role.SERVICE_MANAGER)

    copy = await tokens.create(provider.context, manager, sent(), CreateToken(TokenKind.PERSONAL, "copy"))

    assert (await provider.signed_in(shown(copy))).issued_by == provider.admin.id


async def test_a_program_lists_its_scopes_and_only_clients_there_are(
    provider: Provider, other_provider: Provider
) -> None:
    theirs = await other_provider.client()
    cases = [
        (CreateToken(TokenKind.SERVICE, "x"), "INVALID"),
        (CreateToken(TokenKind.SERVICE, "x", scopes=(Scope.CLIENTS_READ,), clients=(theirs,)), "NOT_FOUND"),
        (CreateToken(TokenKind.PARTNER, "x", scopes=(Scope.CLIENTS_READ,)), "INVALID"),
        (CreateToken(TokenKind.SERVICE, "x", provider.admin.id, (Scope.CLIENTS_READ,)), "INVALID"),
        (CreateToken(TokenKind.SERVICE, " ", scopes=(Scope.CLIENTS_READ,)), "INVALID"),
    ]
    for command, code in cases:
        issued = await tokens.create(provider.context, provider.admin, sent(), command)
        assert codes(issued.outcome) == [code], command


async def _limited(provider: Provider, holder: Principal, *scopes: Scope) -> Principal:
    """Return the holder with a credential of their own that may do less."""
    command = CreateToken(TokenKind.PERSONAL, "narrow", scopes=scopes)
    return await provider.signed_in(shown(await tokens.create(provider.context, holder, sent(), command)))
