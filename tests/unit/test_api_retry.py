"""Trying a job again, and its addresses: what is stored, in which order, and what is refused."""

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from starlette.testclient import TestClient

from libs.contracts.commands import CancelJob, RetryFailed
from libs.contracts.ids import key_hash, view_key
from libs.contracts.jobs import MOST_RUNS, JobState
from libs.readmodel.rows import DesiredRow, RequestRow
from libs.runtime.health import Health
from libs.vault.recipients import Recipients
from services.api.app import create_app
from tests.unit.conftest import OPERATOR
from tests.unit.test_api_requests import DESTINATION, FORM, SOURCE

ENDED = [JobState.COMPLETED_WITH_ERRORS, JobState.FAILED, JobState.CANCELLED]


@pytest.fixture
def job(client):
    return client.post("/api/jobs", json=FORM).json()


def end(api, job, state=JobState.COMPLETED_WITH_ERRORS):
    api.model.show(job["job_id"], state=state, completed=8, failed=2)
    api.vault.destroy(job["job_id"])


def retry(client, job, body):
    return client.post(f"/api/jobs/{job['key']}/retry", json=body)


@pytest.mark.parametrize("state", ENDED)
def test_an_ended_job_gets_a_new_run_with_new_credentials(api, client, job, state):
    client.patch(f"/api/jobs/{job['key']}/limits", json={"concurrency": 5})
    end(api, job, state)
    before = len(api.model.rows)

    assert retry(client, job, FORM).status_code == 202

    desired, request = api.model.rows[before:]
    assert isinstance(desired, DesiredRow)  # first: a cancellation must not be found in the new run
    assert (desired.state, desired.run, desired.limits.concurrency) == ("run", 2, 5)
    assert isinstance(request, RequestRow)
    assert (request.run, request.accepted, request.created_at) == (2, True, api.model.rows[0].created_at)
    assert job["job_id"] in api.vault.held
    assert api.log.messages[-1][2] == RetryFailed(job_id=job["job_id"])
    assert api.model.refreshed == [before]  # or what is known of the earlier run would expire first


@pytest.mark.parametrize("side", ["source", "destination"])
def test_an_ended_job_needs_both_accounts(api, client, job, side):
    end(api, job)

    answer = retry(client, job, {name: account for name, account in FORM.items() if name != side})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [side]
    assert api.model.requests()[job["job_id"]].run == 1


@pytest.mark.parametrize(
    ("side", "change"),
    [("source", {"username": "somebody@old.example"}), ("destination", {"host": "imap.elsewhere.example"})],
)
def test_another_account_is_refused(api, client, job, side, change):
    end(api, job)

    answer = retry(client, job, FORM | {side: FORM[side] | change})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [side]
    assert api.vault.held == {}


def test_the_same_account_may_be_reached_in_another_way(api, client, job):
    end(api, job)
    source = SOURCE | {"host": "IMAP.Old.Example", "port": 143, "security": "starttls", "password": "a new one"}

    assert retry(client, job, {"source": source, "destination": DESTINATION}).status_code == 202

    assert api.vault.held[job["job_id"]].source.password.get_secret_value() == "a new one"


def test_a_live_job_with_failures_is_retried_with_what_is_held(api, client, job):
    api.model.show(job["job_id"], completed=3, failed=1)

    assert retry(client, job, {"destination": DESTINATION | {"password": "a new one"}}).status_code == 202

    held = api.vault.held[job["job_id"]]
    assert held.source.password.get_secret_value() == SOURCE["password"]
    assert held.destination.password.get_secret_value() == "a new one"
    assert api.model.requests()[job["job_id"]].run == 2


def test_nothing_need_be_said_while_everything_is_held(api, client, job):
    api.model.show(job["job_id"], completed=3, failed=1)
    assert client.post(f"/api/jobs/{job['key']}/retry").status_code == 202

    end(api, job)
    answer = client.post(f"/api/jobs/{job['key']}/retry")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "account_needed")


def test_a_paused_job_stays_paused(api, client, job):
    api.model.show(job["job_id"], completed=3, failed=1)
    client.post(f"/api/jobs/{job['key']}/pause")

    assert retry(client, job, {}).status_code == 202

    assert (api.model.desired(job["job_id"]).state, api.model.desired(job["job_id"]).run) == ("pause", 2)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (JobState.RUNNING, "nothing_failed_yet"),
        (JobState.QUEUED, "nothing_failed_yet"),
        (JobState.COMPLETED, "nothing_failed"),
    ],
)
def test_where_nothing_has_failed_there_is_nothing_to_retry_and_it_says_why(api, client, job, state, why):
    api.model.show(job["job_id"], state=state, completed=3, failed=0)

    answer = retry(client, job, FORM)

    assert (answer.status_code, answer.json()["code"]) == (409, why)
    assert answer.json()["detail"]


def test_a_job_that_is_being_cancelled_is_not_retried(api, client, job):
    api.model.show(job["job_id"], completed=3, failed=1)
    client.post(f"/api/jobs/{job['key']}/cancel")

    assert retry(client, job, {}).status_code == 409


