"""Server-sent events, on a real server with the read model in memory."""

import threading
import time
from contextlib import ExitStack
from functools import partial
from itertools import pairwise

import httpx2
import pytest

from libs.contracts.commands import StartJob
from libs.contracts.events import JobCancelled, JobStarted
from libs.contracts.jobs import JobState
from libs.contracts.topics import COMMANDS, JOB_EVENTS
from services.api.hub import steady
from tests.api.fakes import snapshot
from tests.api.server import Server, events


@pytest.fixture
def server(api):
    with Server(api.deps) as server:
        yield server


@pytest.fixture
def http(server):
    with httpx2.Client(base_url=server.url, timeout=10) as client:
        yield client


@pytest.fixture
def job_id(api):
    return api.model.add_job("j1", key="the-key", view_key="the-view-key")


def stream(http, key="the-key", **headers):
    return http.stream("GET", f"/api/jobs/{key}/events", headers=headers)


def test_the_first_snapshot_comes_at_once(http, job_id):
    begun = time.monotonic()
    with stream(http, "the-view-key") as answer:
        name, data, _ = next(events(answer))
        taken = time.monotonic() - begun

    assert (name, data["job"]["job_id"], len(data["breakdown"])) == ("snapshot", "j1", 1)
    assert taken < 1
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_snapshots_come_at_most_once_a_second_go_only_forward_and_then_end(api, http, job_id):
    def work():
        for completed in (*range(35), 20, 30, *range(35, 100)):
            api.model.show(job_id, completed=completed, total=100)
            time.sleep(0.03)
        api.model.show(job_id, completed=100, total=100, state=JobState.COMPLETED)

    worker = threading.Thread(target=work)
    worker.start()
    times, percents, names = [], [], []
    with stream(http) as answer:
        for name, data, _ in events(answer):
            names.append(name)
            if name == "snapshot":
                times.append(time.monotonic())
                percents.append(data["job"]["progress_percent"])
    worker.join()

    assert len(times) >= 3
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.9
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert names == ["snapshot"] * len(times) + ["end"]
    assert data == {"state": "completed"}


def test_nothing_is_sent_while_nothing_changes(api, http, job_id):
    with stream(http) as answer:
        found = events(answer)
        next(found)
        threading.Timer(2.5, lambda: api.model.show(job_id, completed=10, state=JobState.COMPLETED)).start()
        assert [name for name, _, _ in found] == ["snapshot", "end"]


def test_who_has_seen_the_end_is_not_shown_it_again(api, http, job_id):
    api.model.show(job_id, completed=10, state=JobState.COMPLETED)

    with stream(http) as answer:
        seen = [(name, number) for name, _, number in events(answer)]
    with stream(http, **{"Last-Event-ID": "1"}) as answer:
        again = [name for name, _, _ in events(answer)]
    late = http.get("/api/jobs/the-key/events", headers={"Last-Event-ID": seen[-1][1]})

    assert [name for name, _ in seen] == again == ["snapshot", "end"]
    assert (late.status_code, late.content) == (204, b"")


def test_a_job_that_is_tried_again_is_not_shown_its_earlier_end(api, http, job_id):
    api.model.show(job_id, completed=8, failed=2, state=JobState.COMPLETED_WITH_ERRORS)
    with stream(http) as slow:  # still there, with the end unread
        next(events(slow))
        api.model.show(job_id, completed=8, state=JobState.RUNNING, run=2)

        with stream(http) as answer:
            _, data, _ = next(events(answer))

    assert (data["job"]["state"], data["job"]["progress_percent"]) == ("running", 80)


def test_a_job_that_is_not_there_is_a_404_and_not_a_stream(http, job_id):
    answer = http.get("/api/jobs/unknown/events")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_job_that_is_deleted_ends_its_streams_and_is_then_not_found(http, job_id):
    with stream(http) as answer:
        found = events(answer)
        next(found)
        assert http.delete("/api/jobs/the-key").status_code == 204
        assert [(name, data) for name, data, _ in found] == [("end", {"state": "gone"})]

    assert http.get("/api/jobs/the-key/events", headers={"Last-Event-ID": "end"}).status_code == 404


