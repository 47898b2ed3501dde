"""What is read: the documents of the product and of mercurius, those of PostGraphile, and the floor of each."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from domain.ids import IdKind, public
from tests.bench.world import ZONE, World

VALUE = "{ value numerator denominator sampleSize low high status }"
COLUMNS = "{ starts values numerators denominators lows highs statuses complete }"
POINTS = "{ starts values lows highs statuses complete }"
THREE = "\n".join(
    f"{alias}: kpi(key: {key}, period: {{from: $from, to: $to}}, grain: MONTH) {{ total {VALUE} }}"
    for alias, key in (("tickets", "TICKETS_LOGGED"), ("escalations", "ESCALATIONS"), ("rate", "ESCALATION_RATE"))
)
SIX = ("TICKETS_LOGGED", "ESCALATIONS", "ESCALATED_TICKETS", "ESCALATION_RATE", "OPEN_ONBOARDINGS", "WAIVED_MOVES")

ROW = f"id: rowId name stage tickets {VALUE} escalations {VALUE} rate {VALUE}"
BARE = {"tenant": "UUID!", "start": "Date!", "ends": "Date!", "zone": "String!", "moment": "Datetime!"}


def _of_functions(field: str, selection: str, **more: str) -> str:
    """Write PostGraphile's document: the functions take the same parameters as the statements of the bare route."""
    named = BARE | more
    declared = ", ".join(f"${name}: {type_}" for name, type_ in named.items())
    return f"query ({declared}) {{ {field}({', '.join(f'{name}: ${name}' for name in named)}) {selection} }}"


@dataclass(frozen=True, slots=True)
class Read:
    """One read: what it is called, its documents, how many whole months back it looks (or days), and its floor."""

    name: str
    what: str
    document: str
    functions: str = ""
    floor: float = 0.0
    """The least share of the pace of *raw*."""
    months: int = 0
    days: int = 0
    of_client: bool = False
    keys: tuple[str, ...] = ()
    """The figures of a read of all clients together."""

    def period(self, today: date) -> tuple[date, date]:
        """Return the first day asked for and the one after the last."""
        if self.days:
            return today - timedelta(days=self.days - 1), today + timedelta(days=1)
        number = today.year * 12 + today.month
        start = number - self.months
        return date(start // 12, start % 12 + 1, 1), date(number // 12, number % 12 + 1, 1)

    def asked(self, world: World) -> bytes:
        """Return the request of the product and of mercurius."""
        start, end = self.period(datetime.now(UTC).date())
        variables: dict[str, Any] = {"from": start, "to": end}
        if self.of_client:
            variables["id"] = public(IdKind.CLIENT, world.onboardings[0].client)
        if self.keys:
            shape = {"period": {"from": start, "to": end}, "grain": "DAY" if self.days else "MONTH"}
            shape |= {"compareWith": "PREVIOUS_PERIOD"} if self.days else {}
            variables = {"queries": [{"key": key, **shape} for key in self.keys]}
        return msgspec.json.encode({"query": self.document, "variables": variables})

    def asked_bare(self, world: World) -> bytes:
        """Return the request of the bare route."""
        return msgspec.json.encode(self._parameters(world))

    def asked_of_functions(self, world: World) -> bytes:
        """Return the request of PostGraphile."""
        return msgspec.json.encode({"query": self.functions, "variables": self._parameters(world)})

    def _parameters(self, world: World) -> dict[str, object]:
        start, ends = self.period(datetime.now(UTC).date())
        bare = {"tenant": world.provider.tenant_id, "start": start, "ends": ends}
        bare |= {"zone": ZONE, "moment": datetime.now(UTC)}
        return bare | ({"client": world.onboardings[0].client} if self.of_client else {})


READS = (
    Read(
        "card",
        "1a one client's card, 3 KPIs of 3 months",
        "query Card($id: ID!, $from: Date!, $to: Date!) { client(ref: {id: $id}) { id name stage " + THREE + " } }",
        _of_functions("client: card", f"{{ nodes {{ {ROW} }} }}", client="UUID!"),
        0.4,
        months=3,
        of_client=True,
    ),
    Read(
        "months",
        "1c 50 clients × 12 months of escalation rate",
        "query Months($from: Date!, $to: Date!) { clients(first: 50) { nodes { id "
        f"kpi(key: ESCALATION_RATE, period: {{from: $from, to: $to}}, grain: MONTH) {{ columns {COLUMNS} }} }} }} }}",
        _of_functions(
            "clients: months",
            f"{{ nodes {{ id: rowId kpi: columns {COLUMNS} }} }}",
        ),
        0.5,
        months=12,
    ),
    Read(
        "dashboard",
        "1d dashboard, 6 KPIs, previous period, 30 points",
        "query Dashboard($queries: [KpiQuery!]!) { kpis(queries: $queries) { series { "
        f"total {VALUE} previous {VALUE} columns {POINTS} }} }} }}",
        _of_functions(
            "kpis: dashboard",
            f"{{ nodes {{ total {VALUE} previous {VALUE} columns {POINTS} }} }}",
        ),
        0.5,
        days=30,
        keys=SIX,
    ),
    Read(
        "list",
        "1e 100 clients, 3 KPIs of 3 months each",
        "query List($from: Date!, $to: Date!) { clients(first: 100) { nodes { id name stage " + THREE + " } } }",
        _of_functions("clients: list", f"{{ nodes {{ {ROW} }} }}"),
        0.5,
        months=3,
    ),
)

OVERALL_TREND = Read(
    "trend",
    "overall trend, 24 months of escalation rate",
    f"query Trend($queries: [KpiQuery!]!) {{ kpis(queries: $queries) {{ series {{ columns {COLUMNS} }} }} }}",
    months=24,
    keys=("ESCALATION_RATE",),
)
CLIENT_TREND = Read(
    "client trend",
    "one client's trend, 24 months of escalation rate",
    "query Trend($id: ID!, $from: Date!, $to: Date!) { client(ref: {id: $id}) { id "
    f"kpi(key: ESCALATION_RATE, period: {{from: $from, to: $to}}, grain: MONTH) {{ columns {COLUMNS} }} }} }}",
    months=24,
    of_client=True,
)
DASHBOARD = next(read for read in READS if read.name == "dashboard")
