"""The rules of moving in: which tellings of an existing client can be, and in words why others cannot."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from domain.client_rules import EARLIEST_DAY, LATEST_DAY, day_faults
from domain.clients import ContractStatus
from domain.errors import ErrorCode, UserError, invalid
from domain.moving_in import Arrival, ToldContract, When, instant, untold_ends
from domain.onboarding import ENTERED_IN_ERROR, EndReason
from domain.periods import local_day
from domain.stages import ENDS, ORDER, Stage
from domain.texts import REASON_LIMIT

DATES = {
    Stage.CONTRACTING: "contractingOn",
    Stage.ASSET_DISCOVERY: "discoveryOn",
    Stage.EARLY_SUPPORT: "liveOn",
    Stage.STEADY_STATE: "steadyOn",
}
"""The field that tells when a client came into a stage."""

CONTACTS_MOST = 50
"""Contacts that one row may bring."""

_MAY_HAVE_SEEN = {
    Stage.LOST: (Stage.CONTRACTING, Stage.ASSET_DISCOVERY),
    Stage.OFFBOARDED: (Stage.EARLY_SUPPORT, Stage.STEADY_STATE),
}
"""The last stages that an end can follow."""


@dataclass(frozen=True, slots=True)
class Today:
    """When and where a telling is judged."""

    now: datetime
    zone: ZoneInfo


def arrival_faults(told: Arrival, today: Today) -> Iterator[UserError]:
    """Tell everything that stands against a row's stage, dates, hold and contract; values of their own come apart."""
    if told.stage is None:
        yield from _without_stage(told)
    else:
        if told.lead_email is None:
            yield invalid("A client in a stage takes a lead; give the e-mail address of one.", "leadEmail")
        yield from _ended(told, told.stage) if told.stage in ENDS else _open(told, told.stage)
    if told.contract is not None:
        yield from _contract(told.contract, today)
    if len(told.contacts) > CONTACTS_MOST:
        message = f"{len(told.contacts)} contacts are too many for one client; give {CONTACTS_MOST} at most."
        yield invalid(message, "contacts")
    if told.hold is not None:
        yield from _hold(told, today)
    yield from _dates(told, today)


def warnings(told: Arrival, *, surveyable: bool) -> Iterator[str]:
    """Tell what a client comes in without, where that will be missed."""
    for stage, missing in untold_ends(told):
        yield f"The stay in {stage} is not recorded: without the beginning of {missing} nobody knows when it ended."
    if told.stage is None or told.stage in ENDS:
        return
    contract = told.contract
    if told.stage is not Stage.CONTRACTING and (contract is None or contract.standing is not ContractStatus.SIGNED):
        yield f"The client is in {told.stage} without a signed contract."
    if told.stage is Stage.EARLY_SUPPORT and (contract is None or contract.starts_on is None):
        yield "The contract has no start, so day 90 and its timers cannot be counted."
    if not surveyable:
        yield "No contact can be surveyed: none has an e-mail address."


def _without_stage(told: Arrival) -> Iterator[UserError]:
    lone = [DATES[stage] for stage in told.entered]
    lone += [] if told.ended_on is None else ["endedOn"]
    lone += [] if told.hold is None else ["hold"]
    lone += [] if told.outcome is None else ["outcome"]
    for field in lone:
        yield invalid("Without a stage this says nothing; name the stage that the client is in.", field)


def _open(told: Arrival, stage: Stage) -> Iterator[UserError]:
    if stage not in told.entered:
        yield invalid(f"A client in {stage} takes the day on which it came there.", DATES[stage])
    for later in ORDER[ORDER.index(stage) + 1 :]:
        if later in told.entered:
            yield invalid(f"The client is in {stage} and has not come to {later}; leave this empty.", DATES[later])
    for field, value in (("endedOn", told.ended_on), ("outcome", told.outcome), ("endReason", told.end_reason)):
        if value is not None:
            yield invalid(f"The client is in {stage} and has not ended; leave this empty.", field)


