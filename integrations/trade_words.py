"""Words that ticket systems and the people who set them up use alike: kinds, priorities, waiting, support lines."""

from __future__ import annotations

import re

from domain.tickets import Priority, TicketKind, TicketSource, WaitingOn

KINDS = (
    (TicketKind.CHANGE, re.compile(r"\b(change|rfc)\b")),
    (TicketKind.PROBLEM, re.compile(r"\bproblems?\b")),
    (TicketKind.INCIDENT, re.compile(r"\b(incidents?|bug|fault|outage|restoration)\b")),
    (TicketKind.REQUEST, re.compile(r"\b(requests?|question|feature|improvement|task|refund|enquiry|inquiry)\b")),
)
"""In this order: a "change request" is a change, a "service request" a request."""

PRIORITIES = {
    "urgent": Priority.P1,
    "critical": Priority.P1,
    "emergency": Priority.P1,
    "highest": Priority.P1,
    "blocker": Priority.P1,
    "high": Priority.P2,
    "medium": Priority.P3,
    "normal": Priority.P3,
    "moderate": Priority.P3,
    "low": Priority.P4,
    "lowest": Priority.P4,
    "minor": Priority.P4,
    "trivial": Priority.P4,
    "planning": Priority.P4,
}

NUMBERED = (Priority.P1, Priority.P2, Priority.P3, Priority.P4, Priority.P4)
"""Priorities 1 to 5: the fifth, where there is one, is for what can be planned."""

_NUMBER = re.compile(r"^(?:p|prio|priority)?\s*([1-5])\b")
_WORD = re.compile(r"[a-z]+")

_WAITS = re.compile(r"\b(wait(ing)?|awaiting|pending|on[ -]?hold|hold|suspended|snoozed)\b")
_NO_WAIT = re.compile(r"\b(support|agent|us|technician|clos\w*|approval granted)\b")
_CUSTOMER = re.compile(r"\b(customer|client|caller|user|end[ -]?user|requester|requestor|contact)\b")
_VENDOR = re.compile(r"\b(vendor|supplier|third[ -]party|3rd[ -]party|partner|manufacturer)\b")

_MONITORING = re.compile(
    r"\b(monitoring|alerts?|rmm|systems management|impact manager event|event management|nagios|zabbix|prtg"
    r"|datadog|pagerduty|opsgenie|cloudwatch|prometheus|alertmanager|grafana|pingdom|uptimerobot|solarwinds"
    r"|n-?able|ninja(one|rmm)|auvik|logicmonitor|dynatrace|new ?relic|icinga|checkmk)\b"
)

_LINE = re.compile(
    r"\b(?:tier|level|line)[ _-]?([1-9])\b|\bl([1-4])\b|\b([1-4])(?:st|nd|rd|th)?[ _-](?:level|line|tier)\b"
)


def kind_named(text: str | None) -> TicketKind:
    """Return the kind that a ticket type's name states, UNKNOWN where it states none."""
    lowered = (text or "").lower()
    return next((kind for kind, pattern in KINDS if pattern.search(lowered)), TicketKind.UNKNOWN)


def priority_named(text: str | None) -> Priority:
    """Return the priority that a name states by its number, or else by its first known word."""
    lowered = (text or "").strip().lower()
    if numbered := _NUMBER.match(lowered):
        return NUMBERED[int(numbered[1]) - 1]
    return next((PRIORITIES[word] for word in _WORD.findall(lowered) if word in PRIORITIES), Priority.UNKNOWN)


def waiting_named(text: str | None) -> WaitingOn | None:
    """Return on whom a state waits by its name; None where the provider is to act."""
    lowered = (text or "").lower()
    if not _WAITS.search(lowered):
        return None
    if _CUSTOMER.search(lowered):
        return WaitingOn.CUSTOMER
    if _VENDOR.search(lowered):
        return WaitingOn.VENDOR
    return None if _NO_WAIT.search(lowered) else WaitingOn.OTHER


def source_named(*texts: str | None) -> TicketSource:
    """Return ALERT where a channel, label or tag names a monitoring system, and PERSON otherwise."""
    told = any(text is not None and _MONITORING.search(text.lower().replace("_", " ")) for text in texts)
    return TicketSource.ALERT if told else TicketSource.PERSON


def line_named(text: str | None) -> int | None:
    """Return the support line that a team's name states ("L2", "Tier 2", "2nd line"), None where it states none."""
    found = _LINE.search((text or "").lower())
    return int(next(group for group in found.groups() if group)) if found else None


def domain_of(email: str | None) -> str | None:
    """Return the domain of an e-mail address: it names the company, and no person."""
    _, at, domain = (email or "").rpartition("@")
    domain = domain.strip().lower().rstrip(">.")
    return domain if at and "." in domain and " " not in domain else None
