"""A course is what a source said of a ticket's way beside its hand-overs, as plain values for storage."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.tickets import (
    EscalationKind,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaResult,
    SlaTarget,
    Wait,
    WaitingOn,
)


def to_data(report: ReportedTicket) -> dict[str, Any] | None:
    """Return what the columns of a ticket don't hold, or None of a ticket that simply was resolved, or not yet."""
    data: dict[str, Any] = {}
    if len(report.resolutions) > 1 or (report.resolutions and report.resolutions[0].reopened_at is not None):
        data["resolutions"] = [[_said(one.at), _said(one.reopened_at)] for one in report.resolutions]
    if report.waits:
        data["waits"] = [[_said(wait.start), _said(wait.end), wait.on.value] for wait in report.waits]
    if report.escalations:
        data["escalations"] = [
            [_said(one.at), one.kind.value, one.from_team, one.to_team, one.reason] for one in report.escalations
        ]
    if report.times_reopened:
        data["reopened"] = report.times_reopened
    if report.first_contact is not None:
        data["first_contact"] = report.first_contact
    for name, target in (("response", report.response_sla), ("resolution", report.resolution_sla)):
        if target is not None and target.result is not None:
            data[name] = target.result.value
    return data or None


def with_course(
    report: ReportedTicket,
    data: Mapping[str, Any] | None,
    resolved_at: datetime | None,
    response_due_at: datetime | None,
    resolution_due_at: datetime | None,
) -> ReportedTicket:
    """Return a report with what `to_data` and the columns beside it tell of its way."""
    course = data or {}
    if "resolutions" in course:
        resolutions = tuple(Resolution(_needed(at), _read(back)) for at, back in course["resolutions"])
    else:
        resolutions = () if resolved_at is None else (Resolution(resolved_at),)
    return replace(
        report,
        resolutions=resolutions,
        waits=tuple(Wait(_needed(start), _read(end), WaitingOn(on)) for start, end, on in course.get("waits", ())),
        escalations=tuple(
            ReportedEscalation(_needed(at), EscalationKind(kind), from_team, to_team, reason)
            for at, kind, from_team, to_team, reason in course.get("escalations", ())
        ),
        times_reopened=course.get("reopened", 0),
        first_contact=course.get("first_contact"),
        response_sla=_target(response_due_at, course.get("response")),
        resolution_sla=_target(resolution_due_at, course.get("resolution")),
    )


def _target(due_at: datetime | None, result: str | None) -> SlaTarget | None:
    if due_at is None and result is None:
        return None
    return SlaTarget(due_at, SlaResult(result) if result else None)


def _said(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _needed(text: str) -> datetime:
    return datetime.fromisoformat(text)
