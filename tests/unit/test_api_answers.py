"""What every answer has: headers, problems, health, an OpenAPI document of our own; and what single ones hold."""

import csv
import dataclasses
import io
import json
import re

import pytest
from starlette.testclient import TestClient

from libs.contracts.reasons import WHAT_TO_DO, Reason
from libs.contracts.views import FailureRow
from libs.mailbox.errors import AccountUnusable
from libs.runtime.health import Health
from services.api import accounts, rates
from services.api.app import create_app
from services.api.failures import csv as failures_csv
from tests.api.fakes import NOW, FakeSession
from tests.architecture.tree import ROOT
from tests.unit import test_api_access
from tests.unit.conftest import OPERATOR

ACCOUNT = {"host": "imap.old.example", "username": "anna", "password": "hunter2-hunter2"}
AGENTS = {"/api/progress", "/api/agents/me/commands"}
READS = {f"/api/jobs/{{key}}{path}" for path in [*test_api_access.READS, "/events"]}


@pytest.fixture
def job_id(api):
    return api.model.add_job("j1", key="the-key", view_key="the-view-key")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/jobs/the-key"),
        ("GET", "/api/jobs/unknown"),
        ("GET", "/jobs/the-key"),
        ("PUT", "/api/jobs/the-key"),
        ("POST", "/api/jobs"),
        ("GET", "/openapi.json"),
        ("GET", "/livez"),
        ("GET", "/nowhere"),
        ("GET", "/api/jobs/the-key/failures"),  # fails, see below
    ],
)
def test_every_answer_keeps_browsers_from_framing_sniffing_and_storing(api, client, job_id, method, path):
    api.model.failed = None  # makes one route fail inside

    headers = client.request(method, path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors 'none'")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-robots-tag"] == "noindex"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/jobs/unknown", 404),
        ("GET", "/jobs/unknown", 404),
        ("PUT", "/api/jobs/the-key", 405),
        ("GET", "/api/accounts/check", 405),
        ("GET", "/api/jobs/the-key/batches?limit=0", 422),
        ("GET", "/api/jobs/the-key/batches?after=now", 422),
        ("GET", "/api/jobs/the-key/failures", 500),
    ],
)
def test_every_error_is_a_problem(api, client, job_id, method, path, status):
    api.model.failed = None

    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() == {"type", "title", "status", "detail", "code", "errors"}
    assert answer.json()["status"] == status


def test_without_an_operator_token_its_routes_are_forbidden(api):
    app = create_app(dataclasses.replace(api.deps, operator_token=None), Health({}))

    with TestClient(app) as client:
        answer = client.get("/api/jobs?state=active", headers={"authorization": "Bearer "})

    assert (answer.status_code, answer.json()["status"]) == (403, 403)


def test_the_public_address_is_the_configured_one(api):
    app = create_app(dataclasses.replace(api.deps, public_url="https://move.example"), Health({}))

    with TestClient(app) as client:
        accepted = client.post("/api/jobs", json={"source": ACCOUNT, "destination": ACCOUNT | {"host": "b.example"}})

    assert accepted.json()["url"] == f"https://move.example/jobs/{accepted.json()['key']}"


def test_ready_only_when_every_check_passes(api, client):
    assert client.get("/readyz").json() == {"ready": True, "checks": {"agents": True}}

    api.ready = False

    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


def test_metrics_are_given_in_the_prometheus_format(client):
    assert "# TYPE process_cpu_seconds_total counter" in client.get("/metrics").text


def test_the_openapi_document_describes_every_route_and_nothing_loads_from_elsewhere(client):
    document = client.get("/openapi.json").json()

    assert {"/api/jobs", "/api/jobs/{key}", "/api/jobs/{key}/events", "/api/accounts/check"} <= document["paths"].keys()
    assert "application/problem+json" in document["paths"]["/api/jobs"]["post"]["responses"]["422"]["content"]
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert references <= document["components"]["schemas"].keys()
    assert "$defs" not in json.dumps(document)
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404


