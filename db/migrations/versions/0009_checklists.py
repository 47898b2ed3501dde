"""Checklists and hand-off records, who changed them, and what a follow-up is about."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import protect

revision = "0009"
down_revision = "0008"

INSTANT = sa.DateTime(timezone=True)


def _of_cycle(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "client_id", "cycle_id"],
        ["cycle.tenant_id", "cycle.client_id", "cycle.id"],
        name=f"fk_{table}_tenant_id_client_id_cycle_id",
    )


def _key(table: str) -> tuple[sa.Column[object], sa.Column[object], sa.PrimaryKeyConstraint]:
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
    )


def _who() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid()),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid()),
    )


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _create_items()
    _create_steps()
    _create_hand_offs()
    op.add_column("follow_up", sa.Column("title", sa.Text()))
    op.add_column("follow_up", sa.Column("opened_by", sa.Uuid()))
    op.create_index("ix_follow_up_tenant_id_cycle_id_opened_at", "follow_up", ["tenant_id", "cycle_id", "opened_at"])


def _create_items() -> None:
    op.create_table(
        "checklist_item",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("proves", sa.Text()),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("assignee_id", sa.Uuid()),
        sa.Column("due_on", sa.Date()),
        sa.Column("due_key", sa.Date(), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT),
        sa.Column("done_by_kind", sa.Text()),
        sa.Column("done_by", sa.Uuid()),
        sa.Column("note", sa.Text()),
        sa.Column("link", sa.Text()),
        sa.Column("removed_at", INSTANT),
        sa.Column("version", sa.Integer(), nullable=False),
        *_key("checklist_item"),
        _of_cycle("checklist_item"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assignee_id"],
            ["member.tenant_id", "member.id"],
            name="fk_checklist_item_tenant_id_assignee_id",
        ),
        sa.UniqueConstraint(
            "tenant_id", "client_id", "cycle_id", "id", name="uq_checklist_item_tenant_id_client_id_cycle_id_id"
        ),
        sa.UniqueConstraint(
            "tenant_id", "cycle_id", "stage", "key", name="uq_checklist_item_tenant_id_cycle_id_stage_key"
        ),
    )
    op.create_index("ix_checklist_item_tenant_id_due_key_id", "checklist_item", ["tenant_id", "due_key", "id"])
    op.create_index(
        "ix_checklist_item_tenant_id_assignee_id_due_key_id",
        "checklist_item",
        ["tenant_id", "assignee_id", "due_key", "id"],
    )
    protect("checklist_item", client=True)


def _create_steps() -> None:
    op.create_table(
        "checklist_step",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("item_key", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("fields", pg.ARRAY(sa.Text()), nullable=False),
        *_who(),
        *_key("checklist_step"),
        _of_cycle("checklist_step"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id", "item_id"],
            ["checklist_item.tenant_id", "checklist_item.client_id", "checklist_item.cycle_id", "checklist_item.id"],
            name="fk_checklist_step_tenant_id_client_id_cycle_id_item_id",
        ),
    )
    op.create_index(
        "ix_checklist_step_tenant_id_cycle_id_recorded_at", "checklist_step", ["tenant_id", "cycle_id", "recorded_at"]
    )
    protect("checklist_step", client=True, append_only=True)


def _create_hand_offs() -> None:
    op.create_table(
        "hand_off",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("scope_sold", sa.Text()),
        sa.Column("promises", sa.Text()),
        sa.Column("incumbent", sa.Text()),
        sa.Column("contact_roles", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("contact_ids", pg.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("support", sa.Text()),
        sa.Column("approvers", pg.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("vips", pg.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("risks", sa.Text()),
        sa.Column("secrets_place", sa.Text()),
        sa.Column("declared_none", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_key("hand_off"),
        _of_cycle("hand_off"),
        sa.UniqueConstraint("tenant_id", "cycle_id", name="uq_hand_off_tenant_id_cycle_id"),
    )
    protect("hand_off", client=True)
    op.create_table(
        "hand_off_change",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fields", pg.ARRAY(sa.Text()), nullable=False),
        *_who(),
        *_key("hand_off_change"),
        _of_cycle("hand_off_change"),
    )
    op.create_index(
        "ix_hand_off_change_tenant_id_cycle_id_recorded_at", "hand_off_change", ["tenant_id", "cycle_id", "recorded_at"]
    )
    protect("hand_off_change", client=True, append_only=True)
