"""The catalogue of figures as a page of the documentation."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.voice import FailureError, give, say

PAGE = Path("docs/kpis.md")


def kpis(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail unless the file says the same.")] = False,
    file: Annotated[Path, typer.Option(help="The file.", dir_okay=False)] = PAGE,
) -> None:
    """Write every figure with its formula and everything that makes it what it is to docs/kpis.md."""
    from domain.kpi_page import page

    text = page()
    if check:
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            raise FailureError(f"{file} differs from the catalogue; run steadystate kpis and look at the difference.")
        say(f"{file} is what the catalogue says.")
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    give(str(file))