@pytest.mark.parametrize("kind", [None, "operator", "agent"])
def test_the_openapi_document_says_which_token_opens_what(client, kind):
    operator = {"authorization": f"Bearer {OPERATOR}"}
    agent = client.post("/api/agents", json={"name": "Files"}, headers=operator).json()
    tokens = {"operator": operator, "agent": {"authorization": f"Bearer {agent['token']}"}}
    operations = [
        (path, method, operation)
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method, operation in methods.items()
        if path != "/api/jobs/events" or kind != "operator"  # it would not end
    ]

    for path, method, operation in operations:
        security = operation.get("security", [{}])
        answer = client.request(method, re.sub(r"{\w+}", "x", path), json={}, headers=tokens.get(kind))
        assert (answer.status_code == 401) == ({} not in security and {kind: []} not in security), path
        assert ("401" in operation["responses"]) == ({} not in security), path
        assert ("403" in operation["responses"]) == (security == [{"operator": []}]), path
        assert ({"agent": []} in security) == (path in AGENTS or (method == "get" and path in READS)), path


@pytest.mark.parametrize(
    ("limit", "of"),
    [
        (rates.CHECKS, "checks of accounts a minute"),
        (rates.JOBS, "new migrations and retries"),
        (rates.REFUSALS, "tokens that nobody has"),
        (rates.REPORTS, "times a second"),
    ],
)
def test_the_limits_of_requests_are_in_the_runbook(limit, of):
    runbook = " ".join((ROOT / "docs/operations.md").read_text(encoding="utf-8").split())
    assert f" {limit.partition('/')[0]} {of}" in runbook


def test_the_page_leads_to_the_data_and_loads_nothing_from_elsewhere(client, job_id):
    page = client.get("/jobs/the-key")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<a href="/api/jobs/the-key">' in page.text
    assert re.findall(r"(?:src|href)=\"(?!/\w)", page.text) == []


def test_batches_are_read_on_from_the_last_one(client, job_id):
    first = client.get("/api/jobs/the-key/batches?limit=4").json()
    rest = client.get("/api/jobs/the-key/batches", params={"after": first[-1]["at"]}).json()

    assert [batch["items"] for batch in first[:-1] + rest] == list(range(10))
    assert first[0]["at"] == "2026-11-22T12:00:00Z"


def test_an_account_that_works_is_listed(client):
    answer = client.post("/api/accounts/check", json={"account": ACCOUNT}).json()

    assert answer["ok"]
    assert answer["folders"] == [
        {"name": "INBOX", "special_use": None, "items": 3, "above": []},
        {"name": "Sent", "special_use": "\\Sent", "items": 3, "above": []},
        {"name": "Old/Locked", "special_use": None, "items": None, "above": ["Old"]},
    ]
    assert answer["message"] == "Mailtide can log in: 3 folders, 6 or more messages."


def test_an_account_that_does_not_work_comes_with_what_to_do(api):
    def refuse(_account):
        raise AccountUnusable(Reason.LOGIN_REFUSED, "no such user anna")

    with TestClient(create_app(dataclasses.replace(api.deps, connect=refuse), Health({}))) as client:
        answer = client.post("/api/accounts/check", json={"account": ACCOUNT})

    assert answer.status_code == 200
    assert not answer.json()["ok"]
    assert answer.json()["message"] == WHAT_TO_DO[Reason.LOGIN_REFUSED]


def test_a_server_that_says_nothing_is_given_up_in_time(api, client, monkeypatch):
    monkeypatch.setattr(accounts, "ANSWER_SECONDS", 0.1)
    api.session = FakeSession(hangs=True)

    answer = client.post("/api/accounts/check", json={"account": ACCOUNT}).json()

    assert (answer["ok"], answer["reason"]) == (False, "timed_out")
    assert api.session.dropped.wait(5)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"account": ACCOUNT | {"port": 0}}, "account.port"), ({"account": {}}, "account.host"), (ACCOUNT, "account")],
)
def test_a_wrong_account_names_the_field(client, body, field):
    answer = client.post("/api/accounts/check", json=body)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert ACCOUNT["password"] not in answer.text


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_no_cell_of_the_failures_runs_as_a_formula(formula):
    row = FailureRow(
        at=NOW,
        folder=formula,
        uid=7,
        item=formula,
        reason=Reason.OVER_QUOTA,
        server_text=f'{formula},"x"\n',
        what_to_do="Retry.",
    )

    cells = list(csv.reader(io.StringIO(failures_csv([row]).removeprefix("\ufeff"), newline="")))

    assert cells[0] == ["at", "folder", "uid", "item", "reason", "server_text", "what_to_do", "outcome", "left_out"]
    assert cells[1][1] == f"'{formula}"
    assert cells[1][3] == f"'{formula}"
    assert cells[1][5] == f'\'{formula},"x"\n'
    assert cells[1][2] == "7"
