"""Tables of onboarding: the cycle, its visits, and what is planned from them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant


def _of_cycle() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "client_id", "cycle_id"], ["cycle.tenant_id", "cycle.client_id", "cycle.id"]
    )


class DefinitionRow(OfTenant, Base):
    """A numbered, immutable version of targets, gate settings, triggers and timers."""

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("tenant_id", "number"), ForeignKeyConstraint(["tenant_id"], ["tenant.id"]))

    number: Mapped[int]
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    author_kind: Mapped[str]
    author_id: Mapped[UUID]
    note: Mapped[str | None]
    based_on: Mapped[int | None]


class CycleRow(OfTenant, Base):
    """One onboarding of a client, from its opening to its end."""

    __tablename__ = "cycle"
    __table_args__ = (
        UniqueConstraint("tenant_id", "client_id", "id"),
        UniqueConstraint("tenant_id", "client_id", "number"),
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        ForeignKeyConstraint(["tenant_id", "definition_id"], ["definition.tenant_id", "definition.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "contract_id"], ["contract.tenant_id", "contract.client_id", "contract.id"]
        ),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "contract_id", "amendment_id"],
            ["amendment.tenant_id", "amendment.client_id", "amendment.contract_id", "amendment.id"],
        ),
        ForeignKeyConstraint(["tenant_id", "lead_id"], ["member.tenant_id", "member.id"]),
        ForeignKeyConstraint(["tenant_id", "account_manager_id"], ["member.tenant_id", "member.id"]),
        ForeignKeyConstraint(["tenant_id", "technical_lead_id"], ["member.tenant_id", "member.id"]),
        Index(
            "uq_cycle_open_scope",
            "tenant_id",
            "client_id",
            "scope_kind",
            "scope_key",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index("ix_cycle_board", "tenant_id", "stage", "opened_at", "id"),
        Index("ix_cycle_opened", "tenant_id", "opened_at", "id"),
        Index("ix_cycle_open_definition", "tenant_id", "definition_id", postgresql_where=text("ended_at is null")),
    )

    client_id: Mapped[UUID]
    number: Mapped[int]
    scope_kind: Mapped[str]
    scope_key: Mapped[str]
    contract_id: Mapped[UUID | None]
    definition_id: Mapped[UUID]
    lead_id: Mapped[UUID]
    account_manager_id: Mapped[UUID | None]
    technical_lead_id: Mapped[UUID | None]
    engineer_ids: Mapped[list[UUID]] = mapped_column(ARRAY(sqltypes.Uuid()))
    stage: Mapped[str]
    visit_id: Mapped[UUID]
    opened_at: Mapped[datetime] = mapped_column(INSTANT)
    entered_at: Mapped[datetime] = mapped_column(INSTANT)
    target_at: Mapped[datetime | None] = mapped_column(INSTANT)
    held_at: Mapped[datetime | None] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    outcome: Mapped[str | None]
    version: Mapped[int]
    active_at: Mapped[datetime] = mapped_column(INSTANT)
    amendment_id: Mapped[UUID | None]
    notice_id: Mapped[UUID | None]


class VisitRow(OfTenant, Base):
    """One stay in one stage."""

    __tablename__ = "visit"
    __table_args__ = (
        _of_cycle(),
        UniqueConstraint("tenant_id", "client_id", "cycle_id", "id"),
        Index(None, "tenant_id", "client_id", "entered_at"),
        Index(None, "tenant_id", "cycle_id", "entered_at"),
        Index(
            "uq_visit_current",
            "tenant_id",
            "cycle_id",
            unique=True,
            postgresql_where=text("left_at is null"),
        ),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    stage: Mapped[str]
    entered_at: Mapped[datetime] = mapped_column(INSTANT)
    left_at: Mapped[datetime | None] = mapped_column(INSTANT)
    superseded_at: Mapped[datetime | None] = mapped_column(INSTANT)
    target_at: Mapped[datetime | None] = mapped_column(INSTANT)


class TransitionRow(OfTenant, Base):
    """One attempted move: the audit trail, which nobody can change."""

    __tablename__ = "transition"
    __table_args__ = (
        _of_cycle(),
        Index(None, "tenant_id", "cycle_id", "recorded_at", "id"),
        Index(None, "tenant_id", "effective_at"),
        Index(
            "uq_transition_version",
            "tenant_id",
            "cycle_id",
            "version",
            unique=True,
            postgresql_where=text("accepted"),
        ),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    version: Mapped[int]
    move: Mapped[str]
    from_stage: Mapped[str | None]
    to_stage: Mapped[str]
    accepted: Mapped[bool]
    refusal: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    effective_at: Mapped[datetime] = mapped_column(INSTANT)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    on_behalf_of: Mapped[UUID | None]
    channel: Mapped[str]
    definition_number: Mapped[int]
    gates: Mapped[list[object]] = mapped_column(JSONB)
    waiver_ids: Mapped[list[UUID]] = mapped_column(ARRAY(sqltypes.Uuid()))
    effect_ids: Mapped[list[UUID]] = mapped_column(ARRAY(sqltypes.Uuid()))
    reason: Mapped[str | None]
    outcome: Mapped[str | None]
    request_id: Mapped[str]
    event_id: Mapped[UUID | None]
    corrects: Mapped[UUID | None]


class CycleChangeRow(OfTenant, Base):
    """A changed field beside the stage, or a refused attempt at one, which nobody can change."""

    __tablename__ = "cycle_change"
    __table_args__ = (_of_cycle(), Index(None, "tenant_id", "cycle_id", "recorded_at"))

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    version: Mapped[int]
    field: Mapped[str]
    gate: Mapped[str | None]
    before: Mapped[list[UUID]] = mapped_column(ARRAY(sqltypes.Uuid()))
    after: Mapped[list[UUID]] = mapped_column(ARRAY(sqltypes.Uuid()))
    accepted: Mapped[bool]
    refusal: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    on_behalf_of: Mapped[UUID | None]
    channel: Mapped[str]
    request_id: Mapped[str]
    event_id: Mapped[UUID | None]


class HoldRow(OfTenant, Base):
    """An interval beside the stage in which the clock of the target stands still."""

    __tablename__ = "hold"
    __table_args__ = (
        _of_cycle(),
        Index(None, "tenant_id", "cycle_id", "held_at"),
        Index("uq_hold_open", "tenant_id", "cycle_id", unique=True, postgresql_where=text("resumed_at is null")),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    reason: Mapped[str]
    note: Mapped[str | None]
    held_at: Mapped[datetime] = mapped_column(INSTANT)
    expected_resume_on: Mapped[date | None]
    resumed_at: Mapped[datetime | None] = mapped_column(INSTANT)


class NoticeRow(OfTenant, Base):
    """The end of service as it was announced, by whom and for which day."""

    __tablename__ = "notice"
    __table_args__ = (
        _of_cycle(),
        # Whoever gave notice for a merged client is the other's contact now, while the notice stays as history.
        ForeignKeyConstraint(["tenant_id", "contact_id"], ["contact.tenant_id", "contact.id"]),
        Index(None, "tenant_id", "cycle_id", "given_at"),
        Index("uq_notice_open", "tenant_id", "cycle_id", unique=True, postgresql_where=text("withdrawn_at is null")),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    given_by: Mapped[str]
    contact_id: Mapped[UUID | None]
    given_on: Mapped[date]
    ends_on: Mapped[date]
    outcome: Mapped[str]
    reason: Mapped[str]
    given_at: Mapped[datetime] = mapped_column(INSTANT)
    withdrawn_at: Mapped[datetime | None] = mapped_column(INSTANT)


class WaiverRow(OfTenant, Base):
    """Permission to pass one gate of one move once."""

    __tablename__ = "waiver"
    __table_args__ = (_of_cycle(), Index(None, "tenant_id", "cycle_id", "requested_at"))

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    move: Mapped[str]
    gate: Mapped[str]
    hardness: Mapped[str]
    reason: Mapped[str]
    requested_by: Mapped[UUID]
    requested_at: Mapped[datetime] = mapped_column(INSTANT)
    granted_by: Mapped[UUID | None]
    granted_at: Mapped[datetime | None] = mapped_column(INSTANT)
    four_eyes: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(INSTANT)
    withdrawn_at: Mapped[datetime | None] = mapped_column(INSTANT)
    withdrawn_by: Mapped[UUID | None]
    used_by: Mapped[UUID | None]


class AttestationRow(OfTenant, Base):
    """A person's dated word for a gate that nothing measures yet."""

    __tablename__ = "attestation"
    __table_args__ = (_of_cycle(), Index(None, "tenant_id", "cycle_id", "visit_id"))

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    gate: Mapped[str]
    statement: Mapped[str]
    attested_on: Mapped[date]
    attested_by: Mapped[UUID]
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)


