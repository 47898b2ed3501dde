"""The command line: `steadystate`, and what becomes of an error that ends a command."""

import sys

import typer

from api.commands import definitions, erasures, figures, imports, tenants, tokens
from api.commands.catalogue import kpis
from api.commands.demo import demo
from api.commands.doctor import doctor
from api.commands.serving import serve, worker
from api.commands.upkeep import migrate, schema
from api.commands.voice import Exit, FailureError, complain

INTERRUPTED = 130
"""What shells give a program that Ctrl-C ended."""

app = typer.Typer(
    name="steadystate",
    help="Backend for managed service providers: a client's way from contract to steady state.\n\n"
    "DATABASE_URL names the PostgreSQL server; without it an embedded one is used, in .steadystate. "
    "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 database not ready, 4 done but for the lines named.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(demo)
app.command()(serve)
app.command()(worker)
app.command()(migrate)
app.command()(schema)
app.command()(kpis)
app.command()(doctor)
app.add_typer(tenants.app, name="tenant")
app.add_typer(tokens.app, name="token")
app.add_typer(imports.app, name="import")
app.add_typer(erasures.app, name="erasures")
app.add_typer(definitions.app, name="definition")
app.add_typer(figures.app, name="figures")


def main() -> None:
    """Run a command; an expected error is a sentence and an exit code, never a traceback."""
    try:
        app()
    except FailureError as failure:
        complain(str(failure))
        sys.exit(failure.code)
    except KeyboardInterrupt:
        complain("Interrupted.")
        sys.exit(INTERRUPTED)
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        complain(known[0])
        sys.exit(known[1])


def _known(error: Exception) -> tuple[str, Exit] | None:
    """Return what an error of the layers below means to whoever ran the command."""
    from db.embedded_programs import EmbeddedServerError
    from db.errors import DatabaseUnavailableError, InsecureRoleError
    from db.migrate import MigrationFailedError
    from demo.run import ForeignTenantsError
    from demo.telling import StoryError
    from workflows.jobs import JobFailed

    match error:
        case DatabaseUnavailableError():
            advice = "Is the server running, and does DATABASE_URL name it? steadystate doctor looks further."
            return f"The database cannot be reached: {error}. {advice}", Exit.UNAVAILABLE
        case MigrationFailedError():
            return (
                f"The database could not be migrated: {error}. Nothing of the failed revision is left.",
                Exit.UNAVAILABLE,
            )
        case InsecureRoleError():
            sentence = str(error)
            return f"{sentence[0].upper()}{sentence[1:]}.", Exit.REFUSED
        case EmbeddedServerError() | ForeignTenantsError() | StoryError() | JobFailed():
            return str(error), Exit.REFUSED
        case _:
            return None


if __name__ == "__main__":
    main()
