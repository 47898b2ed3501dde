"""Tokens on the command line: for whoever has lost theirs, and for programs."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.voice import FailureError, give, refuse, say

if TYPE_CHECKING:
    from uuid import UUID

    from db.session import Transaction
    from domain.access import Scope
    from domain.tokens import Token, TokenKind
    from workflows.credentials import Issued

app = typer.Typer(no_args_is_help=True, help="Tokens of people and programs.")

Tenant = Annotated[str, typer.Option(help="The provider's short name.")]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]


@app.command()
def create(
    tenant: Tenant,
    member: Annotated[str | None, typer.Option(help="E-mail address of the member it stands for.")] = None,
    service: Annotated[str | None, typer.Option(help="Name of the program it stands for.")] = None,
    partner: Annotated[str | None, typer.Option(help="Name of the partner's program it stands for.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do, such as CLIENTS_READ; give the option once for each.")
    ] = None,
    client: Annotated[
        list[str] | None, typer.Option(help="Id of a client that a program sees; give the option once for each.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it ends by itself.")] = None,
    as_json: Json = False,
) -> None:
    """Make a token for a member, a program or a partner's program, and write it; it is shown this once."""
    from api.commands.world import acting_for, by_command_line, run
    from domain.ids import IdKind, MalformedIdError, parse, public
    from workflows import tokens
    from workflows.context import Context

    kind, name = _whose(member, service, partner)
    scopes = _scopes(scope or [])
    try:
        clients = tuple(parse(IdKind.CLIENT, one) for one in client) if client else None
    except MalformedIdError as error:
        raise FailureError(f"--client: {error}.") from error

    async def work(context: Context) -> "Issued":
        principal = await acting_for(context, tenant)
        async with context.database.reading(principal) as tx:
            holder = await _member(tx, member) if member else None
        expires_at = context.clock() + timedelta(days=days) if days else None
        command = tokens.CreateToken(kind, name, holder, scopes, clients, expires_at)
        return await tokens.create(context, principal, by_command_line(), command)

    issued = run(work)
    refuse(issued.outcome.errors)
    if issued.outcome.subject is None or issued.secret is None:
        raise AssertionError
    token = public(IdKind.TOKEN, issued.outcome.subject)
    if as_json:
        give(json.dumps({"id": token, "token": issued.secret.text}))
        return
    say(f"Made {token} for {name}. It is shown this once:")
    give(issued.secret.text)


@app.command()
def revoke(
    tenant: Tenant,
    token: Annotated[str, typer.Argument(help="The token's id, or how it begins, as token list shows them.")],
) -> None:
    """End a token; it is refused everywhere within five seconds."""
    from api.commands.world import acting_for, by_command_line, run
    from domain.errors import Outcome
    from workflows import tokens
    from workflows.context import Context

    async def work(context: Context) -> Outcome:
        principal = await acting_for(context, tenant)
        async with context.database.reading(principal) as tx:
            key = _pick(token, await _all(tx))
        return await tokens.revoke(context, principal, by_command_line(), tokens.RevokeToken(key))

    refuse(run(work).errors)
    say("Revoked.")


@app.command("list")
def every(tenant: Tenant, as_json: Json = False) -> None:
    """List a provider's tokens, the oldest first; secrets are kept nowhere."""
    from api.commands.world import acting_for, run
    from domain.ids import IdKind, public
    from workflows.context import Context

    async def work(context: Context) -> "list[Token]":
        async with context.database.reading(await acting_for(context, tenant)) as tx:
            return await _all(tx)

    found = run(work)
    rows = [
        {
            "id": public(IdKind.TOKEN, one.id),
            "kind": one.kind.value,
            "prefix": one.prefix,
            "name": one.name,
            "revokedAt": one.revoked_at.isoformat() if one.revoked_at else None,
        }
        for one in found
    ]
    if as_json:
        give(json.dumps(rows))
        return
    for row in rows:
        give("\t".join((row["id"] or "", row["kind"] or "", row["prefix"] or "", row["name"] or "")) + _ended(row))


def _ended(row: dict[str, str | None]) -> str:
    return f"\trevoked {row['revokedAt']}" if row["revokedAt"] else ""


def _whose(member: str | None, service: str | None, partner: str | None) -> "tuple[TokenKind, str]":
    from domain.tokens import TokenKind

    kinds = ((TokenKind.PERSONAL, member), (TokenKind.SERVICE, service), (TokenKind.PARTNER, partner))
    given = [(kind, name) for kind, name in kinds if name]
    if len(given) != 1:
        raise FailureError("Say whose token it is: give exactly one of --member, --service and --partner.")
    return given[0]


def _scopes(names: list[str]) -> "tuple[Scope, ...]":
    from domain.access import PERSONS_ONLY, Scope

    known = {scope.value: scope for scope in Scope}
    unknown = [name for name in names if name.upper() not in known]
    if unknown:
        programs = ", ".join(scope.value for scope in Scope if scope not in PERSONS_ONLY)
        raise FailureError(f"--scope: there is no {', '.join(unknown)}; programs may have {programs}.")
    return tuple(known[name.upper()] for name in names)


async def _member(tx: "Transaction", email: str) -> "UUID":
    from db import members

    found = await members.id_of_email(tx, email.lower())
    if found is None:
        raise FailureError(f"--member: no member of this provider has the address {email}.")
    return found


async def _all(tx: "Transaction") -> "list[Token]":
    from db import tokens

    return await tokens.every(tx)


def _pick(text: str, known: "list[Token]") -> "UUID":
    from domain.ids import IdKind, public

    fitting = [one.id for one in known if public(IdKind.TOKEN, one.id) == text or one.prefix == text]
    if len(fitting) != 1:
        several = "several tokens begin" if fitting else "no token has this id or begins"
        raise FailureError(f"{text[:60]!r}: {several} like that; steadystate token list shows them.")
    return fitting[0]
