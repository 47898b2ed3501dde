"""Follow-ups: opened by hand or by what they follow, handed on, and closed with a note."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from db import activity, cycles, follow_ups, members, tenants
from db.session import Transaction
from domain.access import Principal, Reach, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import day_faults
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found
from domain.events import OnboardingChanged
from domain.follow_ups import BY_HAND, FollowUp, FollowUpKind, title_faults
from domain.onboarding import Cycle
from domain.periods import local_day
from domain.texts import REASON_LIMIT
from domain.written_secrets import secret_faults
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id


@dataclass(frozen=True, slots=True)
class OpenFollowUp:
    """Note what somebody promises to put right by a day."""

    cycle: UUID
    title: str
    owner: UUID
    due_on: date
    kind: FollowUpKind = FollowUpKind.OTHER


@dataclass(frozen=True, slots=True)
class UpdateFollowUp:
    """Give a follow-up another title, owner or day."""

    follow_up: UUID
    expected_version: int
    title: Change[str] = UNCHANGED
    owner: Change[UUID] = UNCHANGED
    due_on: Change[date] = UNCHANGED


@dataclass(frozen=True, slots=True)
class CloseCommand:
    """Close a follow-up with a note."""

    follow_up: UUID
    expected_version: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What a follow-up is to be: `subject` is the waiver or notice that it comes from, or the onboarding itself."""

    kind: FollowUpKind
    subject: UUID
    owner: UUID
    due_on: date
    opened_by: UUID | None = None
    title: str | None = None


async def open_about(tx: Transaction, cycle: Cycle, promise: Promise, now: datetime) -> FollowUp:
    """Open a follow-up in the transaction of what it comes from; the caller holds the onboarding and tells of it."""
    opened = FollowUp(
        id=new_id(),
        client_id=cycle.client_id,
        cycle_id=cycle.id,
        kind=promise.kind,
        subject_id=promise.subject,
        owner_id=promise.owner,
        due_on=promise.due_on,
        opened_at=now,
        closed_at=None,
        closed_by=None,
        note=None,
        version=1,
        title=promise.title,
        opened_by=promise.opened_by,
    )
    await follow_ups.FOLLOW_UPS.add(tx, opened)
    return opened


async def open_follow_up(context: Context, principal: Principal, request: Request, command: OpenFollowUp) -> Outcome:
    """Note something to be put right for an onboarding by a day.

    Raises:
        ForbiddenError: the caller may not work on checklists and follow-ups.
    """
    principal.require(Scope.CHECKLIST_WRITE)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        now = context.clock()
        cycle = found(await cycles.lock(tx, command.cycle), "onboarding", "onboardingId")
        fit(_of_another(principal, cycle), cycle.id)
        title = command.title.strip()
        fit(_kind_faults(command.kind), cycle.id)
        faults = [*title_faults(title), *await _owner_faults(tx, command.owner)]
        fit([*faults, *await _due_faults(tx, command.due_on, now)], cycle.id)
        promise = Promise(command.kind, cycle.id, command.owner, command.due_on, principal.member_id, title)
        opened = await open_about(tx, cycle, promise, now)
        return await _told(tx, principal, request, cycle, opened, "FOLLOW_UP_OPENED", now)

    return await perform(context, principal, request, "followUpOpen", command, act)


async def update_follow_up(
    context: Context, principal: Principal, request: Request, command: UpdateFollowUp
) -> Outcome:
    """Give an open follow-up another title, owner or day; its owner may, and so may whoever may move the onboarding.

    Raises:
        ForbiddenError: the caller may not work on checklists and follow-ups.
    """
    principal.require(Scope.CHECKLIST_WRITE)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        now = context.clock()
        known, cycle = await _held(tx, principal, command.follow_up)
        fresh(known, command.expected_version)
        fit(_closed(known), known.id)
        wanted = {
            "title": command.title if command.title is UNCHANGED else command.title.strip(),
            "owner_id": command.owner,
            "due_on": command.due_on,
        }
        changes = differences(known, wanted)
        if not changes:
            return Outcome(known.id, known.version)
        faults = [*title_faults(changes["title"])] if "title" in changes else []
        faults += await _owner_faults(tx, changes["owner_id"]) if "owner_id" in changes else []
        faults += await _due_faults(tx, changes["due_on"], now) if "due_on" in changes else []
        fit(faults, known.id)
        changed = replace(known, **changes, version=known.version + 1)
        await follow_ups.FOLLOW_UPS.save(tx, changed.id, changed)
        return await _told(tx, principal, request, cycle, changed, "FOLLOW_UP_CHANGED", now)

    return await perform(context, principal, request, "followUpUpdate", command, act)


