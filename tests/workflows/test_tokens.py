"""Tokens: shown once, retried safely, refused with a reason."""

import asyncio

from sqlalchemy import text

from domain.access import Role, Scope
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


async def test_a_holder_cannot_prolong_a_token_and_an_admin_can(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    end = provider.clock.now.replace(hour=20)
    made = await tokens.create(
        provider.context, provider.admin, sent(), CreateToken(TokenKind.PERSONAL, "x", viewer.id, expires_at=end)
    )
    token = done(made.outcome)
    longer = RotateToken(token, expires_at=end.replace(hour=22))

    assert codes((await tokens.rotate(provider.context, viewer, sent(), longer)).outcome) == ["NOT_ALLOWED"]
    shown(await tokens.rotate(provider.context, provider.admin, sent(), longer))


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
