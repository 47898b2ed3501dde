"""The desk: what somebody who leads onboardings has to do next, over all of them, the most urgent first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.checklists import Item
from domain.definitions import Rules
from domain.errors import Blocker
from domain.follow_ups import FollowUp, FollowUpKind
from domain.ids import IdKind, public
from domain.onboarding import Cycle, Hold, Notice
from domain.pace import Pace, PaceReading
from domain.periods import local_day, start_of_day
from domain.plans import next_planned
from domain.readiness import FORWARD, Readiness
from domain.stages import ORDER, Stage
from domain.waivers import Waiver, WaiverState

AHEAD_DAYS = 2
"""Calendar days before an item or a follow-up is due from which it is on the desk."""

_INSTANT = timedelta(microseconds=1)


class ActionKind(StrEnum):
    """What is to be done; of two that are as urgent the one that stands first here comes first."""

    WAIVER_TO_GRANT = "WAIVER_TO_GRANT"
    ADVANCE_READY = "ADVANCE_READY"
    TARGET_LATE = "TARGET_LATE"
    PLANNED_DATE_PASSED = "PLANNED_DATE_PASSED"
    NOTICE_TO_SAVE = "NOTICE_TO_SAVE"
    CHECKLIST_OVERDUE = "CHECKLIST_OVERDUE"
    FOLLOW_UP_DUE = "FOLLOW_UP_DUE"
    CHECKLIST_DUE = "CHECKLIST_DUE"
    HOLD_TO_REVIEW = "HOLD_TO_REVIEW"
    DAY_90_NEAR = "DAY_90_NEAR"
    TARGET_NEAR = "TARGET_NEAR"
    STALE = "STALE"
    GATE_BLOCKED = "GATE_BLOCKED"


class Urgency(StrEnum):
    """How urgent an action is, the most urgent first."""

    OVERDUE = "OVERDUE"
    TODAY = "TODAY"
    READY = "READY"
    AT_RISK = "AT_RISK"
    LATER = "LATER"


_READY = frozenset({ActionKind.ADVANCE_READY, ActionKind.WAIVER_TO_GRANT})
_AT_RISK = frozenset(
    {
        ActionKind.TARGET_NEAR,
        ActionKind.DAY_90_NEAR,
        ActionKind.STALE,
        ActionKind.NOTICE_TO_SAVE,
        ActionKind.HOLD_TO_REVIEW,
    }
)
_KINDS, _URGENCIES = list(ActionKind), list(Urgency)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do next for one onboarding.

    It is due at an instant (`due_at`), or by the end of a local day (`due_on`), or at no time of its own. `call` names
    the mutation that does it, and `subject` is the public id of what it is done to, where that is not the onboarding.
    """

    kind: ActionKind
    cycle: Cycle
    why: str
    call: str
    due_at: datetime | None = None
    due_on: date | None = None
    subject: str | None = None
    blockers: tuple[Blocker, ...] = ()
    urgency: Urgency = Urgency.LATER


@dataclass(frozen=True, slots=True)
class CycleFile:
    """All of one onboarding that tells what is to be done for it."""

    cycle: Cycle
    rules: Rules
    moves: Sequence[Readiness]
    pace: PaceReading | None
    holds: Sequence[Hold] = ()
    items: Sequence[Item] = ()
    follow_ups: Sequence[FollowUp] = ()
    waivers: Sequence[Waiver] = ()
    notice: Notice | None = None
    planned: Mapping[Stage, date] | None = None


@dataclass(frozen=True, slots=True)
class Sitting:
    """Who sits at the desk, when, and in which zone's days; `members` are they and those for whom they stand in."""

    member: UUID
    members: frozenset[UUID]
    grants: bool
    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.now, self.zone)


def ranked(files: Iterable[CycleFile], sitting: Sitting) -> list[Action]:
    """Return what is to be done for all onboardings, the most urgent first.

    What is overdue comes first, the longest overdue before others; then what is due today; then what only waits for a
    decision (a move whose gates are open, a waiver to grant); then what is at risk; then the rest. Within each the
    earlier due comes first, what is due at no time last, then by kind, then the onboarding that was opened first.
    """
    actions = (urgent(action, sitting) for file in files for action in actions_of(file, sitting))
    return sorted(actions, key=lambda action: _rank(action, sitting))


