"""External agents at the api: registered, given jobs, heard, told what to do."""

from dataclasses import asdict

import pytest

from libs.contracts.events import AgentReported
from libs.contracts.ids import JobId
from libs.contracts.jobs import JobState
from libs.contracts.reasons import Reason
from libs.readmodel.rows import AgentFailureRow, EntityRow
from tests.unit.conftest import OPERATOR
from tests.unit.test_api_access import WRITES

BEARER = {"authorization": f"Bearer {OPERATOR}"}


@pytest.fixture
def agent(client):
    return client.post("/api/agents", json={"name": "Files of Anna"}, headers=BEARER).json()


@pytest.fixture
def job(client, agent):
    form = {"name": "Archive", "items_total": 10, "entity_types": ["Contacts"]}
    return client.post(f"/api/agents/{agent['agent_id']}/jobs", json=form, headers=BEARER).json()


@pytest.fixture
def report(client, agent, job):
    def report(batch_id="1", *, token=agent["token"], **change):
        form = {"batch_id": batch_id, "job_id": job["job_id"], "items_completed": 2, "bytes_completed": 200}
        return client.post("/api/progress", json=form | change, headers={"authorization": f"Bearer {token}"})

    return report


def logged(api):
    return [message for _, _, message in api.log.messages if isinstance(message, AgentReported)]


# ---- who


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/agents"), ("GET", "/api/agents"), ("DELETE", "/api/agents/a")]
)
def test_only_the_operator_registers_agents(client, method, path):
    assert client.request(method, path, json={"name": "x"}).status_code == 401


def test_a_token_is_shown_once_and_not_stored(api, client, agent):
    assert agent["token"] not in repr(vars(api.model))
    assert client.get("/api/agents", headers=BEARER).json() == [
        {"agent_id": agent["agent_id"], "name": "Files of Anna", "created_at": "2026-11-22T12:00:00Z"}
    ]


@pytest.mark.parametrize("token", ["", "another", "x" * 1000, OPERATOR])
def test_without_an_agents_token_nothing_is_reported(api, report, token):
    assert report(token=token).status_code == 401
    assert not logged(api)


def test_whoever_tries_tokens_is_stopped(report):
    assert [report(token="guess").status_code for _ in range(61)][-1] == 429


def test_whoever_tries_tokens_at_a_job_is_stopped_and_its_key_goes_on_to_open_it(client, job):
    guess = {"Authorization": "Bearer guess"}
    tried = [client.get(f"/api/jobs/{job['job_id']}", headers=guess).status_code for _ in range(61)]

    assert (set(tried[:60]), tried[60]) == ({404}, 429)
    assert client.get(f"/api/jobs/{job['key']}", headers=guess).status_code == 200


def test_a_removed_agent_is_not_heard(client, agent, report):
    assert client.delete(f"/api/agents/{agent['agent_id']}", headers=BEARER).status_code == 204
    assert report().status_code == 401
    assert client.delete(f"/api/agents/{agent['agent_id']}", headers=BEARER).status_code == 404
    assert client.post(f"/api/agents/{agent['agent_id']}/jobs", json={"name": "x"}, headers=BEARER).status_code == 404


# ---- reports


def test_a_report_goes_into_the_log_as_ids_and_numbers(api, client, job, report):
    answer = report(
        "batch of Anna",
        items_failed=1,
        items_skipped=3,
        failures=[{"item": "Anna.vcf", "text": "No space for Anna"}],
        entities={"Annas": {"imported": 2}, "Contacts": {"errored": 1}},
        speed_bytes_per_second=5,
        items_total=20,
        state="running",
    )

    assert (answer.status_code, answer.json()) == (202, {"repeated": False})
    (event,) = logged(api)
    assert (event.completed, event.failed, event.skipped, event.bytes_completed) == (2, 1, 3, 200)
    assert (event.items_total, event.state, event.speed) == (20, "running", 5)
    assert "Anna" not in repr(asdict(event))
    names = {row.entity_id: row.name for row in api.model.rows if isinstance(row, EntityRow)}
    assert {names[each.entity_id]: (each.imported, each.errored) for each in event.entities} == {
        "Annas": (2, 0),
        "Contacts": (0, 1),
    }
    (failure,) = [row for row in api.model.rows if isinstance(row, AgentFailureRow)]
    assert (failure.item, failure.text, failure.batch_id) == ("Anna.vcf", "No space for Anna", event.batch_id)


