"""The servers the tests run."""

from libs.contracts.accounts import Account
from tests.servers.dovecot import Dovecot


def test_a_dovecot_of_our_own_gives_a_login_to_any_user(dovecot: Dovecot) -> None:
    account = dovecot.account("somebody@example.org")

    assert isinstance(account, Account)
    assert (account.host, account.port) == (dovecot.host, dovecot.imaps_port)
    assert dovecot.ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")
