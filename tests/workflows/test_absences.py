import json
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from domain.absences import AbsenceReason
from domain.access import Principal, Role, Scope
from domain.ids import IdKind, public
from domain.moves import Gate, Move
from domain.onboarding import HoldReason
from tests.support.onboarding import opened
from tests.support.providers import Provider, codes, done, sent
from workflows import absences, members
from workflows.absences import AddAbsence, EndAbsence, RemoveAbsence
from workflows.effects import fire_due
from workflows.members import UpdateMember
from workflows.waivers import WaiverCommand, request_waiver

FIRED = "select body from pending where tenant_id = $1 and type = 'onboarding.timer_fired'"


async def away(provider: Provider, member: Principal, days: int = 3, *, by: Principal | None = None) -> UUID:
    today = provider.clock().date()
    command = AddAbsence(member.id, today, today + timedelta(days=days), AbsenceReason.SICK)
    return done(await absences.add(provider.context, by or member, sent(), command))


async def lead_and_deputy(provider: Provider) -> tuple[Principal, Principal]:
    lead, deputy = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.ONBOARDING_LEAD)
    await deputise(provider, lead, deputy)
    return lead, deputy


async def deputise(provider: Provider, member: Principal, deputy: Principal) -> None:
    command = UpdateMember(member.id, deputy_id=deputy.id)
    done(await members.update(provider.context, provider.admin, sent(), command))


async def again(provider: Provider, member: Principal) -> Principal:
    """Sign somebody in anew, so that what they may do is read anew."""
    return await provider.signed_in(await provider.token_of(member.id))


async def test_a_person_tells_of_their_own_absence_and_an_admin_of_anybodys(provider: Provider) -> None:
    lead, other = await lead_and_deputy(provider)
    await away(provider, lead)
    await away(provider, other, by=provider.admin)
    command = AddAbsence(other.id, date(2027, 3, 1), None, AbsenceReason.HOLIDAY)
    assert codes(await absences.add(provider.context, lead, sent(), command)) == ["NOT_ALLOWED"]


async def test_an_overlapping_absence_is_refused_by_name_and_one_that_ends_sooner_makes_room(
    provider: Provider,
) -> None:
    lead, _ = await lead_and_deputy(provider)
    first = await away(provider, lead)
    today = provider.clock().date()
    command = AddAbsence(lead.id, today + timedelta(days=2), None, AbsenceReason.HOLIDAY)
    refused = await absences.add(provider.context, lead, sent(), command)
    assert codes(refused) == ["CONFLICT"]
    assert f"from {today} to {today + timedelta(days=3)}" in refused.errors[0].message

    sooner = EndAbsence(first, today + timedelta(days=1))
    done(await absences.end(provider.context, lead, sent(), sooner))
    done(await absences.add(provider.context, lead, sent(), command))


async def test_an_absence_of_somebody_else_is_as_one_that_nobody_has(provider: Provider) -> None:
    lead, other = await lead_and_deputy(provider)
    absence = await away(provider, lead)
    ending = EndAbsence(absence, date(2027, 1, 1))
    assert codes(await absences.end(provider.context, other, sent(), ending)) == ["NOT_FOUND"]
    assert codes(await absences.remove(provider.context, other, sent(), RemoveAbsence(absence))) == ["NOT_FOUND"]
    done(await absences.remove(provider.context, provider.admin, sent(), RemoveAbsence(absence)))
    assert codes(await absences.remove(provider.context, lead, sent(), RemoveAbsence(absence))) == ["NOT_FOUND"]


async def test_the_deputy_of_an_absent_lead_may_do_what_the_lead_may_and_the_trail_says_for_whom(
    provider: Provider,
) -> None:
    lead, deputy = await lead_and_deputy(provider)
    onboarding = await opened(provider, lead=lead)
    assert codes(await onboarding.move(Move.HOLD, by=deputy, hold_reason=HoldReason.CLIENT)) == ["NOT_ALLOWED"]

    absence = await away(provider, lead)
    standing_in = await again(provider, deputy)
    assert standing_in.absent == {lead.id}
    done(await onboarding.move(Move.HOLD, by=standing_in, hold_reason=HoldReason.CLIENT))
    done(await onboarding.move(Move.RESUME, by=standing_in))
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx._connection.fetch(
            "select actor_id, on_behalf_of, move from transition where cycle_id = $1 order by recorded_at",
            onboarding.cycle,
        )
    by = {row["move"]: (row["actor_id"], row["on_behalf_of"]) for row in rows}
    assert by["RESUME"] == (deputy.id, lead.id)
    assert by["OPEN"] == (lead.id, None)

    done(await absences.remove(provider.context, lead, sent(), RemoveAbsence(absence)))
    back = await again(provider, deputy)
    assert codes(await onboarding.move(Move.HOLD, by=back, hold_reason=HoldReason.CLIENT)) == ["NOT_ALLOWED"]


async def test_a_deputy_acts_with_the_rights_of_their_own_role(provider: Provider) -> None:
    lead, viewer = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.VIEWER)
    await deputise(provider, lead, viewer)
    await away(provider, lead)
    assert not (await again(provider, viewer)).has(Scope.ONBOARDING_MOVE)


async def test_an_agent_who_stands_in_sees_the_clients_of_whom_they_stand_in_for(provider: Provider) -> None:
    lead, agent = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.AGENT)
    await deputise(provider, lead, agent)
    onboarding = await opened(provider, lead=lead)
    assert (await again(provider, agent)).clients == frozenset()
    await away(provider, lead)
    assert (await again(provider, agent)).clients == frozenset({onboarding.client})


async def test_a_deputy_may_waive_for_the_lead(provider: Provider) -> None:
    lead, deputy = await lead_and_deputy(provider)
    onboarding = await opened(provider, lead=lead)
    await away(provider, lead)
    command = WaiverCommand(onboarding.cycle, Move.BEGIN_DISCOVERY, Gate.THRESHOLD_SET, "agreed")
    done(await request_waiver(provider.context, await again(provider, deputy), sent(), command))


async def test_deputies_never_come_round(provider: Provider) -> None:
    lead, deputy = await lead_and_deputy(provider)
    back = UpdateMember(deputy.id, deputy_id=lead.id)
    assert codes(await members.update(provider.context, provider.admin, sent(), back)) == ["CONFLICT"]


async def test_a_timer_that_fires_names_who_acts_on_that_day(provider: Provider, worker_database: str) -> None:
    lead, deputy = await lead_and_deputy(provider)
    await opened(provider, lead=lead)
    provider.clock.forward(days=20)
    await away(provider, lead, 30)
    await fire_due(provider.context)
    connection = await asyncpg.connect(worker_database)
    try:
        bodies = [json.loads(row["body"]) for row in await connection.fetch(FIRED, provider.tenant_id)]
    finally:
        await connection.close()
    assert {body["data"]["acting"] for body in bodies} == {public(IdKind.MEMBER, deputy.id)}
