"""The catalogue as a page for people: every figure, its formula in words and everything that makes it what it is."""

from collections.abc import Iterator

from domain.benchmarks import LEAST_CLIENTS
from domain.kpi_definitions import Definition, Direction, KpiKind, Settling, Unit
from domain.kpis import DirectFact, Family, Kpi
from domain.periods import Grain
from domain.targets import PER_DAYS
from domain.trends import LEAST_POINTS

_INTRODUCTION = f"""\
# Figures

Written from the catalogue by `steadystate kpis`; change a definition in `domain/*_kpis.py`, never this page. The same
is told by the query `kpiCatalogue`.

## What holds for all of them

- A period is a run of local days of the provider, half-open; buckets are its days, weeks, months, quarters or years,
  and a day has 23 or 25 hours where the clock says so. The answer names the zone.
- Numerators and denominators are added up and formulas applied last: never an average of averages.
- Without data the value is `null` and never 0. Below `minSample` it is given and flagged `INSUFFICIENT_SAMPLE`, and
  while more may come it is `PARTIAL`.
- Every share, count, mean and median has its 95 % interval; a level is a full count and has none.
- What comes in late restates the past; `asOf` answers as it was at an earlier instant.
- `explain` shows the rows in the numerator, in the denominator and left out with the reason, of the whole period, of
  one `bucket` or under `members`: they add up to the number.
- `trend` is a line through the buckets that are whole, over and settled, from {LEAST_POINTS} of them on: rising or
  falling where the 95 % interval of its slope leaves zero out. A level is judged by its changes from bucket to bucket.
- `benchmark` ranks a client among all clients that the caller sees with at least `minSample`, from {LEAST_CLIENTS} on.
- `target` is the provider's own (`kpiTargetSet`), for all clients or for one. It is met, or missed, only by the whole
  interval of a value. Of a count it is per {PER_DAYS} days. No industry's figures are shipped: none could be verified.
- `scorecard` puts all of it into one verdict a figure: a missed target needs work; one that is met does well unless
  something turned for the worse; else trend, change and the other clients decide, if they agree.
- `kpiChanged` tells live which figures were touched, at most every 5 seconds, and never a value.
"""

_FAMILIES = {
    Family.ONBOARDING: "Onboarding, early support and tickets",
    Family.PROACTIVE: "Proactive service",
    Family.PEOPLE: "People",
}

_UNITS = {
    Unit.SHARE: "a share from 0 to 1",
    Unit.BUSINESS_HOURS: "business hours",
    Unit.BUSINESS_DAYS: "business days",
}

_KINDS = {
    KpiKind.PROPORTION: "numerator over denominator",
    KpiKind.MEAN: "mean",
    KpiKind.SCORE: "score",
    KpiKind.COUNT: "count of what happened",
    KpiKind.LEVEL: "how many there are at the end of the bucket",
    KpiKind.DURATION: "median of durations",
}

_DIRECTIONS = {
    Direction.HIGHER_IS_BETTER: "higher is better",
    Direction.LOWER_IS_BETTER: "lower is better",
    Direction.NEUTRAL: "neither way is better",
}

_SETTLING = {
    Settling.AT_ITS_END: "at its end",
    Settling.ESCALATIONS: "once the 90th percentile of the provider's own time-to-escalate has passed",
    Settling.REOPENINGS: "72 hours after its end, when what was resolved can no longer come back as unsolved",
}


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRODUCTION, *_contents(), *(line for kpi in Kpi for line in _entry(kpi))])


def _contents() -> Iterator[str]:
    for family in Family:
        figures = [kpi for kpi in Kpi if kpi.definition.family is family]
        if figures:
            yield f"## {_FAMILIES[family]}\n"
            yield from (f"- [{kpi.definition.title}](#{kpi.name.lower()}) `{kpi.name}`" for kpi in figures)
            yield ""


def _entry(kpi: Kpi) -> Iterator[str]:
    definition = kpi.definition
    yield f"### {kpi.name}\n"
    yield f"**{definition.title}.** {definition.formula}\n"
    yield "| | |"
    yield "|---|---|"
    for name, said in _facts(definition):
        yield f"| {name} | {said} |"
    yield ""


def _facts(definition: Definition) -> Iterator[tuple[str, str]]:
    unit = _UNITS.get(definition.unit, definition.unit.lower().replace("_", " "))
    yield "Number", f"{_KINDS[definition.kind]}, in {unit}; {_DIRECTIONS[definition.direction]}"
    yield "Made of", _made_of(definition)
    yield "Source and interval", definition.source
    yield "By", ", ".join(f"`{dimension}`" for dimension in definition.dimensions)
    grains = ", ".join(f"`{grain}`" for grain in definition.grains)
    yield "Buckets", "every grain" if definition.grains == tuple(Grain) else grains
    yield "A bucket is settled", _SETTLING[definition.settling]
    yield "`minSample`", str(definition.min_sample)
    if not definition.additive:
        yield "Mind", "its buckets don't add up to the period: each asks anew from its own first day"
    if definition.about_staff:
        yield "Takes", "to lead people (team manager, service manager, admin), or to ask of oneself"
    yield "Version", str(definition.version)


def _made_of(definition: Definition) -> str:
    if isinstance(definition.facts, DirectFact):
        return f"the rows of `{definition.facts.name}`"
    return " ÷ ".join(f"`{fact.name}`" for fact in definition.facts)
