"""Tables of tickets: who had them, what was escalated, and the figures kept of them."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Computed,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant
from db.tables.clients import SORT_KEY

OPEN = "resolved_at is null and closed_at is null and exclusion is null"
OPEN_TICKET = text(OPEN)
MISSED = "resolution_sla = 'MISSED' or response_sla = 'MISSED'"
RESPONSE_DUE = "response_sla is null and response_due_at is not null and first_responded_at is null"
RESOLUTION_DUE = f"resolution_sla is null and resolution_due_at is not null and {OPEN} and not waiting"
"""What an agreement makes due once its instant has passed; while a ticket waits for somebody else its clock stands."""


def _of_client() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"])


def _of_ticket() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "ticket_id"], ["ticket.tenant_id", "ticket.id"])


def _by_logging() -> Iterator[Index]:
    """One index for each filter that lists of tickets offer, in the order of the lists."""
    yield Index("ix_ticket_kind", "tenant_id", "kind", "logged_at", "id")
    for name in ("category_id", "team_id", "agent_id", "tier", "site_id", "device_id"):
        index, known = f"ix_ticket_{name.removesuffix('_id')}", text(f"{name} is not null")
        yield Index(index, "tenant_id", name, "logged_at", "id", postgresql_where=known)
    for name, where in (
        ("open_logged", OPEN),
        ("waiting", f"waiting and {OPEN}"),
        ("reopened", "times_reopened > 0"),
        ("missed", MISSED),
        ("excluded", "exclusion is not null"),
    ):
        yield Index(f"ix_ticket_{name}", "tenant_id", "logged_at", "id", postgresql_where=text(where))


class _Facts:
    """A column for each additive fact; a house test holds them against the facts of the domain."""

    tickets: Mapped[int]
    escalated_tickets: Mapped[int]
    escalated_hierarchical: Mapped[int]
    escalated_sla: Mapped[int]
    escalated_vendor: Mapped[int]
    escalations: Mapped[int]
    escalations_hierarchical: Mapped[int]
    escalations_sla: Mapped[int]
    escalations_vendor: Mapped[int]
    backlog: Mapped[int]
    open_incidents: Mapped[int]
    resolved: Mapped[int]
    reopened: Mapped[int]
    first_contact: Mapped[int]
    sla_met: Mapped[int]
    sla_decided: Mapped[int]
    response_sla_met: Mapped[int]
    response_sla_decided: Mapped[int]


class EscalationRuleRow(OfTenant, Base):
    """What the tenant calls an escalation in the tickets of one system; immutable, numbered.

    `applied_at` is when all tickets of the system had been gone through by it.
    """

    __tablename__ = "escalation_rule"
    __table_args__ = (
        UniqueConstraint("tenant_id", "system", "version"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
    )

    system: Mapped[str] = mapped_column(SORT_KEY)
    version: Mapped[int]
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    author_kind: Mapped[str | None]
    author_id: Mapped[UUID | None]
    note: Mapped[str | None]
    applied_at: Mapped[datetime | None] = mapped_column(INSTANT)


class TicketRow(OfTenant, Base):
    """One ticket; stage, phase and cycle are those of its client when it was logged.

    Without a client it is unmapped, and only those who see every client see it.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("tenant_id", "system", "external_id"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        _of_client(),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id"], ["cycle.tenant_id", "cycle.client_id", "cycle.id"]
        ),
        Index(None, "tenant_id", "logged_at", "id"),
        Index(None, "tenant_id", "client_id", "logged_at", "id"),
        ForeignKeyConstraint(["tenant_id", "site_id"], ["site.tenant_id", "site.id"]),
        ForeignKeyConstraint(["tenant_id", "device_id"], ["device.tenant_id", "device.id"]),
        Index(None, "tenant_id", "stage", "logged_at", "id"),
        Index(None, "tenant_id", "phase", "logged_at", "id"),
        Index(None, "tenant_id", "priority", "logged_at", "id"),
        Index("ix_ticket_escalated", "tenant_id", "logged_at", "id", postgresql_where=text("escalations > 0")),
        Index(
            "ix_ticket_first_escalated",
            "tenant_id",
            "first_escalated_at",
            postgresql_where=text("first_escalated_at is not null"),
        ),
        Index("ix_ticket_open", "tenant_id", "client_id", "priority", postgresql_where=OPEN_TICKET),
        # What explains figures by other days than that of logging; rows lie about in the order of time.
        Index(
            "ix_ticket_course",
            "first_ended_at",
            "ended_at",
            "first_responded_at",
            "resolution_decided_at",
            "response_decided_at",
            postgresql_using="brin",
        ),
        Index(
            "ix_ticket_due",
            "tenant_id",
            "resolution_due_at",
            postgresql_where=text(RESOLUTION_DUE),
        ),
        Index(
            "ix_ticket_response_due",
            "tenant_id",
            "response_due_at",
            postgresql_where=text(RESPONSE_DUE),
        ),
        Index(
            "ix_ticket_unmapped",
            "tenant_id",
            "system",
            "client_key",
            "logged_at",
            postgresql_where=text("client_id is null"),
        ),
        Index("ix_ticket_recorded", "tenant_id", "recorded_at", "id"),
        Index(
            "ix_ticket_overdue",
            "tenant_id",
            "resolution_due_at",
            postgresql_where=text(f"resolution_due_at is not null and {OPEN}"),
        ),
        *_by_logging(),
    )

    client_id: Mapped[UUID | None]
    system: Mapped[str] = mapped_column(SORT_KEY)
    external_id: Mapped[str] = mapped_column(SORT_KEY)
    client_key: Mapped[str | None] = mapped_column(SORT_KEY)
    kind: Mapped[str]
    source: Mapped[str]
    priority: Mapped[str]
    category: Mapped[str | None]
    category_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    agent_id: Mapped[UUID | None]
    tier: Mapped[int | None]
    title: Mapped[str | None]
    site_id: Mapped[UUID | None]
    site_key: Mapped[str | None] = mapped_column(SORT_KEY)
    device_id: Mapped[UUID | None]
    device_key: Mapped[str | None] = mapped_column(SORT_KEY)
    logged_at: Mapped[datetime] = mapped_column(INSTANT)
    day: Mapped[date]
    resolved_at: Mapped[datetime | None] = mapped_column(INSTANT)
    closed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    changed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    first_responded_at: Mapped[datetime | None] = mapped_column(INSTANT)
    first_ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    response_minutes: Mapped[int | None]
    resolve_minutes: Mapped[int | None]
    times_reopened: Mapped[int]
    first_contact: Mapped[bool | None]
    response_due_at: Mapped[datetime | None] = mapped_column(INSTANT)
    response_sla: Mapped[str | None]
    response_decided_at: Mapped[datetime | None] = mapped_column(INSTANT)
    resolution_due_at: Mapped[datetime | None] = mapped_column(INSTANT)
    resolution_sla: Mapped[str | None]
    resolution_decided_at: Mapped[datetime | None] = mapped_column(INSTANT)
    course: Mapped[dict[str, object] | None]
    waiting: Mapped[bool] = mapped_column(
        Computed("coalesce(course -> 'waits' -> -1 -> 1 = 'null'::jsonb, false)", persisted=True)
    )
    client_pinned: Mapped[bool]
    exclusion_pinned: Mapped[bool]
    merged_into: Mapped[str | None] = mapped_column(SORT_KEY)
    exclusion: Mapped[str | None]
    stage: Mapped[str]
    phase: Mapped[str]
    cycle_id: Mapped[UUID | None]
    escalations: Mapped[int]
    first_escalated_at: Mapped[datetime | None] = mapped_column(INSTANT)
    rule_version: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]


