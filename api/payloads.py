"""What every mutation's payload and input share."""

import strawberry

from domain.errors import Outcome
from domain.ids import IdKind, public

KEY = "Send the same command again with the same key, and it is done once; programs must give one."
EVENT = "The event that will tell of it in the feed; `null` when nothing changed."
ERRORS = "Why nothing changed; empty when it did."


def event_id(outcome: Outcome) -> strawberry.ID | None:
    """Return the id under which the feed will show what a command did."""
    return strawberry.ID(public(IdKind.EVENT, outcome.event)) if outcome.event else None