def _ended(told: Arrival, stage: Stage) -> Iterator[UserError]:
    lasts = _MAY_HAVE_SEEN[stage]
    if told.ended_on is None:
        yield invalid(f"A client that is {stage} takes the day on which it ended.", "endedOn")
    if told.outcome is None:
        yield invalid(f"A client that is {stage} takes an outcome: one of {_outcomes()}.", "outcome")
    elif told.outcome in ENTERED_IN_ERROR:
        message = f"{told.outcome} is for what was entered in error; leave such a client out, or give: {_outcomes()}."
        yield invalid(message, "outcome")
    if told.end_reason is not None and len(told.end_reason) > REASON_LIMIT:
        message = f"A reason has at most {REASON_LIMIT} characters; this one has {len(told.end_reason)}."
        yield invalid(message, "endReason")
    last = next(reversed(told.entered), None)
    if last is None or ORDER.index(last) < ORDER.index(lasts[0]):
        fields = " or ".join(lasts)
        yield invalid(f"A client that is {stage} takes the day on which it came into {fields}.", DATES[lasts[0]])
    elif ORDER.index(last) > ORDER.index(lasts[-1]):
        message = f"A client that came into {last} was in service, so it is OFFBOARDED and not {stage}."
        yield invalid(message, "stage")


def _outcomes() -> str:
    return ", ".join(outcome for outcome in EndReason if outcome not in ENTERED_IN_ERROR)


def _contract(told: ToldContract, today: Today) -> Iterator[UserError]:
    for field, when in (("sentOn", told.sent_on), ("signedOn", told.signed_on)):
        yield from _past(when, today, "contract", field)
    standing = told.standing
    if standing in (ContractStatus.SENT, ContractStatus.NEGOTIATING) and told.sent_on is None:
        yield invalid(f"A contract that is {standing} takes the day on which it was sent.", "contract", "sentOn")
    if standing is ContractStatus.SIGNED and told.signed_on is None:
        yield invalid("A contract that is SIGNED takes the day on which it was signed.", "contract", "signedOn")
    if standing is ContractStatus.ENDED and (told.ends_on is None or told.ends_on > local_day(today.now, today.zone)):
        yield invalid("A contract that has ENDED takes its last day, which has passed.", "contract", "endsOn")
    if standing not in (ContractStatus.SIGNED, ContractStatus.ENDED) and told.signed_on is not None:
        message = f"A contract that was signed is SIGNED or ENDED and not {standing}."
        yield invalid(message, "contract", "status")


def _hold(told: Arrival, today: Today) -> Iterator[UserError]:
    hold = told.hold
    if hold is None:
        return
    yield from _past(hold.since, today, "hold", "since")
    yield from day_faults(hold.expected_resume_on, "hold", "expectedResumeOn")
    if hold.note is not None and len(hold.note) > REASON_LIMIT:
        message = f"A note has at most {REASON_LIMIT} characters; this one has {len(hold.note)}."
        yield invalid(message, "hold", "note")
    if told.stage in ENDS or told.stage is Stage.STEADY_STATE:
        yield invalid(f"What is {told.stage} cannot be on hold; leave the hold out.", "hold")
        return
    entered = told.entered.get(told.stage) if told.stage else None
    if entered is not None and instant(hold.since, today.zone) < instant(entered, today.zone):
        message = f"The hold began on {_shown(hold.since)}, before the stage on {_shown(entered)}; give a later day."
        yield invalid(message, "hold", "since")


def _dates(told: Arrival, today: Today) -> Iterator[UserError]:
    dated = [(DATES[stage], when) for stage, when in told.entered.items()]
    if told.ended_on is not None:
        dated.append(("endedOn", told.ended_on))
    sound = []
    for field, when in dated:
        faults = list(_past(when, today, field))
        yield from faults
        if not faults:
            sound.append((field, when))
    for (_, before), (field, after) in pairwise(sound):
        if instant(after, today.zone) < instant(before, today.zone):
            message = f"{_shown(after)} lies before {_shown(before)}, the beginning of the stage before it."
            yield UserError(ErrorCode.INVALID, message, (field,))


def _past(when: When | None, today: Today, *path: str) -> Iterator[UserError]:
    """Tell whether an instant is still to come, or lies outside the years in which business is done."""
    if when is None:
        return
    day = when.date() if isinstance(when, datetime) else when
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        yield from day_faults(day, *path)
    elif instant(when, today.zone) > today.now:
        yield invalid(f"{_shown(when)} is still to come; give a day that has begun.", *path)


def _shown(when: date) -> str:
    return when.isoformat()
