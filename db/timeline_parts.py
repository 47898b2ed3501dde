"""What a timeline is put together from: for each kind of happening the table that keeps it, and how it is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Where some kinds of happenings are kept: columns and expressions of one table, called `s`."""

    table: str
    at: str
    kind: str
    key: str
    detail: str = "null"
    actor_kind: str = "null"
    actor_id: str = "null"
    before: str = "null"
    after: str = "null"
    subject: str = "null"
    only: str = "true"


_PERSON = "'PERSON'"

PARTS = (
    Part(
        "transition",
        at="s.recorded_at",
        kind="case when s.accepted then 'MOVED' else 'MOVE_REFUSED' end",
        key="s.move",
        detail="case when s.accepted then s.to_stage else s.refusal end",
        actor_kind="s.actor_kind",
        actor_id="s.actor_id",
    ),
    Part(
        "waiver",
        at="s.requested_at",
        kind="'WAIVER_REQUESTED'",
        key="s.gate",
        detail="s.reason",
        actor_kind=_PERSON,
        actor_id="s.requested_by",
    ),
    Part(
        "waiver",
        at="s.granted_at",
        kind="'WAIVER_GRANTED'",
        key="s.gate",
        actor_kind=_PERSON,
        actor_id="s.granted_by",
        only="s.granted_at is not null",
    ),
    Part(
        "waiver",
        at="s.withdrawn_at",
        kind="'WAIVER_WITHDRAWN'",
        key="s.gate",
        actor_kind=_PERSON,
        actor_id="s.withdrawn_by",
        only="s.withdrawn_at is not null",
    ),
    Part(
        "attestation",
        at="s.recorded_at",
        kind="'GATE_ATTESTED'",
        key="s.gate",
        detail="s.statement",
        actor_kind=_PERSON,
        actor_id="s.attested_by",
    ),
    Part(
        "cycle_change",
        at="s.recorded_at",
        kind="""
            case when s.accepted then 'TEAM_CHANGED' when s.gate is null then 'TEAM_CHANGE_REFUSED'
                 when s.field = 'ATTESTATION' then 'ATTESTATION_REFUSED' else 'WAIVER_REFUSED' end""",
        key="coalesce(s.gate, s.field)",
        detail="s.refusal",
        actor_kind="s.actor_kind",
        actor_id="s.actor_id",
        before="s.before",
        after="s.after",
    ),
    Part(
        "planned_date",
        at="s.recorded_at",
        kind="""
            case when s.planned_on is null then 'PLAN_WITHDRAWN' when s.re_plan then 'RE_PLANNED' else 'PLANNED' end""",
        key="s.stage",
        detail="s.planned_on::text",
        actor_kind="s.actor_kind",
        actor_id="s.actor_id",
    ),
    Part(
        "checklist_step",
        at="s.recorded_at",
        kind="'CHECKLIST_' || s.step",
        key="s.item_key",
        detail="nullif(array_to_string(s.fields, ', '), '')",
        actor_kind="s.actor_kind",
        actor_id="s.actor_id",
        subject="s.item_id",
    ),
    Part(
        "hand_off_change",
        at="s.recorded_at",
        kind="'HAND_OFF_CHANGED'",
        key="'HAND_OFF'",
        detail="array_to_string(s.fields, ', ')",
        actor_kind="s.actor_kind",
        actor_id="s.actor_id",
    ),
    Part(
        "follow_up",
        at="s.opened_at",
        kind="'FOLLOW_UP_OPENED'",
        key="s.kind",
        detail="s.due_on::text",
        actor_kind="case when s.opened_by is not null then 'PERSON' end",
        actor_id="s.opened_by",
        subject="s.id",
    ),
    Part(
        "follow_up",
        at="s.closed_at",
        kind="'FOLLOW_UP_CLOSED'",
        key="s.kind",
        detail="s.note",
        actor_kind=_PERSON,
        actor_id="s.closed_by",
        subject="s.id",
        only="s.closed_at is not null",
    ),
    Part(
        "effect",
        at="s.settled_at",
        kind="""
            case when s.state = 'CANCELLED' then 'EFFECT_CANCELLED'
                 when s.kind = 'TIMER' then 'TIMER_FIRED' else 'SURVEY_SKIPPED' end""",
        key="split_part(s.key, ':', 1)",
        detail="s.reason",
        only="s.settled_at is not null and not (s.kind = 'TIMER' and s.state = 'SKIPPED')",
    ),
)
"""What is kept of a cycle; every table has `cycle_id`."""

EDITS = Part(
    "client_edit",
    at="s.recorded_at",
    kind="s.kind",
    key="upper(split_part(s.kind, '_', 1))",
    detail="nullif(array_to_string(s.fields, ', '), '')",
    actor_kind="s.actor_kind",
    actor_id="s.actor_id",
    subject="s.subject_id",
)
"""What is kept of a client: an edit of its own shows in whatever onboarding was going on at that time."""
