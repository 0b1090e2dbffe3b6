"""A job is tried again: what failed or was not done is copied, what was delivered never comes twice or comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from libs.contracts.accounts import Account
from tests.acceptance.instance import LIVE, Instance, Job, new_user
from tests.mail.contents import Kept, contents, difference
from tests.mail.corpus import Corpus, small
from tests.mail.imap import connected
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot, at_most

MESSAGES, SLOW_MBPS, FAST_MBPS = 80, 4, 10_000
STRICT, GENEROUS = at_most("8k"), at_most("100M")


@dataclass(frozen=True, slots=True)
class Servers:
    instance: Instance
    source: Dovecot
    strict: Dovecot  # takes no message above 8 kB until it is told to

    def accounts(self, messages: int = MESSAGES) -> tuple[Account, Account]:
        """Of which about a third are too large for the destination."""
        source = self.source.account(new_user(), security="plain")
        seed(source, Corpus(messages=messages, median_bytes=5_000, sigma=1.2))
        return source, self.strict.account(new_user(), security="plain")

    @contextmanager
    def generous(self) -> Iterator[None]:
        self.strict.change(GENEROUS)
        try:
            yield
        finally:
            self.strict.change(STRICT)


@pytest.fixture(scope="module")
def servers(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Dovecot(settings=STRICT) as strict:
        settings = settings_for(dovecot, strict)
        with Instance(tmp_path_factory.mktemp("retry"), dovecot, settings) as instance:
            yield Servers(instance, dovecot, strict)


def settings_for(*servers: Dovecot) -> dict[str, str]:
    ports = ",".join(f"{server.imap_port},{server.imaps_port}" for server in servers)
    return {"ALLOW_PORTS": ports, "ALLOW_PLAIN": "true"}


def ended(job: Job, run: int, seconds: float = 60) -> dict[str, object]:
    return job.wait(lambda view: view["run"] == run and view["state"] not in LIVE, seconds, f"run {run} has ended")


def remove(account: Account, folder: str, uid: int) -> Kept:
    """What a person deletes."""
    before = contents(account)
    with connected(account) as client:
        client.select(folder)
        client.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
        client.uid("EXPUNGE", str(uid))  # others are marked as deleted, and stay
    (gone,) = before - contents(account)
    return gone


def test_what_failed_is_copied_nothing_is_doubled_and_what_was_deleted_stays_away(servers: Servers) -> None:
    source, destination = servers.accounts()
    job = servers.instance.request(source, destination)
    first = job.wait_for_end()
    assert first["state"] == "completed_with_errors"
    assert 0 < first["items_failed"] < MESSAGES
    assert len(job.get("/failures")) == first["items_failed"]
    deleted = remove(destination, "INBOX", 1)

    with servers.generous():
        assert job.retry(source, destination).status_code == 202
        second = ended(job, 2)

    assert (second["items_failed"], second["items_completed"], second["progress_percent"]) == (0, MESSAGES, 100)
    assert [row["reason"] for row in job.get("/failures")] == ["removed_at_destination"]
    assert contents(source) - contents(destination) == {deleted: 1}
    assert not contents(destination) - contents(source)
    assert second["created_at"] == first["created_at"]
    assert str(second["expires_at"]) > str(first["expires_at"])
    job.wait(lambda view: "credentials" not in {hold["what"] for hold in view["holds"]}, 10, "nothing is held")


def test_what_fails_again_is_listed_again_and_may_be_tried_a_third_time(servers: Servers) -> None:
    source, destination = servers.accounts(60)
    job = servers.instance.request(source, destination)
    first = job.wait_for_end()

    assert job.retry(source, destination).status_code == 202
    second = ended(job, 2)
    assert (second["state"], second["items_failed"]) == ("completed_with_errors", first["items_failed"])
    assert len(job.get("/failures")) == first["items_failed"]
    with servers.generous():
        assert job.retry(source, destination).status_code == 202
        third = ended(job, 3)

    assert third["state"] == "completed"
    assert difference(contents(source), contents(destination)) == ""
    assert job.retry(source, destination).status_code == 409


def test_another_account_or_none_is_refused_and_the_field_is_named(servers: Servers) -> None:
    source, destination = servers.accounts(30)
    job = servers.instance.request(source, destination)
    assert job.wait_for_end()["items_failed"]
    other = servers.source.account(new_user(), security="plain")

    for form, field in (
        ((other, destination), "source"),
        ((source, other), "destination"),
        ((source, None), "destination"),
    ):
        answer = job.retry(*form)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert job.view()["run"] == 1


def test_a_wrong_password_is_put_right(servers: Servers) -> None:
    source, destination = servers.source.account(new_user()), servers.source.account(new_user())
    seed(source, small(60))
    wrong = servers.source.account(destination.username, password="not-the-password")
    job = servers.instance.request(source, wrong)
    view = job.wait_for_end()
    assert (view["state"], view["failed_side"], view["failed_reason"]) == ("failed", "destination", "login_refused")

    assert job.retry(source, wrong).status_code == 202
    assert ended(job, 2)["state"] == "failed"
    assert job.retry(source, destination).status_code == 202
    view = ended(job, 3)

    assert (view["state"], view["failed_side"], view["failed_reason"]) == ("completed", None, None)
    assert difference(contents(source), contents(destination)) == ""


def test_a_cancelled_job_goes_on_where_it_stopped(servers: Servers) -> None:
    source, destination = servers.source.account(new_user()), servers.source.account(new_user())
    seed(source, Corpus(messages=300, median_bytes=8_000, sigma=1))
    http = servers.instance.http
    job = servers.instance.request(source, destination, bandwidth_limit_mbps=SLOW_MBPS)
    job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")
    assert http.post(f"{job.path}/cancel").status_code == 202
    cancelled = job.wait_for_end(15)
    assert cancelled["state"] == "cancelled"
    assert 0 < cancelled["items_completed"] < 300

    assert job.retry(source, destination).status_code == 202
    assert http.patch(f"{job.path}/limits", json={"bandwidth_limit_mbps": FAST_MBPS}).status_code == 202
    view = ended(job, 2)

    assert (view["state"], view["items_completed"]) == ("completed", 300)
    assert difference(contents(source), contents(destination)) == ""


def test_a_retry_waits_while_another_job_uses_the_account(servers: Servers) -> None:
    source, destination = servers.accounts(40)
    job = servers.instance.request(source, destination)
    assert job.wait_for_end()["items_failed"]
    second_source = servers.source.account(new_user(), security="plain")
    seed(second_source, Corpus(messages=200, median_bytes=5_000, sigma=0.1))
    other = servers.instance.request(second_source, destination, bandwidth_limit_mbps=1)
    other.wait(lambda view: view["items_completed"] > 0, 30, "it has the account")

    with servers.generous():
        assert job.retry(source, destination).status_code == 202
        job.wait(lambda view: view["run"] == 2 and view["state"] == "queued", 10, "it waits for its turn")
        assert servers.instance.http.delete(other.path).status_code == 204
        view = ended(job, 2)

    assert view["state"] == "completed"
    assert not contents(source) - contents(destination)


def test_a_job_with_failures_is_retried_while_it_lives_with_what_is_held(servers: Servers) -> None:
    source, destination = servers.accounts()
    http = servers.instance.http
    job = servers.instance.request(source, destination, bandwidth_limit_mbps=1)
    job.wait(lambda view: view["items_failed"] > 0, 60, "something has failed")

    with servers.generous():
        assert job.retry().status_code == 202
        assert http.patch(f"{job.path}/limits", json={"bandwidth_limit_mbps": FAST_MBPS}).status_code == 202
        view = ended(job, 2)

    assert (view["state"], view["items_completed"]) == ("completed", MESSAGES)
    assert difference(contents(source), contents(destination)) == ""


def test_a_kill_in_the_middle_of_a_retry_loses_and_doubles_nothing(servers: Servers, tmp_path: Path) -> None:
    source, destination = servers.accounts()
    with Instance(tmp_path, servers.source, settings_for(servers.source, servers.strict)) as own:
        job = own.request(source, destination)
        assert job.wait_for_end()["items_failed"]
        with servers.generous():
            assert job.retry(source, destination).status_code == 202
            own.kill()
            own.start()
            view = ended(job, 2)

    assert (view["state"], view["items_completed"]) == ("completed", MESSAGES)
    assert difference(contents(source), contents(destination)) == ""


def test_new_addresses_open_the_job_and_the_old_ones_nothing(servers: Servers) -> None:
    source, destination = servers.source.account(new_user()), servers.source.account(new_user())
    job = servers.instance.request(source, destination)
    job.wait_for_end()
    http = servers.instance.http
    assert http.get(f"{job.path}/links").json()["view_key"] == job.view_key

    new = http.post(f"{job.path}/rotate-links").json()

    for old in (job.key, job.view_key):
        for what in ("", "/breakdown", "/events", "/links"):
            assert http.get(f"/api/jobs/{old}{what}").status_code == 404
    assert http.get(f"/api/jobs/{new['view_key']}").json()["job_id"] == job.job_id
    assert http.delete(f"/api/jobs/{new['key']}").status_code == 204
