"""Figures counted the slow way: quarter hour by quarter hour, row by row, from plain copies of the tables."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from domain.periods import Bucket

ZONE = ZoneInfo("Europe/Amsterdam")
QUARTER = timedelta(minutes=15)
QUARTERS_A_DAY = 32
"""Nine to five."""
SERVED = ("EARLY_SUPPORT", "STEADY_STATE")
UNDER_WAY = ("CONTRACTING", "ASSET_DISCOVERY", "EARLY_SUPPORT")
TABLES = ("cycle", "visit", "hold", "contract", "contract_turn", "cycle_change", "planned_date", "notice", "baseline")

Row = dict[str, Any]
Span = tuple[datetime, datetime]


class Copies:
    """All rows of a provider, as they lie in the tables, and the moment they were copied at."""

    def __init__(self, tables: dict[str, list[Row]], now: datetime) -> None:
        self.tables = tables
        self.now = now

    @classmethod
    async def of(cls, url: str, tenant: object, now: datetime) -> "Copies":
        connection = await asyncpg.connect(url)
        try:
            tables = {}
            for name in TABLES:
                found = await connection.fetch(f"select * from {name} where tenant_id = $1", tenant)  # noqa: S608
                tables[name] = [dict(row) for row in found]
        finally:
            await connection.close()
        return cls(tables, now)

    def of_cycle(self, table: str, cycle: Row) -> list[Row]:
        return [row for row in self.tables[table] if row["cycle_id"] == cycle["id"]]

    @property
    def cycles(self) -> list[Row]:
        """Those that ever were onboardings."""
        return [row for row in self.tables["cycle"] if row["outcome"] not in ("MISTAKE", "DUPLICATE")]

    @property
    def clients(self) -> list[Row]:
        return [row for row in self.cycles if row["scope_kind"] == "WHOLE_CLIENT"]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZONE).astimezone(UTC)


def inside(instant: datetime | None, bucket: Bucket) -> bool:
    return instant is not None and bucket.start <= instant.astimezone(ZONE).date() < bucket.end


def worked(start: datetime, end: datetime, held: Sequence[Span] = ()) -> float:
    """Count the quarter hours between nine and five of weekdays that lie in no hold, in days."""
    count, instant = 0, start
    while instant < end:
        local = instant.astimezone(ZONE)
        if local.weekday() < 5 and 9 <= local.hour < 17 and not any(since <= instant < until for since, until in held):
            count += 1
        instant += QUARTER
    return count / QUARTERS_A_DAY


def kaplan_meier(spells: Sequence[tuple[float, bool]], share: float) -> float | None:
    """Walk through all durations and drop the surviving share at each that ended."""
    surviving = 1.0
    for duration in sorted({length for length, _ in spells}):
        at_risk = sum(1 for length, _ in spells if length >= duration)
        ended = sum(1 for length, over in spells if over and length == duration)
        surviving *= 1 - ended / at_risk
        if ended and surviving <= 1 - share + 1e-9:
            return duration
    return None


def ways(copies: Copies, goal: str, bucket: Bucket) -> list[tuple[float, bool]]:
    """Follow every onboarding from the signature of its contract to its goal."""
    found = []
    for cycle in copies.cycles:
        signed = next((k["signed_at"] for k in copies.tables["contract"] if k["id"] == cycle["contract_id"]), None)
        if signed is None or not inside(signed, bucket):
            continue
        visits = [v for v in copies.of_cycle("visit", cycle) if v["stage"] == goal and v["superseded_at"] is None]
        reached = min((v["entered_at"] for v in visits), default=None)
        held = [(h["held_at"], h["resumed_at"] or copies.now) for h in copies.of_cycle("hold", cycle)]
        until = reached or cycle["ended_at"] or copies.now
        found.append((worked(signed, until, held), reached is not None))
    return found


def contractings(copies: Copies, bucket: Bucket) -> list[tuple[float, float, bool]]:
    """Return of each contract the days until its signature, those of our turn, and whether it was signed."""
    found = []
    for contract in copies.tables["contract"]:
        turns = [t for t in copies.tables["contract_turn"] if t["contract_id"] == contract["id"]]
        turns.sort(key=lambda turn: turn["position"])
        began = min(turn["at"] for turn in turns)
        over = next((t for t in turns if t["status"] in ("SIGNED", "ENDED")), None)
        until = over["at"] if over else copies.now
        discarded = {c["client_id"] for c in copies.tables["cycle"]} - {c["client_id"] for c in copies.cycles}
        if not inside(began, bucket) or began == until or contract["client_id"] in discarded:
            continue
        whole = ours = 0.0
        instant = began
        while instant < until:
            # The latest noted turn that had begun by then; of a draft nobody else knows.
            turn = [t for t in turns if t["at"] <= instant][-1]
            days = worked(instant, instant + QUARTER)
            whole += days
            ours += days if (turn["waiting_on"] or "PROVIDER") == "PROVIDER" else 0
            instant += QUARTER
        found.append((whole, ours, over is not None and over["status"] == "SIGNED"))
    return found


def punctual(copies: Copies, bucket: Bucket, stage: str | None) -> tuple[int, int]:
    """Ask of every stay whether its target was kept, on the day on which that was decided."""
    kept = decided = 0
    for cycle in copies.cycles:
        for visit in copies.of_cycle("visit", cycle):
            last = visit["id"] == cycle["visit_id"]
            target = visit["target_at"] or (cycle["target_at"] if last else None)
            if visit["stage"] not in UNDER_WAY or visit["superseded_at"] or not target:
                continue
            if stage is not None and visit["stage"] != stage:
                continue
            left, ended = visit["left_at"], last and cycle["ended_at"] is not None
            if left and not ended and left < target:
                kept += inside(left, bucket)
                decided += inside(left, bucket)
                continue
            until = left or copies.now
            if visit["stage"] != "EARLY_SUPPORT" and (ended or not left):
                for hold in copies.of_cycle("hold", cycle):
                    on_hold = hold["resumed_at"] is None or hold["resumed_at"] >= until
                    if hold["visit_id"] == visit["id"] and on_hold:
                        until = min(until, hold["held_at"])
            if target <= until:
                decided += inside(target - timedelta(seconds=1), bucket)
    return kept, decided


def loads(copies: Copies, at: datetime) -> dict[object, int]:
    """Ask of every onboarding that was open at an instant who led it then."""
    found: dict[object, int] = {}
    for cycle in copies.cycles:
        open_then = any(
            v["stage"] in UNDER_WAY and v["entered_at"] <= at and (v["left_at"] is None or v["left_at"] > at)
            for v in copies.of_cycle("visit", cycle)
        )
        changes = [c for c in copies.of_cycle("cycle_change", cycle) if c["field"] == "LEAD" and c["accepted"]]
        later = sorted((c for c in changes if c["recorded_at"] > at), key=lambda change: change["version"])
        lead = later[0]["before"][0] if later else cycle["lead_id"]
        if open_then:
            found[lead] = found.get(lead, 0) + 1
    return found


def served_at(copies: Copies, instant: datetime) -> list[Row]:
    """Return the clients that were in service just before an instant."""
    return [
        cycle
        for cycle in copies.clients
        if any(
            v["stage"] in SERVED and v["entered_at"] < instant and (v["left_at"] is None or v["left_at"] >= instant)
            for v in copies.of_cycle("visit", cycle)
        )
    ]


def in_notice(copies: Copies, at: datetime) -> int:
    """Count the clients whose notice had been given by an instant, and who had neither stayed nor left."""
    count = 0
    for cycle in copies.clients:
        gone = cycle["ended_at"] is not None and cycle["ended_at"] <= at
        for notice in copies.of_cycle("notice", cycle):
            withdrawn = notice["withdrawn_at"] is not None and notice["withdrawn_at"] <= at
            count += midnight(notice["given_on"]) <= at and not gone and not withdrawn
    return count


def re_plans(copies: Copies, bucket: Bucket) -> int:
    """Count the planned dates that took the place of another day."""
    ids = {cycle["id"] for cycle in copies.cycles}
    return sum(
        1
        for row in copies.tables["planned_date"]
        if row["cycle_id"] in ids and row["previous_on"] is not None and inside(row["recorded_at"], bucket)
    )
