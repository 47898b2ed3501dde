"""Lives of tickets drawn at random, and the figures of them held against a plain recount of their last words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from db import answers, terms
from db.session import Transaction
from domain.clients import ExternalKey
from domain.ids import HEX_DIGITS
from domain.kpis import Dimension, Kpi, Where
from domain.periods import Grain, Period
from domain.questions import Answer, Question
from domain.tickets import (
    EscalationKind,
    Exclusion,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
    WaitingOn,
)
from tests.support.providers import Provider, done, sent
from tests.support.slow_tickets import SlowTickets
from tests.support.tickets import DESK
from workflows.clients import CreateClient
from workflows.clients import create as create_client

AROUND = tuple(
    datetime(*day, 12, tzinfo=UTC)
    for day in ((2025, 12, 31), (2026, 3, 8), (2026, 3, 29), (2026, 4, 5), (2026, 1, 31), (2026, 2, 28))
)
"""The ends of a year and of months, and days on which clocks change somewhere."""

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PERIOD = Period(date(2025, 12, 1), date(2026, 5, 1))
KEYS = ("A", "B", "X", None)
"""Two clients known by their keys, one that is mapped on the way, and none."""


@dataclass(frozen=True)
class Life:
    """All that was ever said of one ticket, oldest first."""

    versions: tuple[ReportedTicket, ...]


@st.composite
def lives(draw: st.DrawFn, number: int) -> Life:
    logged = draw(st.sampled_from(AROUND)) + timedelta(minutes=draw(st.integers(-2_000, 2_000)))
    said = [draw(_saying(f"T-{number}", logged)) for _ in range(draw(st.integers(1, 3)))]
    return Life(tuple(replace(one, changed_at=NOW + timedelta(minutes=n)) for n, one in enumerate(said)))


@st.composite
def _saying(draw: st.DrawFn, key: str, logged: datetime) -> ReportedTicket:
    later = draw(st.lists(st.integers(1, 6_000), min_size=9, max_size=9, unique=True).map(sorted))
    at = [logged + timedelta(minutes=minutes) for minutes in later]
    resolved = draw(st.sampled_from([(), ((4, None),), ((2, 5),), ((2, 5), (7, None)), ((2, 3), (4, 5), (8, None))]))
    handed = draw(st.lists(st.tuples(st.sampled_from([1, 2, 3, None]), st.sampled_from("PQ")), max_size=3))
    named = draw(st.sampled_from([(), (), (EscalationKind.FUNCTIONAL,), (EscalationKind.VENDOR,)]))
    waits = draw(st.sampled_from([(), (), (Wait(at[0], at[1], WaitingOn.CUSTOMER),), (Wait(at[1], None),)]))
    return ReportedTicket(
        key,
        draw(st.sampled_from(KEYS)),
        logged,
        kind=draw(st.sampled_from([TicketKind.INCIDENT, TicketKind.INCIDENT, TicketKind.REQUEST])),
        source=draw(st.sampled_from([TicketSource.PERSON, TicketSource.PERSON, TicketSource.ALERT])),
        priority=draw(st.sampled_from([Priority.P1, Priority.P3])),
        category=draw(st.sampled_from([None, "Mail", "Network"])),
        closed_at=draw(st.sampled_from([None, None, at[8] + timedelta(minutes=5)])),
        exclusion=draw(st.sampled_from([None, None, None, Exclusion.MERGED, Exclusion.DELETED, Exclusion.SPAM])),
        hand_overs=tuple(HandOver(at[n], team, tier) for n, (tier, team) in enumerate(handed)),
        first_responded_at=draw(st.sampled_from([None, at[0], at[3], logged - timedelta(minutes=3)])),
        resolutions=tuple(Resolution(at[n], None if again is None else at[again]) for n, again in resolved),
        times_reopened=draw(st.sampled_from([0, 0, 1])),
        waits=waits,
        first_contact=draw(st.sampled_from([None, None, True, False])),
        # A miss that is said stays, whichever word comes last: of that another test speaks.
        resolution_sla=draw(st.sampled_from([None, SlaTarget(at[3]), SlaTarget(at[6]), SlaTarget(at[8])])),
        escalations=tuple(ReportedEscalation(at[6], kind) for kind in named),
    )


BY: dict[Dimension | None, Callable[[ReportedTicket, str], str]] = {
    None: lambda _, __: "",
    Dimension.CLIENT: lambda _, client: client,
    Dimension.PRIORITY: lambda ticket, _: ticket.priority,
    Dimension.KIND: lambda ticket, _: ticket.kind,
    Dimension.CATEGORY: lambda ticket, _: ticket.category or "UNKNOWN",
    Dimension.TEAM: lambda ticket, _: (ticket.hand_overs[-1].team if ticket.hand_overs else None) or "UNKNOWN",
}

SUMMED = (
    *(Kpi.TICKETS_LOGGED, Kpi.ESCALATED_TICKETS, Kpi.ESCALATIONS, Kpi.ESCALATION_RATE, Kpi.BACKLOG, Kpi.REOPEN_RATE),
    *(Kpi.OPEN_INCIDENTS, Kpi.FIRST_CONTACT_RESOLUTION, Kpi.SLA_MET),
)
TIMED = (Kpi.FIRST_RESPONSE_TIME, Kpi.MTTR)
VENDORS = Where(escalation_kind=EscalationKind.VENDOR)


async def known_as(provider: Provider, key: str) -> UUID:
    """Return a new client that the desk knows by this key."""
    command = CreateClient(f"Client {key}", external=(ExternalKey(DESK, key),))
    return done(await create_client(provider.context, provider.admin, sent(), command))


async def assert_equal_to_a_recount(provider: Provider, slow: SlowTickets) -> None:
    """Hold every figure of tickets, whole and by each dimension, against what a recount finds."""
    for dimension in BY:
        await _assert_equal_sums(provider, slow, dimension)
    await _assert_equal_times(provider, slow)


async def _assert_equal_sums(provider: Provider, slow: SlowTickets, dimension: Dimension | None) -> None:
    by = () if dimension is None else (dimension,)
    kpis = [kpi for kpi in SUMMED if dimension is None or dimension in kpi.definition.dimensions]
    questions = [Question(kpi, PERIOD, Grain.YEAR, by=by) for kpi in kpis]
    questions.append(Question(Kpi.ESCALATION_RATE, PERIOD, Grain.YEAR, by=by, where=VENDORS))
    async with provider.context.database.reading(provider.admin) as tx:
        found = await answers.answer_all(tx, questions, provider.clock())
        names = await _names(tx, found)
    for question, answer in zip(questions, found, strict=True):
        key = "VENDOR_RATE" if question.where is VENDORS else question.kpi.name
        counted = {
            names.get(one.members[0] if one.members else "", one.members[0] if one.members else ""): (
                value.numerator,
                value.denominator,
            )
            for one in answer.series
            if (value := one.series.total).numerator or value.denominator
        }
        assert counted == slow.figure(key, PERIOD.start, PERIOD.end, BY[dimension]), (key, dimension)


async def _names(tx: Transaction, found: Sequence[Answer]) -> dict[str, str]:
    """Return what terms are called, by the members that stand for them."""
    members = {one.members[0] for answer in found for one in answer.series if one.members}
    ids = [UUID(member) for member in members if len(member) == HEX_DIGITS]
    return {key.hex: name for key, name in (await terms.names(tx, ids)).items()}


async def _assert_equal_times(provider: Provider, slow: SlowTickets) -> None:
    for kpi in TIMED:
        async with provider.context.database.reading(provider.admin) as tx:
            answer = await answers.answer(tx, Question(kpi, PERIOD, Grain.YEAR), provider.clock())
        value, counted = answer.series[0].series.total, slow.times(kpi.name, PERIOD.start, PERIOD.end)
        if counted is None:
            assert value.sample_size == 0
        else:
            assert value.sample_size == counted[2]
            assert value.mean is not None
            assert value.median is not None
            assert abs(value.mean - counted[0]) < 1e-9
            assert abs(value.median - counted[1]) < 1e-9
