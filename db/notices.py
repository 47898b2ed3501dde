"""Notices as rows: the end of service as it was announced."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.rows import Rows
from db.session import Transaction
from db.tables.onboarding import NoticeRow
from domain.definitions import Survey
from domain.effects import IN_NOTICE, NOTICE_KEYS
from domain.onboarding import Notice

NOTICES = Rows(NoticeRow, Notice, derived=("client_id",))

OF_CYCLES = text("""
    select id, cycle_id, given_by, contact_id, given_on, ends_on, outcome, reason, given_at, withdrawn_at
    from notice where tenant_id = :tenant and cycle_id = any(cast(:ids as uuid[]))
    order by cycle_id, given_at
""")

CALL_OFF_SURVEYS = text("""
    update effect set state = 'CANCELLED', reason = :because, settled_at = :now
    where tenant_id = :tenant and cycle_id = :cycle and state = 'PLANNED' and kind = 'SURVEY' and key = :survey
""")

# Only what this notice called off or kept from being planned comes back, nothing that would now be sent for a moment
# gone by, and nothing of a stay that was set aside meanwhile.
BRING_BACK_SURVEYS = text("""
    update effect set
        state = case when due_at > :now then 'PLANNED' else 'SKIPPED' end,
        reason = case when due_at > :now then null else 'PAST' end,
        settled_at = case when due_at > :now then null else cast(:now as timestamptz) end
    where tenant_id = :tenant and cycle_id = :cycle and kind = 'SURVEY' and key = :survey
      and ((state = 'CANCELLED' and reason = :because and settled_at = :given_at)
           or (state = 'SKIPPED' and reason = :in_notice and settled_at >= :given_at))
      and not exists (
          select from visit v
          where v.tenant_id = :tenant and v.id = effect.visit_id and v.superseded_at is not null
      )
""")

CALL_OFF_TIMERS = text("""
    update effect set state = 'CANCELLED', reason = :because, settled_at = :now
    where tenant_id = :tenant and cycle_id = :cycle and state = 'PLANNED' and kind = 'TIMER'
      and split_part(key, ':', 1) = any(cast(:keys as text[]))
""")

WITHDRAW = text("update notice set withdrawn_at = :now where tenant_id = :tenant and id = :notice")


async def give(tx: Transaction, client: UUID, notice: Notice, because: str) -> None:
    """Write a notice and call off the surveys that ask how likely a client is to recommend whom it leaves."""
    await NOTICES.add(tx, notice, client_id=client)
    await tx.run(
        CALL_OFF_SURVEYS,
        tenant=tx.tenant,
        cycle=notice.cycle_id,
        survey=Survey.QUARTERLY_NPS.value,
        because=because,
        now=notice.given_at,
    )


async def withdraw(tx: Transaction, notice: Notice, now: datetime, *, given: str, because: str) -> None:
    """Withdraw a notice: its timers are called off, and the surveys that it called off come back."""
    named = {"tenant": tx.tenant, "cycle": notice.cycle_id, "now": now}
    await tx.run(WITHDRAW, tenant=tx.tenant, notice=notice.id, now=now)
    await tx.run(CALL_OFF_TIMERS, **named, because=because, keys=sorted(NOTICE_KEYS))
    await tx.run(
        BRING_BACK_SURVEYS,
        **named,
        survey=Survey.QUARTERLY_NPS.value,
        because=given,
        given_at=notice.given_at,
        in_notice=IN_NOTICE,
    )


async def of_cycles(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Notice]]:
    """Return the notices of cycles, oldest first, withdrawn ones too."""
    found: dict[UUID, list[Notice]] = {}
    for row in await tx.rows(OF_CYCLES, tenant=tx.tenant, ids=list(cycles)):
        found.setdefault(row["cycle_id"], []).append(NOTICES.read(row))
    return found
