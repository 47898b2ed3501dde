"""Snapshots tell how a ticket stands; together they tell its way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.sightings import seen
from domain.tickets import HandOver, ReportedTicket, Resolution, SlaResult, SlaTarget, Wait, WaitingOn

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NINE + timedelta(hours=hours)


def sighting(hours: float, **said: object) -> ReportedTicket:
    return replace(ReportedTicket("T", None, NINE, changed_at=at(hours), snapshot=True), **said)  # type: ignore[arg-type]


def told(*sightings: ReportedTicket) -> ReportedTicket:
    known = None
    for one in sightings:
        known = seen(known, one)
    assert known is not None
    return known


def test_hand_overs_add_up_and_somebody_who_still_has_it_adds_none() -> None:
    desk, engineers = HandOver(at(0), "Desk", 1), HandOver(at(2), "Engineers", 2)
    whole = told(
        sighting(0, hand_overs=(desk,)),
        sighting(1, hand_overs=(replace(desk, at=at(1)),)),
        sighting(2, hand_overs=(engineers,)),
    )
    assert whole.hand_overs == (desk, engineers)
    assert not whole.snapshot


def test_a_wait_lasts_from_the_snapshot_that_shows_it_to_the_one_that_does_not() -> None:
    waiting = sighting(1, waits=(Wait(at(1), on=WaitingOn.CUSTOMER),))
    still = sighting(2, waits=(Wait(at(2), on=WaitingOn.CUSTOMER),))
    assert told(waiting, still).waits == (Wait(at(1), None, WaitingOn.CUSTOMER),)
    assert told(waiting, still, sighting(3)).waits == (Wait(at(1), at(3), WaitingOn.CUSTOMER),)
    for_another = sighting(2, waits=(Wait(at(2), on=WaitingOn.VENDOR),))
    assert told(waiting, for_another).waits == (
        Wait(at(1), at(2), WaitingOn.CUSTOMER),
        Wait(at(2), None, WaitingOn.VENDOR),
    )


def test_a_ticket_that_was_resolved_and_is_open_was_reopened_when_that_was_seen() -> None:
    resolved = sighting(1, resolutions=(Resolution(at(1)),), closed_at=at(1))
    open_again = told(resolved, sighting(3))
    assert open_again.resolutions == (Resolution(at(1), at(3)),)
    assert open_again.resolved_at is None
    assert open_again.reopenings == 1
    again = told(resolved, sighting(3), sighting(5, resolutions=(Resolution(at(5)),)))
    assert again.resolutions == (Resolution(at(1), at(3)), Resolution(at(5)))


def test_a_target_that_its_source_called_missed_stays_missed() -> None:
    missed = ReportedTicket("T", None, NINE, resolution_sla=SlaTarget(at(4), SlaResult.MISSED))
    kept = seen(missed, replace(missed, resolution_sla=SlaTarget(at(9), SlaResult.MET)))
    assert kept.resolution_sla == SlaTarget(at(9), SlaResult.MISSED)
    assert seen(missed, replace(missed, resolution_sla=None)).resolution_sla == missed.resolution_sla
    late = seen(replace(missed, resolution_sla=SlaTarget(at(4))), replace(missed, resolution_sla=SlaTarget(at(9))))
    assert late.resolution_sla == SlaTarget(at(9))


def test_a_closing_that_a_reopening_followed_is_over() -> None:
    report = ReportedTicket("T", None, NINE, closed_at=at(2), resolutions=(Resolution(at(1), at(3)),))
    assert seen(None, report).closed_at is None
    assert seen(None, replace(report, closed_at=at(4))).closed_at == at(4)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from(["Desk", "Engineers", None])), min_size=1))
def test_the_same_snapshot_again_changes_nothing(stories: list[tuple[bool, bool, str | None]]) -> None:
    known = None
    for hour, (resolved, waiting, team) in enumerate(stories):
        now = sighting(
            hour,
            resolutions=(Resolution(at(hour)),) if resolved else (),
            waits=(Wait(at(hour), on=WaitingOn.CUSTOMER),) if waiting else (),
            hand_overs=(HandOver(at(hour), team),),
        )
        known = seen(known, now)
        assert seen(known, now).digest() == known.digest()
        assert (known.resolved_at is not None) == resolved
        assert (bool(known.waits) and known.waits[-1].end is None) == waiting


def test_a_ticket_that_is_still_resolved_and_closed_keeps_the_moments_unless_others_are_told() -> None:
    resolved = sighting(1, resolutions=(Resolution(at(1)),))
    closed = sighting(5, resolutions=(Resolution(at(5)),), closed_at=at(5))
    touched = sighting(9, resolutions=(Resolution(at(9)),), closed_at=at(9))
    whole = told(resolved, closed, touched)
    assert (whole.resolutions, whole.closed_at) == ((Resolution(at(1)),), at(5))
    corrected = told(whole, sighting(10, resolutions=(Resolution(at(4)),), closed_at=at(6)))
    assert (corrected.resolutions, corrected.closed_at) == ((Resolution(at(4)),), at(6))
