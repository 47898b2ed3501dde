"""Providers on the command line: making the first one, and listing them."""

import json
from typing import Annotated

import typer

from api.commands.voice import FailureError, give, refuse, say

app = typer.Typer(no_args_is_help=True, help="Providers.")


@app.command()
def create(
    slug: Annotated[str, typer.Argument(help="Short name on the command line, such as north-wind.")],
    admin_email: Annotated[str, typer.Option(help="Address of the first admin.")],
    name: Annotated[str | None, typer.Option(help="Name of the provider; the slug if left out.")] = None,
    admin_name: Annotated[str, typer.Option(help="Name of the first admin.")] = "Admin",
    zone: Annotated[str, typer.Option(help="Time zone whose days are its days, such as Europe/Amsterdam.")] = "UTC",
    country: Annotated[str | None, typer.Option(help="Country whose public holidays it keeps, such as NL.")] = None,
    language: Annotated[str, typer.Option(help="Language it writes in, such as en.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> None:
    """Make a provider with its first admin, and write the admin's token, which is shown this once."""
    from api.commands.world import by_command_line, run
    from domain.calendars import InvalidCalendar, zone_named
    from domain.ids import IdKind, public
    from workflows import tenants
    from workflows.context import Context
    from workflows.credentials import Issued

    try:
        command = tenants.CreateTenant(slug, name or slug, zone_named(zone), admin_name, admin_email, country, language)
    except InvalidCalendar as error:
        raise FailureError(str(error)) from error

    async def work(context: Context) -> Issued:
        return await tenants.create(context, by_command_line(), command)

    issued = run(work)
    refuse(issued.outcome.errors)
    if issued.outcome.subject is None or issued.secret is None:
        raise AssertionError
    tenant = public(IdKind.TENANT, issued.outcome.subject)
    if as_json:
        give(json.dumps({"tenant": tenant, "slug": slug, "token": issued.secret.text}))
        return
    say(f"Made {name or slug} ({tenant}) with {admin_email} as its admin. The admin's token, shown this once:")
    give(issued.secret.text)


@app.command("list")
def every(as_json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False) -> None:
    """List the providers."""
    from api.commands.world import run
    from db import tenants
    from domain.ids import IdKind, public
    from domain.tenants import Tenant
    from workflows.context import Context

    async def work(context: Context) -> list[Tenant]:
        async with context.database.relaying() as tx:
            return await tenants.every(tx)

    found = run(work)
    if as_json:
        rows = [{"id": public(IdKind.TENANT, t.id), "slug": t.slug, "name": t.name} for t in found]
        give(json.dumps(rows))
        return
    for tenant in found:
        give(f"{tenant.slug}\t{tenant.settings.zone.key}\t{tenant.name}")
    if not found:
        say("There is none yet; run steadystate tenant create.")
