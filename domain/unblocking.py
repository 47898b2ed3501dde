"""Unblocking: who of the provider's people can open a gate that holds a move back, by meeting it or by waiving it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.absences import Cover
from domain.access import ROLE_GRANTS, Reach, Role, Scope
from domain.checklists import Item
from domain.clients import Party
from domain.definitions import Hardness
from domain.moves import Gate
from domain.onboarding import Cycle
from domain.stages import Stage

GRANTING = tuple(role for role in Role if ROLE_GRANTS[role].get(Scope.WAIVE_HARD) is Reach.ALL)
"""Roles whose people may waive any gate of any onboarding."""

_CHECKLISTS = {Gate.CONTRACTING_CHECKLIST: Stage.CONTRACTING, Gate.DISCOVERY_CHECKLIST: Stage.ASSET_DISCOVERY}


class Way(StrEnum):
    """How somebody opens a gate."""

    MEET = "MEET"
    WAIVE = "WAIVE"


@dataclass(frozen=True, slots=True)
class Unblocker:
    """One person, and how they can open the gate."""

    way: Way
    member_id: UUID


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What of an onboarding tells who can open its gates.

    `managers` may waive any gate; `waiting_on` is whose turn it is with a contract that is not signed.
    """

    cycle: Cycle
    items: Sequence[Item]
    managers: Sequence[UUID]
    waiting_on: Party | None
    cover: Cover

    def unblocked_by(self, gate: Gate, hardness: Hardness) -> tuple[Unblocker, ...]:
        """Return who can open a gate: first those whose work meets it, then those who may waive it.

        Whoever is away is left out for who stands in. A hard gate is waived by a manager, and never by who asked.
        """
        meeting = list(_present(self._meeting(gate), self.cover)) or list(_present(self.managers, self.cover))
        lead = () if hardness is Hardness.HARD else (self.cycle.lead_id,)
        waiving = _present((*lead, *self.managers), self.cover)
        found = [*(Unblocker(Way.MEET, one) for one in meeting), *(Unblocker(Way.WAIVE, one) for one in waiving)]
        return tuple(dict.fromkeys(found))

    def waits_on(self, gate: Gate) -> Party | None:
        """Return whose turn it is, where a gate waits for a signature."""
        return self.waiting_on if gate is Gate.CONTRACT_SIGNED else None

    def _meeting(self, gate: Gate) -> Iterator[UUID]:
        if gate is Gate.LEAD_SET:
            yield from self.managers
            return
        undone = [item for item in self.items if not item.done]
        stage = _CHECKLISTS.get(gate)
        named = [
            item.assignee_id or self.cycle.lead_id
            for item in undone
            if (item.required and item.stage is stage) or item.proves is gate
        ]
        if named:
            yield from named
        elif gate is Gate.CONTRACT_SIGNED:
            yield self.cycle.account_manager_id or self.cycle.lead_id
        else:
            yield self.cycle.lead_id


def _present(members: Iterable[UUID], cover: Cover) -> Iterator[UUID]:
    """Yield who acts for members, each once."""
    acting = (cover.acting(member) for member in members)
    yield from dict.fromkeys(one for one in acting if one is not None)
