"""Erasures on the command line: kept in a file outside, done again after a restore, and seen before they happen."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from api.commands.voice import FailureError, give, say

if TYPE_CHECKING:
    from domain.privacy import RetentionDue
    from workflows.context import Context
    from workflows.erasures import Again, Erasure

E = TypeVar("E", bound=StrEnum)

app = typer.Typer(no_args_is_help=True, help="Erasures of people and clients.")

Tenant = Annotated[str | None, typer.Option(help="The provider's short name; every provider if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON object a line, as `apply` reads them.")]


@app.command("list")
def every(tenant: Tenant = None, as_json: AsJson = False) -> None:
    """List who was erased, by ids alone. Keep it outside of the database: an older back-up does not know it."""
    from api.commands.world import acting_for, run
    from workflows.erasures import listed

    async def work(context: "Context") -> list["Erasure"]:
        chosen = (await acting_for(context, tenant)).tenant_id if tenant else None
        return [one async for one in listed(context, chosen)]

    found = run(work)
    for one in found:
        row = _row(one)
        give(json.dumps(row) if as_json else "\t".join(row.values()))
    if not found:
        say("Nobody was erased yet.")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="What `list --json` wrote.", exists=True, dir_okay=False)],
) -> None:
    """Erase again whoever a restored back-up brought back; whoever is erased already stays so."""
    from api.commands.world import by_command_line, run
    from workflows.erasures import again

    wanted = list(_read(file))

    async def work(context: "Context") -> Counter["Again"]:
        return Counter([became async for _, became in again(context, by_command_line(), wanted)])

    became = run(work)
    counts = {name.lower().replace("_", " "): became[name] for name in ("ERASED", "STILL_ERASED", "UNKNOWN")}  # type: ignore[index]
    say(", ".join(f"{count} {words}" for words, count in counts.items()) + ".")


@app.command()
def due(
    tenant: Annotated[str, typer.Option(help="The provider's short name.")],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="By which day; today.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> None:
    """List the clients that the worker will erase by a day, because their period is over. Nothing is erased."""
    from api.commands.world import acting_for, run
    from domain.ids import IdKind, public
    from workflows import retention

    day: date | None = until.date() if until else None

    async def work(context: "Context") -> list["RetentionDue"]:
        return await retention.due(context, await acting_for(context, tenant), day, retention.LISTED_MOST)

    rows = [
        {
            "dueOn": one.due_on.isoformat(),
            "client": public(IdKind.CLIENT, one.client_id),
            "retention": one.retention.value,
            "contacts": str(one.contacts),
        }
        for one in run(work)
    ]
    if as_json:
        give(json.dumps(rows))
        return
    for row in rows:
        give("\t".join(row.values()))
    if not rows:
        say("Nothing is due.")


def _row(one: "Erasure") -> dict[str, str]:
    from domain.ids import IdKind, public

    return {
        "tenant": public(IdKind.TENANT, one.tenant_id),
        "kind": one.kind.value,
        "subject": public(one.kind.id_kind, one.subject_id),
        "reason": one.reason.value,
        "at": one.at.isoformat(),
    }


def _read(file: Path) -> Iterator["Erasure"]:
    """Yield the erasures of a file, all of which must be readable before any is done.

    Raises:
        FailureError: a line is none; the message names it.
    """
    from domain.ids import IdKind, parse
    from domain.privacy import DataSubject, ErasureReason
    from workflows.erasures import Erasure

    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = _object(line)
            kind = _one_of(DataSubject, "kind", row["kind"])
            yield Erasure(
                parse(IdKind.TENANT, row["tenant"]),
                kind,
                parse(kind.id_kind, row["subject"]),
                _one_of(ErasureReason, "reason", row["reason"]),
                datetime.fromisoformat(row["at"]),
            )
        except (ValueError, KeyError) as error:
            what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
            message = f"{file}, line {number}: {what}. It should be a line that steadystate erasures list --json wrote."
            raise FailureError(f"{message} Nothing was erased.") from error


def _object(line: str) -> dict[str, str]:
    row = json.loads(line)
    if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
        raise ValueError("it is no JSON object whose values are texts")
    return row


def _one_of(kinds: type[E], name: str, value: str) -> E:
    if value not in kinds.__members__:
        raise ValueError(f"{name}: {value[:40]!r} is none of {', '.join(kinds.__members__)}")
    return kinds[value]