class HandOverRow(Base):
    """Who had a ticket from when on, as its source said it."""

    __tablename__ = "hand_over"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "ticket_id", "position"), _of_ticket(), _of_client())

    tenant_id: Mapped[UUID]
    ticket_id: Mapped[UUID]
    position: Mapped[int]
    client_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(INSTANT)
    team: Mapped[str | None]
    tier: Mapped[int | None]
    reassignments: Mapped[int | None]
    agent_id: Mapped[UUID | None]


class TicketTermRow(OfTenant, Base):
    """What sources call a category, a team or an agent: the name in one place, which figures know by its id.

    `key` is made of the name as it first came, and stays when the name is taken back.
    """

    __tablename__ = "ticket_term"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "key"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
    )

    kind: Mapped[str]
    key: Mapped[bytes] = mapped_column(LargeBinary)
    system: Mapped[str | None] = mapped_column(SORT_KEY)
    name: Mapped[str]


class EscalationRow(OfTenant, Base):
    """One escalation, derived from a hand-over by a version of the rule."""

    __tablename__ = "escalation"
    __table_args__ = (
        _of_ticket(),
        _of_client(),
        Index(None, "tenant_id", "ticket_id", "position"),
        Index("ix_escalation_kind", "tenant_id", "kind", "ticket_id"),
        Index(None, "tenant_id", "at", "id"),
    )

    client_id: Mapped[UUID | None]
    ticket_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(INSTANT)
    day: Mapped[date]
    times: Mapped[int]
    from_team: Mapped[str | None]
    to_team: Mapped[str | None]
    from_tier: Mapped[int | None]
    to_tier: Mapped[int | None]
    reason: Mapped[str | None]
    rule_version: Mapped[int]


