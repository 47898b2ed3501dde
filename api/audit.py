"""The audit trail and the timeline of an onboarding."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api.context import Info
from api.fields import id_field, optional_id_field, resolved, window
from api.note_fields import Note, note
from domain import onboarding, timeline
from domain.access import PrincipalKind, Scope
from domain.cycle_changes import ChangedField
from domain.ids import IdKind, public
from domain.moves import Move
from domain.onboarding import EndReason
from domain.stages import Stage
from domain.timeline import TimelineKind


@window(onboarding.Transition, description="One attempted move as the audit trail keeps it; nobody can change it.")
class Transition:
    id: strawberry.ID = id_field(IdKind.TRANSITION, description="The attempt's id.")
    version: int = strawberry.field(
        description="The onboarding's version after the move, or its version when the attempt was refused."
    )
    move: Move = strawberry.field(description="What was attempted.")
    from_stage: Stage | None = strawberry.field(description="From where; `null` when it was opened.")
    to_stage: Stage = strawberry.field(description="To where.")
    accepted: bool = strawberry.field(description="Whether it was made.")
    refusal: str | None = strawberry.field(description="The code of the refusal.")
    recorded_at: datetime = strawberry.field(description="When it was written down.")
    effective_at: datetime = strawberry.field(description="From when it counts.")
    channel: str = strawberry.field(description="By what way it came in: `API`, `CLI`, `DEMO` or `SYSTEM`.")
    definition_number: int = strawberry.field(description="The definition under which it was judged.")
    reason: str | None = strawberry.field(description="Why, in the words of whoever did it.")
    outcome: EndReason | None = strawberry.field(description="Why the onboarding ended.")
    request_id: str = strawberry.field(description="The request that did it.")
    event_id: strawberry.ID | None = optional_id_field(
        IdKind.EVENT, "event_id", description="The event that tells of it in the feed."
    )
    corrects: strawberry.ID | None = optional_id_field(
        IdKind.TRANSITION, "corrects", description="The move whose time it corrects to its own `effectiveAt`."
    )

    @resolved(description="What kind of caller did it.")
    def actor_kind(root: Any) -> PrincipalKind:  # noqa: N805 -- the root is a domain value, not this class
        return PrincipalKind(root.actor_kind)

    @resolved(
        description="The member or token that did it; `null` where the product itself did.", scope=Scope.MEMBERS_READ
    )
    def actor_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        return _actor_id(root)

    @resolved(description="Each gate's answer and evidence at that moment.")
    def gates(root: Any) -> JSON:  # noqa: N805
        return JSON(list(root.gates))

    @resolved(description="The waivers by which it passed.")
    def waiver_ids(root: Any) -> list[strawberry.ID]:  # noqa: N805
        return [strawberry.ID(public(IdKind.WAIVER, waiver)) for waiver in root.waiver_ids]

    @resolved(description="The effects that it set off.")
    def effect_ids(root: Any) -> list[strawberry.ID]:  # noqa: N805
        return [strawberry.ID(public(IdKind.EFFECT, effect)) for effect in root.effect_ids]


@window(timeline.TimelineEntry, description="One thing that happened to an onboarding, or to a client.")
class TimelineEntry:
    at: datetime = strawberry.field(description="When.")
    kind: TimelineKind = strawberry.field(description="What sort of thing.")
    key: str = strawberry.field(
        description="What it was about: a move, a gate, a stage, a timer, a survey, a field of the team, an item's "
        "key, or what was written: `NOTE`, `CONTACT`, `CONTRACT`, `HAND_OFF`."
    )
    detail: str | None = strawberry.field(
        description="Where to, or why; the day of a plan, or the fields of what was edited."
    )
    onboarding_id: strawberry.ID | None = optional_id_field(
        IdKind.ONBOARDING, "cycle_id", description="The onboarding it happened to, where it is of one."
    )

    @resolved(description="What was written, done or opened: a note, contact, contract, item or follow-up.")
    def subject_id(root: Any) -> strawberry.ID | None:  # noqa: N805 -- the root is a domain value, not this class
        kind = _SUBJECTS_BY_KIND.get(root.kind) or _SUBJECTS.get(root.key)
        return None if kind is None or root.subject_id is None else strawberry.ID(public(kind, root.subject_id))

    @resolved(description="The note as it is now, where one was written, edited or deleted.", scope=Scope.AUDIT_READ)
    async def note(root: Any, info: Info) -> Note | None:  # noqa: N805 -- the root is a domain value, not this class
        is_note = root.key == "NOTE" and root.subject_id is not None
        return await info.context.loader(note).load(root.subject_id) if is_note else None  # type: ignore[return-value]

    @resolved(
        description="The member or token that did it; `null` where time or the product itself did.",
        scope=Scope.MEMBERS_READ,
    )
    def actor_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        return _actor_id(root)

    @resolved(
        description="Whom a field of the team named before, or which contract; empty for anything else.",
        scope=Scope.MEMBERS_READ,
    )
    def before_ids(root: Any) -> list[strawberry.ID] | None:  # noqa: N805
        return _named(root.key, root.before)

    @resolved(
        description="Whom a field of the team names since, or which contract; empty for anything else.",
        scope=Scope.MEMBERS_READ,
    )
    def after_ids(root: Any) -> list[strawberry.ID] | None:  # noqa: N805
        return _named(root.key, root.after)


_SUBJECTS = {
    "NOTE": IdKind.NOTE,
    "CONTACT": IdKind.CONTACT,
    "CONTRACT": IdKind.CONTRACT,
    "AMENDMENT": IdKind.AMENDMENT,
    "CLIENT": IdKind.CLIENT,
}
"""What an edit was of, by the entry's key."""

_SUBJECTS_BY_KIND = {
    **{kind: IdKind.CHECKLIST_ITEM for kind in TimelineKind if kind.value.startswith("CHECKLIST_")},
    TimelineKind.FOLLOW_UP_OPENED: IdKind.FOLLOW_UP,
    TimelineKind.FOLLOW_UP_CLOSED: IdKind.FOLLOW_UP,
}
"""What an entry is of, where its kind alone says so."""


def _actor_id(did: onboarding.Transition | timeline.TimelineEntry) -> strawberry.ID | None:
    if did.actor_id is None or did.actor_kind in (None, PrincipalKind.SYSTEM):
        return None
    kind = IdKind.MEMBER if did.actor_kind == PrincipalKind.PERSON else IdKind.TOKEN
    return strawberry.ID(public(kind, did.actor_id))


def _named(field: str, ids: tuple[UUID, ...]) -> list[strawberry.ID]:
    kind = IdKind.CONTRACT if field == ChangedField.CONTRACT else IdKind.MEMBER
    return [strawberry.ID(public(kind, one)) for one in ids]
