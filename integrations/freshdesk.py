"""Freshdesk: tickets of its API (v2, and v1 as older programs keep them), app events, and webhooks of its rules.

Conventions by developers.freshdesk.com/api (Tickets): statuses 2 open, 3 pending, 4 resolved, 5 closed and, in every
new account, 6 waiting on customer, 7 waiting on third party; priorities 1 low to 4 urgent; `fr_escalated` and
`is_escalated` say that the first response and the resolution were overdue. A rule's webhook sends what its author chose
under the names that Freshdesk proposes (`ticket_id`, `ticket_status`, ...), in words instead of numbers.
"""

from __future__ import annotations

from datetime import datetime

from domain.inbound import Delivery
from domain.tickets import ReportedTicket, Resolution
from integrations.courses import open_wait, standing
from integrations.freshworks import CLOSED, RESOLVED, Dialect, read
from integrations.payloads import Place
from integrations.readings import Unreadable
from integrations.trade_words import (
    domain_of,
    kind_named,
    line_named,
    priority_named,
    source_named,
    waiting_named,
)

SYSTEM = "FRESHDESK"

WEBHOOK = "freshdesk_webhook"

DIALECT = Dialect(clients=("company_id", "owner_id"))
"""The company was called the owner in version 1."""


CREATED = "ticket_action:created"
"""What a rule's webhook names as its cause when the ticket has just been created."""


def parse(body: object, delivery: Delivery | None = None) -> tuple[ReportedTicket, ...]:
    """Return the tickets of an API answer, an app event or a rule's webhook.

    A webhook that says that a ticket was created or changed, and not when, was delivered when it was.

    Raises:
        Unreadable: a value isn't what Freshdesk documents, or a webhook lacks the time the ticket was created.
        Ignored: there is none.
    """
    root = Place("$", body)
    if root.has(WEBHOOK):
        return (_from_webhook(root.at(WEBHOOK), delivery),)
    return read(body, DIALECT)


def _from_webhook(hook: Place, delivery: Delivery | None) -> ReportedTicket:
    number = hook.at("ticket_id").needed_key()
    logged_at = _created(hook, delivery)
    changed_at = hook.first("ticket_updated_on", "ticket_updated_at").instant() or (
        logged_at if delivery is None else max(logged_at, delivery.received_at)
    )
    status, team = hook.at("ticket_status").words(), hook.at("ticket_group_name").words()
    closed, done = status in CLOSED, status in (*RESOLVED, *CLOSED)
    return ReportedTicket(
        external_id=number,
        client=hook.first("ticket_company_id", "ticket_company_name").key()
        or domain_of(hook.first("requester_email", "ticket_requester_email").words()),
        logged_at=logged_at,
        kind=kind_named(hook.at("ticket_type").words()),
        source=source_named(hook.at("ticket_source").words()),
        priority=priority_named(hook.at("ticket_priority").words()),
        closed_at=changed_at if closed else None,
        changed_at=changed_at,
        hand_overs=standing(changed_at, team, None, tier=line_named(team)),
        title=hook.at("ticket_subject").words(),
        resolutions=(Resolution(changed_at),) if done else (),
        waits=open_wait(changed_at, waiting_named(status)),
        snapshot=True,
    )


def _created(hook: Place, delivery: Delivery | None) -> datetime:
    told = hook.first("ticket_created_on", "ticket_created_at")
    if told.said:
        return told.needed_instant()
    if delivery is not None and CREATED in (hook.at("triggered_event").words() or ""):
        return delivery.received_at
    raise Unreadable(
        told.path,
        told.value,
        'the webhook doesn\'t say when the ticket was created; add "ticket_created_at" to its content.',
    )
