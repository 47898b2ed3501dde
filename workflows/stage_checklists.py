"""Stage checklists: what a definition lays out for whoever enters a stage."""

from datetime import datetime

from db import checklists
from db.session import Transaction
from domain.calendars import Calendar
from domain.checklists import Item, assignee_of, due_of, planned
from domain.definitions import Rules
from domain.onboarding import Cycle
from domain.periods import local_day
from domain.stages import Stage
from workflows.context import new_id


async def lay_out(tx: Transaction, cycle: Cycle, rules: Rules, stage: Stage, now: datetime, calendar: Calendar) -> None:
    """Add the items of a stage to an onboarding that enters it.

    Entered again, it keeps what was done, and what was not is due by days counted anew.
    """
    await checklists.lay_out(tx, items_of(cycle, rules, stage, now, calendar))


def items_of(cycle: Cycle, rules: Rules, stage: Stage, now: datetime, calendar: Calendar) -> list[Item]:
    """Return the items of a stage as they are for whoever enters it now.

    Each is assigned to whoever of the team has the owner's role, or to the lead, and is due so many business days
    after this local day. For the work from notice to off-boarding the stage is OFFBOARDED.
    """
    today = local_day(now, calendar.zone)
    return [
        Item(
            id=new_id(),
            client_id=cycle.client_id,
            cycle_id=cycle.id,
            stage=stage,
            key=item.key,
            title=item.title,
            owner=item.owner,
            required=item.required,
            proves=item.proves,
            own=False,
            assignee_id=assignee_of(item.owner, cycle),
            due_on=due_of(item, today, calendar),
            added_at=now,
            done_at=None,
            done_by_kind=None,
            done_by=None,
            note=None,
            link=None,
            removed_at=None,
            version=1,
        )
        for item in planned(rules, stage)
    ]