class _Counted:
    """Where in the figures something counts, and how much of each fact."""

    client_id: Mapped[UUID | None]
    day: Mapped[date]
    stage: Mapped[str]
    phase: Mapped[str]
    priority: Mapped[str]
    source: Mapped[str]
    kind: Mapped[str]
    category_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    agent_id: Mapped[UUID | None]
    site_id: Mapped[UUID | None]


class TicketDeltaRow(_Counted, _Facts, Base):
    """A signed change of the figures, written beside the tickets and never changed."""

    __tablename__ = "ticket_delta"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        _of_client(),
        Index(None, "tenant_id", "day"),
        Index(None, "tenant_id", "client_id", "day"),
    )

    tenant_id: Mapped[UUID]
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)


class TicketTimeRow(_Counted, Base):
    """A time that a ticket took came (`amount` 1) or went (-1), in business minutes; never changed.

    What is left of them on a day is the multiset from which medians are read, as of any instant.
    """

    __tablename__ = "ticket_time"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        _of_client(),
        Index(
            "ix_ticket_time_read",
            "tenant_id",
            "measure",
            "day",
            postgresql_include=["minutes", "amount", "source", "kind"],
        ),
        Index("ix_ticket_time_of_client", "tenant_id", "client_id", "measure", "day"),
    )

    tenant_id: Mapped[UUID]
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    measure: Mapped[str]
    minutes: Mapped[int]
    amount: Mapped[int]


class UnfoldedDeltaRow(_Counted, _Facts, Base):
    """A copy of each delta that is not in the cells yet; a small table, so that reading it costs nothing."""

    __tablename__ = "unfolded_delta"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "id"), _of_client())

    tenant_id: Mapped[UUID]
    id: Mapped[int] = mapped_column(BigInteger, autoincrement=False)


class TicketNumberRow(Base):
    """The last number that a tenant gave a ticket of its own."""

    __tablename__ = "ticket_number"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    last: Mapped[int]


class TicketSettlingRow(Base):
    """Within how long the tenant's escalations come, computed whenever deltas are folded."""

    __tablename__ = "ticket_settling"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seconds: Mapped[float] = mapped_column(Double())
    computed_at: Mapped[datetime] = mapped_column(INSTANT)


class TicketCellRow(_Facts, Base):
    """The figures of one day or month, by one dimension, of one client, of all, or of the unmapped.

    All clients together are the nil id, the unmapped the highest one: `client_id` is no reference here.
    """

    __tablename__ = "ticket_cell"
    __table_args__ = (
        PrimaryKeyConstraint(
            "tenant_id", "dimension", "source", "grain", "client_id", "day", "member", name="pk_ticket_cell"
        ),
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
    )

    tenant_id: Mapped[UUID]
    dimension: Mapped[str]
    source: Mapped[str]
    grain: Mapped[str]
    client_id: Mapped[UUID]
    day: Mapped[date]
    member: Mapped[str]
