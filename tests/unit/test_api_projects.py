"""Projects: set by the operator, applied to the jobs that name them."""

import pytest

from libs.contracts.jobs import Limits
from libs.readmodel.rows import DesiredRow, RequestRow
from tests.unit.conftest import OPERATOR
from tests.unit.test_api_requests import FORM, WINDOW

BEARER = {"authorization": f"Bearer {OPERATOR}"}
LIMITS = {"concurrency": 4, "bandwidth_limit_mbps": 20, "schedule": [WINDOW], "timezone": "Europe/Berlin"}


def put(client, name="Harbour", **limits):
    return client.put(f"/api/projects/{name}", json=limits, headers=BEARER)


def requested(api, client, **form) -> Limits:
    assert client.post("/api/jobs", json=FORM | form).status_code == 202
    request = [row for row in api.model.rows if isinstance(row, RequestRow)][-1]
    desired = [row for row in api.model.rows if isinstance(row, DesiredRow)][-1]
    assert Limits(**request.options.model_dump(include=set(Limits.model_fields))) == desired.limits
    return desired.limits


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/projects"), ("PUT", "/api/projects/Harbour"), ("DELETE", "/api/projects/Harbour")],
)
def test_they_are_for_the_operator_alone(api, client, method, path):
    assert client.request(method, path, json={}).status_code == 401
    assert api.model.kept_projects == {}


def test_what_was_put_is_listed_and_replaced_as_a_whole(client):
    put(client, **LIMITS)
    put(client, "Ändere mich", concurrency=9)
    answer = put(client, "Ändere mich", bandwidth_limit_mbps=1)

    assert answer.json()["limits"]["concurrency"] == 2
    listed = client.get("/api/projects", headers=BEARER).json()
    assert listed[0] == {"name": "Harbour", "limits": LIMITS}
    assert [each["name"] for each in listed] == ["Harbour", "Ändere mich"]


def test_a_job_takes_from_its_project_what_it_does_not_give_itself(api, client):
    put(client, **LIMITS)

    assert requested(api, client, project="Harbour") == Limits.model_validate(LIMITS)
    own = {"concurrency": 2, "bandwidth_limit_mbps": None}
    assert requested(api, client, project="Harbour", options=own) == Limits.model_validate(LIMITS | own)
    assert requested(api, client, project="Harbour", options={"schedule": []}).schedule == ()


@pytest.mark.parametrize("form", [{}, {"project": "another"}])
def test_other_jobs_are_left_alone(api, client, form):
    put(client, **LIMITS)

    assert requested(api, client, **form) == Limits()


@pytest.mark.parametrize(
    ("name", "limits", "field"),
    [
        ("x" * 101, {}, "name"),
        ("Harbour", {"concurrency": 0}, "concurrency"),
        ("Harbour", {"schedule": [WINDOW | {"to": "25:00"}]}, "schedule.0.to"),
        ("Harbour", {"colour": "blue"}, "colour"),
    ],
)
def test_wrong_projects_are_refused(api, client, name, limits, field):
    answer = put(client, name, **limits)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert api.model.kept_projects == {}


def test_a_removed_project_gives_no_limits_any_more(api, client):
    put(client, **LIMITS)
    assert client.delete("/api/projects/Harbour", headers=BEARER).status_code == 204

    assert client.get("/api/projects", headers=BEARER).json() == []
    assert requested(api, client, project="Harbour") == Limits()
    assert client.delete("/api/projects/Harbour", headers=BEARER).status_code == 404
