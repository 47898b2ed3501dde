"""The desk read: everything that somebody has to do next, in as many statements for many onboardings as for one."""

from datetime import datetime
from uuid import UUID

from db import absences, calendars, checklists, cycles, desk, follow_ups, members, notices, plans, tenants, waivers
from db.session import Transaction
from domain.access import Reach, Scope, scopes_of
from domain.desk import Action, CycleFile, Sitting, ranked
from domain.onboarding import Notice
from domain.pace import reading
from domain.plans import next_planned, plan_of, standing
from workflows.readiness import judged

ONBOARDINGS_MOST = 500
"""Onboardings that one desk looks at; those in service last."""


async def next_actions(tx: Transaction, member: UUID, now: datetime) -> list[Action]:
    """Return what a member has to do next, for themselves and those for whom they stand in, most urgent first."""
    person = await members.get(tx, member)
    if person is None or not person.active:
        return []
    cover = await absences.cover(tx, now)
    sitting = Sitting(
        member,
        frozenset({member, *cover.absent_for(member)}),
        scopes_of(person.roles).get(Scope.WAIVE_HARD) is Reach.ALL,
        now,
        (await tenants.get(tx)).settings.zone,
    )
    ids = await desk.on_desk(tx, sitting.members, grants=sitting.grants, now=now, limit=ONBOARDINGS_MOST)
    return ranked(await _files(tx, ids, now), sitting)


async def _files(tx: Transaction, ids: list[UUID], now: datetime) -> list[CycleFile]:
    found = await judged(tx, ids, now)
    held, planned = await cycles.holds(tx, ids), await plans.of_cycles(tx, ids)
    items, promises = await checklists.of_cycles(tx, ids), await follow_ups.of_cycles(tx, ids)
    asked, given = await waivers.of_cycles(tx, ids), await notices.of_cycles(tx, ids)
    counting = await calendars.of_cycles(tx, [one.cycle for one in found.values()])
    files = []
    for key, one in found.items():
        days, holds = standing(plan_of(planned.get(key, ()))), held.get(key, [])
        pace = reading(one.cycle, one.rules, now, counting[key], holds, next_planned(one.cycle.stage, days))
        files.append(
            CycleFile(
                cycle=one.cycle,
                rules=one.rules,
                moves=one.moves,
                pace=pace,
                holds=holds,
                items=items.get(key, []),
                follow_ups=promises.get(key, []),
                waivers=asked.get(key, []),
                notice=_in_force(given.get(key, [])),
                planned=days,
            )
        )
    return files


def _in_force(given: list[Notice]) -> Notice | None:
    return next((notice for notice in given if notice.withdrawn_at is None), None)
