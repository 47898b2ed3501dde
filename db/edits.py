"""Edits as rows, which are only ever added to."""

from collections.abc import Sequence

from sqlalchemy import text

from db.session import Transaction
from domain.edits import ClientEdit

# Names of fields go through a text of their own: PostgreSQL would take arrays of unequal lengths for no matrix.
ADD = text("""
    insert into client_edit (tenant_id, id, client_id, cycle_id, kind, subject_id, fields, recorded_at, actor_kind,
        actor_id, request_id)
    select :tenant, e.id, e.client_id, e.cycle_id, e.kind, e.subject_id, string_to_array(e.fields, ','),
           e.recorded_at, e.actor_kind, e.actor_id, e.request_id
    from unnest(cast(:ids as uuid[]), cast(:clients as uuid[]), cast(:cycles as uuid[]), cast(:kinds as text[]),
                cast(:subjects as uuid[]), cast(:fields as text[]), cast(:instants as timestamptz[]),
                cast(:actor_kinds as text[]), cast(:actors as uuid[]), cast(:requests as text[]))
         as e(id, client_id, cycle_id, kind, subject_id, fields, recorded_at, actor_kind, actor_id, request_id)
""")


async def record(tx: Transaction, edits: Sequence[ClientEdit]) -> None:
    """Keep for good that something was edited, in one statement."""
    if not edits:
        return
    await tx.run(
        ADD,
        tenant=tx.tenant,
        ids=[edit.id for edit in edits],
        clients=[edit.client_id for edit in edits],
        cycles=[edit.cycle_id for edit in edits],
        kinds=[edit.kind.value for edit in edits],
        subjects=[edit.subject_id for edit in edits],
        fields=[",".join(edit.fields) for edit in edits],
        instants=[edit.recorded_at for edit in edits],
        actor_kinds=[edit.actor_kind for edit in edits],
        actors=[edit.actor_id for edit in edits],
        requests=[edit.request_id for edit in edits],
    )
