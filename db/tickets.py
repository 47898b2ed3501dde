"""Tickets as they are stored: a batch with its hand-overs, escalations and deltas in a fixed number of statements."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from db import facts
from db.session import Transaction, columns
from db.stored_tickets import Stored
from domain import courses
from domain.measures import Decided
from domain.movements import Assessed, days, movements

_FIELDS = (
    ("client_id", "uuid"),
    ("external_id", "text"),
    ("client_key", "text"),
    ("kind", "text"),
    ("source", "text"),
    ("priority", "text"),
    ("category", "text"),
    ("category_id", "uuid"),
    ("team_id", "uuid"),
    ("agent_id", "uuid"),
    ("tier", "int"),
    ("title", "text"),
    ("site_id", "uuid"),
    ("site_key", "text"),
    ("device_id", "uuid"),
    ("device_key", "text"),
    ("logged_at", "timestamptz"),
    ("day", "date"),
    ("first_responded_at", "timestamptz"),
    ("response_minutes", "int"),
    ("resolved_at", "timestamptz"),
    ("first_ended_at", "timestamptz"),
    ("ended_at", "timestamptz"),
    ("resolve_minutes", "int"),
    ("times_reopened", "int"),
    ("first_contact", "boolean"),
    ("closed_at", "timestamptz"),
    ("changed_at", "timestamptz"),
    ("response_due_at", "timestamptz"),
    ("response_sla", "text"),
    ("response_decided_at", "timestamptz"),
    ("resolution_due_at", "timestamptz"),
    ("resolution_sla", "text"),
    ("resolution_decided_at", "timestamptz"),
    ("course", "text"),
    ("exclusion", "text"),
    ("merged_into", "text"),
    ("client_pinned", "boolean"),
    ("exclusion_pinned", "boolean"),
    ("stage", "text"),
    ("phase", "text"),
    ("cycle_id", "uuid"),
    ("escalations", "int"),
    ("first_escalated_at", "timestamptz"),
    ("rule_version", "int"),
    ("digest", "bytea"),
)
"""The columns of a ticket that its report and what follows from it fill, with the types of their arrays."""

_NAMES = ("id", *(name for name, _ in _FIELDS))
_COLUMNS = ", ".join(name for name, _ in _FIELDS)
_VALUES = ", ".join("n.course::jsonb" if name == "course" else f"n.{name}" for name, _ in _FIELDS)


def _unnested(fields: Sequence[tuple[str, str]]) -> str:
    """Give arrays of ids and fields as rows called `n`."""
    arrays = ", ".join(f"cast(:{name} as {kind}[])" for name, kind in (("id", "uuid"), *fields))
    return f"unnest({arrays}) as n(id, {', '.join(name for name, _ in fields)})"


_UNNESTED = _unnested(_FIELDS)

# In the order of the key, so that two batches that overlap wait for each other instead of deadlocking.
INSERT = text(f"""
    insert into ticket (tenant_id, system, recorded_at, version, id, {_COLUMNS})
    select :tenant, :system, :recorded_at, 1, n.id, {_VALUES} from {_UNNESTED}
    order by n.external_id collate "C"
    on conflict (tenant_id, system, external_id) do nothing
    returning external_id
""")

UPDATE = text(f"""
    update ticket t
    set recorded_at = :recorded_at, version = t.version + 1, ({_COLUMNS}) = row({_VALUES})
    from {_UNNESTED}
    where t.tenant_id = :tenant and t.id = n.id
""")

_FOLLOWING = [
    (name, kind)
    for name, kind in _FIELDS
    if name
    in {
        *("first_ended_at", "ended_at", "response_minutes", "resolve_minutes", "first_contact", "response_sla"),
        *("response_decided_at", "resolution_sla", "resolution_decided_at", "escalations", "first_escalated_at"),
        "rule_version",
    }
]
"""What follows from a report by the tenant's rule, its hours and the present instant."""

REWRITE = text(f"""
    update ticket t
    set recorded_at = :recorded_at, version = t.version + 1,
        ({", ".join(name for name, _ in _FOLLOWING)}) = row({", ".join(f"n.{name}" for name, _ in _FOLLOWING)})
    from {_unnested(_FOLLOWING)}
    where t.tenant_id = :tenant and t.id = n.id
""")

FORGET_HAND_OVERS = text("delete from hand_over where tenant_id = :tenant and ticket_id = any(:ids)")
FORGET_ESCALATIONS = text("delete from escalation where tenant_id = :tenant and ticket_id = any(:ids)")

HAND_OVERS = text("""
    insert into hand_over (tenant_id, ticket_id, client_id, position, at, team, tier, reassignments, agent_id)
    select :tenant, n.*
    from unnest(cast(:tickets as uuid[]), cast(:clients as uuid[]), cast(:positions as int[]),
                cast(:instants as timestamptz[]), cast(:teams as text[]), cast(:tiers as int[]),
                cast(:counts as int[]), cast(:agents as uuid[])) as n
""")

