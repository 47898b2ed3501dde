"""How commands speak: what was done on standard output, what is wrong on standard error, with an exit code."""

from collections.abc import Iterable
from enum import IntEnum

import typer
from rich.console import Console
from rich.markup import escape

from domain.errors import UserError


class Exit(IntEnum):
    """What a command's exit code says to the script that ran it."""

    DONE = 0
    REFUSED = 1
    """It could not be done as asked; the message says what to change."""
    USAGE = 2
    """The command line itself is wrong."""
    UNAVAILABLE = 3
    """The database cannot be reached, or is not ready."""
    PARTLY = 4
    """It is done, but for the lines that were named."""


class FailureError(Exception):
    """A command ends here; the message says what is wrong and what to do."""

    def __init__(self, message: str, code: Exit = Exit.REFUSED) -> None:
        super().__init__(message)
        self.code = code


def told() -> Console:
    """Return where a command says what it does, for people: standard error, so that output can be piped."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Tell people what was done or is going on."""
    told().print(escape(text))


def give(text: str) -> None:
    """Write what was asked for to standard output, as it is."""
    typer.echo(text)


def complain(text: str) -> None:
    """Tell what is wrong."""
    told().print(f"[bold red]error[/] {escape(text)}")


def refuse(errors: Iterable[UserError]) -> None:
    """End the command if it was refused, with everything that is wrong.

    Raises:
        FailureError: there is an error.
    """
    lines = [f"{'.'.join(error.path)}: {error.message}" if error.path else error.message for error in errors]
    if lines:
        raise FailureError("\n      ".join(lines))
