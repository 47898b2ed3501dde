"""Cursors name a place in the feed, and are refused rather than misread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.feed import Cursor, CursorExpiredError, Extent, MalformedCursorError

NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)


@given(NUMBERS, NUMBERS)
def test_a_cursor_read_back_is_the_same_place(epoch: int, seq: int) -> None:
    assert Cursor.read(Cursor(epoch, seq).text()) == Cursor(epoch, seq)


@given(st.text(max_size=60))
def test_any_other_text_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(MalformedCursorError, match="exactly as an earlier answer gave it"):
        Cursor.read(text)


def test_a_cursor_of_another_version_or_with_stray_bits_is_refused() -> None:
    good = Cursor(1, 1).text()
    for bad in (f"{good}A", good[:-1], "Ag" + good[2:], good[:-1] + "F", f"{good}==", f" {good}"):
        with pytest.raises(MalformedCursorError):
            Cursor.read(bad)


@pytest.mark.parametrize("seq", [9, 10, 20])
def test_a_cursor_passes_while_everything_after_it_is_held(seq: int) -> None:
    Extent(epoch=3, oldest_seq=10, last_seq=20).check(Cursor(3, seq))


@pytest.mark.parametrize("cursor", [Cursor(3, 8), Cursor(3, 21), Cursor(2, 15), Cursor(4, 15)])
def test_a_cursor_of_another_epoch_or_outside_of_what_is_held_expires_with_the_oldest(cursor: Cursor) -> None:
    with pytest.raises(CursorExpiredError) as raised:
        Extent(epoch=3, oldest_seq=10, last_seq=20).check(cursor)
    assert raised.value.oldest == Cursor(3, 9)
    assert Cursor(3, 9).text() in str(raised.value)
