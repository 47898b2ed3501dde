"""The timeline read: one union over everything that keeps what happened to a cycle."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, DateTime, Text, Uuid, text

from db.keyset import Listing, Stretch
from db.session import Transaction
from domain.timeline import TimelineEntry, TimelineKind

_ENTRIES = (
    text("""
        select tenant_id, cycle_id, recorded_at as at, case when accepted then 'MOVED' else 'MOVE_REFUSED' end as kind,
               id, move as key, case when accepted then to_stage else refusal end as detail,
               actor_kind, actor_id, cast(null as uuid[]) as before, cast(null as uuid[]) as after
        from transition
        union all
        select tenant_id, cycle_id, requested_at, 'WAIVER_REQUESTED', id, gate, reason,
               'PERSON', requested_by, null, null
        from waiver
        union all
        select tenant_id, cycle_id, granted_at, 'WAIVER_GRANTED', id, gate, null, 'PERSON', granted_by, null, null
        from waiver where granted_at is not null
        union all
        select tenant_id, cycle_id, withdrawn_at, 'WAIVER_WITHDRAWN', id, gate, null, 'PERSON', withdrawn_by, null, null
        from waiver where withdrawn_at is not null
        union all
        select tenant_id, cycle_id, recorded_at, 'GATE_ATTESTED', id, gate, statement, 'PERSON', attested_by, null, null
        from attestation
        union all
        select tenant_id, cycle_id, recorded_at,
               case when accepted then 'TEAM_CHANGED' when gate is null then 'TEAM_CHANGE_REFUSED'
                    when field = 'ATTESTATION' then 'ATTESTATION_REFUSED' else 'WAIVER_REFUSED' end,
               id, coalesce(gate, field), refusal, actor_kind, actor_id, before, after
        from cycle_change
        union all
        select tenant_id, cycle_id, settled_at,
               case when state = 'CANCELLED' then 'EFFECT_CANCELLED'
                    when kind = 'TIMER' then 'TIMER_FIRED' else 'SURVEY_SKIPPED' end,
               id, split_part(key, ':', 1), reason, null, null, null, null
        from effect
        where settled_at is not null and not (kind = 'TIMER' and state = 'SKIPPED')
    """)
    .columns(
        tenant_id=Uuid(),
        cycle_id=Uuid(),
        at=DateTime(timezone=True),
        kind=Text(),
        id=Uuid(),
        key=Text(),
        detail=Text(),
        actor_kind=Text(),
        actor_id=Uuid(),
        before=ARRAY(Uuid()),
        after=ARRAY(Uuid()),
    )
    .subquery("entries")
)
_E = _ENTRIES.c

TIMELINE = Listing(
    columns=[_E.at, _E.kind, _E.id, _E.key, _E.detail, _E.actor_kind, _E.actor_id, _E.before, _E.after],
    tenant=_E.tenant_id,
    orders={"AT": (_E.at, _E.kind, _E.id)},
    parent=_E.cycle_id,
)


async def timelines(tx: Transaction, cycles: Sequence[UUID], stretch: Stretch) -> dict[UUID, list[TimelineEntry]]:
    """Return one stretch of each cycle's timeline, oldest first."""
    found = await TIMELINE.rows_of(tx, cycles, "AT", stretch)
    return {cycle: [_entry(row) for row in rows] for cycle, rows in found.items()}


def _entry(row: asyncpg.Record) -> TimelineEntry:
    return TimelineEntry(
        row["at"],
        TimelineKind(row["kind"]),
        row["id"],
        row["key"],
        row["detail"],
        row["actor_kind"],
        row["actor_id"],
        tuple(row["before"] or ()),
        tuple(row["after"] or ()),
    )
