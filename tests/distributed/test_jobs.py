"""Jobs over several processes of each kind, on a real broker; ClickHouse is its HTTP interface on chDB."""

from typing import Any

import httpx2
import pytest
from kafka import KafkaConsumer, TopicPartition

from libs.contracts.topics import ALL
from tests.distributed.cluster import FOLDER, MESSAGE_ID, SUBJECT, Cluster, Move
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka

pytestmark = pytest.mark.timeout(280)

HOST = "localhost"


def test_eight_jobs_at_once_complete_and_are_equal(cluster: Cluster) -> None:
    pairs = [cluster.accounts(120, HOST) for _ in range(8)]
    moves = [Move(cluster, *pair, 50) for pair in pairs]
    for move in moves:
        move.arrives(180)


def test_no_canary_is_in_what_the_broker_keeps_and_no_topic_is_fausts(cluster: Cluster) -> None:
    canaries = [FOLDER, SUBJECT, MESSAGE_ID, HOST, "kanarie-", Dovecot.password, Kafka.password]
    broker: Any = KafkaConsumer
    client = broker(bootstrap_servers=[cluster.kafka.server], auto_offset_reset="earliest")
    admin = cluster.kafka.admin()
    assert set(admin.list_topics()) == {topic.name for topic in ALL} | {"__consumer_offsets"}
    admin.close()
    partitions = [TopicPartition(topic.name, number) for topic in ALL for number in range(topic.partitions)]
    client.assign(partitions)
    client.seek_to_beginning()
    left, read = sum(client.end_offsets(partitions).values()), 0
    while read < left:
        for records in client.poll(timeout_ms=2000).values():
            for record in records:
                read += 1
                told = b"\n".join([record.key, record.value, *(value for _, value in record.headers)]).decode()
                assert [one for one in canaries if one in told] == [], record.topic
    client.close()
    assert read > 100
    for file in (cluster.kafka.directory / "log").rglob("*"):
        if file.is_file():
            kept = file.read_bytes()
            assert [one for one in canaries if one != HOST and one.encode() in kept] == [], file.name


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
        for canary in (FOLDER, SUBJECT, MESSAGE_ID, HOST, "kanarie-", Dovecot.password, Kafka.password):
            assert canary not in metrics
            assert canary not in service.output.read_text(errors="replace")
        for line in metrics.splitlines():
            if line.startswith(counted[service.kind]):
                done[service.kind] += float(line.rpartition(" ")[2])
        if service.kind != "api":
            assert f'mailtide_consumer_lag_events{{service="{service.kind}"' in metrics

    assert all(done.values()), done
