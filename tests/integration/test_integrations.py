"""The consumer that docs/integrations.md shows reads what Mailtide writes, from a real broker."""

import re
import subprocess
import sys
from pathlib import Path

from libs.contracts.events import JobCompleted, JobStarted
from libs.contracts.ids import JobId
from libs.contracts.topics import JOB_EVENTS
from tests.architecture.tree import ROOT
from tests.contract.eventlog_groups import opened
from tests.servers.kafka import Kafka

JOB = JobId("j0123456789abcdef01234567")


def test_the_consumer_of_the_documentation_tells_each_event_once(kafka: Kafka, tmp_path: Path) -> None:
    code, _ = documented()
    assert len([line for line in code.splitlines() if line]) <= 20
    assert_told(code, kafka.server, kafka, tmp_path)


def test_it_does_so_over_tls_with_the_name_and_the_rights_that_integrations_have(kafka: Kafka, tmp_path: Path) -> None:
    code, more = documented()
    access = kafka.access("mailtide-integrations")
    assert access.ca_file
    (tmp_path / "ca.crt").write_bytes(access.ca_file.read_bytes())
    (tmp_path / "password").write_text(access.password or "")
    [last] = re.findall(r"^    enable_auto_commit=False,\n", code, re.MULTILINE)

    code = code.replace("-example", "-secured")  # the other test's consumer was killed and is still in its group
    assert_told(more + code.replace(last, f"{last}    **secured,\n"), f"127.0.0.1:{kafka.tls_port}", kafka, tmp_path)


def documented() -> tuple[str, str]:
    """The consumer, and the settings that it needs besides for a broker that lets nobody in without a name."""
    text = (ROOT / "docs/integrations.md").read_text()
    code, more = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return code, more


def assert_told(code: str, server: str, kafka: Kafka, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(code)
    kafka.empty()
    log = opened(kafka.url)
    completed = JobCompleted(job_id=JOB, completed=41, skipped=1, bytes_completed=5)
    for event in (JobStarted(job_id=JOB), completed, completed, JobStarted(job_id=JOB, run=2)):
        log.append(JOB_EVENTS, JOB, event)
    log.close()

    consumer = subprocess.Popen(
        [sys.executable, tmp_path / "consumer.py", server], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert consumer.stdout
    try:
        told = [consumer.stdout.readline().split() for _ in range(3)]
    finally:
        consumer.kill()
        consumer.wait()

    assert told == [
        ["mailtide.JobStarted.v1", JOB, "None"],
        ["mailtide.JobCompleted.v1", JOB, "41"],
        ["mailtide.JobStarted.v1", JOB, "None"],
    ]
