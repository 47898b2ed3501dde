"""Reports of tickets as a test compares them: what they say beyond the least that every report says."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from domain.tickets import HandOver, ReportedTicket, Resolution

LEAST = ("external_id", "logged_at")


def said(ticket: ReportedTicket) -> dict[str, Any]:
    """Return the fields of a report that aren't left at their defaults."""
    return {
        field.name: value
        for field in fields(ticket)
        for value in [getattr(ticket, field.name)]
        if value is not None and (field.name in LEAST or value != field.default)
    }


def at(text: str) -> datetime:
    """Return a moment of UTC by its ISO text without the offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def had(text: str, team: str | None = None, agent: str | None = None, tier: int | None = None) -> tuple[HandOver, ...]:
    """Return the one hand-over of a snapshot."""
    return (HandOver(at(text), team, tier, agent=agent),)


def resolved(text: str) -> tuple[Resolution, ...]:
    """Return the one resolution of a snapshot."""
    return (Resolution(at(text)),)
