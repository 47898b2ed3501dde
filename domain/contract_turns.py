"""A contract's turns: what status it stood in and whose turn it was, from when on, and what that adds up to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from domain.clients import Contract, ContractStatus, Party
from domain.errors import UserError, invalid

OVER = (ContractStatus.SIGNED, ContractStatus.ENDED)
"""Statuses in which it is nobody's turn any more."""


@dataclass(frozen=True, slots=True)
class Turn:
    """From when on a contract stood so, until the next turn; `at` is when it came about, not when it was noted."""

    status: ContractStatus
    waiting_on: Party | None
    at: datetime

    @property
    def whose(self) -> Party | None:
        """Whose turn it is: what nobody but the provider has seen is the provider's, unless it says otherwise."""
        if self.waiting_on is None and self.status is ContractStatus.DRAFT:
            return Party.PROVIDER
        return self.waiting_on


@dataclass(frozen=True, slots=True)
class Contracting:
    """The way of a contract from its beginning to its signature, or to where it is.

    `ours` are the stretches during which it was the provider's turn, `None` where that isn't known throughout.
    """

    began_at: datetime
    until: datetime
    signed: bool
    broken_off: bool
    ours: tuple[tuple[datetime, datetime], ...] | None


def first_turns(contract: Contract) -> tuple[Turn, ...]:
    """Return what a contract that is new here says of its past by its own dates; of past turns it says nothing."""
    turns = []
    if contract.sent_at is not None:
        open_still = contract.status not in OVER
        turns.append(Turn(ContractStatus.SENT, contract.waiting_on if open_still else None, contract.sent_at))
    match contract.status:
        case ContractStatus.DRAFT:
            turns.append(Turn(ContractStatus.DRAFT, contract.waiting_on, contract.created_at))
        case ContractStatus.NEGOTIATING:
            turns.append(Turn(contract.status, contract.waiting_on, contract.sent_at or contract.created_at))
        case ContractStatus.SIGNED | ContractStatus.ENDED if contract.signed_at is not None:
            turns.append(Turn(ContractStatus.SIGNED, None, contract.signed_at))
    if contract.status is ContractStatus.ENDED:
        turns.append(Turn(contract.status, None, contract.ended_at or contract.created_at))
    return tuple(turns)


def contracting(turns: Sequence[Turn], now: datetime) -> Contracting | None:
    """Return the way that a contract's turns tell of, or `None` where its beginning isn't known.

    Turns come in the order in which they were noted. One that is said to have begun after a later one took no
    time: a draft noted today of a contract sent last week began no later than last week.
    """
    over = next((place for place, turn in enumerate(turns) if turn.status in OVER), len(turns))
    instants = _in_order([turn.at for turn in turns[: over + 1]])
    ended = over < len(turns)
    until = instants[-1] if ended else max(now, instants[-1])
    if ended:
        instants = instants[:-1]
    if not instants or (ended and instants[0] == until):
        return None
    stretches = [*zip(turns, pairwise([*instants, until]), strict=False)]
    known = all(turn.whose is not None or start == end for turn, (start, end) in stretches)
    return Contracting(
        began_at=instants[0],
        until=until,
        signed=ended and turns[over].status is ContractStatus.SIGNED,
        broken_off=ended and turns[over].status is ContractStatus.ENDED,
        ours=tuple(span for turn, span in stretches if turn.whose is Party.PROVIDER) if known else None,
    )


def turn_faults(told: datetime | None, latest: Turn | None) -> Iterator[UserError]:
    """Tell what stands against the instant that somebody gives for a contract's next turn."""
    if told is not None and latest is not None and told < latest.at:
        yield invalid(
            f"{told.isoformat()} lies before {latest.at.isoformat()}, since when this contract has been "
            f"{latest.status}; give an instant that is not earlier.",
            "statusAt",
        )


def _in_order(instants: Sequence[datetime]) -> list[datetime]:
    """Let no instant lie behind a later one's."""
    ordered: list[datetime] = []
    for instant in reversed(instants):
        ordered.append(min(instant, ordered[-1]) if ordered else instant)
    return ordered[::-1]
