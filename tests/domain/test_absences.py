from datetime import UTC, date, datetime
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from domain.absences import STEPS_MOST, Absence, AbsenceReason, Cover, absence_faults, acting, comes_round

ADA, BEN, CAI, DIA = (UUID(int=number) for number in range(1, 5))


def absence(member: UUID, starts: int, ends: int | None) -> Absence:
    last = date(2026, 3, ends) if ends else None
    return Absence(
        uuid4(), member, date(2026, 3, starts), last, AbsenceReason.HOLIDAY, datetime(2026, 3, 1, tzinfo=UTC), 1
    )


@pytest.mark.parametrize(
    ("away", "deputies", "who"),
    [
        (set(), {ADA: BEN}, ADA),
        ({ADA}, {ADA: BEN}, BEN),
        ({ADA}, {}, None),
        ({ADA, BEN}, {ADA: BEN, BEN: CAI}, CAI),
        ({ADA, BEN}, {ADA: BEN}, None),
        ({ADA, BEN}, {ADA: BEN, BEN: ADA}, None),
        ({BEN}, {ADA: BEN, BEN: ADA}, ADA),
    ],
)
def test_whoever_is_away_resolves_to_the_deputy_and_theirs_and_never_in_a_circle(
    away: set[UUID], deputies: dict[UUID, UUID], who: UUID | None
) -> None:
    assert acting(ADA, frozenset(away), deputies) == who


def test_after_a_few_steps_nobody_stands_in() -> None:
    people = [UUID(int=number) for number in range(1, STEPS_MOST + 4)]
    deputies = dict(pairwise(people))
    assert acting(people[0], frozenset(people[:STEPS_MOST]), deputies) == people[STEPS_MOST]
    assert acting(people[0], frozenset(people[: STEPS_MOST + 1]), deputies) is None


def test_one_person_may_stand_in_for_several() -> None:
    away = {ADA: absence(ADA, 1, 5), BEN: absence(BEN, 1, None)}
    cover = Cover(away, {ADA: BEN, BEN: CAI})
    assert cover.absent_for(CAI) == {ADA, BEN}
    assert cover.absent_for(BEN) == frozenset()
    assert cover.acting(DIA) == DIA


@pytest.mark.parametrize(
    ("deputies", "round_"),
    [({}, False), ({BEN: CAI}, False), ({BEN: ADA}, True), ({BEN: CAI, CAI: ADA}, True), ({BEN: CAI, CAI: BEN}, False)],
)
def test_a_deputy_whose_deputies_come_round_is_seen(deputies: dict[UUID, UUID], round_: bool) -> None:
    assert comes_round(ADA, BEN, deputies) is round_


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ((1, 5), (6, 9), False),
        ((1, 5), (5, 9), True),
        ((5, None), (1, 4), False),
        ((5, None), (9, 12), True),
        ((1, 5), (3, None), True),
    ],
)
def test_absences_of_one_person_do_not_overlap(
    first: tuple[int, int | None], second: tuple[int, int | None], refused: bool
) -> None:
    stored, wanted = absence(ADA, *first), absence(ADA, *second)
    faults = list(absence_faults(wanted, [stored]))
    assert bool(faults) is refused
    if refused:
        assert stored.days in faults[0].message


def test_an_absence_ends_after_it_starts() -> None:
    assert [fault.path for fault in absence_faults(absence(ADA, 5, 3), [])] == [("to",)]
