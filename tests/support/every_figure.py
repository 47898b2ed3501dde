"""Every figure of the catalogue as the API answers it, to be held against itself later."""

from typing import Any

from domain.kpis import Kpi
from tests.support.asking import asked
from tests.support.providers import Provider

ASKED = """query ($query: KpiQuery!) { kpi(query: $query) { series {
    dimensions { dimension member } total { value numerator denominator sampleSize low high status }
    points { start value { value numerator denominator } } } } }"""

YEAR = {"from": "2026-01-01", "to": "2027-01-01"}


async def every_figure(provider: Provider) -> dict[tuple[str, ...], Any]:
    """Return every figure of a year, whole and split by each dimension it has."""
    found = {}
    for kpi in Kpi:
        for by in ((), *((dimension.value,) for dimension in kpi.value.dimensions)):
            query = {"key": kpi.name, "period": YEAR, "grain": "MONTH", "by": list(by)}
            found[kpi.name, *by] = await asked(provider, ASKED, {"query": query})
    counted = {series["total"]["value"] for figure in found.values() for series in figure["kpi"]["series"]}
    assert len(counted) >= 3, "where nothing was counted nothing can differ"
    return found
