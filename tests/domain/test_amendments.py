"""Terms on a day: what a contract comes to once its amendments are counted."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.amendments import TermsChange, terms_on
from domain.clients import ContractScope

DAY = date(2026, 6, 1)
BASE = (ContractScope.ENDPOINTS, ContractScope.BACKUP)
SCOPES = st.lists(st.sampled_from(ContractScope), unique=True).map(tuple)


def change(number: int = 1, **details: object) -> TermsChange:
    given: dict[str, object] = {"signed": True, "starts_on": DAY, "ends_on": None, **details}
    return TermsChange(number, **given)  # type: ignore[arg-type]


def test_a_signed_amendment_counts_from_its_first_day_to_its_last() -> None:
    one = change(ends_on=DAY + timedelta(days=9), seats=50)
    days = (DAY - timedelta(days=1), DAY, DAY + timedelta(days=9), DAY + timedelta(days=10))
    assert [terms_on(day, BASE, 40, [one]).seats for day in days] == [40, 50, 50, 40]


def test_an_amendment_that_is_not_signed_or_has_no_start_counts_on_no_day() -> None:
    for one in (change(signed=False, seats=50), change(starts_on=None, seats=50)):
        assert terms_on(DAY, BASE, 40, [one]).seats == 40
        assert terms_on(date.max, BASE, 40, [one]).amendment_numbers == ()


def test_scope_is_added_and_removed_in_the_order_of_the_starts_and_told_in_the_order_of_the_trade() -> None:
    later = change(1, starts_on=DAY + timedelta(days=5), scope_removed=(ContractScope.BACKUP,))
    sooner = change(2, scope_added=(ContractScope.SECURITY, ContractScope.NETWORK))
    terms = terms_on(DAY + timedelta(days=5), BASE, None, [later, sooner])
    assert terms.amendment_numbers == (2, 1)
    assert terms.scope == (ContractScope.ENDPOINTS, ContractScope.NETWORK, ContractScope.SECURITY)


def test_of_two_that_begin_on_one_day_the_later_number_has_the_last_word() -> None:
    added = change(1, scope_added=(ContractScope.SAAS,), seats=10)
    removed = change(2, scope_removed=(ContractScope.SAAS,), seats_delta=5)
    assert terms_on(DAY, BASE, 40, [removed, added]) == terms_on(DAY, BASE, 40, [added, removed])
    assert terms_on(DAY, BASE, 40, [added, removed]).seats == 15
    assert terms_on(DAY, BASE, 40, [added, removed]).scope == BASE


def test_what_was_never_stated_stays_so_and_what_was_taken_away_is_nothing() -> None:
    assert terms_on(DAY, (), 4, [change(scope_added=(ContractScope.SAAS,))]).scope is None
    assert terms_on(DAY, BASE, 4, [change(scope_removed=BASE)]).scope == ()


def test_seats_that_nobody_counted_stay_uncounted_until_an_amendment_gives_their_number() -> None:
    more = change(1, seats_delta=5)
    assert terms_on(DAY, BASE, None, [more]).seats is None
    assert terms_on(DAY, BASE, None, [more, change(2, seats=20)]).seats == 20
    assert terms_on(DAY, BASE, 3, [change(1, seats_delta=-5)]).seats == 0


@given(
    st.lists(
        st.builds(
            TermsChange,
            number=st.integers(1, 99),
            signed=st.booleans(),
            starts_on=st.none() | st.dates(DAY - timedelta(days=9), DAY + timedelta(days=9)),
            ends_on=st.none() | st.dates(DAY - timedelta(days=9), DAY + timedelta(days=9)),
            scope_added=SCOPES,
            scope_removed=SCOPES,
        ),
        max_size=5,
        unique_by=lambda one: one.number,
    ),
    st.randoms(use_true_random=False),
)
def test_terms_do_not_depend_on_the_order_in_which_amendments_are_read(
    changes: list[TermsChange], random: object
) -> None:
    shuffled = list(changes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    terms = terms_on(DAY, BASE, 40, changes)
    assert terms == terms_on(DAY, BASE, 40, shuffled)
    assert set(terms.amendment_numbers) == {one.number for one in changes if one.in_force(DAY)}
