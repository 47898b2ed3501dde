"""Every column that can hold text is words, somebody's own, or just codes; a new one is put in its place here."""

import asyncpg

from db.session import APP_ROLE
from db.tables import metadata
from db.words import PERSONAL, WORDS, WordKind

CODES: dict[str, set[str]] = {
    "absence": {"reason"},
    "alembic_version": {"version_num"},
    "amendment": {"scope_added", "scope_removed", "status"},
    "attestation": {"gate"},
    "baseline": {"kpi"},
    "calendar": {"body"},
    "checklist_item": {"done_by_kind", "key", "owner", "proves", "stage"},
    "checklist_step": {"actor_kind", "fields", "item_key", "request_id", "step"},
    "client": {"name_key"},
    "client_edit": {"actor_kind", "fields", "kind", "request_id"},
    "contact": {"roles"},
    "contract": {"coverage_hours", "scope", "status", "type", "waiting_on"},
    "contract_turn": {"status", "waiting_on"},
    "cycle": {"outcome", "scope_key", "scope_kind", "stage"},
    "cycle_change": {"actor_kind", "channel", "field", "gate", "refusal", "request_id"},
    "definition": {"author_kind"},
    "device": {"gap_reason", "name_key", "state"},
    "door": {"kind"},
    "effect": {"key", "kind", "reason", "recipient", "state"},
    "escalation": {"kind"},
    "escalation_rule": {"author_kind", "system"},
    "event_log": {"body", "scope", "type"},
    "external_ref": {"kind", "system"},
    "feed_epoch": {"origin"},
    "follow_up": {"kind"},
    "hand_off": {"contact_roles", "declared_none"},
    "hand_off_change": {"actor_kind", "fields", "request_id"},
    "hold": {"reason"},
    "idempotency": {"mutation"},
    "inbound_message": {"delivery_id", "status"},
    "inbound_secret": {"kept"},
    "inbound_source": {"adapter", "address", "system"},
    "job": {"counts", "kind", "place", "requested_by_kind", "status"},
    "job_error": {"column_name"},
    "job_result": {"body"},
    "kpi_target": {"actor_kind", "kpi", "request_id"},
    "member": {"roles"},
    "note": {"author_kind"},
    "notice": {"given_by", "outcome"},
    "pending": {"body", "scope", "type"},
    "planned_date": {"actor_kind", "request_id", "stage"},
    "privacy_record": {"act", "actor_kind", "channel", "reason", "request_id", "subject_kind"},
    "service": {"name_key"},
    "site": {"country", "name_key", "zone"},
    # What a provider is called is its own affair, and no person's.
    "tenant": {"name", "settings", "slug"},
    "ticket": {
        *("exclusion", "external_id", "kind", "merged_into", "phase", "priority", "resolution_sla", "response_sla"),
        *("source", "stage", "system"),
    },
    "ticket_cell": {"dimension", "grain", "member", "source"},
    "ticket_delta": {"kind", "phase", "priority", "source", "stage"},
    "ticket_term": {"kind", "system"},
    "ticket_time": {"kind", "measure", "phase", "priority", "source", "stage"},
    "token": {"kind", "prefix", "scopes"},
    "transition": {"actor_kind", "channel", "from_stage", "move", "outcome", "refusal", "request_id", "to_stage"},
    "unfolded_delta": {"kind", "phase", "priority", "source", "stage"},
    "visit": {"stage"},
    "waiver": {"gate", "hardness", "move"},
}
"""Columns of text that hold codes, ids, settings and keys that are derived, and in which nobody can be named."""

TEXTS = """
    select table_name as table, column_name as name from information_schema.columns
    where table_schema = 'public'
      and (data_type in ('text', 'character varying', 'json', 'jsonb') or udt_name in ('_text', '_varchar', '_jsonb'))
"""

GRANTED = """
    select has_column_privilege($1, $2, $3, 'update') and has_table_privilege($1, $2, 'select')
"""


async def test_every_column_of_text_is_words_or_somebodys_own_or_codes(worker_database: str) -> None:
    connection = await asyncpg.connect(worker_database)
    try:
        found = {(row["table"], row["name"]) for row in await connection.fetch(TEXTS)}
    finally:
        await connection.close()
    words = {(word.table, word.column) for word in WORDS}
    codes = {(table, column) for table, columns in CODES.items() for column in columns}
    assert found - words - PERSONAL - codes == set(), "put each in its place: db/words.py, or CODES if nobody writes it"
    assert words | PERSONAL | codes == found, "declared, and not there"
    assert len(words) + len(PERSONAL) + len(codes) == len(found), "declared twice"


async def test_whatever_is_words_may_be_changed_so_that_somebody_can_be_taken_out(worker_database: str) -> None:
    connection = await asyncpg.connect(worker_database)
    try:
        fixed = [
            f"{word.table}.{word.column}"
            for word in WORDS
            if not await connection.fetchval(GRANTED, APP_ROLE, word.table, word.column)
        ]
        unremovable = [
            word.table
            for word in WORDS
            if word.kind is WordKind.KEY
            and not await connection.fetchval("select has_table_privilege($1, $2, 'delete')", APP_ROLE, word.table)
        ]
    finally:
        await connection.close()
    assert fixed == [], "grant update on these columns alone, where a table is only appended to"
    assert unremovable == []


def test_words_stand_in_columns_that_can_be_written_back() -> None:
    tables = metadata().tables
    for word in WORDS:
        table = tables[word.table]
        assert {word.column, *([word.sort_key] if word.sort_key else [])} <= set(table.c.keys()), word
        assert (word.column in table.primary_key.columns) == (word.kind is WordKind.KEY), word
        assert "tenant_id" in table.c, word