def test_an_order_is_shown_without_waiting_for_the_next_second(api, http, job_id):
    waited: list[float] = []
    with stream(http) as answer:
        found = events(answer)
        next(found)
        for order, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelling")):
            time.sleep(1.3)  # the stream may send again, and the next look is due in 0.7 s
            begun = time.monotonic()
            api.log.on_append = partial(api.model.show, job_id, state=JobState(state))
            http.post(f"/api/jobs/the-key/{order}")
            _, data, _ = next(found)
            waited.append(time.monotonic() - begun)
            assert data["job"]["state"] == state

    assert min(waited) < 0.6


def test_many_streams_cost_one_read_a_second(api, server):
    for number in range(3):
        api.model.add_job(f"many{number}", key=f"key{number}", view_key=f"view{number}")
    with ExitStack() as stack:
        http = stack.enter_context(httpx2.Client(base_url=server.url, timeout=10))
        open_streams = [events(stack.enter_context(stream(http, f"key{number % 3}"))) for number in range(12)]
        for each in open_streams:
            next(each)
        before = api.model.reads
        time.sleep(3)

        assert 2 <= api.model.reads - before <= 5


def test_what_begins_and_what_happens_to_other_jobs_costs_those_who_watch_no_read(api, http, job_id):
    others = [api.model.add_job(f"other{number}", key=f"key{number}", view_key=f"view{number}") for number in range(20)]
    with stream(http) as answer:
        found = events(answer)
        next(found)
        before, begun = api.model.reads, time.monotonic()
        for other in others:
            api.log.append(COMMANDS, job_id, StartJob(job_id=job_id))
            api.log.append(JOB_EVENTS, job_id, JobStarted(job_id=job_id, run=1))
            api.log.append(JOB_EVENTS, other, JobCancelled(job_id=other, run=1))
            time.sleep(0.05)
        due, taken = int(time.monotonic() - begun) + 1, api.model.reads - before
        api.model.show(job_id, completed=5)
        _, data, _ = next(found)

    assert taken <= due
    assert data["job"]["items_completed"] == 5


def test_open_streams_do_not_hold_up_the_end_of_the_process(server, job_id):
    with ExitStack() as stack:
        http = stack.enter_context(httpx2.Client(base_url=server.url, timeout=10))
        open_streams = []
        for _ in range(10):
            open_streams.append(events(stack.enter_context(stream(http))))
            next(open_streams[-1])
        begun = time.monotonic()

        assert server.stop(5)
        assert time.monotonic() - begun < 3
        assert [list(each) for each in open_streams] == [[]] * 10


@pytest.mark.parametrize(
    ("completed", "before", "shown"),
    [(4, 0.0, 40.0), (4, 55.5, 55.5), (4, 100.0, 99.9), (10, 55.5, 100.0), (10, 100.0, 100.0)],
)
def test_the_percentage_does_not_fall_and_is_100_only_when_nothing_remains(completed, before, shown):
    assert steady(snapshot("j1", completed=completed, total=10).job, before).progress_percent == shown


@pytest.mark.parametrize("key", ["the-key", "the-view-key"])
def test_streams_opened_with_old_links_end_at_once_and_the_others_go_on(api, http, job_id, key):
    with stream(http, key) as old:
        told = events(old)
        assert next(told)[0] == "snapshot"
        begun = time.monotonic()
        new = http.post("/api/jobs/the-key/rotate-links").json()

        assert [(name, data) for name, data, _ in told] == [("end", {"state": "gone"})]
        assert time.monotonic() - begun < 2.5
    with stream(http, new["view_key"]) as answer:
        told = events(answer)
        assert next(told)[0] == "snapshot"
        api.model.show(job_id, completed=5)
        assert next(told)[1]["job"]["items_completed"] == 5
