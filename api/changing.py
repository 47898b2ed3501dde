"""Changing: what payloads share, and how an input tells what is left out from what is set to nothing."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from api.payloads import ERRORS, EVENT
from api.user_errors import UserError
from domain.changes import UNCHANGED, Change
from domain.ids import IdKind, parse

T = TypeVar("T")

EXPECTED = "The `version` on which you decided; another one gets `STALE_VERSION`. Left out, the last one to write wins."


@strawberry.type
class Payload:
    """What every payload has beside the object that was changed."""

    event_id: strawberry.ID | None = strawberry.field(description=EVENT)
    errors: list[UserError] = strawberry.field(description=ERRORS)


def change(given: "strawberry.Some[Any] | None") -> Any:
    """Return the value of an input field, or `UNCHANGED` where it was left out."""
    return UNCHANGED if given is None else given.value


def change_as(given: "strawberry.Some[Any] | None", convert: Callable[[Any], T]) -> Change[T]:
    """Return the converted value of an input field, or that it was left out."""
    return UNCHANGED if given is None else convert(given.value)


def id_of(kind: IdKind, given: str | None) -> UUID | None:
    """Return the UUID behind an optional id.

    Raises:
        MalformedIdError: it is no id of this kind.
    """
    return None if given is None else parse(kind, given)


def ids_of(kind: IdKind, given: Sequence[str] | None) -> tuple[UUID, ...]:
    """Return the UUIDs behind a list of ids."""
    return tuple(parse(kind, one) for one in given or ())
