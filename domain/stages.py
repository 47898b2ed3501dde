"""Stages: where a cycle can stand, in their fixed order."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a cycle stands; the names and the order are fixed, so that figures compare."""

    CONTRACTING = "CONTRACTING"
    ASSET_DISCOVERY = "ASSET_DISCOVERY"
    EARLY_SUPPORT = "EARLY_SUPPORT"
    STEADY_STATE = "STEADY_STATE"
    LOST = "LOST"
    OFFBOARDED = "OFFBOARDED"


ORDER = (Stage.CONTRACTING, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT, Stage.STEADY_STATE)
ENDS = frozenset({Stage.LOST, Stage.OFFBOARDED})
