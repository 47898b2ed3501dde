"""Follow-ups: opened by hand or with what they follow, handed on, and closed by whoever promised."""

from datetime import timedelta
from uuid import uuid4

import pytest

from db import cycles, follow_ups, timeline
from domain.access import Principal, Role
from domain.errors import Outcome
from domain.follow_ups import FollowUp, FollowUpKind
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.follow_ups import (
    CloseCommand,
    OpenFollowUp,
    Promise,
    UpdateFollowUp,
    close_follow_up,
    open_about,
    open_follow_up,
    update_follow_up,
)
from workflows.teams import TeamCommand, change_team


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def stored(onboarding: Onboarding) -> list[FollowUp]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return await follow_ups.listed(tx, {}, Everything())


async def promised(onboarding: Onboarding, *, by: Principal | None = None, **details: object) -> Outcome:
    provider, lead = onboarding.provider, onboarding.lead
    given = {"title": "Replace the switch", "owner": lead.id, "due_on": provider.clock().date() + timedelta(days=7)}
    command = OpenFollowUp(onboarding.cycle, **(given | details))  # type: ignore[arg-type]
    return await open_follow_up(provider.context, by or lead, sent(), command)


async def test_a_follow_up_is_opened_handed_on_and_closed_by_its_owner(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    manager = await provider.invited(Role.ACCOUNT_MANAGER)
    key = done(await promised(onboarding, kind=FollowUpKind.SAVE_CLIENT))
    outcome = await change_team(
        provider.context,
        onboarding.lead,
        sent(),
        TeamCommand(onboarding.cycle, onboarding.version, account_manager=manager.id),
    )
    done(outcome)
    closing = CloseCommand(key, 1, "Called them; they stay.")
    assert codes(await close_follow_up(provider.context, manager, sent(), closing)) == ["NOT_ALLOWED"]
    day = provider.clock().date() + timedelta(days=9)
    change = UpdateFollowUp(key, 1, owner=manager.id, due_on=day, title="Ask what is wrong")
    done(await update_follow_up(provider.context, onboarding.lead, sent(), change))
    assert codes(await close_follow_up(provider.context, manager, sent(), closing)) == ["STALE_VERSION"]
    done(await close_follow_up(provider.context, manager, sent(), CloseCommand(key, 2, "They stay.")))
    (found,) = await stored(onboarding)
    assert (found.kind, found.owner_id, found.due_on) == (FollowUpKind.SAVE_CLIENT, manager.id, day)
    assert (found.title, found.opened_by, found.closed_by) == ("Ask what is wrong", onboarding.lead.id, manager.id)
    assert codes(await close_follow_up(provider.context, manager, sent(), CloseCommand(key, 3))) == ["CONFLICT"]


async def test_what_cannot_be_promised_is_refused_by_field(onboarding: Onboarding) -> None:
    yesterday = onboarding.provider.clock().date() - timedelta(days=1)
    outcome = await promised(onboarding, title="", owner=uuid4(), due_on=yesterday)
    assert [error.path[0] for error in outcome.errors] == ["title", "ownerId", "dueOn"]
    assert [e.path for e in (await promised(onboarding, kind=FollowUpKind.WAIVER)).errors] == [("kind",)]
    stranger = await onboarding.provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await promised(onboarding, by=stranger)) == ["NOT_ALLOWED"]


async def test_what_is_opened_in_anothers_transaction_shows_in_the_timeline(onboarding: Onboarding) -> None:
    provider, notice = onboarding.provider, uuid4()
    now = provider.clock()
    async with provider.context.database.writing(provider.admin) as tx:
        cycle = await cycles.lock(tx, onboarding.cycle)
        assert cycle is not None
        promise = Promise(FollowUpKind.SAVE_CLIENT, notice, onboarding.lead.id, now.date(), provider.admin.id)
        opened_one = await open_about(tx, cycle, promise, now)
    async with provider.context.database.writing(provider.admin) as tx:
        await follow_ups.close_about(
            tx, FollowUpKind.SAVE_CLIENT, notice, by=provider.admin.id, now=now, note="Withdrawn."
        )
    async with provider.context.database.reading(provider.admin) as tx:
        found = (await timeline.timelines(tx, [onboarding.cycle], Everything()))[onboarding.cycle]
    told = [(e.kind, e.key, e.detail, e.subject_id, e.actor_id) for e in found if e.kind.startswith("FOLLOW_UP")]
    assert told == [
        ("FOLLOW_UP_CLOSED", "SAVE_CLIENT", "Withdrawn.", opened_one.id, provider.admin.id),
        ("FOLLOW_UP_OPENED", "SAVE_CLIENT", str(now.date()), opened_one.id, provider.admin.id),
    ]
