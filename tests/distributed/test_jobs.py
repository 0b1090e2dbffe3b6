"""Jobs over several processes of each kind, on a real broker; ClickHouse is its HTTP interface on chDB."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from kafka.record import MemoryRecords

from libs.contracts.events import JobStarted
from libs.contracts.ids import JobId
from libs.contracts.topics import ALL, JOB_EVENTS
from libs.eventlog import open_log
from tests.distributed.cluster import FOLDER, MESSAGE_ID, SUBJECT, Cluster
from tests.distributed.moves import Move
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka

pytestmark = pytest.mark.timeout(280)

HOST = "localhost"
CANARIES = (FOLDER, SUBJECT, MESSAGE_ID, HOST, "kanarie-", Dovecot.password, Kafka.password)
PLANTED = "gepflanzter-kanarienvogel"


def test_eight_jobs_at_once_complete_and_are_equal(cluster: Cluster) -> None:
    pairs = [cluster.accounts(120, HOST) for _ in range(8)]
    moves = [Move(cluster, *pair, 50) for pair in pairs]
    for move in moves:
        move.arrives(180)


def test_no_topic_is_fausts(cluster: Cluster) -> None:
    admin = cluster.kafka.admin()
    assert set(admin.list_topics()) == {topic.name for topic in ALL} | {"__consumer_offsets"}
    admin.close()


def test_no_canary_is_in_what_the_broker_keeps_but_the_one_that_was_put_there(cluster: Cluster) -> None:
    log = open_log(cluster.kafka.url, timedelta(days=7))
    log.append(JOB_EVENTS, PLANTED, JobStarted(job_id=JobId("j" + "0" * 24)))  # nobody here reads this topic
    log.close()
    records, found = 0, list[tuple[str, str]]()
    for file in (cluster.kafka.directory / "log").rglob("*"):
        if file.is_file():
            kept = [file.read_bytes(), *(records_of(file) if file.suffix == ".log" else ())]
            records += len(kept) - 1
            topic = file.parent.name.rpartition("-")[0]
            found += [(topic, one) for one in (*CANARIES, PLANTED) if any(one.encode() in part for part in kept)]

    assert records > 100
    assert found == [(JOB_EVENTS.name, PLANTED)]


def records_of(segment: Path) -> list[bytes]:
    """Key, value and headers of each record; in the file a batch of them is compressed."""
    batches: Any = MemoryRecords(segment.read_bytes())
    return [
        b"\n".join(part or b"" for part in (record.key, record.value, *(value for _, value in record.headers)))
        for batch in batches
        for record in batch
    ]


def test_each_process_tells_what_it_did_and_nothing_of_who(cluster: Cluster) -> None:
    done = {"api": 0.0, "scanner": 0.0, "copier": 0.0, "aggregator": 0.0}
    counted = {
        "api": "mailtide_http_request_seconds_count",
        "scanner": "mailtide_logins_total",
        "copier": "mailtide_copied_items_total",
        "aggregator": "mailtide_jobs_ended_total",
    }
    for service in cluster.services:
        metrics = httpx2.get(f"{service.url}/metrics", timeout=10).text
        for canary in CANARIES:
            assert canary not in metrics
            assert canary not in service.output.read_text(errors="replace")
        for line in metrics.splitlines():
            if line.startswith(counted[service.kind]):
                done[service.kind] += float(line.rpartition(" ")[2])
        if service.kind != "api":
            assert f'mailtide_consumer_lag_events{{service="{service.kind}"' in metrics

    assert all(done.values()), done
