"""Goal 1: reads over HTTP against *raw*, the JSON that PostgreSQL builds in one statement, with policies on."""

import asyncio
import math
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import asyncpg
import httpx2
import msgspec

from domain.ids import IdKind, public
from tests.bench import raw_reads
from tests.bench.processor import seconds
from tests.bench.report import Goal, in_turns
from tests.bench.serving import served
from tests.bench.world import World

CONNECTIONS = 8
SECONDS = 2.0
ROUNDS = 3

VALUE = "{ value numerator denominator sampleSize low high status }"
THREE = "\n".join(
    f"{alias}: kpi(key: {key}, period: {{from: $from, to: $to}}, grain: MONTH) {{ total {VALUE} }}"
    for alias, key in (("tickets", "TICKETS_LOGGED"), ("escalations", "ESCALATIONS"), ("rate", "ESCALATION_RATE"))
)
SIX = ("TICKETS_LOGGED", "ESCALATIONS", "ESCALATED_TICKETS", "ESCALATION_RATE", "OPEN_ONBOARDINGS", "WAIVED_MOVES")


@dataclass(frozen=True, slots=True)
class Read:
    """One read: what it is called, its document, how many whole months back it looks (or days), and its goal."""

    name: str
    what: str
    document: str
    goal: float
    months: int = 0
    days: int = 0

    def period(self, today: date) -> tuple[date, date]:
        if self.days:
            return today - timedelta(days=self.days - 1), today + timedelta(days=1)
        number = today.year * 12 + today.month
        start = number - self.months
        return date(start // 12, start % 12 + 1, 1), date(number // 12, number % 12 + 1, 1)


READS = (
    Read(
        "card",
        "1a one client's card, 3 KPIs of 3 months",
        f"query Card($id: ID!, $from: Date!, $to: Date!) {{ client(ref: {{id: $id}}) {{ id name stage {THREE} }} }}",
        0.4,
        months=3,
    ),
    Read(
        "months",
        "1c 50 clients × 12 months of escalation rate",
        """query Months($from: Date!, $to: Date!) { clients(first: 50) { nodes { id
            kpi(key: ESCALATION_RATE, period: {from: $from, to: $to}, grain: MONTH) { columns {
                starts values numerators denominators lows highs statuses complete } } } } }""",
        0.5,
        months=12,
    ),
    Read(
        "dashboard",
        "1d dashboard, 6 KPIs, previous period, 30 points",
        "query Dashboard($queries: [KpiQuery!]!) { kpis(queries: $queries) { series { "
        f"total {VALUE} previous {VALUE} columns {{ starts values lows highs statuses complete }} }} }} }}",
        0.5,
        days=30,
    ),
    Read(
        "list",
        "1e 100 clients, 3 KPIs of 3 months each",
        f"query List($from: Date!, $to: Date!) {{ clients(first: 100) {{ nodes {{ id name stage {THREE} }} }} }}",
        0.5,
        months=3,
    ),
)


async def measure(world: World) -> AsyncIterator[Goal | str]:
    """Yield, of each read, how much of the pace of *raw* the product reaches."""
    await _make_functions(world)
    token, today = world.provider.admin_token, datetime.now(UTC).date()
    async with served("product", world) as (product, ours_pid), served("raw", world) as (raw, raw_pid):
        for read in READS:
            asked, bare = _bodies(read, world, today)
            sent = (f"{product}/graphql", token, asked), (f"{raw}/{read.name}", token, bare)
            answers = [await _answer(*one) for one in sent]
            if difference := _difference(*answers):
                yield f"{read.what}: the answers differ, and so are no fair comparison: {difference}"

            spent: dict[str, list[float]] = {"product": [], "raw": []}

            async def paced(name: str, pid: int, request: tuple[str, str, bytes], spent: Any = spent) -> float:
                before = seconds(world, pid)
                figures = await _load(*request)
                spent[name].append((seconds(world, pid) - before) / figures["answers"] * 1e3)
                return figures["per_second"]

            pace = await in_turns(
                ROUNDS,
                {
                    "product": partial(paced, "product", ours_pid, sent[0]),
                    "raw": partial(paced, "raw", raw_pid, sent[1]),
                },
            )
            cost = {name: median(each) for name, each in spent.items()}
            size = len(msgspec.json.encode(answers[0])) / 1e3
            figures = f"{pace['product']:.0f}/s, raw {pace['raw']:.0f}/s, {size:.1f} kB; processor time an answer: "
            figures += f"{cost['product']:.1f} ms, raw {cost['raw']:.1f} ms ({cost['raw'] / cost['product']:.2f})"
            yield Goal(read.what, pace["product"] / pace["raw"], read.goal, figures)


async def _make_functions(world: World) -> None:
    connection = await asyncpg.connect(world.server.url())
    try:
        await connection.execute(raw_reads.statements()["functions"])
    finally:
        await connection.close()


def _bodies(read: Read, world: World, today: date) -> tuple[bytes, bytes]:
    """Return what the product is asked, and what *raw* is."""
    start, end = read.period(today)
    client = world.onboardings[0].client
    variables: dict[str, Any] = {"from": start, "to": end}
    if read.name == "card":
        variables["id"] = public(IdKind.CLIENT, client)
    if read.name == "dashboard":
        period = {"from": start, "to": end}
        shape = {"period": period, "grain": "DAY", "compareWith": "PREVIOUS_PERIOD"}
        variables = {"queries": [{"key": key, **shape} for key in SIX]}
    zone = "Europe/Amsterdam"
    bare = {"tenant": world.provider.tenant_id, "start": start, "end": end, "zone": zone, "now": datetime.now(UTC)}
    return (
        msgspec.json.encode({"query": read.document, "variables": variables}),
        msgspec.json.encode(bare | ({"client": client} if read.name == "card" else {})),
    )


async def _load(address: str, token: str, body: bytes) -> dict[str, float]:
    """Return how many answers come back, in all and a second, by a process that only asks."""
    arguments = ("-m", "tests.bench.http_load", address, token, str(CONNECTIONS), str(SECONDS))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe)
    async with asyncio.timeout(SECONDS + 30):
        printed, _ = await process.communicate(body)
    figures: dict[str, float] = msgspec.json.decode(printed)
    if figures["failed"]:
        print(f"  {figures['failed']} answers of {address} were not 200")
    return figures


async def _answer(address: str, token: str, body: bytes) -> Any:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answer = (await client.post(address, content=body, headers=headers)).json()
    return answer.get("data") or answer


def _difference(ours: Any, theirs: Any, path: str = "") -> str | None:
    """Return where two answers differ first; numbers are equal where fifteen digits are."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        pairs = [(f"{path}.{key}", ours.get(key), theirs.get(key)) for key in {**ours, **theirs}]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(f"{path}[{n}]", *pair) for n, pair in enumerate(zip(ours, theirs, strict=True))]
    elif isinstance(ours, int | float) and isinstance(theirs, int | float):
        return None if math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-12) else f"{path}: {ours} and {theirs}"
    else:
        return None if ours == theirs else f"{path}: {str(ours)[:200]} and {str(theirs)[:200]}"
    return next((found for key, one, other in pairs if (found := _difference(one, other, key))), None)
