"""Sources tell of a ticket out of order, twice and against the clock: figures stay those of what happened."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import text

from db import explain, facts
from domain.access import Role
from domain.clients import ContractStatus, ContractType
from domain.kpis import Dimension, Kpi, Where
from domain.periods import Grain, Period, Weekday
from domain.privacy import ErasureReason
from domain.questions import Part, Question
from domain.tickets import HandOver, Priority, Resolution, TicketKind
from tests.support.providers import Provider, done, sent
from tests.support.ticket_lives import known_as
from tests.support.tickets import NOON, YEAR, ask, fold, report, ticket
from workflows.calendars import SetCalendar, set_contract
from workflows.contracts import CreateContract
from workflows.contracts import create as create_contract
from workflows.members import DeactivateMember, InviteMember, deactivate, invite
from workflows.privacy import EraseMember, member_erase
from workflows.tickets import attribute
from workflows.working_weeks import Terms


def _after(days: float) -> datetime:
    return NOON + timedelta(days=days)


async def test_who_waited_for_another_writer_changes_nothing_before_that_one_wrote(provider: Provider) -> None:
    await report(provider, ticket(priority=Priority.P1))
    began = provider.clock()
    provider.clock.forward(minutes=10)
    await report(provider, ticket(priority=Priority.P2))
    second = provider.clock()
    # It looked at the clock, and waited while the other one wrote.
    provider.clock.now = began + timedelta(minutes=5)
    await report(provider, ticket(priority=Priority.P3))
    provider.clock.now = second

    def of(minutes: int) -> Question:
        then = began + timedelta(minutes=minutes)
        return Question(Kpi.TICKETS_LOGGED, YEAR, Grain.YEAR, by=(Dimension.PRIORITY,), as_of=then)

    provider.clock.forward(minutes=60)
    assert await _by_member(provider, of(7)) == {"P1": 1}
    assert await _by_member(provider, of(30)) == {"P3": 1}


async def test_a_backlog_is_never_less_than_nothing_whatever_a_source_says(provider: Provider) -> None:
    odd = [
        (Resolution(_after(-2)),),
        (Resolution(_after(-3), _after(-2)), Resolution(_after(4))),
        (Resolution(_after(3)), Resolution(_after(5))),
        (Resolution(_after(3), _after(8)), Resolution(_after(5))),
        (Resolution(_after(6), _after(4)),),
        (Resolution(_after(7), _after(9)), Resolution(_after(2), _after(3))),
    ]
    provider.clock.forward(days=30)
    for number, endings in enumerate(odd):
        await report(provider, ticket(number, kind=TicketKind.INCIDENT, resolutions=endings))
    for kpi in (Kpi.BACKLOG, Kpi.OPEN_INCIDENTS):
        question = Question(kpi, Period(date(2026, 2, 20), date(2026, 3, 20)), Grain.DAY)
        found = (await ask(provider, question)).series[0].series.points
        async with provider.context.database.reading(provider.admin) as tx:
            for point in found:
                rows = await explain.count(tx, question, Part.NUMERATOR, provider.clock(), point.bucket.start)
                assert point.value.value == rows, (kpi, point.bucket)


async def test_tickets_of_no_known_client_are_found_alone_folded_or_not_now_and_then(provider: Provider) -> None:
    answered = [ticket(number, first_responded_at=_after(2)) for number in range(3)]
    await report(provider, *answered[:2])
    known = await provider.client()
    await report(provider, answered[2], client=known)
    then = provider.clock()
    provider.clock.forward(minutes=1)
    for kpi in (Kpi.TICKETS_LOGGED, Kpi.FIRST_RESPONSE_TIME):
        for _ in ("not folded", "folded"):
            for as_of in (None, then):
                for clients, expected in (((facts.UNMAPPED,), 2), ((facts.UNMAPPED, known), 3), ((known,), 1)):
                    question = Question(kpi, YEAR, Grain.YEAR, where=Where(clients=clients), as_of=as_of)
                    assert (await ask(provider, question)).series[0].series.total.sample_size == expected
            await fold(provider)


async def test_whose_name_was_taken_back_stays_the_same_when_a_ticket_is_written_again(provider: Provider) -> None:
    people = ("Ann Ashworth", "Bob Barnaby")
    told = [
        ticket(
            number,
            client="C",
            category=f"Asked by {name}",
            hand_overs=(HandOver(NOON, "Desk", 1, agent=name),),
            changed_at=NOON,
        )
        for number, name in enumerate(people)
    ]
    await report(provider, *told)
    by = (Dimension.TECHNICIAN, Dimension.CATEGORY)
    before = [await _by_member(provider, Question(Kpi.TICKETS_LOGGED, YEAR, Grain.YEAR, by=(one,))) for one in by]
    for name in people:
        await _erase(provider, name)

    await known_as(provider, "C")
    await attribute(provider.context)
    for day in (1, 2):
        again = [replace(one, snapshot=True, changed_at=_after(day), priority=Priority(f"P{day}")) for one in told]
        await report(provider, *again)

    after = [await _by_member(provider, Question(Kpi.TICKETS_LOGGED, YEAR, Grain.YEAR, by=(one,))) for one in by]
    assert after == before
    assert [len(members) for members in after] == [2, 2]
    assert await _hand_overs(provider) == 2


async def test_hours_that_are_only_being_agreed_do_not_count_while_a_contract_is_in_force(provider: Provider) -> None:
    client = await provider.client()
    drafted = CreateContract(client, "Around the clock", ContractType.MANAGED)
    contract = done(await create_contract(provider.context, provider.admin, sent(), drafted))
    around_the_clock = SetCalendar(contract, Terms(hours=dict.fromkeys(Weekday, ((0, 24 * 60),))))
    done(await set_contract(provider.context, provider.admin, sent(), around_the_clock))
    took_two_days = ticket(1, kind=TicketKind.INCIDENT, resolutions=(Resolution(_after(2)),))

    await report(provider, took_two_days, client=client)
    in_force = replace(drafted, title="Office hours", status=ContractStatus.SIGNED)
    done(await create_contract(provider.context, provider.admin, sent(), in_force))
    await report(provider, replace(took_two_days, external_id="T-2"), client=client)

    answer = await ask(provider, Question(Kpi.MTTR, YEAR, Grain.YEAR, where=Where(clients=(client,))))
    # From Sunday to Tuesday, 13:00: two days by the clock, and twelve hours from nine to five.
    assert answer.series[0].series.total.numerator == 48 + 12


async def _erase(provider: Provider, name: str) -> None:
    invited = InviteMember(name, f"{name.split(maxsplit=1)[0].lower()}@provider.example", (Role.AGENT,))
    member = done(await invite(provider.context, provider.admin, sent(), invited))
    done(await deactivate(provider.context, provider.admin, sent(), DeactivateMember(member)))
    erasure = EraseMember(member, ErasureReason.REQUESTED)
    done(await member_erase(provider.context, provider.admin, sent(), erasure))


async def _hand_overs(provider: Provider) -> int:
    async with provider.context.database.reading(provider.admin) as tx:
        return int(await tx.value(text("select count(*) from hand_over where tenant_id = :tenant"), tenant=tx.tenant))


async def _by_member(provider: Provider, question: Question) -> dict[str, float]:
    answer = await ask(provider, question)
    return {one.members[0]: amount for one in answer.series if (amount := one.series.total.numerator)}
