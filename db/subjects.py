"""Subjects: everything that is held about one person, gathered from every table into one document."""

from dataclasses import asdict
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Table, Uuid, any_, bindparam, or_, select, text
from sqlalchemy import types as sqltypes
from sqlalchemy.sql.expression import Executable

from db import contacts, external_refs, members, privacy, redaction
from db.session import Transaction
from db.tables import metadata
from domain.clients import Contact
from domain.ids import IdKind, public
from domain.members import Member

SURVEYS = text("""
    select id, cycle_id, key, due_at, state, reason, settled_at from effect
    where tenant_id = :tenant and kind = 'SURVEY' and recipient = :recipient order by due_at, id
""")
ABSENCES = text("""
    select id, starts_on, ends_on, reason, created_at from absence
    where tenant_id = :tenant and member_id = :member order by starts_on, id
""")
TOKENS = text("""
    select id, kind, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at from token
    where tenant_id = :tenant and member_id = :member order by created_at, id
""")
ABSENCES = text("""
    select starts_on, ends_on, reason, created_at from absence
    where tenant_id = :tenant and member_id = :member order by starts_on, id
""")
RECORDS = text("""
    select act, reason, recorded_at from privacy_record
    where tenant_id = :tenant and subject_id = :subject order by recorded_at, id
""")
EVENTS = text("""
    select body from event_log
    where tenant_id = :tenant and (body #>> '{subject,id}' = :subject or body #>> '{actor,id}' = :subject)
    order by seq
""")

TOLD_APART = frozenset({"absence", "effect", "event_log", "idempotency", "pending", "privacy_record", "token"})
"""Tables that the document has a section for, or that hold nothing but what others hold."""


async def about_contact(tx: Transaction, subject: UUID) -> dict[str, object]:
    """Return everything held about a contact, as plain values: ids as the API shows them where it knows the object.

    Raises:
        LookupError: there is no such contact.
    """
    contact = await contacts.get(tx, subject)
    if contact is None:
        raise LookupError("no such contact")
    refs = (await external_refs.of_subjects(tx, [subject])).get(subject, [])
    surveys = await tx.rows(SURVEYS, tenant=tx.tenant, recipient=str(subject))
    return _plain(
        {
            "kind": "CONTACT",
            "id": public(IdKind.CONTACT, subject),
            "contact": asdict(contact),
            "externalReferences": [{"system": ref.system, "key": ref.key} for ref in refs],
            "surveys": [dict(row) for row in surveys],
            **await _common(tx, subject, public(IdKind.CONTACT, subject), contact),
        }
    )


async def about_member(tx: Transaction, subject: UUID) -> dict[str, object]:
    """Return everything held about a member, as `about_contact`; of their tokens no secret is held.

    Raises:
        LookupError: there is no such member.
    """
    member = await members.get(tx, subject)
    if member is None:
        raise LookupError("no such member")
    tokens = await tx.rows(TOKENS, tenant=tx.tenant, member=subject)
    absences = await tx.rows(ABSENCES, tenant=tx.tenant, member=subject)
    surveys = await tx.rows(SURVEYS, tenant=tx.tenant, recipient=str(subject))
    return _plain(
        {
            "kind": "MEMBER",
            "id": public(IdKind.MEMBER, subject),
            "member": asdict(member),
            "absences": [dict(row) for row in absences],
            "tokens": [dict(row) for row in tokens],
            "surveys": [dict(row) for row in surveys],
            **await _common(tx, subject, public(IdKind.MEMBER, subject), member),
        }
    )


async def _common(tx: Transaction, subject: UUID, shown: str, person: Contact | Member) -> dict[str, object]:
    # Whoever is erased is named nowhere, and nothing is left to look for them by.
    mentions = [] if person.erased else await redaction.mentions(tx, await privacy.search_for(tx, person))
    records = await tx.rows(RECORDS, tenant=tx.tenant, subject=subject)
    events = await tx.rows(EVENTS, tenant=tx.tenant, subject=shown)
    return {
        "mentions": [asdict(mention) for mention in mentions],
        "references": await _references(tx, subject),
        "events": [row["body"] for row in events],
        "privacy": [dict(row) for row in records],
    }


async def _references(tx: Transaction, subject: UUID) -> list[dict[str, object]]:
    """Return the rows of every table that name somebody by their id: what they are in, and what they did."""
    found: list[dict[str, object]] = []
    for table in metadata().sorted_tables:
        statement = _naming(table.name)
        if statement is None:
            continue
        for row in await tx.rows(statement, tenant=tx.tenant, subject=subject):
            named = [name for name in _columns(table) if subject == row[name] or subject in (_listed(row[name]))]
            # A row that is somebody's own names them by its key alone.
            key = {column.name: row[column.name] for column in table.primary_key if column.name != "tenant_id"}
            found += [{"table": str(table.name), "key": key, "as": name} for name in named if name != "id"]
    return found


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


@cache
def _naming(name: str) -> Executable | None:
    """Return the statement that finds the rows of a table that name somebody, or `None` where none can."""
    table = metadata().tables[name]
    columns = _columns(table)
    if "tenant_id" not in table.c or name in TOLD_APART or not columns:
        return None
    subject = bindparam("subject", type_=Uuid())
    found = or_(
        *(
            subject == any_(column) if isinstance(column.type, sqltypes.ARRAY) else column == subject
            for column in columns.values()
        )
    )
    shown = {column.name: column for column in (*table.primary_key, *columns.values())}
    return select(*shown.values()).where(table.c.tenant_id == bindparam("tenant", type_=Uuid()), found)


def _columns(table: Table) -> dict[str, Any]:
    return {
        column.name: column
        for column in table.c
        if column.name != "tenant_id"
        and isinstance(column.type.item_type if isinstance(column.type, sqltypes.ARRAY) else column.type, Uuid)
    }


def _plain(document: dict[str, object]) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(document, str_keys=True, enc_hook=str)
    return plain
