"""Limits of definitions: what each value may be, in one table that reading, editing and the published schema share."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.definitions import TRIGGERS, Audience, Survey
from domain.moves import MOVES, Gate, Move
from domain.stages import ORDER, Stage

DAYS_MOST = 366
"""The longest that any term of a definition lasts, in days."""

TIMERS_MOST = 20
DELAY_DAYS_MOST = 730
NOTE_LIMIT = 2_000
"""Characters of the note that says why a version was made."""

TARGET_STAGES = (Stage.CONTRACTING, Stage.ASSET_DISCOVERY)
"""Stages whose length a definition sets; early support ends on its day 90, steady state has no end."""

STALE_STAGES = (Stage.CONTRACTING, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT)
"""Stages in which an onboarding can grow stale."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a definition: the attribute of `Rules` that it is, its limits, and what it says."""

    attribute: str
    least: int
    most: int
    said: str
    whole: bool = True

    @property
    def name(self) -> str:
        """What the number is called outside, such as `atRiskShare`."""
        head, *tail = self.attribute.split("_")
        return head + "".join(word.capitalize() for word in tail)


FIGURES = (
    Figure("early_support_days", 1, DAYS_MOST, "Days after which early support may end: day 90 of the contract."),
    Figure("minimum_early_days", 0, DAYS_MOST, "Days that a client is at least in early support before it graduates."),
    Figure("hold_review_days", 1, DAYS_MOST, "Days into a hold after which a timer asks whether it still holds."),
    Figure("at_risk_share", 0, 1, "Share of the way to a target from which an onboarding is at risk.", whole=False),
    Figure("pending_hours", 1, 24 * DAYS_MOST, "Hours for which a device may be pending before it holds going live."),
    Figure("discovery_age_days", 1, DAYS_MOST, "Days for which a discovery run counts as fresh."),
    Figure("managed_share", 0, 1, "Share of the discovered devices that are managed before going live.", whole=False),
    Figure("escalation_days", 1, DAYS_MOST, "Days over which the escalation rate is judged before graduating."),
    Figure("escalation_minimum_tickets", 1, 10_000, "Tickets below which no escalation rate is judged."),
    Figure("waiver_days", 1, DAYS_MOST, "Days after which a waiver that was not used expires."),
)

AUDIENCES: Mapping[Survey, Audience] = MappingProxyType({trigger.survey: trigger.audience for trigger in TRIGGERS})
"""Whom each survey is written for; it asks nobody else."""

_ENTERING = (Move.BEGIN_DISCOVERY, Move.GO_LIVE, Move.GRADUATE)

SURVEY_MOVES: Mapping[Survey, tuple[Move, ...]] = MappingProxyType(
    {survey: (Move.LOSE, Move.OFF_BOARD) if survey is Survey.EXIT else _ENTERING for survey in Survey}
)
"""The moves that can plan each survey: those that enter a stage, and for the exit survey those that end."""

ITEMS_MOST = 100
"""Items that the checklist of one stage has at most."""

ITEM_KEY_LIMIT = 60
ITEM_TITLE_LIMIT = 200

LISTED_STAGES = (*ORDER, Stage.OFFBOARDED)
"""Stages that have a checklist; that of OFFBOARDED is worked through from notice to off-boarding."""

_PROVED_BY_A_PERSON = frozenset(
    {
        Gate.THRESHOLD_SET,
        Gate.BACKUP_VERIFIED,
        Gate.CREDENTIALS_HANDED_OVER,
        Gate.DOCUMENTATION_SIGNED_OFF,
        Gate.DAY_90_SURVEY,
        Gate.DATA_HANDED_BACK,
    }
)


def _gates_left_by(stage: Stage) -> tuple[Gate, ...]:
    if stage is Stage.OFFBOARDED:
        return MOVES[Move.OFF_BOARD].gates
    return tuple(gate for move in _ENTERING if stage in MOVES[move].sources for gate in MOVES[move].gates)


PROVABLE: Mapping[Stage, tuple[Gate, ...]] = MappingProxyType(
    {stage: tuple(gate for gate in _gates_left_by(stage) if gate in _PROVED_BY_A_PERSON) for stage in LISTED_STAGES}
)
"""The gates that an item of a stage's checklist can prove: those on the way out that no record of ours measures."""
