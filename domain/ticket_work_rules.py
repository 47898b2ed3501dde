"""The rules for what people write of tickets: how long it may be, and which moments can be."""

from collections.abc import Iterator
from datetime import datetime

from domain.client_rules import past_faults
from domain.errors import UserError, invalid
from domain.texts import REASON_LIMIT, is_line

TITLE_LIMIT = 500
NAME_LIMIT = 200
"""Characters of a category, a team or an agent."""
TIER_MOST = 10

_LIMITS = {
    "title": TITLE_LIMIT,
    "category": NAME_LIMIT,
    "team": NAME_LIMIT,
    "agent": NAME_LIMIT,
    "to_team": NAME_LIMIT,
    "reason": REASON_LIMIT,
}
_PATHS = {"to_team": "toTeam", "to_tier": "toTier"}


def said_faults(work: object) -> Iterator[UserError]:
    """Tell what is wrong with the words and numbers of some work on a ticket."""
    for name, most in _LIMITS.items():
        text = getattr(work, name, None)
        if type(text) is str and not (1 <= len(text) <= most and is_line(text)):
            message = (
                f"{text[:40]!r} cannot be taken; give one line of 1 to {most} visible characters, or leave it out."
            )
            yield invalid(message, _PATHS.get(name, name))
    for name in ("tier", "to_tier"):
        tier = getattr(work, name, None)
        if isinstance(tier, int) and not 1 <= tier <= TIER_MOST:
            yield invalid(f"There is no support line {tier}: lines are 1 to {TIER_MOST}.", _PATHS.get(name, name))


def moment_faults(
    at: datetime, now: datetime, logged_at: datetime | None = None, path: str = "at"
) -> Iterator[UserError]:
    """Tell why something cannot have happened then."""
    yield from past_faults(at, now, path)
    if logged_at is not None and at < logged_at:
        yield invalid(f"{at.isoformat()} lies before {logged_at.isoformat()}, when it was logged.", path)
