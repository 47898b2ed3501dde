"""Freshservice: tickets of its API and of its app events.

Conventions by api.freshservice.com (Tickets): statuses 2 open, 3 pending, 4 resolved, 5 closed; priorities 1 low to
4 urgent; sources 7 AWS CloudWatch, 8 PagerDuty and 14 alerts are no people; a provider's clients are departments
(`department_id`); `is_escalated` and `fr_escalated` say that an agreement was overdue.
"""

from __future__ import annotations

from domain.tickets import ReportedTicket
from integrations.freshworks import Dialect, read

SYSTEM = "FRESHSERVICE"

DIALECT = Dialect(clients=("department_id",), alerts=frozenset({"7", "8", "14"}))


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the tickets of an API answer or an app event.

    Raises:
        Unreadable: a value isn't what Freshservice documents; in a masked copy that is the first moment.
        Ignored: there is none.
    """
    return read(body, DIALECT)
