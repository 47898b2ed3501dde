"""Figures on the command line: held against a recount from the tickets, and put right."""

from typing import TYPE_CHECKING, Annotated, Self

import typer

from api.commands.voice import Exit, give, say, told

if TYPE_CHECKING:
    from domain.proofs import Difference, Stretch
    from workflows.context import Context

app = typer.Typer(no_args_is_help=True, help="Kept figures of tickets: proved by a recount, and put right.")

Provider = Annotated[str, typer.Option("--provider", "--tenant", help="The provider's short name.")]


@app.command()
def prove(
    provider: Provider,
    shown: Annotated[int, typer.Option(help="How many differences of one stretch are named.", min=1)] = 1_000,
) -> None:
    """Hold deltas and times against the tickets, and cells against the deltas, while the product runs.

    Names every difference: what is kept, what is counted. Exits with 1 where there is one.
    """
    from api.commands.world import acting_for, run
    from workflows import proofs

    async def work(context: "Context") -> tuple[int, int]:
        principal = await acting_for(context, provider)
        stretches = found = 0
        with _Ticker() as ticker:
            async for stretch in proofs.prove(context, principal, shown):
                stretches += 1
                found += stretch.found
                ticker.at(f"{stretch.ledger.lower()} of {stretch.what}")
                _give(stretch)
        return stretches, found

    stretches, found = run(work)
    if found:
        say(f"{found} differ. `steadystate figures rebuild --provider {provider}` puts them right.")
        raise typer.Exit(Exit.REFUSED)
    say(f"All figures are what the tickets say ({stretches} stretches compared).")


@app.command()
def rebuild(provider: Provider) -> None:
    """Put right what `prove` finds, while the product runs; answers as of earlier instants stay as they were."""
    from api.commands.world import acting_for, run
    from workflows import proofs

    async def work(context: "Context") -> int:
        principal = await acting_for(context, provider)
        corrections = 0
        with _Ticker() as ticker:
            async for mended in proofs.rebuild(context, principal):
                corrections += mended.corrections
                ticker.at(f"{mended.ledger.lower()} of {mended.what}")
                if mended.corrections:
                    give(f"{mended.ledger}\t{mended.what}\t{mended.corrections} corrected")
        return corrections

    corrections = run(work)
    say(f"{corrections} corrected." if corrections else "Nothing had to be put right.")


def _give(stretch: "Stretch") -> None:
    for one in stretch.differences:
        give("\t".join((one.ledger, one.day.isoformat(), _whose(one), one.fact, f"kept {one.kept}", _counted(one))))
    if stretch.unnamed:
        give(f"{stretch.ledger}\t… and {stretch.unnamed} more places of {stretch.what}")


def _whose(one: "Difference") -> str:
    from domain.ids import IdKind, public

    if one.of_all:
        return "all clients"
    return public(IdKind.CLIENT, one.client) if one.client else "no known client"


def _counted(one: "Difference") -> str:
    return f"counted {one.counted}\t{one.place}"


class _Ticker:
    """What is being gone through, on one line of standard error that the next one replaces."""

    def __init__(self) -> None:
        from rich.status import Status

        self._status = Status("", console=told())

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def at(self, what: str) -> None:
        self._status.update(what)