@pytest.mark.parametrize(
    ("failure", "reason", "text"),
    [
        ({}, Reason.ITEM_FAILED, ""),
        ({"reason": "over_quota", "text": "Full"}, Reason.OVER_QUOTA, "Full"),
        ({"reason": "not_found", "text": "Gone since May"}, Reason.ITEM_FAILED, "not_found: Gone since May"),
        ({"reason": "not_found"}, Reason.ITEM_FAILED, "not_found"),
    ],
)
def test_a_reason_of_the_agents_own_is_kept_with_its_text_and_costs_no_report(api, report, failure, reason, text):
    assert report(items_failed=1, failures=[{"item": "a", **failure}]).status_code == 202

    (row,) = [row for row in api.model.rows if isinstance(row, AgentFailureRow)]
    assert (row.reason, row.text) == (reason, text)
    (event,) = logged(api)
    assert (event.completed, event.failed) == (2, 1)
    assert "not_found" not in repr(asdict(event))


def test_names_and_failures_are_there_before_the_log_knows_of_them(api, report):
    seen = []
    api.log.on_append = lambda: seen.extend(type(row) for row in api.model.rows)
    report(failures=[{"item": "a"}], entities={"New": {}})

    assert {EntityRow, AgentFailureRow} <= set(seen)


def test_a_repeat_is_known_and_other_content_is_not_taken(api, report):
    assert report().status_code == 202
    assert (report().status_code, report().json()) == (200, {"repeated": True})
    answer = report(items_completed=3)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "batch_id")
    assert len(logged(api)) == 1


def test_another_process_knows_what_the_aggregator_has_seen(api, client, report):
    report()
    (event,) = logged(api)
    api.model.counted[event.batch_id] = event.content
    client.app.state.reports._sent.clear()  # as after a restart

    assert report().status_code == 200
    assert report(items_completed=3).status_code == 409
    assert len(logged(api)) == 1


def test_a_report_that_was_not_confirmed_is_appended_again(api, report):
    api.log.available = False
    assert report().status_code == 503
    assert report(items_completed=3).status_code == 409  # it may be in the log all the same

    api.log.available = True
    assert report().status_code == 202
    assert report().status_code == 200
    assert len({event.batch_id for event in logged(api)}) == 1


def test_a_job_that_is_not_there_or_anothers_is_refused_alike(client, job, report):
    other = client.post("/api/agents", json={"name": "Other"}, headers=BEARER).json()
    foreign, unknown = report(token=other["token"]), report(job_id="j0")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json() == unknown.json()


def test_a_deleted_job_is_refused_even_for_what_was_known(client, job, report):
    assert report().status_code == 202
    assert client.delete(f"/api/jobs/{job['key']}").status_code == 204
    assert report().status_code == 404
    assert report("2").status_code == 404


def test_an_ended_job_is_refused_but_a_repeat_of_its_last_report_is_not(api, client, job, report):
    assert report(state="completed").status_code == 202
    api.model.show(JobId(job["job_id"]), state=JobState.COMPLETED)
    client.app.state.reports._control._known.clear()  # as a job event does

    assert report(state="completed").status_code == 200
    assert report("2").status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items_completed": -1}, "items_completed"),
        ({"bytes_completed": 2**61}, "bytes_completed"),
        ({"items_completed": 1.5}, "items_completed"),
        ({"batch_id": ""}, "batch_id"),
        ({"state": "paused"}, "state"),
        ({"failures": [{"item": "a", "reason": ""}]}, "failures.0.reason"),
        ({"failures": [{"item": "a", "reason": "x" * 101}]}, "failures.0.reason"),
        ({"failures": [{"item": "a"}] * 201}, "failures"),
        ({"entities": {"a": {"imported": -1}}}, "entities.a.imported"),
        ({"entities": {f"type {n}": {} for n in range(200)}}, "entities"),  # and one it has
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(api, report, change, field):
    answer = report(**change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert not logged(api)
    assert report(items_completed=1).status_code == 202  # and its batch_id is still free


def test_an_agent_that_reports_too_often_is_slowed_down(report):
    assert 429 in {report(str(number)).status_code for number in range(25)}


def test_a_type_given_twice_is_refused(client, agent):
    form = {"name": "x", "entity_types": ["a", " a "]}
    answer = client.post(f"/api/agents/{agent['agent_id']}/jobs", json=form, headers=BEARER)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "entity_types")


