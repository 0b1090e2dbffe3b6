"""What keeps Mailtide from a mailbox is said within 15 s: which side, why, and what to do."""

import socket
import time
from collections.abc import Iterator

import pytest

from libs.contracts.accounts import Account
from tests.acceptance.instance import CLOSED_PORT, SILENT_PORT, Instance, body, new_user
from tests.mail.contents import contents
from tests.mail.corpus import small
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot

SECONDS = 15


@pytest.fixture(scope="module")
def silent_server() -> Iterator[None]:
    """It takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", SILENT_PORT)):
        yield


CASES = {
    "wrong password": ("login_refused", "password"),
    "unknown host": ("host_unknown", "name"),
    "closed port": ("connection_refused", "port"),
    "untrusted certificate": ("tls_untrusted", "certificate"),
    "a server that hangs": ("timed_out", "time"),
    "a port that is not allowed": ("address_refused", "not allowed"),
}
SAID = {"wrong password": "Authentication failed."}  # by a server that was reached


def unusable(case: str, dovecot: Dovecot) -> Account:
    user = new_user()
    match case:
        case "wrong password":
            return dovecot.account(user, password="not-the-password")
        case "unknown host":
            return dovecot.account(user, host="no-such-server.invalid")
        case "closed port":
            return dovecot.account(user, port=CLOSED_PORT)
        case "untrusted certificate":
            return dovecot.account(user, host=dovecot.untrusted_host)
        case "a server that hangs":
            return dovecot.account(user, port=SILENT_PORT)
        case _:
            return dovecot.account(user, port=22)


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("case", CASES)
def test_the_job_fails_and_says_which_side_and_what_to_do(
    instance: Instance, dovecot: Dovecot, silent_server: None, case: str, side: str
) -> None:
    good, bad = dovecot.account(new_user()), unusable(case, dovecot)
    source, destination = (bad, good) if side == "source" else (good, bad)
    begun = time.monotonic()

    job = instance.request(source, destination)
    view = job.wait_for_end(SECONDS + 1)

    assert time.monotonic() - begun < SECONDS
    assert view["state"] == "failed"
    assert side in view["state_text"].lower()
    assert CASES[case][1] in view["state_text"]
    assert view["failed_server_text"] == SAID.get(case, "")
    kept = {"results", "names"} if case in SAID else {"results"}  # with the answers of servers
    job.wait(lambda view: {hold["what"] for hold in view["holds"]} == kept, 10, "only the outcome is kept")


@pytest.mark.parametrize("case", CASES)
def test_the_check_says_what_to_do(instance: Instance, dovecot: Dovecot, silent_server: None, case: str) -> None:
    begun = time.monotonic()

    answer = instance.http.post("/api/accounts/check", json={"account": body(unusable(case, dovecot))})

    assert time.monotonic() - begun < SECONDS
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert CASES[case][1] in answer.json()["message"]


def test_the_check_lists_folders_with_their_counts_and_changes_nothing(instance: Instance, dovecot: Dovecot) -> None:
    account = dovecot.account(new_user())
    seed(account, small(60))
    before = contents(account)

    checked = instance.http.post("/api/accounts/check", json={"account": body(account)}).json()

    assert checked["ok"] is True
    assert sum(folder["items"] or 0 for folder in checked["folders"]) == 60
    assert {folder["special_use"] for folder in checked["folders"]} >= {"\\Sent", "\\Trash"}
    assert contents(account) == before


def test_one_account_is_not_migrated_into_itself(instance: Instance, dovecot: Dovecot) -> None:
    account = dovecot.account(new_user())
    seed(account, small(40))

    answer = instance.http.post("/api/jobs", json={"source": body(account), "destination": body(account)})

    assert answer.status_code == 422
    assert "destination" in answer.text
    assert contents(account).total() == 40


def test_one_account_under_two_names_is_recognised_by_its_mail(instance: Instance, dovecot: Dovecot) -> None:
    user = new_user()
    account, alias = dovecot.account(user), dovecot.account(user, host="localhost")
    seed(account, small(40))

    view = instance.request(account, alias).wait_for_end()

    assert view["state"] == "failed"
    assert "same mailbox" in view["state_text"]
    assert contents(account).total() == 40
