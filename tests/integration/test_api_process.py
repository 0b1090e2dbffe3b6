"""`mailtide up` on real stores: how it starts, what it keeps, how it ends."""

import signal
import socket
import stat
import time
from pathlib import Path

import httpx2
import pytest

from tests.api.process import command, up
from tests.api.server import events

TOKEN = "operator-token-of-the-tests"
PASSWORD = "hunter2-hunter2-hunter2"
LIVE = ("queued", "scanning", "running")
BROKEN = """
from services import cli
from services.scanner.scanner import Scanner

def take_command(self, delivery):
    raise KeyError("hunter2-hunter2-hunter2")

Scanner.take_command = take_command
cli.app(["up"])
"""


@pytest.fixture
def silent():
    """The port of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener.getsockname()[1]


def settings(port: int) -> dict[str, str]:
    return {"ALLOW_NETWORKS": "127.0.0.1/32", "ALLOW_PORTS": str(port), "OPERATOR_TOKEN": TOKEN}


def account(port: int, user: str) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": port, "username": user, "password": PASSWORD}


def form(port: int, user: str = "anna") -> dict[str, object]:
    return {"source": account(port, f"{user}-old"), "destination": account(port, f"{user}-new")}


def active(http) -> list[str]:
    answer = http.get("/api/jobs?state=active", headers={"authorization": f"Bearer {TOKEN}"})
    return [job["job_id"] for job in answer.json()]


def refused(data: Path, **settings: str) -> tuple[int, str]:
    process = command(data, **settings)
    output, errors = process.communicate(timeout=60)
    assert "Traceback" not in output + errors
    return process.returncode, errors.strip()


def test_it_says_where_it_is_when_it_is_ready_and_stops_when_told(tmp_path):
    with up(tmp_path / "data") as running:
        ready = running.http.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (200, True)
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        files = [file for file in (tmp_path / "data").rglob("*") if file.is_file()]
        assert [file for file in files if file.stat().st_mode & 0o077] == []

        status, seconds = running.stop()

    assert status == 0
    assert seconds < 10


def test_a_second_one_on_the_same_directory_is_refused_in_one_line(tmp_path):
    with up(tmp_path / "data") as first:
        assert refused(tmp_path / "data") == (
            1,
            "mailtide: MAILTIDE_DATA_DIR: another Mailtide is running on this directory",
        )
        assert first.http.get("/readyz").status_code == 200


def test_what_keeps_it_from_starting_is_named_in_one_line(tmp_path, silent):
    status, line = refused(tmp_path / "data", LISTEN=f"127.0.0.1:{silent}")
    assert (status, line) == (1, "mailtide: MAILTIDE_LISTEN: can't listen there (Address already in use)")

    status, line = refused(tmp_path / "data", OPERATOR_TOKEN="short-token")
    assert (status, line.startswith("mailtide: MAILTIDE_OPERATOR_TOKEN: ")) == (2, True)
    assert "short-token" not in line

    (tmp_path / "file").write_text("")
    status, line = refused(tmp_path / "file")
    assert (status, line.count("\n")) == (1, 0)


def test_a_request_survives_kill_9_and_its_streams_do_not_hold_up_the_end(tmp_path, silent):
    with up(tmp_path / "data", **settings(silent)) as running:
        job = running.http.post("/api/jobs", json=form(silent)).json()
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()

    with up(tmp_path / "data", **settings(silent)) as running:
        assert active(running.http) == [job["job_id"]]
        with running.http.stream("GET", f"/api/jobs/{job['key']}/events") as answer:
            found = events(answer)
            name, data, _ = next(found)
            assert (name, data["job"]["state"] in LIVE) == ("snapshot", True)

            status, seconds = running.stop()

            assert [name for name, _, _ in found if name == "end"] == []
        output, _ = running.process.communicate()

    assert status == 0
    assert seconds < 10
    for secret in (PASSWORD, job["key"], job["view_key"], "anna", "127.0.0.1"):
        assert secret not in output


def test_a_job_that_can_not_go_on_ends_with_what_to_do_and_is_gone_when_deleted(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    with up(tmp_path / "data", **settings(closed)) as running:
        http = running.http
        job = http.post("/api/jobs", json=form(closed)).json()
        with http.stream("GET", f"/api/jobs/{job['view_key']}/events") as answer:
            *_, (_, last, _), (name, data, number) = events(answer)
        late = http.get(f"/api/jobs/{job['key']}/events", headers={"Last-Event-ID": number})

        assert (name, data) == ("end", {"state": "failed"})
        assert "Nothing answers at this port." in last["job"]["state_text"]
        assert late.status_code == 204
        for path in ("", "/breakdown", "/batches", "/failures", "/failures.csv"):
            assert http.get(f"/api/jobs/{job['key']}{path}").status_code == 200
        assert http.post(f"/api/jobs/{job['key']}/pause").status_code == 409
        assert http.get(f"/api/jobs/{job['job_id']}").status_code == 404
        assert http.delete(f"/api/jobs/{job['view_key']}").status_code == 404
        assert http.delete(f"/api/jobs/{job['key']}").status_code == 204
        for key in ("key", "view_key"):
            assert http.get(f"/api/jobs/{job[key]}").status_code == 404


def test_limits_pause_and_cancel_are_kept_and_shown(tmp_path, silent):
    with up(tmp_path / "data", **settings(silent)) as running:
        http = running.http
        key = http.post("/api/jobs", json=form(silent)).json()["key"]

        assert http.patch(f"/api/jobs/{key}/limits", json={"bandwidth_limit_mbps": 4}).status_code == 202
        assert http.post(f"/api/jobs/{key}/pause").status_code == 202
        paused = http.get(f"/api/jobs/{key}").json()
        assert http.post(f"/api/jobs/{key}/resume").status_code == 202
        resumed = http.get(f"/api/jobs/{key}").json()
        assert http.post(f"/api/jobs/{key}/cancel").status_code == 202
        with http.stream("GET", f"/api/jobs/{key}/events") as answer:
            *_, (_, end, _) = events(answer)

    assert paused["state"] == "paused"
    assert "4" in paused["limit_text"]
    assert resumed["state"] in LIVE
    assert end == {"state": "cancelled"}


def test_bad_requests_leave_nothing_in_the_stores(tmp_path, silent):
    with up(tmp_path / "data", **settings(silent)) as running:
        same = account(silent, "anna")
        for body in ({}, {"source": same}, form(silent) | {"options": {"x": 1}}, {"source": same, "destination": same}):
            answer = running.http.post("/api/jobs", json=body)
            assert (answer.status_code, PASSWORD in answer.text) == (422, False)
        assert running.http.post("/api/jobs", content=b"x" * 1_000_000).status_code == 413

        assert active(running.http) == []
        assert running.stop()[0] == 0

    written = b"".join(file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file())
    assert b"anna" not in written
    assert b"StartJob" not in written


def test_what_a_proxy_says_for_whom_it_asks_is_believed_if_it_is_trusted(tmp_path):
    def guess(http, of: str) -> int:
        token = {"authorization": "Bearer another", "x-forwarded-for": of}
        return http.post("/api/progress", json={}, headers=token).status_code

    def guesses(http, *addresses: str) -> list[int]:
        return [guess(http, addresses[number % len(addresses)]) for number in range(61)]

    with up(tmp_path / "data", TRUSTED_PROXIES="127.0.0.2") as running:
        proxy = httpx2.HTTPTransport(local_address="127.0.0.2")
        with httpx2.Client(base_url=running.http.base_url, transport=proxy) as trusted:
            assert guesses(trusted, "192.0.2.1, 203.0.113.1") == 60 * [401] + [429]
            assert guess(trusted, "203.0.113.2") == 401
            assert guess(trusted, "203.0.113.2, 203.0.113.1") == 429  # the proxy wrote the last one
        assert guesses(running.http, "203.0.113.3", "203.0.113.4") == 60 * [401] + [429]


def test_a_server_that_hangs_is_given_up_within_15_seconds(tmp_path, silent):
    with up(tmp_path / "data", **settings(silent)) as running:
        begun = time.monotonic()
        answer = running.http.post("/api/accounts/check", json={"account": account(silent, "anna")}).json()

    assert (answer["ok"], answer["reason"]) == (False, "timed_out")
    assert answer["message"].startswith("The server did not answer in time.")
    assert time.monotonic() - begun < 15


def test_an_agent_that_dies_ends_the_process_and_nothing_is_lost(tmp_path, silent):
    with up(tmp_path / "data", program=("-c", BROKEN), **settings(silent)) as running:
        job = running.http.post("/api/jobs", json=form(silent)).json()
        status = running.process.wait(20)
        output, _ = running.process.communicate()

    assert status == 1
    assert "process.worker_died" in output
    assert PASSWORD not in output
    with (
        up(tmp_path / "data", **settings(silent)) as running,
        running.http.stream("GET", f"/api/jobs/{job['key']}/events") as answer,
    ):
        *_, (_, end, _) = events(answer)

    assert end == {"state": "failed"}  # the mail server says nothing: the order was carried out after all
