"""What an import comes to: its rows counted by what became of them, and what they bring in sum."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from domain.consequences import Consequence, ConsequenceKind
from domain.effects import EffectKind
from domain.moving_in import ArrivalStatus, Arrived
from domain.stages import Stage

_ARRIVED = (ArrivalStatus.CREATED, ArrivalStatus.JOINED)


def counts(arrived: Iterable[Arrived]) -> dict[ArrivalStatus, int]:
    """Return how many rows became what."""
    found = Counter(one.status for one in arrived)
    return {status: found[status] for status in ArrivalStatus}


def sums(arrived: Sequence[Arrived]) -> Iterator[Consequence]:
    """Give what an import changes, each kind of thing counted; what is skipped is counted apart, with why."""
    come = [one for one in arrived if one.status in _ARRIVED]
    yield from _some(ConsequenceKind.CLIENT, {"": sum(one.status is ArrivalStatus.CREATED for one in come)})
    yield from _some(ConsequenceKind.CONTRACT, {"": sum(one.contract is not None for one in come)})
    yield from _some(ConsequenceKind.CONTACT, {"": sum(one.contacts for one in come)})
    stages = Counter(one.stage for one in come if one.stage is not None)
    yield from _some(ConsequenceKind.ONBOARDING, {stage.value: stages[stage] for stage in Stage})
    stays = Counter(stay.stage for one in come for stay in one.stays)
    yield from _some(ConsequenceKind.STAY, {stage.value: stays[stage] for stage in Stage})
    yield from _some(ConsequenceKind.WINDOW, {"": stays[Stage.EARLY_SUPPORT]})
    yield from _some(ConsequenceKind.HOLD, {"": sum(one.held_since is not None for one in come)})
    for kind, effect_kind in ((ConsequenceKind.TIMER, EffectKind.TIMER), (ConsequenceKind.SURVEY, EffectKind.SURVEY)):
        effects = Counter(
            (effect.name, effect.state.value, effect.reason or "")
            for one in come
            for effect in one.effects
            if effect.kind is effect_kind
        )
        for (name, state, reason), count in sorted(effects.items()):
            yield Consequence(kind, name=name, after=f"{state} {reason}".strip(), count=count)
    yield from _some(ConsequenceKind.CHECKLIST_ITEM, {"": sum(one.items for one in come)})
    yield from _some(ConsequenceKind.TICKET, {"": sum(one.tickets for one in come)})


def _some(kind: ConsequenceKind, found: dict[str, int]) -> Iterator[Consequence]:
    for name, count in found.items():
        if count:
            yield Consequence(kind, name=name or None, count=count)