async def close_follow_up(context: Context, principal: Principal, request: Request, command: CloseCommand) -> Outcome:
    """Close a follow-up; its owner may, and so may whoever may move the onboarding.

    Raises:
        ForbiddenError: the caller may not work on checklists and follow-ups.
    """
    principal.require(Scope.CHECKLIST_WRITE)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        now = context.clock()
        known, cycle = await _held(tx, principal, command.follow_up)
        fresh(known, command.expected_version)
        fit(_closed(known), known.id)
        fit(_note_faults(command.note), known.id)
        closed = replace(known, closed_at=now, closed_by=principal.id, note=command.note, version=known.version + 1)
        await follow_ups.FOLLOW_UPS.save(tx, closed.id, closed)
        return await _told(tx, principal, request, cycle, closed, "FOLLOW_UP_CLOSED", now)

    return await perform(context, principal, request, "followUpClose", command, act)


async def _held(tx: Transaction, principal: Principal, follow_up: UUID) -> tuple[FollowUp, Cycle]:
    """Return a follow-up that the caller may change, with its onboarding's row locked before its own."""
    seen = found(await follow_ups.FOLLOW_UPS.get(tx, follow_up), "follow-up", "followUpId")
    cycle = found(await cycles.lock(tx, seen.cycle_id), "follow-up", "followUpId")
    known = found(await follow_ups.FOLLOW_UPS.lock(tx, follow_up), "follow-up", "followUpId")
    everywhere = principal.scopes.get(Scope.CHECKLIST_WRITE) is Reach.ALL
    moves = principal.reaches(Scope.ONBOARDING_MOVE, cycle.team)
    if principal.id != known.owner_id and not (everywhere or moves):
        message = "Only its owner and whoever may move the onboarding change a follow-up or close it."
        fit([UserError(ErrorCode.NOT_ALLOWED, message)], known.id)
    return known, cycle


async def _told(
    tx: Transaction,
    principal: Principal,
    request: Request,
    cycle: Cycle,
    follow_up: FollowUp,
    change: str,
    now: datetime,
) -> Outcome:
    event = await publish(
        tx,
        principal,
        request,
        OnboardingChanged(change=change),
        subject=cycle.id,
        version=cycle.version,
        client=cycle.client_id,
        now=now,
    )
    await activity.touch(tx, now, cycle=cycle.id)
    return Outcome(follow_up.id, follow_up.version, event)


def _of_another(principal: Principal, cycle: Cycle) -> list[UserError]:
    if principal.reaches(Scope.CHECKLIST_WRITE, cycle.team):
        return []
    return [UserError(ErrorCode.NOT_ALLOWED, "You may open follow-ups only for onboardings on whose team you are.")]


def _closed(follow_up: FollowUp) -> list[UserError]:
    return [] if follow_up.closed_at is None else [UserError(ErrorCode.CONFLICT, "This follow-up is closed already.")]


def _kind_faults(kind: FollowUpKind) -> Iterator[UserError]:
    if kind not in BY_HAND:
        yield invalid(f"A follow-up of kind {kind} comes with its waiver; open one of {', '.join(BY_HAND)}.", "kind")


def _note_faults(note: str | None) -> Iterator[UserError]:
    if note is None:
        return
    if len(note) > REASON_LIMIT:
        yield invalid(f"A note has at most {REASON_LIMIT} characters; this one has {len(note)}.", "note")
    yield from secret_faults(note, "note")


async def _owner_faults(tx: Transaction, owner: UUID) -> list[UserError]:
    return [] if await members.active_among(tx, [owner]) else [not_found("active member", "ownerId")]


async def _due_faults(tx: Transaction, due_on: date, now: datetime) -> list[UserError]:
    if faults := list(day_faults(due_on, "dueOn")):
        return faults
    today = local_day(now, (await tenants.get(tx)).settings.zone)
    if due_on < today:
        return [invalid(f"{due_on} has passed (today is {today}); give a day to come.", "dueOn")]
    return []