class FollowUpRow(OfTenant, Base):
    """Something that a person promised to put right by a day."""

    __tablename__ = "follow_up"
    __table_args__ = (
        _of_cycle(),
        Index(None, "tenant_id", "due_on", "id"),
        Index(None, "tenant_id", "cycle_id", "opened_at"),
        ForeignKeyConstraint(["tenant_id", "owner_id"], ["member.tenant_id", "member.id"]),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    due_on: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(INSTANT)
    closed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    closed_by: Mapped[UUID | None]
    note: Mapped[str | None]
    version: Mapped[int]
    title: Mapped[str | None]
    opened_by: Mapped[UUID | None]


class WindowRow(OfTenant, Base):
    """The escalation window `[opened, closed)` of one stay in early support."""

    __tablename__ = "escalation_window"
    __table_args__ = (
        _of_cycle(),
        Index(None, "tenant_id", "client_id", "opened_at"),
        Index(None, "tenant_id", "cycle_id", "opened_at"),
        Index("uq_window_open", "tenant_id", "cycle_id", unique=True, postgresql_where=text("closed_at is null")),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    opened_at: Mapped[datetime] = mapped_column(INSTANT)
    closed_at: Mapped[datetime | None] = mapped_column(INSTANT)


class BaselineRow(OfTenant, Base):
    """A KPI of the escalation window as it was when the client graduated."""

    __tablename__ = "baseline"
    __table_args__ = (_of_cycle(), UniqueConstraint("tenant_id", "cycle_id", "visit_id", "kpi", "as_of"))

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    kpi: Mapped[str]
    value: Mapped[float | None]
    numerator: Mapped[float | None]
    denominator: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    opened_at: Mapped[datetime] = mapped_column(INSTANT)
    closed_at: Mapped[datetime] = mapped_column(INSTANT)
    as_of: Mapped[datetime] = mapped_column(INSTANT)


class EffectRow(OfTenant, Base):
    """Something that a move set off for now or later: a timer, a survey, a notice."""

    __tablename__ = "effect"
    __table_args__ = (
        _of_cycle(),
        UniqueConstraint("tenant_id", "visit_id", "kind", "key", "recipient"),
        Index(None, "tenant_id", "cycle_id", "due_at"),
        Index("ix_effect_due", "due_at", postgresql_where=text("state = 'PLANNED'")),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    kind: Mapped[str]
    key: Mapped[str]
    recipient: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(INSTANT)
    state: Mapped[str]
    reason: Mapped[str | None]
    settled_at: Mapped[datetime | None] = mapped_column(INSTANT)
