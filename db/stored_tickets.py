"""Stored tickets, as they were reported and as they stand: what a change starts from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from sqlalchemy import text

from db.session import Transaction
from db.terms import Term, TermKind
from domain.courses import with_course
from domain.escalations import Escalation, Phase, Stamp
from domain.measures import Decided, Measured, endings
from domain.movements import Assessed, Subjects
from domain.tickets import (
    EscalationKind,
    Exclusion,
    HandOver,
    Priority,
    ReportedTicket,
    SlaResult,
    TicketKind,
    TicketSource,
)

# Statistics of a table that fills lag behind: a plan that takes it for small would scan it whole. Foreign keys are
# checked by plans that a connection makes once and keeps: made while tables are empty they scan them for every row.
BY_INDEX = text("set local enable_seqscan = off")

# The lock comes first and by itself: what is read in the same statement would be older than what it waited for.
# One key at a time, so that each is looked up by the index whatever is known of the table.
LOCK_KEYS = text("""
    select t.id from (select key from unnest(cast(:external_ids as text[])) as u(key) order by key collate "C") as k
    cross join lateral (
        select id from ticket where tenant_id = :tenant and system = :system and external_id = k.key for update
    ) as t
""")
# In the order in which reports are locked, so that both wait for each other instead of deadlocking.
LOCK = text("""
    select id from ticket where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
    order by external_id, id for update
""")

STORED = text("""
    select t.*, h.handed, e.escalated
    from ticket t
    cross join lateral (
        select array_agg((o.at, o.team, o.tier, o.reassignments, a.name, a.id, a.key) order by o.position) as handed
        from hand_over o
        left join ticket_term a on a.tenant_id = :tenant and a.id = o.agent_id
        where o.tenant_id = :tenant and o.ticket_id = t.id
    ) h
    cross join lateral (
        select array_agg((x.at, x.kind, x.times, x.from_team, x.to_team, x.from_tier, x.to_tier, x.reason)
                         order by x.position) as escalated
        from escalation x where x.tenant_id = :tenant and x.ticket_id = t.id
    ) e
    where t.tenant_id = :tenant and t.id = any(cast(:ids as uuid[]))
""")


class Known(NamedTuple):
    """Somebody who had a ticket: the name that is left of them, and the term that stands for them."""

    name: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored ticket: its system, and everything that it counts by.

    `people` are those who had it, by the keys of their terms.
    """

    id: UUID
    system: str
    version: int
    recorded_at: datetime
    digest: bytes
    assessed: Assessed
    people: Mapping[bytes, Known] = field(default_factory=dict)

    @property
    def terms(self) -> dict[Term, UUID]:
        """The terms that it counts by, under the names that are left of them: a name taken back is nobody else's."""
        report, subjects = self.report, self.assessed.subjects
        found = {Term(TermKind.AGENT, one.name, self.system): one.id for one in self.people.values()}
        if report.category is not None and subjects.category is not None:
            found[Term(TermKind.CATEGORY, report.category)] = subjects.category
        last = report.hand_overs[-1] if report.hand_overs else None
        if last is not None and last.team is not None and subjects.team is not None:
            found[Term(TermKind.TEAM, last.team)] = subjects.team
        if last is not None and last.agent is not None and subjects.agent is not None:
            found[Term(TermKind.AGENT, last.agent, self.system)] = subjects.agent
        return found

    def recognised(self, report: ReportedTicket) -> ReportedTicket:
        """Return a sighting in which whoever had the ticket already bears the name that is left of them."""
        if not report.snapshot or not self.people:
            return report
        handed = tuple(self._recognised(had) for had in report.hand_overs)
        return report if handed == report.hand_overs else replace(report, hand_overs=handed)

    def _recognised(self, had: HandOver) -> HandOver:
        known = self.people.get(Term(TermKind.AGENT, had.agent, self.system).key) if had.agent is not None else None
        return had if known is None else replace(had, agent=known.name)

    @property
    def report(self) -> ReportedTicket:
        return self.assessed.report

    def differs(self, other: Assessed) -> bool:
        """Tell whether this would be changed by another assessment of the same ticket."""
        one = self.assessed
        return (self.digest, one.subjects, one.stamp, one.rule_version, one.measured, one.times_escalated) != (
            other.report.digest(),
            other.subjects,
            other.stamp,
            other.rule_version,
            other.measured,
            other.times_escalated,
        )

    def is_newer_than(self, report: ReportedTicket) -> bool:
        """Tell whether what is stored was said after a report, where the source dates both."""
        known, said = self.report.changed_at, report.changed_at
        return known is not None and said is not None and said < known


