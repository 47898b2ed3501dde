"""How clients stand: the onboarding of each, its stays in service, its end, and the baseline that it left."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from sqlalchemy import text

from db import tenants
from db.asked import Asked
from db.cycles import GRADUATED
from db.fact_rows import UNKNOWN, Cut, Subject, clients_of
from db.onboarding_facts import LeftOut
from db.session import Transaction
from domain.kpis import Dimension
from domain.standings import Tenure, baseline_standing, tenure

# The figures kept at the last graduation are the client's baseline. What went live counts from its first day of
# service, which is steady state where nobody noted early support.
CLIENTS = text(f"""
    select c.id, c.client_id, c.opened_at, c.outcome, c.stage, c.scope_kind,
           case when c.ended_at <= :now then c.ended_at end as ended_at,
           coalesce(c.outcome = any(:never), false) as mistaken,
           k.merged_into is not null as merged,
           r.live_since, r.stages, r.entered, r.left_behind, b.value as baseline_rate
    from cycle c
    join client k on k.tenant_id = :tenant and k.id = c.client_id
    cross join lateral (
        select min(v.entered_at) filter (where v.superseded_at is null or v.superseded_at > :now) as live_since,
               array_agg(v.stage order by v.entered_at, v.id) as stages,
               array_agg(v.entered_at order by v.entered_at, v.id) as entered,
               array_agg(case when v.left_at <= :now then v.left_at end order by v.entered_at, v.id) as left_behind
        from visit v
        where v.tenant_id = :tenant and v.cycle_id = c.id and v.entered_at <= :now
          and v.stage in ('EARLY_SUPPORT', 'STEADY_STATE')
    ) as r
    left join lateral (
        select b.value from baseline b
        where b.tenant_id = :tenant and b.cycle_id = c.id and b.kpi = 'ESCALATION_RATE' and b.as_of <= :now
          and {GRADUATED}
        order by b.as_of desc limit 1
    ) as b on true
    where c.tenant_id = :tenant and (c.ended_at is null or c.ended_at >= :from)
      and (cast(:clients as uuid[]) is null or c.client_id = any(:clients))
    order by c.opened_at, c.id
""")


@dataclass(frozen=True, slots=True)
class ClientStanding:
    """The onboarding of a whole client, and how it stands."""

    record: asyncpg.Record
    zone: ZoneInfo
    limit: float | None

    @property
    def cycle(self) -> UUID:
        cycle: UUID = self.record["id"]
        return cycle

    @property
    def standing(self) -> str | None:
        return baseline_standing(self.record["baseline_rate"], self.limit)

    @property
    def error(self) -> LeftOut | None:
        if self.record["mistaken"]:
            return LeftOut.ENTERED_IN_ERROR
        return LeftOut.MERGED_CLIENT if self.record["merged"] else None

    @property
    def stays(self) -> list[tuple[str, datetime, datetime | None]]:
        """Its stays in service: the stage, and from when to when."""
        record = self.record
        columns = (record["stages"] or (), record["entered"] or (), record["left_behind"] or ())
        return list(zip(*columns, strict=True))

    def served_in(self, instant: datetime) -> str | None:
        """Return the stage in which the client was in service just before an instant, or `None`."""
        return next(
            (stage for stage, start, end in self.stays if start < instant and (end is None or end >= instant)), None
        )

    def served_places(self, cut: Cut) -> Iterator[tuple[int, str]]:
        """Give the buckets that have begun just before whose first day it was in service, each with its stage."""
        for stage, start, end in self.stays:
            first = bisect_right(cut.starts, start)
            last = cut.begun if end is None else min(cut.begun, bisect_right(cut.starts, end))
            for place in range(first, last):
                yield place, stage

    def tenure_at(self, instant: datetime) -> str:
        live = self.record["live_since"]
        return Tenure.BEFORE_SERVICE if live is None or live > instant else tenure(live, instant, self.zone)

    def lost_before(self, end: datetime) -> bool:
        """Tell whether its service had ended by then, or its onboarding."""
        at = self.record["ended_at"]
        return at is not None and bool(at < end)

    def members(self, at: datetime, **said: str | None) -> dict[Dimension, str]:
        """Return by what the client counts at an instant."""
        return {
            Dimension.CLIENT: self.record["client_id"].hex,
            Dimension.TENURE: self.tenure_at(at),
            Dimension.BASELINE: self.standing or UNKNOWN,
            **{Dimension(name.upper()): member or UNKNOWN for name, member in said.items()},
        }

    def subject(self, *, stage: str | None, outcome: str | None, ended: bool) -> Subject:
        return Subject(
            cycle=self.cycle,
            stage=stage,
            ended=ended,
            outcome=outcome,
            baseline_rate=self.record["baseline_rate"],
            baseline_standing=self.standing,
        )


async def standings(tx: Transaction, asked: Asked, cut: Cut) -> list[ClientStanding]:
    """Return how the clients asked for stand, those too whose onboarding is of a part of them, in two statements."""
    limit = (await tenants.get(tx)).settings.escalation_rate_limit
    found = await tx.rows(CLIENTS, tenant=tx.tenant, clients=clients_of(asked), **cut.named())
    return [ClientStanding(record, asked.moment.zone, limit) for record in found]
