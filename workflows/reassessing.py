"""Reassessing: what stored tickets come to by the rule and the hours in force now, without asking their sources."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from db import attribution, escalation_rules, stored_tickets, tenants, tickets
from db.session import Transaction
from db.stored_tickets import Stored
from db.tickets import touched_by
from domain.access import Principal
from domain.escalations import Escalation, EscalationRule
from domain.movements import Assessed, Surroundings, assess
from workflows.context import Context, Request, new_id
from workflows.restating import tell

Change = tuple[Stored, Assessed]
"""A stored ticket, and what it comes to now."""


async def reassess(
    context: Context, principal: Principal, request: Request, tx: Transaction, ids: Sequence[UUID]
) -> int:
    """Write what tickets come to now, with the figures that follow, and return how many that changed.

    What their sources and people said stays untouched, as do client, stage and phase.
    """
    await escalation_rules.hold(tx)
    zone = (await tenants.get(tx)).settings.zone
    locked = await stored_tickets.locked_by_id(tx, ids, zone)
    changes = [change for change in await anew(context, tx, list(locked.values())) if differs(change)]
    now = context.clock()
    await tickets.rewrite(tx, changes, now, new_id)
    # Of a ticket by which nothing but the number of the rule is another, no figure has moved.
    telling = [change for change in changes if moves(change)]
    await tell(tx, principal, request, touched_by((was.assessed, one) for was, one in telling), now)
    return len(changes)


async def anew(
    context: Context, tx: Transaction, found: Sequence[Stored], rule: EscalationRule | None = None
) -> list[Change]:
    """Return what tickets come to now; with `rule` by that one, in place of the newest of their systems."""
    now, settings = context.clock(), (await tenants.get(tx)).settings
    newest = await escalation_rules.newest(tx)
    hours = await attribution.coverage(tx, sorted({client for one in found if (client := one.assessed.client)}))
    changes = []
    for one in found:
        client = one.assessed.client
        calendar = hours.get(client, settings.calendar) if client else settings.calendar
        around = Surroundings(settings.zone, calendar, rule or newest[one.system].rule)
        was = one.assessed
        changes.append((one, assess(one.report, was.subjects, around, now).placed(was.subjects, was.stamp)))
    return changes


def differs(change: Change) -> bool:
    """Tell whether a ticket is to be written again."""
    was, one = change
    return moves(change) or was.assessed.rule_version != one.rule_version


def moves(change: Change) -> bool:
    """Tell whether a ticket comes to something else than it did: other escalations, times or results."""
    was, one = change[0].assessed, change[1]
    return (was.measured, _comparable(was.escalations)) != (one.measured, _comparable(one.escalations))


def _comparable(found: Iterable[Escalation]) -> list[Escalation]:
    # At which hand-over it was is not kept: that follows from the instant.
    return [replace(one, hand_over=None) for one in found]
