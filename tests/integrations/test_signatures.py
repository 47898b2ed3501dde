"""Signatures are those of other people's documents, and whatever is not quite one proves nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inbound import Sent, Signing
from integrations.signatures import is_usable, keep, new_secret, vouched

BODY = b'{"test": 2432232314}'
AT = datetime.fromtimestamp(1614265330, UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""The worked example in the documents of Standard Webhooks' reference implementation."""


def test_the_example_of_standard_webhooks_is_proved() -> None:
    signed = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + BODY
    assert vouched(Signing.STANDARD_WEBHOOKS, Sent(HEADERS, BODY), [SECRET], AT) == signed


def test_any_of_several_signatures_and_any_of_two_secrets_will_do() -> None:
    several = {**HEADERS, "webhook-signature": f"v1,AAAA v2,x {HEADERS['webhook-signature']}"}
    other = new_secret(Signing.STANDARD_WEBHOOKS)
    assert vouched(Signing.STANDARD_WEBHOOKS, Sent(several, BODY), [other, SECRET], AT)
    assert vouched(Signing.STANDARD_WEBHOOKS, Sent(several, BODY), [other], AT) is None
    assert vouched(Signing.STANDARD_WEBHOOKS, Sent(several, BODY), [], AT) is None


def test_the_example_of_jira_is_proved() -> None:
    """From Atlassian's page on webhooks, section on securing them."""
    sent = Sent(
        {"x-hub-signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"}, b"Hello World!"
    )
    assert vouched(Signing.HUB, sent, ["It's a Secret to Everybody"], AT) == b"Hello World!"
    assert vouched(Signing.HUB, sent, ["it's a Secret to Everybody"], AT) is None


@pytest.mark.parametrize(("seconds", "proved"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_a_signed_moment_is_good_for_five_minutes_both_ways(seconds: int, proved: bool) -> None:
    now = AT + timedelta(seconds=seconds)
    assert (vouched(Signing.STANDARD_WEBHOOKS, Sent(HEADERS, BODY), [SECRET], now) is not None) is proved


@pytest.mark.parametrize("signing", list(Signing))
def test_a_secret_made_here_is_one_that_its_senders_can_use(signing: Signing) -> None:
    secret = new_secret(signing)
    assert is_usable(signing, secret)
    assert not is_usable(signing, secret + " ")
    assert (keep(signing, secret) == secret) is (signing is not Signing.TOKEN)


@given(
    st.sampled_from(Signing),
    st.dictionaries(
        st.sampled_from(
            [
                *HEADERS,
                "authorization",
                "x-steadystate-token",
                "x-hub-signature",
                "x-zendesk-webhook-signature",
                "x-zendesk-webhook-signature-timestamp",
            ]
        ),
        st.text(max_size=60),
    ),
    st.binary(max_size=40),
)
def test_no_headers_of_chance_prove_anything_or_break_anything(
    signing: Signing, headers: dict[str, str], body: bytes
) -> None:
    assert vouched(signing, Sent(headers, body), [keep(signing, SECRET)], AT) is None
