"""Who may do what: key, view key, job id, operator, nobody."""

import pytest

from libs.contracts.commands import CancelJob, ChangeLimits, DeleteJob, PauseJob, ResumeJob
from libs.contracts.jobs import JobState
from libs.contracts.schedule import Window
from tests.unit.conftest import OPERATOR

READS = ["", "/breakdown", "/batches", "/failures", "/failures.csv"]
WRITES = [("POST", "/cancel"), ("POST", "/pause"), ("POST", "/resume"), ("PATCH", "/limits"), ("DELETE", "")]
BEARER = {"authorization": f"Bearer {OPERATOR}"}


@pytest.fixture
def job_id(api):
    return api.model.add_job("j1", key="the-key", view_key="the-view-key")


def write(client, method, key, path, **more):
    return client.request(method, f"/api/jobs/{key}{path}", json={} if method == "PATCH" else None, **more)


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("key", ["the-key", "the-view-key"])
def test_both_keys_read(client, job_id, key, path):
    assert client.get(f"/api/jobs/{key}{path}").status_code == 200


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_the_key_writes(client, job_id, method, path):
    assert write(client, method, "the-key", path).status_code == (204 if method == "DELETE" else 202)


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("key", ["the-view-key", "j1", "unknown", "x" * 1000, "schlüssel", "%00"])
def test_nothing_else_writes_and_it_looks_as_if_nothing_was_there(api, client, job_id, key, method, path):
    before = len(api.model.rows)

    answer = write(client, method, key, path)

    assert answer.status_code == 404
    assert answer.json() == client.get("/api/jobs/nothing").json()
    assert (len(api.model.rows), api.log.messages) == (before, [])


@pytest.mark.parametrize("path", [*READS, "/events"])
@pytest.mark.parametrize("key", ["j1", "unknown", "the-key%20"])
def test_an_id_opens_nothing_by_itself(client, job_id, key, path):
    assert client.get(f"/api/jobs/{key}{path}").status_code == 404


def test_the_id_and_the_operators_token_open_the_job(client, job_id):
    assert client.get("/api/jobs/j1", headers=BEARER).json()["job_id"] == "j1"
    assert write(client, "POST", "j1", "/pause", headers=BEARER).status_code == 202
    assert client.get("/api/jobs/j2", headers=BEARER).status_code == 404
    assert client.get("/api/jobs/j1", headers={"authorization": "Bearer another"}).status_code == 404


def test_a_deleted_job_looks_like_one_that_never_was(client, job_id):
    assert client.delete("/api/jobs/the-key").status_code == 204

    for path in READS:
        for key in ("the-key", "the-view-key"):
            answer = client.get(f"/api/jobs/{key}{path}")
            assert (answer.status_code, answer.json()) == (404, client.get("/api/jobs/never").json())


def test_the_operator_sees_the_active_jobs(api, client, job_id):
    api.model.add_job("j2", key="k2", view_key="v2")
    api.model.show("j2", state=JobState.COMPLETED)

    assert [job["job_id"] for job in client.get("/api/jobs?state=active", headers=BEARER).json()] == ["j1"]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong-token-wrong-token", f"Basic {OPERATOR}", OPERATOR])
def test_without_the_operators_token_there_is_no_list(client, authorization):
    headers = {"authorization": authorization} if authorization else {}

    answer = client.get("/api/jobs?state=active", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path", "command"),
    [
        ("POST", "/cancel", CancelJob(job_id="j1")),
        ("POST", "/pause", PauseJob(job_id="j1")),
        ("POST", "/resume", ResumeJob(job_id="j1")),
        ("PATCH", "/limits", ChangeLimits(job_id="j1")),
        ("DELETE", "", DeleteJob(job_id="j1")),
    ],
)
def test_a_write_is_stored_before_the_workers_hear_of_it(api, client, job_id, method, path, command):
    rows_at_append = []
    api.log.follow_all(lambda _message: rows_at_append.append(len(api.model.rows)))
    before = len(api.model.rows)

    write(client, method, "the-key", path)

    assert api.log.messages == [("mailtide.commands", "j1", command)]
    assert rows_at_append == [before + 1]


def test_limits_that_are_left_out_stay_as_they_are(api, client, job_id):
    client.patch("/api/jobs/the-key/limits", json={"bandwidth_limit_mbps": 8})
    client.patch("/api/jobs/the-key/limits", json={"concurrency": 5})
    limits = api.model.desired(job_id).limits
    assert (limits.concurrency, limits.bandwidth_limit_mbps) == (5, 8)

    client.patch("/api/jobs/the-key/limits", json={"bandwidth_limit_mbps": None})
    limits = api.model.desired(job_id).limits
    assert (limits.concurrency, limits.bandwidth_limit_mbps) == (5, None)

    window = {"days": ["mon"], "from": "22:00", "to": "06:00", "mbps": 0}
    client.patch("/api/jobs/the-key/limits", json={"schedule": [window], "timezone": "Europe/Berlin"})
    client.patch("/api/jobs/the-key/limits", json={"bandwidth_limit_mbps": 3})
    limits = api.model.desired(job_id).limits
    assert (limits.schedule, limits.timezone) == ((Window.model_validate(window),), "Europe/Berlin")

    client.patch("/api/jobs/the-key/limits", json={"schedule": []})
    assert api.model.desired(job_id).limits.schedule == ()


@pytest.mark.parametrize(
    "change",
    [
        {"schedule": None},
        {"timezone": "Mars"},
        {"concurrency": 0},
        {"concurrency": None},
        {"bandwidth_limit_mbps": 0},
        {"speed": 1},
    ],
)
def test_wrong_limits_are_refused(api, client, job_id, change):
    answer = client.patch("/api/jobs/the-key/limits", json=change)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(change)))
    assert api.log.messages == []


def test_a_cancellation_is_not_taken_back(api, client, job_id):
    client.post("/api/jobs/the-key/cancel")

    assert client.post("/api/jobs/the-key/resume").status_code == 409
    assert client.post("/api/jobs/the-key/cancel").status_code == 202
    assert api.model.desired(job_id).state == "cancel"


def test_a_job_that_has_ended_is_not_changed_any_more(api, client, job_id):
    api.model.show(job_id, state=JobState.COMPLETED)

    answer = client.post("/api/jobs/the-key/pause")

    assert (answer.status_code, answer.json()["detail"]) == (409, "The job has ended, or is being cancelled.")
    assert api.log.messages == []
