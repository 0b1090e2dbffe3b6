"""External agents: whole jobs through the HTTP API, as an agent and the people who watch it see them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.acceptance.instance import Instance, Job, wait_for
from tests.servers.dovecot import Dovecot

OPERATOR = "operator-of-the-agents"
DOCUMENT = Path(__file__).parents[2] / "docs" / "agents.md"


class Agent:
    """A program somewhere else that keeps sending a report until it is answered."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        operator = {"authorization": f"Bearer {OPERATOR}"}
        registered = instance.http.post("/api/agents", json={"name": "Files"}, headers=operator).json()
        self.auth = {"authorization": f"Bearer {registered['token']}"}
        form = {"name": "Archive", "items_total": 60, "bytes_total": 6_000, "entity_types": ["Contacts", "Notes"]}
        made = instance.http.post(f"/api/agents/{registered['agent_id']}/jobs", json=form, headers=operator)
        assert made.status_code == 201
        self.job = Job(instance, made.json())

    def report(self, batch_id: str, **change: Any) -> httpx2.Response:
        form = {"batch_id": batch_id, "job_id": self.job.job_id, "items_completed": 2, "bytes_completed": 200}
        return self.instance.http.post("/api/progress", json=form | change, headers=self.auth)

    def commands(self, known: str = "", wait_seconds: int = 10) -> dict[str, Any]:
        query = {"known": known, "wait_seconds": wait_seconds}
        answer = self.instance.http.get("/api/agents/me/commands", params=query, headers=self.auth)
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_a_whole_job_counts_every_report_once_whatever_is_killed_and_repeated(dovecot: Dovecot, tmp_path: Path) -> None:
    with Instance(tmp_path, dovecot, {"OPERATOR_TOKEN": OPERATOR}) as instance:
        agent = Agent(instance)
        assert agent.job.view()["state"] == "queued"
        entities = {"Contacts": {"imported": 1}, "Mail of Anna": {"skipped": 1}}

        for sent in (range(8), range(8, 16), range(16, 24)):
            for number in sent:
                assert agent.report(str(number), entities=entities).status_code == 202
            instance.kill()
            instance.start()
            # What it did not hear the answer of is sent again, and once more for good measure.
            for again in (*sent[-2:], sent[-1]):
                assert agent.report(str(again), entities=entities).status_code in (200, 202)

        agent.job.wait(lambda view: view["items_completed"] == 48, 30, "every report is counted once")
        assert agent.report("0", items_completed=9).status_code == 409
        failure = {"item": "notes.txt", "reason": "item_failed", "text": "Not a note of Anna"}
        last = {"items_completed": 0, "bytes_completed": 0, "items_failed": 1, "failures": [failure]}
        assert agent.report("last", **last, state="completed").status_code == 202
        view = agent.job.wait_for_end()
        events = list(agent.job.events())
        assert agent.report("last", **last, state="completed").status_code == 200
        assert agent.report("more").status_code == 409

        assert (view["kind"], view["state"], view["worker"]) == ("external", "completed_with_errors", "Files")
        assert (view["items_completed"], view["items_failed"], view["bytes_completed"]) == (48, 1, 4_800)
        assert (view["items_total"], view["items_remaining"], view["progress_percent"]) == (49, 0, 100)
        rows = {row["name"]: row for row in agent.job.get("/breakdown")}
        assert {row["kind"] for row in rows.values()} == {"entity"}
        assert rows["Contacts"]["items_completed"] == rows["Mail of Anna"]["items_skipped"] == 24
        assert sum(batch["items"] for batch in agent.job.get("/batches")) == 48
        assert [row["item"] for row in agent.job.get("/failures")] == ["notes.txt"]
        assert "notes.txt" in instance.http.get(f"{agent.job.path}/failures.csv").text
        assert [name for name, _ in events] == ["snapshot", "end"]
        assert events[0][1]["job"]["items_completed"] == 48
        finished = instance.http.get("/api/jobs?state=finished", headers={"authorization": f"Bearer {OPERATOR}"}).json()
        assert [job["job_id"] for job in finished] == [agent.job.job_id]

    text = b"".join(file.read_bytes() for file in instance.data.glob("log.db*"))
    assert b"AgentReported" in text
    assert b"Anna" not in text
    assert b"notes.txt" not in text


def test_what_people_want_reaches_the_agent(dovecot: Dovecot, tmp_path: Path) -> None:
    with Instance(tmp_path, dovecot, {"OPERATOR_TOKEN": OPERATOR}) as instance:
        agent = Agent(instance)
        post = instance.http.post
        assert agent.report("1").status_code == 202
        agent.job.wait(lambda view: view["state"] == "running", 10, "its report is seen")
        told = agent.commands()
        assert [(job["job_id"], job["command"]) for job in told["jobs"]] == [(agent.job.job_id, "run")]

        for action, command in (("pause", "pause"), ("resume", "run"), ("cancel", "cancel")):
            post(f"{agent.job.path}/{action}")
            told = agent.commands(told["state"])
            assert told["jobs"][0]["command"] == command
        assert agent.job.view()["state"] == "cancelling"
        assert agent.report("2", state="cancelled").status_code == 202
        assert agent.job.wait_for_end()["state"] == "cancelled"
        assert agent.commands(told["state"])["jobs"] == []

        assert instance.http.delete(agent.job.path).status_code == 204
        assert agent.report("1").status_code == 404
        wait_for(lambda: agent.commands(wait_seconds=1)["jobs"], 10, "the agent is told")
        assert agent.commands()["jobs"][0]["command"] == "delete"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example is written with curl")
def test_the_example_of_the_documentation_runs(dovecot: Dovecot, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(blocks) == 4
    with Instance(tmp_path, dovecot, {"OPERATOR_TOKEN": OPERATOR}) as instance:
        environment = {"PATH": os.environ["PATH"], "MAILTIDE": instance.url, "OPERATOR": OPERATOR}

        def run(block: str) -> list[Any]:
            done = subprocess.run(
                ["sh", "-ec", block], env=environment, capture_output=True, text=True, timeout=60, check=True
            )
            return [json.loads(answer) for answer in re.findall(r"\{.*?\}(?=\{|$)", done.stdout.strip())]

        (registered,) = run(blocks[0])
        environment |= {"AGENT": registered["agent_id"], "TOKEN": registered["token"]}
        (made,) = run(blocks[1])
        environment |= {"JOB": made["job_id"]}
        assert run(blocks[2]) == [{"repeated": False}] * 2
        view = Job(instance, made).wait_for_end()
        assert (view["state"], view["items_completed"], view["items_failed"]) == ("completed_with_errors", 2, 1)
        environment["JOB"] = made["job_id"]
        (told,) = run(blocks[3].replace("wait_seconds=25", "wait_seconds=1"))
        assert told["jobs"] == []
