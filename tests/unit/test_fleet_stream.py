"""The operator's stream of all jobs, on a real server with the read model in memory."""

import time
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise

import httpx2
import pytest

from libs.contracts.ids import JobId
from libs.contracts.jobs import JobState
from services.api.fleet import STAYS, Fleet, changes, fleet
from tests.api.fakes import NOW, snapshot
from tests.api.server import Server, events
from tests.unit.conftest import OPERATOR

TOKEN = {"authorization": f"Bearer {OPERATOR}"}
A, B = JobId("a"), JobId("b")


@pytest.fixture
def server(api):
    with Server(api.deps) as server:
        yield server


@pytest.fixture
def http(server):
    with httpx2.Client(base_url=server.url, timeout=10) as client:
        yield client


def stream(http):
    return http.stream("GET", "/api/jobs/events", headers=TOKEN)


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"authorization": "Bearer another"}, 401)])
def test_it_is_for_the_operator_alone(http, headers, status):
    answer = http.get("/api/jobs/events", headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_all_jobs_come_at_once_and_then_what_changes(api, http):
    jobs = [api.model.add_job(name, key=name, view_key=f"view-{name}") for name in ("a", "b", "c")]
    with stream(http) as answer:
        found = events(answer)
        name, data, _ = next(found)
        assert (name, [job["job_id"] for job in data]) == ("snapshot", jobs)

        api.model.show(A, completed=4)
        name, data, _ = next(found)
        assert (name, [(job["job_id"], job["items_completed"]) for job in data["changed"]]) == ("changes", [("a", 4)])
        assert data["gone"] == []

        http.delete("/api/jobs/c")
        assert next(found)[1] == {"changed": [], "gone": ["c"]}

        api.model.show(B, completed=10, state=JobState.COMPLETED)
        _, data, _ = next(found)
        assert [(job["job_id"], job["state"]) for job in data["changed"]] == [("b", "completed")]

    listed = http.get("/api/jobs", headers=TOKEN).json()
    finished = http.get("/api/jobs?state=finished", headers=TOKEN).json()
    assert ([job["job_id"] for job in listed], [job["job_id"] for job in finished]) == (["a"], ["b"])


def test_a_fleet_without_jobs_is_told_as_well(http):
    with stream(http) as answer:
        assert next(events(answer))[:2] == ("snapshot", [])


def test_changes_come_at_most_once_a_second_and_all_viewers_cost_one_read(api, http):
    api.model.add_job("a", key="a", view_key="view-a")
    with ExitStack() as stack:
        viewers = [events(stack.enter_context(stream(http))) for _ in range(6)]
        viewers.append(events(stack.enter_context(http.stream("GET", "/api/jobs/a/events"))))
        for viewer in viewers:
            next(viewer)
        before, times = api.model.reads, []
        for completed in range(1, 5):
            api.model.show(A, completed=completed)
            for viewer in viewers:
                next(viewer)
            times.append(time.monotonic())

    assert min(later - earlier for earlier, later in pairwise(times)) > 0.7
    assert api.model.reads - before <= 9


def seen(*jobs, now=NOW):
    return fleet(Fleet(dict.fromkeys((A, B), "")), [A], {each.job.job_id: each.job for each in jobs}, now)


def test_what_ended_while_it_was_watched_stays_for_a_while():
    ended = snapshot(B, completed=10, state=JobState.COMPLETED)

    assert list(seen(snapshot(A), ended, now=NOW + STAYS - timedelta(seconds=1)).jobs) == [A, B]
    assert list(seen(snapshot(A), ended, now=NOW + STAYS).jobs) == [A]


def test_no_change_is_no_event():
    assert changes(seen(snapshot(A)), seen(snapshot(A))) is None
