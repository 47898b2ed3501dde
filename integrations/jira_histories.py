"""The course of a Jira issue as its whole change log tells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.tickets import EscalationKind, HandOver, ReportedEscalation, ReportedTicket
from integrations.courses import Course
from integrations.payloads import Place
from integrations.trade_words import line_named, waiting_named

ESCALATED = "escalated"
"""The name of a state that every service project may have, in small letters."""

ESCALATION = "The status became Escalated."


def agent_of(person: Place) -> str | None:
    """Return the key of an account: cloud sites have an id, servers a key, and old ones a login only."""
    return person.first("accountId", "key", "name").key()


def with_history(told: ReportedTicket, changelog: Place, done: tuple[str, ...]) -> ReportedTicket:
    """Return the ticket with who had it when, when it waited and when it was resolved, as the change log tells.

    What the issue was before its first change stands in that change. A change log names states and no categories: a
    state ends the issue when its name is one of `done`, or when the issue is done in it now.

    Raises:
        Unreadable: a change has no moment, or isn't of the form that Jira documents.
    """
    changes = _changes(changelog)
    states = _of(changes, "status")
    ends = {*done}
    if states and told.resolved_at is not None:
        ends.add(_text(states[-1], "toString"))
    course, escalated_at = Course(), []
    now = told.hand_overs[-1] if told.hand_overs else HandOver(told.logged_at, None)
    teams, agents = _of(changes, "Team"), _of(changes, "assignee")
    team = teams[0].at("fromString").words() if teams else now.team
    agent = agents[0].at("from").key() if agents else now.agent
    if states:
        course.waits(told.logged_at, waiting_named(_text(states[0], "fromString")))
    if team is not None or agent is not None:
        course.had(HandOver(told.logged_at, team, line_named(team), agent=agent))
    for at, item in changes:
        field = _field(item)
        if field == "Team":
            team = item.at("toString").words()
        elif field == "assignee":
            agent = item.at("to").key()
        elif field == "status":
            name = _text(item, "toString")
            course.waits(at, waiting_named(name))
            (course.resolved if name in ends else course.open)(at)
            if name == ESCALATED:
                escalated_at.append(at)
            continue
        if team is not None or agent is not None:
            course.had(HandOver(at, team, line_named(team), agent=agent))
    return replace(
        told,
        hand_overs=course.hand_overs,
        waits=course.stretches,
        resolutions=course.resolutions or told.resolutions,
        escalations=tuple(_escalation(at, course.hand_overs) for at in escalated_at),
        snapshot=False,
    )


def _changes(changelog: Place) -> list[tuple[datetime, Place]]:
    dated = [(history.at("created").needed_instant(), history) for history in changelog.at("histories").items()]
    dated.sort(key=lambda change: change[0])
    return [(at, item) for at, history in dated for item in history.at("items").items()]


def _of(changes: list[tuple[datetime, Place]], field: str) -> list[Place]:
    return [item for _, item in changes if _field(item) == field]


def _field(item: Place) -> str | None:
    return item.at("field").words()


def _text(item: Place, key: str) -> str:
    return (item.at(key).words() or "").lower()


def _escalation(at: datetime, hand_overs: tuple[HandOver, ...]) -> ReportedEscalation:
    """Return the escalation to the team that had the issue from then on: a hand-over at that moment is the same one."""
    teams = [had.team for had in hand_overs if had.at <= at]
    return ReportedEscalation(at, EscalationKind.FUNCTIONAL, to_team=teams[-1] if teams else None, reason=ESCALATION)
