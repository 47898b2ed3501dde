"""What looks like a secret is refused, and what says where one lies is not."""

import pytest

from domain.written_secrets import secret_faults


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2",
        "Password = Winter2024!",
        "Admin passwd:Sommer",
        "pwd: «x9»",
        "The password is Tr0ub4dor",
        "PIN: 4711",
        "api_key=AbC123def456",
        "API key: sk-live-123",
        "wachtwoord: welkom01",
        "line one\nsecret: s3cr3t",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "https://admin:letmein@firewall.example/",
        "AKIAIOSFODNN7EXAMPLE",
        "token: ghp_" + "a1" * 18,
    ],
)
def test_a_secret_is_refused_without_being_repeated(text: str) -> None:
    found = list(secret_faults(text, "risks"))
    assert found
    for error in found:
        assert error.path == ("risks",)
        assert "vault" in error.message
        for word in ("hunter2", "Winter2024!", "Sommer", "4711", "letmein", "s3cr3t", "welkom01", "AbC123def456"):
            assert word not in error.message


@pytest.mark.parametrize(
    "text",
    [
        "In the vault, entry Acme firewall",
        "Password: in the vault, entry 12",
        "Passwords: see Keeper",
        "The admin password is kept in Bitwarden; ask Mei",
        "Password: unknown",
        "Password manager of the client: 1Password",
        "The secret is that nobody ever tested the backup",
        "Tokens are rotated every month",
        "https://vault.example/entries/12?view=password",
        "Pin the certificate before Monday",
        "",
    ],
)
def test_saying_where_a_secret_lies_is_not_refused(text: str) -> None:
    assert list(secret_faults(text, "risks")) == []


def test_the_refusal_names_the_line() -> None:
    (error,) = secret_faults("Firewall is old.\npassword: hunter2\nNobody knows it.", "note")
    assert error.message.startswith("Line 2 looks like a password written out")
