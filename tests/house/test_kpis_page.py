"""The page of figures says what the catalogue says, and every figure stands in it."""

from pathlib import Path

from domain.kpi_page import page
from domain.kpis import Kpi

PAGE = Path(__file__).parents[2] / "docs" / "kpis.md"


def test_the_page_of_figures_is_written_from_the_catalogue_of_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make schema`"


def test_every_figure_stands_in_it_with_its_formula_and_its_source() -> None:
    text = page()
    for kpi in Kpi:
        definition = kpi.definition
        assert f"### {kpi.name}\n" in text
        assert definition.formula in text
        assert definition.source in text
