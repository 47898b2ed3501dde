"""Rules of waivers: who may grant or withdraw one, until when, and whose word confirms another's."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from domain.access import Principal, Scope
from domain.errors import ErrorCode, UserError
from domain.onboarding import Cycle
from domain.tenants import TenantSettings
from domain.waivers import Waiver, WaiverState


def second_person(principal: Principal, waiver: Waiver) -> bool:
    """Whether the caller is somebody else than who asked, by a credential that the one who asked did not make."""
    return waiver.requested_by not in (principal.id, principal.issued_by)


def ungrantable(
    principal: Principal, waiver: Waiver, cycle: Cycle, settings: TenantSettings, now: datetime
) -> UserError | None:
    """Return why the caller cannot grant a waiver, or `None`."""
    if waiver.state(now) is not WaiverState.REQUESTED:
        return _settled(waiver, now)
    if cycle.ended:
        message = f"This onboarding ended as {cycle.stage}, so this waiver opens nothing any more; withdraw it."
        return UserError(ErrorCode.CONFLICT, message)
    if waiver.visit_id != cycle.visit_id:
        message = "The onboarding has left the stay for which this waiver was asked; withdraw it and ask anew."
        return UserError(ErrorCode.CONFLICT, message)
    if settings.hard_waiver_persons == 1 or second_person(principal, waiver):
        return None
    if waiver.requested_by == principal.id:
        message = "You asked for this waiver yourself; a second person has to grant it."
    else:
        message = "Your token was made by whoever asked for this waiver; rotate it, then grant it with the new one."
    return UserError(ErrorCode.SECOND_PERSON_REQUIRED, message)


def unwithdrawable(principal: Principal, waiver: Waiver, now: datetime) -> UserError | None:
    """Return why the caller cannot withdraw a waiver, or `None`."""
    if waiver.requested_by != principal.id and not principal.has(Scope.WAIVE_HARD):
        return UserError(ErrorCode.NOT_ALLOWED, "You may withdraw only waivers that you asked for.")
    if waiver.state(now) not in (WaiverState.REQUESTED, WaiverState.GRANTED):
        return _settled(waiver, now)
    return None


def unconfirming(principal: Principal, attesters: Collection[UUID]) -> UserError | None:
    """Return why the caller's word adds nothing to those given for a hard gate, or `None`."""
    if principal.id in attesters:
        message = "You have given your word for this gate already; being hard, it takes a second person's."
    elif principal.issued_by in attesters:
        message = "Your token was made by whoever attested this gate; rotate it, then attest with the new one."
    else:
        return None
    return UserError(ErrorCode.SECOND_PERSON_REQUIRED, message)


def _settled(waiver: Waiver, now: datetime) -> UserError:
    return UserError(ErrorCode.CONFLICT, f"This waiver is {waiver.state(now)}; ask for a new one.")
