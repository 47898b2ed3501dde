from datetime import UTC, datetime, timedelta

import pytest

from domain.clients import ContractStatus, Party
from domain.contract_turns import Turn, contracting, turn_faults

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DRAFT, SENT, NEGOTIATING, SIGNED, ENDED = ContractStatus


def day(number: int) -> datetime:
    return MONDAY + timedelta(days=number)


def turn(status: ContractStatus, number: int, waiting_on: Party | None = None) -> Turn:
    return Turn(status, waiting_on, day(number))


def test_a_contract_waits_on_the_provider_while_it_is_drafted_and_whenever_it_says_so() -> None:
    way = contracting(
        [
            turn(DRAFT, 0),
            turn(SENT, 2, Party.CLIENT),
            turn(NEGOTIATING, 5, Party.PROVIDER),
            turn(NEGOTIATING, 6, Party.CLIENT),
            turn(SIGNED, 9),
        ],
        day(30),
    )
    assert way is not None
    assert (way.began_at, way.until, way.signed, way.broken_off) == (day(0), day(9), True, False)
    assert way.ours == ((day(0), day(2)), (day(5), day(6)))


def test_an_open_contract_runs_until_now_and_one_that_ended_unsigned_was_broken_off() -> None:
    open_still = contracting([turn(DRAFT, 0), turn(SENT, 2, Party.CLIENT)], day(4))
    assert open_still is not None
    assert (open_still.until, open_still.signed, open_still.broken_off) == (day(4), False, False)
    dropped = contracting([turn(SENT, 2, Party.CLIENT), turn(ENDED, 3)], day(4))
    assert dropped is not None
    assert (dropped.until, dropped.signed, dropped.broken_off) == (day(3), False, True)


def test_a_draft_that_was_noted_after_the_contract_had_been_sent_took_no_time() -> None:
    way = contracting([turn(DRAFT, 7), turn(SENT, 1, Party.CLIENT), turn(SIGNED, 5)], day(7))
    assert way is not None
    assert (way.began_at, way.until) == (day(1), day(5))
    assert way.ours == ((day(1), day(1)),)


def test_of_a_contract_that_came_here_signed_the_beginning_is_not_known() -> None:
    assert contracting([turn(SIGNED, 5)], day(7)) is None
    assert contracting([turn(DRAFT, 7), turn(SIGNED, 5)], day(7)) is None


def test_whose_turn_it_was_is_only_told_where_it_is_known_throughout() -> None:
    way = contracting([turn(SENT, 1), turn(NEGOTIATING, 2, Party.PROVIDER), turn(SIGNED, 5)], day(7))
    assert way is not None
    assert way.ours is None


@pytest.mark.parametrize(("number", "refused"), [(1, True), (3, False), (4, False)])
def test_a_turn_begins_no_earlier_than_the_one_before_it(number: int, refused: bool) -> None:
    faults = list(turn_faults(day(number), turn(SENT, 3, Party.CLIENT)))
    assert bool(faults) is refused
    if refused:
        assert "2026-03-03" in faults[0].message
        assert "since when this contract has been SENT" in faults[0].message
        assert faults[0].path == ("statusAt",)