async def locked(tx: Transaction, system: str, keys: Sequence[str], zone: ZoneInfo) -> dict[str, Stored]:
    """Return tickets by their numbers in a system, as far as they are there and visible, kept from changing."""
    await tx.run(BY_INDEX)
    rows = await tx.rows(LOCK_KEYS, tenant=tx.tenant, system=system, external_ids=list(keys))
    found = await _stored(tx, [row["id"] for row in rows], zone)
    return {one.report.external_id: one for one in found}


async def locked_by_id(tx: Transaction, ids: Iterable[UUID], zone: ZoneInfo) -> dict[UUID, Stored]:
    """Return tickets by their ids, as far as they are there and visible, kept from changing."""
    await tx.run(BY_INDEX)
    rows = await tx.rows(LOCK, tenant=tx.tenant, ids=list(ids))
    return {one.id: one for one in await _stored(tx, [row["id"] for row in rows], zone)}


async def by_ids(tx: Transaction, ids: Sequence[UUID], zone: ZoneInfo) -> list[Stored]:
    """Return tickets by their ids as this transaction sees them, for who only looks."""
    return await _stored(tx, ids, zone)


async def _stored(tx: Transaction, ids: Sequence[UUID], zone: ZoneInfo) -> list[Stored]:
    if not ids:
        return []
    return [_read(row, zone) for row in await tx.rows(STORED, tenant=tx.tenant, ids=list(ids))]


def _read(row: asyncpg.Record, zone: ZoneInfo) -> Stored:
    report = with_course(
        ReportedTicket(
            external_id=row["external_id"],
            client=row["client_key"],
            logged_at=row["logged_at"],
            kind=TicketKind(row["kind"]),
            source=TicketSource(row["source"]),
            priority=Priority(row["priority"]),
            category=row["category"],
            closed_at=row["closed_at"],
            changed_at=row["changed_at"],
            exclusion=Exclusion(row["exclusion"]) if row["exclusion"] else None,
            hand_overs=tuple(HandOver(*handed[:-2]) for handed in row["handed"] or ()),
            title=row["title"],
            site=row["site_key"],
            device=row["device_key"],
            merged_into=row["merged_into"],
            first_responded_at=row["first_responded_at"],
        ),
        row["course"],
        row["resolved_at"],
        row["response_due_at"],
        row["resolution_due_at"],
    )
    assessed = Assessed(
        report=report,
        subjects=Subjects(
            client=row["client_id"],
            site=row["site_id"],
            device=row["device_id"],
            category=row["category_id"],
            team=row["team_id"],
            agent=row["agent_id"],
            pinned=row["client_pinned"],
            exclusion_pinned=row["exclusion_pinned"],
        ),
        stamp=Stamp(row["stage"], Phase(row["phase"]), row["cycle_id"]),
        day=row["day"],
        escalations=tuple(_escalation(found) for found in row["escalated"] or ()),
        measured=Measured(
            endings=endings(report),
            response_minutes=row["response_minutes"],
            resolve_minutes=row["resolve_minutes"],
            first_contact=row["first_contact"],
            response=_decided(row["response_sla"], row["response_decided_at"]),
            resolution=_decided(row["resolution_sla"], row["resolution_decided_at"]),
        ),
        rule_version=row["rule_version"],
        zone=zone,
    )
    people = {key: Known(name, term) for *_, name, term, key in row["handed"] or () if key is not None}
    return Stored(row["id"], row["system"], row["version"], row["recorded_at"], row["digest"], assessed, people)


def _escalation(found: Sequence[object]) -> Escalation:
    at, kind, times, from_team, to_team, from_tier, to_tier, reason = found
    return Escalation(at, None, from_team, to_team, from_tier, to_tier, EscalationKind(str(kind)), reason, times)  # type: ignore[arg-type]


def _decided(result: str | None, at: datetime | None) -> Decided | None:
    return None if result is None or at is None else Decided(SlaResult(result), at)
