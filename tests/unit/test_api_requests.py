"""Asking for a migration: what is stored, in which order, and what bad requests leave behind."""

import dataclasses
import json

import pytest
from cryptography.fernet import Fernet
from starlette.testclient import TestClient

from libs.contracts.commands import DeleteJob, StartJob
from libs.contracts.ids import key_hash
from libs.readmodel.rows import DesiredRow, RequestRow, TombstoneRow
from libs.runtime.health import Health
from libs.vault.recipients import Recipients
from services.api.app import create_app

PASSWORD = "hunter2-hunter2"
SOURCE = {"host": "imap.old.example", "username": "anna@old.example", "password": PASSWORD}
DESTINATION = {"host": "imap.new.example", "username": "anna@new.example", "password": PASSWORD}
WINDOW = {"days": ["mon"], "from": "08:00", "to": "18:00", "mbps": 0}
FORM = {"source": SOURCE, "destination": DESTINATION}


def changed(side, **changes):
    return FORM | {side: FORM[side] | changes}


def without(side, field):
    return FORM | {side: {name: value for name, value in FORM[side].items() if name != field}}


def test_a_request_is_sealed_then_stored_then_ordered_then_accepted(api, client):
    answer = client.post("/api/jobs", json=FORM | {"options": {"concurrency": 3}})

    assert answer.status_code == 202
    accepted = answer.json()
    job_id = accepted["job_id"]
    assert api.vault.held[job_id].source.password.get_secret_value() == PASSWORD
    stored, desired, now_accepted = api.model.rows
    assert isinstance(stored, RequestRow)
    assert not stored.accepted
    assert isinstance(desired, DesiredRow)
    assert (desired.state, desired.limits.concurrency) == ("run", 3)
    assert isinstance(now_accepted, RequestRow)
    assert now_accepted.accepted
    assert api.log.messages == [("mailtide.commands", job_id, StartJob(job_id=job_id))]


def test_keys_are_given_out_once_and_stored_as_hashes(api, client):
    accepted = client.post("/api/jobs", json=FORM).json()

    row = api.model.requests()[accepted["job_id"]]
    assert len(accepted["key"]) >= 22  # 128 bits in base64
    assert row.key_hash == key_hash(accepted["key"])
    assert row.view_key_hash == key_hash(accepted["view_key"])
    assert accepted["key"] not in repr(api.model.rows)
    assert accepted["url"] == f"http://testserver/jobs/{accepted['key']}"
    assert accepted["view_url"] == f"http://testserver/jobs/{accepted['view_key']}"


def test_nothing_about_the_accounts_but_hosts_is_stored_outside_the_vault(api, client):
    client.post("/api/jobs", json=FORM)

    for private in (PASSWORD, "anna"):
        assert private not in repr(api.model.rows) + repr(api.log.messages)


def test_a_request_whose_order_is_not_in_the_log_is_forgotten(api, client):
    api.log.available = False

    answer = client.post("/api/jobs", json=FORM)

    assert answer.status_code == 503
    assert answer.json()["status"] == 503
    assert api.vault.held == {}
    assert isinstance(api.model.rows[-1], TombstoneRow)
    assert api.model.requests() == {}


def test_a_request_that_is_ordered_but_not_accepted_is_taken_back(api, client):
    api.model.refuses_accepted_requests = True

    answer = client.post("/api/jobs", json=FORM)

    assert answer.status_code == 503
    assert api.vault.held == {}
    assert [type(message) for _, _, message in api.log.messages] == [StartJob, DeleteJob]


def mailing(api):
    recipients = Recipients(api.model, [Fernet.generate_key().decode()])
    return recipients, TestClient(create_app(dataclasses.replace(api.deps, recipients=recipients), Health({})))


def test_the_address_to_write_to_is_sealed_and_nowhere_else(api):
    recipients, client = mailing(api)
    with client:
        accepted = client.post("/api/jobs", json=FORM | {"options": {"notify_email": "anna@new.example"}}).json()
        assert client.get("/api/abilities").json() == {"notify_email": True}

    recipient = recipients.open(accepted["job_id"])
    assert recipient is not None
    assert recipient.address.get_secret_value() == "anna@new.example"
    assert recipient.url.get_secret_value() == accepted["url"]
    stored = repr(api.model.rows) + repr(api.log.messages) + repr(api.model.notifications)
    stored += "".join(row.options.model_dump_json() for row in api.model.rows if isinstance(row, RequestRow))
    for private in ("anna@new", accepted["key"]):
        assert private not in stored


