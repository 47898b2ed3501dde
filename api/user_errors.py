"""User errors: refusals as data, seen through one interface and the subtypes that carry facts."""

import strawberry

from api.fields import window
from api.unblocking import Unblocking
from domain import errors
from domain.errors import ErrorCode


@strawberry.interface(description="One thing that is wrong with a mutation's input: nothing was changed because of it.")
class UserError:
    code: ErrorCode = strawberry.field(description="Why, in a word that programs may rely on.")
    message: str = strawberry.field(description="Why, in a sentence for people: what is wrong and what to do.")
    path: list[str] = strawberry.field(description="Where in the mutation's input, from the outside in.")


@window(errors.UserError, description="A refusal that carries no more than its code, message and path.")
class PlainError(UserError):
    pass


@window(errors.StaleVersion, description="Somebody else changed the object first.")
class StaleVersion(UserError):
    current: int = strawberry.field(description="The object's version now.")


@window(errors.Blocker, description="One gate that holds a move back.")
class Blocker(Unblocking):
    gate: str = strawberry.field(description="The gate's key, such as `CONTRACT_SIGNED`.")
    hardness: str = strawberry.field(description="`HARD` or `SOFT`.")
    answer: str = strawberry.field(description="What the gate saw, such as `CLOSED` or `NOT_MEASURED`.")
    reason: str = strawberry.field(description="Why it is not open, in a sentence.")
    waivable_by: list[str] = strawberry.field(description="The roles that may waive it; empty if nobody may.")


@window(errors.TransitionBlocked, description="The move is possible from here, but gates stand in the way.")
class TransitionBlocked(UserError):
    blockers: list[Blocker] = strawberry.field(description="The gates, each with what it saw.")


USER_ERRORS = (PlainError, StaleVersion, TransitionBlocked)
"""The subtypes, which the schema lists since no field names them."""