ESCALATIONS = text("""
    insert into escalation (tenant_id, id, ticket_id, client_id, position, kind, at, day, times,
                            from_team, to_team, from_tier, to_tier, reason, rule_version)
    select :tenant, n.*
    from unnest(cast(:ids as uuid[]), cast(:tickets as uuid[]), cast(:clients as uuid[]), cast(:positions as int[]),
                cast(:kinds as text[]), cast(:instants as timestamptz[]), cast(:days as date[]), cast(:times as int[]),
                cast(:from_teams as text[]), cast(:to_teams as text[]), cast(:from_tiers as int[]),
                cast(:to_tiers as int[]), cast(:reasons as text[]), cast(:rules as int[])) as n
""")

ANY = text("select exists (select 1 from ticket where tenant_id = :tenant)")

_ENCODER = msgspec.json.Encoder()

Agents = Mapping[tuple[str, str], UUID]
"""The ids of people by the number of a ticket and the name by which it knows them."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch: by client, how many tickets were new and how many changed, and on which days."""

    unchanged: int = 0
    raced: frozenset[str] = frozenset()
    """External ids that somebody else has written meanwhile, or that belong to a client the caller doesn't see."""
    clients: dict[UUID | None, "Touched"] = field(default_factory=dict)
    created_ids: dict[str, UUID] = field(default_factory=dict)
    changed_ids: dict[str, UUID] = field(default_factory=dict)
    unchanged_ids: dict[str, UUID] = field(default_factory=dict)
    """What became of each external id."""
    event: UUID | None = None
    """The last event that told of it."""

    @property
    def created(self) -> int:
        return sum(touched.created for touched in self.clients.values())

    @property
    def changed(self) -> int:
        return sum(touched.changed for touched in self.clients.values())

    def __add__(self, other: "Written") -> "Written":
        clients = {key: Touched(one.created, one.changed, set(one.days)) for key, one in self.clients.items()}
        for key, one in other.clients.items():
            touched = clients.setdefault(key, Touched())
            touched.created += one.created
            touched.changed += one.changed
            touched.days |= one.days
        return Written(
            self.unchanged + other.unchanged,
            other.raced,
            clients,
            self.created_ids | other.created_ids,
            self.changed_ids | other.changed_ids,
            self.unchanged_ids | other.unchanged_ids,
        )


@dataclass(slots=True)
class Touched:
    """What a batch did to one client's figures."""

    created: int = 0
    changed: int = 0
    days: set[date] = field(default_factory=set)


async def write(
    tx: Transaction,
    system: str,
    batch: Sequence[Assessed],
    stored: Mapping[str, Stored],
    agents: Agents,
    recorded_at: datetime,
    new_id: Callable[[], UUID],
) -> Written:
    """Write a batch of one system's tickets; what is stored already and says the same stays as it is.

    External ids must differ within the batch. `stored` are those of them that were there, locked; `agents` are the
    ids of the people whom the hand-overs name. What was written by somebody else since then is left, and named.
    """
    fresh = [one for one in batch if one.report.external_id not in stored]
    ids = {one.report.external_id: new_id() for one in fresh}
    created: set[str] = set()
    if fresh:
        named = _parameters((ids[one.report.external_id], one) for one in fresh)
        rows = await tx.rows(INSERT, tenant=tx.tenant, system=system, recorded_at=recorded_at, **named)
        created = {row["external_id"] for row in rows}
    changed = [one for one in batch if (was := stored.get(one.report.external_id)) and was.differs(one)]
    recorded_at = _after((stored[one.report.external_id] for one in changed), recorded_at)
    if changed:
        ids |= {one.report.external_id: stored[one.report.external_id].id for one in changed}
        await _update(tx, [(ids[one.report.external_id], one) for one in changed], recorded_at)
    written = [*(one for one in fresh if one.report.external_id in created), *changed]
    parts = [(ids[one.report.external_id], one) for one in written]
    await _write_hand_overs(tx, parts, agents)
    await _write_escalations(tx, parts, new_id)
    before = {one.report.external_id: stored[one.report.external_id].assessed for one in changed}
    await facts.record(tx, movements((before.get(one.report.external_id), one) for one in written), recorded_at)
    return Written(
        unchanged=len(batch) - len(fresh) - len(changed),
        raced=frozenset(ids.keys() - created - before.keys()),
        clients=touched_by((before.get(one.report.external_id), one) for one in written),
        created_ids={key: ids[key] for key in created},
        changed_ids={key: ids[key] for key in before},
        unchanged_ids={key: one.id for key, one in stored.items() if key not in before},
    )


async def rewrite(
    tx: Transaction, changes: Sequence[tuple[Stored, Assessed]], recorded_at: datetime, new_id: Callable[[], UUID]
) -> None:
    """Write what follows otherwise from locked tickets that say what they said: escalations, times and results."""
    if not changes:
        return
    batch, recorded_at = [(was.id, one) for was, one in changes], _after((was for was, _ in changes), recorded_at)
    await tx.run(REWRITE, tenant=tx.tenant, recorded_at=recorded_at, **_parameters(batch))
    if escalated := [was.id for was, one in changes if was.assessed.escalations or one.escalations]:
        await tx.run(FORGET_ESCALATIONS, tenant=tx.tenant, ids=escalated)
        await _write_escalations(tx, batch, new_id)
    await facts.record(tx, movements((was.assessed, one) for was, one in changes), recorded_at)