def test_a_job_is_not_retried_for_ever(api, client, job):
    end(api, job)
    api.model.rows.append(DesiredRow(job_id=job["job_id"], state="run", limits=api.model.rows[1].limits, run=MOST_RUNS))

    assert retry(client, job, FORM).status_code == 409


def test_a_retried_job_is_cancelled_in_its_run(api, client, job):
    end(api, job)
    retry(client, job, FORM)
    api.model.show(job["job_id"])

    client.post(f"/api/jobs/{job['key']}/cancel")

    assert api.log.messages[-1][2] == CancelJob(job_id=job["job_id"], run=2)
    assert api.model.desired(job["job_id"]).run == 2


def test_the_view_key_does_not_retry(api, client, job):
    end(api, job)

    answer = client.post(f"/api/jobs/{job['view_key']}/retry", json=FORM)

    assert (answer.status_code, answer.json()) == (404, client.get("/api/jobs/never").json())


def test_the_owner_gets_the_addresses_again_and_nobody_else(api, client, job):
    assert client.get(f"/api/jobs/{job['key']}/links").json() == job
    assert client.get(f"/api/jobs/{job['view_key']}/links").status_code == 404


def test_the_key_that_only_reads_comes_from_the_owners_and_does_not_lead_back(job):
    assert job["view_key"] == view_key(job["key"]) != job["key"]
    assert len(job["view_key"]) == 32  # 192 bits in URL-safe base64


def test_old_addresses_open_nothing_once_there_are_new_ones(api, client, job):
    answer = client.post(f"/api/jobs/{job['key']}/rotate-links")

    new = answer.json()
    assert (answer.status_code, new["job_id"], new.keys()) == (200, job["job_id"], job.keys())
    row = api.model.requests()[job["job_id"]]
    assert (row.key_hash, row.view_key_hash) == (key_hash(new["key"]), key_hash(new["view_key"]))
    for old in (job["key"], job["view_key"]):
        assert client.get(f"/api/jobs/{old}").status_code == 404
    assert client.get(f"/api/jobs/{new['view_key']}").status_code == 200
    assert client.post(f"/api/jobs/{new['view_key']}/rotate-links").status_code == 404


def test_the_mail_that_is_still_to_come_has_the_new_address(api):
    recipients = Recipients(api.model, [Fernet.generate_key().decode()])
    with TestClient(create_app(replace(api.deps, recipients=recipients), Health({}))) as client:
        form = FORM | {"options": {"notify_email": "anna@new.example", "notify_language": "de"}}
        job = client.post("/api/jobs", json=form).json()
        new = client.post(f"/api/jobs/{job['key']}/rotate-links").json()

        kept = recipients.open(job["job_id"])
        assert kept is not None
        assert kept.url.get_secret_value() == new["url"]
        assert (kept.address.get_secret_value(), kept.language) == ("anna@new.example", "de")

        recipients.destroy(job["job_id"])  # it was sent
        assert client.post(f"/api/jobs/{new['key']}/rotate-links").status_code == 200
        assert recipients.open(job["job_id"]) is None


def test_what_is_kept_for_a_mail_under_lost_keys_holds_up_no_new_address(api):
    sealed, unknown = (Recipients(api.model, [Fernet.generate_key().decode()]) for _ in range(2))
    form = FORM | {"options": {"notify_email": "anna@new.example"}}
    with TestClient(create_app(replace(api.deps, recipients=sealed), Health({}))) as client:
        job = client.post("/api/jobs", json=form).json()
    with TestClient(create_app(replace(api.deps, recipients=unknown), Health({}))) as client:
        assert client.post(f"/api/jobs/{job['key']}/rotate-links").status_code == 200


def test_who_gives_an_address_is_told_of_the_end_of_the_new_run_too(api, job):
    recipients = Recipients(api.model, [Fernet.generate_key().decode()])
    with TestClient(create_app(replace(api.deps, recipients=recipients), Health({}))) as client:
        end(api, job)
        seen = []
        api.model.keep_notification = lambda job_id, sealed, now: seen.append(api.model.requests()[job_id].run)

        form = FORM | {"notify_email": "anna@new.example", "notify_language": "de"}
        assert retry(client, job, form).status_code == 202

        assert seen == [2]  # with the new run, as the old one has ended: nobody is told of that again
        bearer = {"authorization": f"Bearer {OPERATOR}"}
        end(api, job)
        answer = client.post(f"/api/jobs/{job['job_id']}/retry", json=form, headers=bearer)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "notify_email")


def test_what_is_kept_to_tell_of_a_retry_is_the_page_and_the_language(api, job):
    recipients = Recipients(api.model, [Fernet.generate_key().decode()])
    with TestClient(create_app(replace(api.deps, recipients=recipients), Health({}))) as client:
        end(api, job)
        retry(client, job, FORM | {"notify_email": "anna@new.example", "notify_language": "de"})

    kept = recipients.open(job["job_id"])
    assert kept is not None
    assert (kept.address.get_secret_value(), kept.language) == ("anna@new.example", "de")
    assert kept.url.get_secret_value().endswith(f"/jobs/{job['key']}")


def test_without_a_mail_server_nobody_is_promised_a_mail(client, api, job):
    end(api, job)
    answer = retry(client, job, FORM | {"notify_email": "anna@new.example"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "notify_email")
