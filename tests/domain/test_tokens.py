"""Tokens as text: what is written is recognised, and what was tampered with is not."""

import string

from hypothesis import assume, given
from hypothesis import strategies as st

from domain.tokens import SECRET_BYTES, TOKEN_LIMIT_BYTES, TokenKind, is_written, shown_prefix, written

secrets = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)
kinds = st.sampled_from(TokenKind)


@given(kinds, secrets)
def test_what_is_written_is_recognised_and_always_as_long(kind: TokenKind, secret: bytes) -> None:
    token = written(kind, secret)

    assert is_written(token)
    assert len(token) == 56
    assert token.startswith(shown_prefix(token))


@given(kinds, secrets, secrets)
def test_two_secrets_never_read_the_same(kind: TokenKind, one: bytes, other: bytes) -> None:
    assume(one != other)

    assert written(kind, one) != written(kind, other)


@given(kinds, secrets, st.integers(0, 55), st.sampled_from(string.ascii_letters + string.digits + "_- \x00é"))
def test_one_changed_character_is_noticed(kind: TokenKind, secret: bytes, place: int, character: str) -> None:
    token = written(kind, secret)
    assume(token[place] != character)

    assert not is_written(token[:place] + character + token[place + 1 :])


@given(st.text(max_size=200))
def test_any_other_text_is_no_token(text: str) -> None:
    assert not is_written(text)


def test_a_text_beyond_the_limit_is_no_token() -> None:
    assert not is_written("ss_pat_" + "a" * TOKEN_LIMIT_BYTES)