def _after(stored: Iterable[Stored], recorded_at: datetime) -> datetime:
    """Return when a change of tickets is recorded: never before what it changes.

    Whoever waited for another writer looked at the clock before that one wrote. Figures as of an instant between would
    take away what had not been added yet.
    """
    return max([recorded_at, *(one.recorded_at for one in stored)])


async def exist(tx: Transaction) -> bool:
    """Tell whether the tenant has tickets: its zone then stays, because their local days were read in it."""
    return bool(await tx.value(ANY, tenant=tx.tenant))


def touched_by(changes: Iterable[tuple[Assessed | None, Assessed]]) -> dict[UUID | None, Touched]:
    """Return by client what became of tickets; one that goes to another client changes both."""
    clients: dict[UUID | None, Touched] = {}
    for before, after in changes:
        touched = clients.setdefault(after.client, Touched())
        touched.days |= days(after)
        if before is None:
            touched.created += 1
            continue
        touched.changed += 1
        left = clients.setdefault(before.client, Touched())
        left.days |= days(before)
        if left is not touched:
            left.changed += 1
    return clients


async def _update(tx: Transaction, batch: Sequence[tuple[UUID, Assessed]], recorded_at: datetime) -> None:
    touched = [key for key, _ in batch]
    await tx.run(UPDATE, tenant=tx.tenant, recorded_at=recorded_at, **_parameters(batch))
    await tx.run(FORGET_HAND_OVERS, tenant=tx.tenant, ids=touched)
    await tx.run(FORGET_ESCALATIONS, tenant=tx.tenant, ids=touched)


async def _write_hand_overs(tx: Transaction, written: Sequence[tuple[UUID, Assessed]], agents: Agents) -> None:
    handed = [
        (
            *(key, one.client, position, had.at, had.team, had.tier, had.reassignments),
            None if had.agent is None else agents[one.report.external_id, had.agent],
        )
        for key, one in written
        for position, had in enumerate(one.report.hand_overs)
    ]
    if handed:
        names = ("tickets", "clients", "positions", "instants", "teams", "tiers", "counts", "agents")
        await tx.run(HAND_OVERS, tenant=tx.tenant, **dict(zip(names, columns(handed, len(names)), strict=True)))


async def _write_escalations(
    tx: Transaction, written: Sequence[tuple[UUID, Assessed]], new_id: Callable[[], UUID]
) -> None:
    escalated = [
        (
            *(new_id(), key, one.client, position, found.kind, found.at, day, found.times),
            *(found.from_team, found.to_team, found.from_tier, found.to_tier, found.reason, one.rule_version),
        )
        for key, one in written
        if one.escalations
        for position, (found, day) in enumerate(zip(one.escalations, one.escalation_days, strict=True))
    ]
    if escalated:
        names = (
            *("ids", "tickets", "clients", "positions", "kinds", "instants", "days", "times"),
            *("from_teams", "to_teams", "from_tiers", "to_tiers", "reasons", "rules"),
        )
        await tx.run(ESCALATIONS, tenant=tx.tenant, **dict(zip(names, columns(escalated, len(names)), strict=True)))


def _parameters(batch: Iterable[tuple[UUID, Assessed]]) -> dict[str, object]:
    rows = [(key, *_row(one)) for key, one in batch]
    return dict(zip(_NAMES, columns(rows, len(_NAMES)), strict=True))


def _row(one: Assessed) -> tuple[object, ...]:
    """Return the values of `_FIELDS`, in their order."""
    report, subjects, measured, stamp = one.report, one.subjects, one.measured, one.stamp
    ended, course = measured.endings, courses.to_data(report)
    response, resolution = report.response_sla, report.resolution_sla
    return (
        *(subjects.client, report.external_id, report.client, report.kind, report.source, report.priority),
        *(report.category, subjects.category, subjects.team, subjects.agent),
        *(report.hand_overs[-1].tier if report.hand_overs else None, report.title),
        *(subjects.site, report.site, subjects.device, report.device, report.logged_at, one.day),
        *(report.first_responded_at, measured.response_minutes, report.resolved_at),
        *(ended[0].at if ended else None, measured.ended_at, measured.resolve_minutes, report.reopenings),
        *(measured.first_contact, report.closed_at, report.changed_at),
        *(response.due_at if response else None, *_decided(measured.response)),
        *(resolution.due_at if resolution else None, *_decided(measured.resolution)),
        *(_ENCODER.encode(course).decode() if course else None, report.exclusion, report.merged_into),
        *(subjects.pinned, subjects.exclusion_pinned, stamp.stage, stamp.phase, stamp.cycle, one.times_escalated),
        *(one.first_escalated_at, one.rule_version, report.digest()),
    )


def _decided(decided: Decided | None) -> tuple[str | None, datetime | None]:
    return (None, None) if decided is None else (decided.result, decided.at)
