"""Gates, waivers and attestations as the API shows them."""

from datetime import date, datetime
from typing import Any

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api.context import Info
from api.fields import id_field, member_id_field, optional_id_field, resolved, window
from api.user_errors import Blocker
from domain import effects, gates, readiness, waivers
from domain.access import Scope
from domain.definitions import Hardness
from domain.effects import EffectKind, EffectState
from domain.gates import Answer, waivable_by
from domain.ids import IdKind
from domain.moves import Gate, Move
from domain.stages import Stage
from domain.waivers import WaiverState


@window(gates.Verdict, description="One gate of one move, as judged now.")
class GateVerdict:
    gate: Gate = strawberry.field(description="The gate.")
    hardness: Hardness = strawberry.field(description="How it holds the move.")
    answer: Answer = strawberry.field(description="What it says.")
    reason: str = strawberry.field(description="On what evidence, in a sentence.")
    open: bool = strawberry.field(description="Whether the move may pass here, by evidence, attestation or waiver.")
    attestation_id: strawberry.ID | None = optional_id_field(
        IdKind.ATTESTATION, "attestation", description="The attestation that meets it."
    )
    waiver_id: strawberry.ID | None = optional_id_field(
        IdKind.WAIVER, "waiver", description="The waiver that opens it once."
    )

    @resolved(description="Who may waive it.")
    def waivable_by(root: Any) -> list[str]:  # noqa: N805 -- the root is a domain value, not this class
        return list(waivable_by(root.hardness))


@window(effects.PlannedEffect, description="Something that a move would set off.")
class PlannedEffect:
    kind: EffectKind = strawberry.field(description="What sort of thing.")
    name: str = strawberry.field(description="Which: `DAY_30`, `TARGET`, `HOLD_REVIEW`, or the survey's name.")
    due_at: datetime = strawberry.field(description="When it would be due, if the move were made now.")
    state: EffectState = strawberry.field(description="`PLANNED`, or `SKIPPED` with its reason.")
    reason: str | None = strawberry.field(description="Why it would be skipped.")

    @resolved(
        description="Whom it would reach: a contact for a client's survey, else a member; `null` for nobody.",
        scope=Scope.MEMBERS_READ,
    )
    def recipient_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        return strawberry.ID(root.recipient) if root.recipient else None


@window(readiness.Readiness, description="One possible next move: its gates, and exactly what it would trigger.")
class MoveReadiness:
    move: Move = strawberry.field(description="The move.")
    to_stage: Stage = strawberry.field(description="Where it leads.")
    ready: bool = strawberry.field(description="Whether every gate lets it pass.")
    gates: list[GateVerdict] = strawberry.field(description="Every gate, in the order of the definition.")
    would_trigger: list[PlannedEffect] = strawberry.field(description="What it would set off: what, to whom, when.")
    blockers: list[Blocker] = strawberry.field(description="The gates that hold it back.")


@window(waivers.Waiver, description="Permission to pass one gate of one move once, within one stay in a stage.")
class Waiver:
    id: strawberry.ID = id_field(IdKind.WAIVER, description="The waiver's id.")
    onboarding_id: strawberry.ID = id_field(IdKind.ONBOARDING, "cycle_id", description="The onboarding.")
    move: Move = strawberry.field(description="The move.")
    gate: Gate = strawberry.field(description="The gate.")
    hardness: Hardness = strawberry.field(description="How the gate held when the waiver was asked for.")
    reason: str = strawberry.field(description="Why, in the words of whoever asked.")
    requested_by_id: strawberry.ID | None = member_id_field("requested_by", description="Who asked for it.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    granted_by_id: strawberry.ID | None = member_id_field("granted_by", description="Who granted it.")
    granted_at: datetime | None = strawberry.field(description="When it was granted.")
    four_eyes: bool = strawberry.field(description="Whether a second person granted it.")
    expires_at: datetime = strawberry.field(description="When it ends unused.")
    withdrawn_at: datetime | None = strawberry.field(description="When it was taken back.")
    withdrawn_by_id: strawberry.ID | None = member_id_field("withdrawn_by", description="Who took it back.")
    used_by_id: strawberry.ID | None = optional_id_field(
        IdKind.TRANSITION, "used_by", description="The move that passed by it."
    )

    @resolved(description="Where it stands now.")
    def state(root: Any, info: Info) -> WaiverState:  # noqa: N805
        state: WaiverState = root.state(info.context.context.clock())
        return state


@window(waivers.Attestation, description="A person's dated word for a gate that nothing measures yet.")
class Attestation:
    id: strawberry.ID = id_field(IdKind.ATTESTATION, description="The attestation's id.")
    gate: Gate = strawberry.field(description="The gate.")
    statement: str = strawberry.field(description="What is attested.")
    attested_on: date = strawberry.field(description="The local day on which it was so.")
    attested_by_id: strawberry.ID | None = member_id_field("attested_by", description="Who gave their word.")
    recorded_at: datetime = strawberry.field(description="When it was written down.")
