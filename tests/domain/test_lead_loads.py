from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.lead_loads import Handed, Led, daily, led

ANN, BEN, CID = UUID(int=1), UUID(int=2), UUID(int=3)
START = datetime(2026, 3, 2, tzinfo=UTC)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def test_an_onboarding_belongs_to_each_lead_for_as_long_as_they_led_it() -> None:
    handed = [Handed(hour(10), ANN, BEN), Handed(hour(20), BEN, CID)]
    assert list(led(hour(0), hour(30), handed, CID)) == [
        Led(ANN, hour(0), hour(10)),
        Led(BEN, hour(10), hour(20)),
        Led(CID, hour(20), hour(30)),
    ]
    assert list(led(hour(12), hour(15), handed, CID)) == [Led(BEN, hour(12), hour(15))]
    assert list(led(hour(20), None, handed, CID)) == [Led(CID, hour(20), None)]
    assert list(led(hour(0), None, [], ANN)) == [Led(ANN, hour(0), None)]


SPANS = st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, 60)), max_size=8)


@given(spans=SPANS, step=st.integers(1, 24))
def test_the_load_of_a_day_is_how_many_stretches_hold_at_its_end(
    spans: list[tuple[int, int | None]], step: int
) -> None:
    stretches = [Led(ANN, hour(begun), None if lasted is None else hour(begun + lasted)) for begun, lasted in spans]
    ends = [hour(number) for number in range(0, 100, step)]
    counted = [sum(1 for one in stretches if one.at(end)) for end in ends]
    assert daily(stretches, ends) == counted
