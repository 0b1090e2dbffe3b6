"""Which accounts are one (COPYING rule 5)."""

import pytest
from pydantic import SecretStr

from libs.contracts.accounts import Account, account_digest

KEY = b"account key of the tests"
ACCOUNT = Account(host="imap.example.org", username="joe", password=SecretStr("secret"))


@pytest.mark.parametrize(
    "other",
    [
        {"host": "IMAP.Example.ORG"},
        {"username": "Joe"},
        {"port": 143},
        {"security": "starttls"},
        {"login_as": "master"},
        {"password": SecretStr("another")},
    ],
    ids=str,
)
def test_rule_5_one_account_is_known_by_its_host_and_user_in_any_letter_case(other: dict[str, object]) -> None:
    assert account_digest(KEY, ACCOUNT.model_copy(update=other)) == account_digest(KEY, ACCOUNT)


@pytest.mark.parametrize("other", [{"host": "imap.example.com"}, {"username": "jo"}, {"username": "joe@example.org"}])
def test_rule_5_another_host_or_user_is_another_account(other: dict[str, object]) -> None:
    assert account_digest(KEY, ACCOUNT.model_copy(update=other)) != account_digest(KEY, ACCOUNT)


def test_rule_5_without_the_key_nobody_can_tell_whose_digest_it_is() -> None:
    digest = account_digest(KEY, ACCOUNT)

    assert digest != account_digest(b"another key", ACCOUNT)
    assert ACCOUNT.username not in digest
