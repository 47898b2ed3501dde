"""Clients' names as keys, and the rules for what is theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.client_rules import status_faults
from domain.clients import STATUS_MOVES, ContractStatus, is_email, name_key, prefix_range
from domain.texts import is_line

names = st.text(st.characters(codec="utf-8"), max_size=40)


@given(names)
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(names, names)
def test_a_name_lies_in_the_range_of_its_own_beginnings(beginning: str, rest: str) -> None:
    key = name_key(beginning + rest)
    for length in range(len(key) + 1):
        low, high = prefix_range(key[:length])
        if low == key[:length]:
            assert low <= key
            assert key < high or not low


@pytest.mark.parametrize(
    ("one", "other"), [("Café", "CAFE"), ("Straße  9", "strasse 9"), (" Å b ", "a B"), ("ﬁn", "fin")]
)
def test_names_that_read_the_same_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize("address", ["ada@example.org", "a.b+c@x.example", "ä@münchen.example"])
def test_an_address_is_recognised(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize("address", ["", "ada", "@x", "a@", "a b@x.example", "a@x@y", "<a@x.example>", "a" * 65 + "@x"])
def test_what_is_no_address_is_not(address: str) -> None:
    assert not is_email(address)


@pytest.mark.parametrize("before", ContractStatus)
@pytest.mark.parametrize("after", ContractStatus)
def test_a_contract_goes_only_where_the_table_lets_it(before: ContractStatus, after: ContractStatus) -> None:
    free = after is before or after in STATUS_MOVES[before]

    assert [error.code.value for error in status_faults(before, after)] == ([] if free else ["CONFLICT"])


def test_no_contract_is_ever_unsigned() -> None:
    assert STATUS_MOVES[ContractStatus.SIGNED] == {ContractStatus.ENDED}
    assert STATUS_MOVES[ContractStatus.ENDED] == set()


@pytest.mark.parametrize(
    ("text", "fits"), [("خانه‌ی هنر", True), ("क्‍ष", True), ("two\nlines", False), ("\u202eA", False), ("\u200c", False)]
)
def test_a_name_may_join_letters_without_a_width_and_hold_nothing_else_unseen(text: str, fits: bool) -> None:
    assert is_line(text) is fits
