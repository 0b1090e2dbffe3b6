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
    [code] = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs/integrations.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert len([line for line in code.splitlines() if line]) <= 20
    (tmp_path / "consumer.py").write_text(code)
    kafka.empty()
    log = opened(kafka.url)
    completed = JobCompleted(job_id=JOB, completed=41, skipped=1, bytes_completed=5)
    for event in (JobStarted(job_id=JOB), completed, completed, JobStarted(job_id=JOB, run=2)):
        log.append(JOB_EVENTS, JOB, event)
    log.close()

    consumer = subprocess.Popen(
        [sys.executable, tmp_path / "consumer.py", kafka.server], stdout=subprocess.PIPE, text=True, cwd=tmp_path
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