def test_an_agents_job_is_not_tried_again_here(client, job):
    answer = client.post(f"/api/jobs/{job['key']}/retry", json={})
    assert (answer.status_code, "agent" in answer.json()["detail"]) == (409, True)


# ---- its jobs


@pytest.mark.parametrize("path", ["", "/breakdown", "/batches", "/failures", "/failures.csv"])
def test_an_agent_reads_its_own_jobs_by_their_ids_and_no_others(api, client, agent, job, path):
    other = client.post("/api/agents", json={"name": "Other"}, headers=BEARER).json()
    mailbox = api.model.add_job("j1", key="the-key", view_key="the-view-key")

    def read(job_id, token):
        return client.get(f"/api/jobs/{job_id}{path}", headers={"authorization": f"Bearer {token}"})

    assert read(job["job_id"], agent["token"]).status_code == 200
    assert read(job["job_id"], other["token"]).status_code == 404
    assert read(job["job_id"], "guess").status_code == 404
    assert read(mailbox, agent["token"]).status_code == 404
    assert read(job["job_id"], other["token"]).json() == client.get("/api/jobs/nothing").json()
    assert client.delete(f"/api/jobs/{job['key']}").status_code == 204
    assert read(job["job_id"], agent["token"]).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [*WRITES, ("POST", "/retry"), ("POST", "/rotate-links"), ("GET", "/links")],
)
def test_an_agent_changes_none_of_its_jobs(api, client, agent, job, method, path):
    before = len(api.model.rows)
    auth = {"authorization": f"Bearer {agent['token']}"}

    answer = client.request(method, f"/api/jobs/{job['job_id']}{path}", json={}, headers=auth)

    assert (answer.status_code, len(api.model.rows), logged(api)) == (404, before, [])


def test_a_removed_agent_reads_nothing(client, agent, job):
    client.delete(f"/api/agents/{agent['agent_id']}", headers=BEARER)
    auth = {"authorization": f"Bearer {agent['token']}"}
    assert client.get(f"/api/jobs/{job['job_id']}", headers=auth).status_code == 404


# ---- commands


def test_an_agent_is_told_of_all_its_jobs_and_what_is_wanted(client, agent, job):
    auth = {"authorization": f"Bearer {agent['token']}"}

    def told(known=""):
        return client.get("/api/agents/me/commands", params={"known": known, "wait_seconds": 5}, headers=auth).json()

    first = told()
    assert [(each["job_id"], each["command"]) for each in first["jobs"]] == [(job["job_id"], "run")]

    client.post(f"/api/jobs/{job['key']}/pause")
    client.patch(f"/api/jobs/{job['key']}/limits", json={"bandwidth_limit_mbps": 5})
    paused = told(first["state"])
    assert paused["jobs"][0]["command"] == "pause"
    assert paused["jobs"][0]["limits"]["bandwidth_limit_mbps"] == 5

    client.post(f"/api/jobs/{job['key']}/cancel")
    assert told(paused["state"])["jobs"][0]["command"] == "cancel"
    client.delete(f"/api/jobs/{job['key']}")
    assert told()["jobs"][0]["command"] == "delete"


def test_whoever_knows_all_waits_and_is_told_the_same_again(client, agent, job):
    auth = {"authorization": f"Bearer {agent['token']}"}
    first = client.get("/api/agents/me/commands", headers=auth).json()
    again = client.get("/api/agents/me/commands", params={"known": first["state"], "wait_seconds": 0}, headers=auth)
    assert again.json() == first


def test_commands_are_for_agents(client):
    assert client.get("/api/agents/me/commands", headers=BEARER).status_code == 401
