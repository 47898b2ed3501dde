"""Limits: what one document, one caller and one connection may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """What one GraphQL document may hold; every refusal names the limit and what was measured."""

    characters: int = 65_536
    tokens: int = 4_000
    operations: int = 10
    depth: int = 16
    fields: int = 1_000
    aliases: int = 50
    directives: int = 50
    introspection_depth: int = 25
    introspection_fields: int = 1_000
    cost_points: int = 5_000
    list_size: int = 10
    """Items that a list without a size of its own is taken to have when its cost is counted."""


@dataclass(frozen=True, slots=True)
class CallerLimits:
    """What one credential may use up in one process."""

    points: int = 60_000
    points_per_second: int = 2_000
    sockets: int = 20
    operations_per_socket: int = 100
    streams: int = 20