def urgent(action: Action, sitting: Sitting) -> Action:
    """Return an action with how urgent it is now."""
    return Action(
        action.kind,
        action.cycle,
        action.why,
        action.call,
        action.due_at,
        action.due_on,
        action.subject,
        action.blockers,
        _urgency(action, sitting),
    )


def actions_of(file: CycleFile, sitting: Sitting) -> Iterator[Action]:
    """Tell what is to be done for one onboarding: all of it for who leads it, for others what they alone may grant."""
    if sitting.grants:
        yield from _waivers(file, sitting)
    if file.cycle.lead_id not in sitting.members or file.cycle.ended:
        return
    if file.cycle.held_at is not None:
        yield from _hold(file, sitting)
    elif file.notice is None:
        yield from _moves(file, sitting)
        yield from _paces(file, sitting)
    yield from _items(file, sitting)
    yield from _follow_ups(file, sitting)


def _waivers(file: CycleFile, sitting: Sitting) -> Iterator[Action]:
    for waiver in file.waivers:
        waits = waiver.state(sitting.now) is WaiverState.REQUESTED and waiver.visit_id == file.cycle.visit_id
        if waits and waiver.requested_by != sitting.member:
            why = f"A waiver of {waiver.gate} for {waiver.move} waits for a second person."
            yield Action(
                ActionKind.WAIVER_TO_GRANT,
                file.cycle,
                why,
                "waiverGrant",
                due_at=waiver.expires_at,
                subject=public(IdKind.WAIVER, waiver.id),
            )


def _hold(file: CycleFile, sitting: Sitting) -> Iterator[Action]:
    hold = next((one for one in file.holds if one.resumed_at is None), None)
    if hold is None:
        return
    resume_on, review_at = hold.expected_resume_on, hold.held_at + timedelta(days=file.rules.hold_review_days)
    subject = public(IdKind.HOLD, hold.id)
    if resume_on is not None and resume_on <= sitting.today:
        why = f"The hold for {hold.reason} was expected to end on {resume_on}."
        yield Action(ActionKind.HOLD_TO_REVIEW, file.cycle, why, "onboardingResume", due_on=resume_on, subject=subject)
    elif resume_on is None and review_at <= sitting.now:
        why = f"It has been on hold for {hold.reason} since {local_day(hold.held_at, sitting.zone)}; is that still so?"
        yield Action(ActionKind.HOLD_TO_REVIEW, file.cycle, why, "onboardingResume", due_at=review_at, subject=subject)


def _moves(file: CycleFile, _sitting: Sitting) -> Iterator[Action]:
    forward = _forward(file)
    if forward is None:
        return
    if forward.ready:
        why = f"Every gate of {forward.move} is open."
        due = file.pace.due_at if file.pace else None
        yield Action(ActionKind.ADVANCE_READY, file.cycle, why, "onboardingAdvance", due_at=due)
        return
    shut = forward.blockers
    why = f"{forward.move} is held back by {', '.join(blocker.gate for blocker in shut)}."
    yield Action(ActionKind.GATE_BLOCKED, file.cycle, why, "waiverRequest", blockers=shut)


def _forward(file: CycleFile) -> Readiness | None:
    move = FORWARD.get(file.cycle.stage)
    return next((one for one in file.moves if one.move is move), None)


def _paces(file: CycleFile, sitting: Sitting) -> Iterator[Action]:
    cycle, pace = file.cycle, file.pace
    if pace is None:
        return
    forward = _forward(file)
    ready = forward is not None and forward.ready
    planned = next_planned(cycle.stage, file.planned or {})
    if planned is not None and planned < sitting.today:
        why = f"The next stage was planned for {planned}."
        yield Action(ActionKind.PLANNED_DATE_PASSED, cycle, why, "onboardingPlan", due_on=planned)
    if not ready and cycle.target_at is not None:
        if cycle.target_at <= sitting.now:
            last = local_day(cycle.target_at - _INSTANT, sitting.zone)
            why = f"The target of {cycle.stage}, {last}, has passed."
            yield Action(ActionKind.TARGET_LATE, cycle, why, "onboardingAdvance", due_at=cycle.target_at)
        elif pace.pace is Pace.AT_RISK:
            early = cycle.stage is Stage.EARLY_SUPPORT
            kind = ActionKind.DAY_90_NEAR if early else ActionKind.TARGET_NEAR
            yield Action(kind, cycle, pace.reason, "onboardingAdvance", due_at=cycle.target_at)
    allowed = file.rules.stale_business_days.get(cycle.stage)
    if allowed is not None and pace.silent_business_days >= allowed:
        why = f"Nobody did anything for it for {int(pace.silent_business_days)} business days."
        yield Action(ActionKind.STALE, cycle, why, "noteAdd")