def test_who_does_not_ask_for_mail_gets_none(api):
    _, client = mailing(api)
    with client:
        assert client.post("/api/jobs", json=FORM).status_code == 202

    assert api.model.notifications == {}


def test_without_a_mail_server_an_address_is_refused(api, client):
    answer = client.post("/api/jobs", json=FORM | {"options": {"notify_email": "anna@new.example"}})

    assert client.get("/api/abilities").json() == {"notify_email": False}
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "options.notify_email")
    assert "anna@" not in answer.text
    assert api.nothing_is_kept


@pytest.mark.parametrize("other_way", [{}, {"port": 143, "security": "starttls"}, {"host": "IMAP.OLD.example"}])
def test_source_and_destination_may_not_be_the_same_account(api, client, other_way):
    answer = client.post("/api/jobs", json={"source": SOURCE, "destination": SOURCE | other_way})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "destination"
    assert api.nothing_is_kept


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (without("source", "host"), "source.host"),
        (without("destination", "username"), "destination.username"),
        (changed("source", host=""), "source.host"),
        (changed("source", host="imap.example/x"), "source.host"),
        (changed("source", port=0), "source.port"),
        (changed("source", port=65536), "source.port"),
        (changed("source", port="imap"), "source.port"),
        (changed("source", security="none"), "source.security"),
        (changed("source", oauth={"access_token": "x"}), "source"),
        (without("destination", "password"), "destination"),
        (changed("destination", password=7), "destination.password"),
        (changed("destination", passwort="x"), "destination.passwort"),
        (FORM | {"options": {"colour": "blue"}}, "options.colour"),
        (FORM | {"options": {"concurrency": 0}}, "options.concurrency"),
        (FORM | {"options": {"concurrency": "many"}}, "options.concurrency"),
        (FORM | {"options": {"mode": "move"}}, "options.mode"),
        (FORM | {"options": {"notify_email": "anna"}}, "options.notify_email"),
        (FORM | {"options": {"notify_email": "a@b.example, c@d.example"}}, "options.notify_email"),
        (FORM | {"options": {"notify_email": "a@b.example\nBcc: c@d.example"}}, "options.notify_email"),
        (FORM | {"options": {"notify_email": "<a@b.example>"}}, "options.notify_email"),
        (FORM | {"options": {"timezone": "Mars/Olympus"}}, "options.timezone"),
        (FORM | {"options": {"schedule": [WINDOW | {"from": "8"}]}}, "options.schedule.0.from"),
        (FORM | {"options": {"schedule": [WINDOW | {"days": ["monday"]}]}}, "options.schedule.0.days.0"),
        (FORM | {"options": {"schedule": [WINDOW] * 29}}, "options.schedule"),
        (FORM | {"options": {"since": "yesterday"}}, "options.since"),
        (FORM | {"options": []}, "options"),
        (FORM | {"name": "x" * 201}, "name"),
        ({"source": SOURCE}, "destination"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
def test_a_bad_request_is_a_problem_that_names_the_field_and_leaves_nothing(api, client, form, field):
    answer = client.post("/api/jobs", json=form)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["title"], problem["status"]) == ("about:blank", "Unprocessable Content", 422)
    assert field in [error["field"] for error in problem["errors"]]
    assert all(error["message"] for error in problem["errors"])
    assert PASSWORD not in answer.text
    assert api.nothing_is_kept


@pytest.mark.parametrize("body", [b"{", b"source=x", b"\xff\xfe", b""])
def test_a_body_that_is_not_json_is_refused(api, client, body):
    answer = client.post("/api/jobs", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert api.nothing_is_kept


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_a_megabyte_is_refused(api, client, chunked):
    body = json.dumps(FORM | {"name": "x" * 1_000_000}).encode()
    pieces = (body[n : n + 10_000] for n in range(0, len(body), 10_000))

    answer = client.post("/api/jobs", content=pieces if chunked else body, headers={"content-type": "application/json"})

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 413
    assert api.nothing_is_kept


def test_one_client_may_not_ask_without_end(client):
    for _ in range(200):
        answer = client.post("/api/jobs", json=FORM)
        if answer.status_code == 429:
            break

    assert answer.status_code == 429
    assert answer.json()["status"] == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