def _items(file: CycleFile, sitting: Sitting) -> Iterator[Action]:
    for item in file.items:
        if item.done or item.due_on is None or not _worked_on(item, file):
            continue
        if item.due_on <= sitting.today + timedelta(days=AHEAD_DAYS):
            overdue = item.due_on < sitting.today
            yield Action(
                ActionKind.CHECKLIST_OVERDUE if overdue else ActionKind.CHECKLIST_DUE,
                file.cycle,
                f"“{item.title}” {'was' if overdue else 'is'} due on {item.due_on}.",
                "checklistItemComplete",
                due_on=item.due_on,
                subject=public(IdKind.CHECKLIST_ITEM, item.id),
            )


def _worked_on(item: Item, file: CycleFile) -> bool:
    if item.stage not in ORDER:
        return file.notice is not None
    return file.cycle.stage in ORDER and ORDER.index(item.stage) <= ORDER.index(file.cycle.stage)


def _follow_ups(file: CycleFile, sitting: Sitting) -> Iterator[Action]:
    saving = False
    for promise in file.follow_ups:
        if promise.closed_at is not None:
            continue
        subject = public(IdKind.FOLLOW_UP, promise.id)
        if promise.kind is FollowUpKind.SAVE_CLIENT:
            saving = True
            why = f"The client is leaving or about to; somebody promised to try to keep it by {promise.due_on}."
            yield Action(
                ActionKind.NOTICE_TO_SAVE, file.cycle, why, "followUpClose", due_on=promise.due_on, subject=subject
            )
        elif promise.due_on <= sitting.today + timedelta(days=AHEAD_DAYS):
            what = f"“{promise.title}”" if promise.title else "What was waived"
            why = f"{what} is to be put right by {promise.due_on}."
            yield Action(
                ActionKind.FOLLOW_UP_DUE, file.cycle, why, "followUpClose", due_on=promise.due_on, subject=subject
            )
    if file.notice is not None and not saving:
        ends = file.notice.ends_on
        over = ends < sitting.today
        why = f"Service {'ended' if over else 'ends'} on {ends}, as the notice says."
        call = "onboardingOffBoard" if over else "followUpOpen"
        yield Action(
            ActionKind.NOTICE_TO_SAVE,
            file.cycle,
            why,
            call,
            due_on=ends,
            subject=public(IdKind.NOTICE, file.notice.id),
        )


def _moment(action: Action, sitting: Sitting) -> datetime | None:
    """Return the instant by which an action is due; a local day is over at the next midnight."""
    if action.due_at is not None or action.due_on is None:
        return action.due_at
    return start_of_day(action.due_on + timedelta(days=1), sitting.zone)


def _urgency(action: Action, sitting: Sitting) -> Urgency:
    moment = _moment(action, sitting)
    if moment is not None and moment <= sitting.now:
        return Urgency.OVERDUE
    if moment is not None and local_day(moment - _INSTANT, sitting.zone) == sitting.today:
        return Urgency.TODAY
    if action.kind in _READY:
        return Urgency.READY
    return Urgency.AT_RISK if action.kind in _AT_RISK else Urgency.LATER


def _rank(action: Action, sitting: Sitting) -> tuple[object, ...]:
    moment = _moment(action, sitting)
    timed = (moment is None, moment or action.cycle.opened_at)
    place = _URGENCIES.index(action.urgency)
    return (place, *timed, _KINDS.index(action.kind), action.cycle.opened_at, action.cycle.id, action.subject or "")
