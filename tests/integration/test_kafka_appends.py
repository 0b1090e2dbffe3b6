"""What an append asks of a broker: seen on the wire, and with an answer that is lost."""

from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.protocol.producer import ProduceRequest
from kafka.structs import TopicPartition

from libs.contracts.topics import ALL, COMMANDS
from libs.eventlog.port import EventLog
from tests.contract.eventlog_groups import opened
from tests.contract.test_eventlog import start_job
from tests.servers.kafka import Kafka
from tests.servers.kafka_relay import METADATA, PRODUCE, KafkaRelay


@pytest.fixture
def relay(kafka: Kafka) -> Iterator[KafkaRelay]:
    kafka.empty()
    with KafkaRelay(kafka.relay_port, kafka.relayed_port) as running:
        yield running


@pytest.fixture
def log(relay: KafkaRelay) -> Iterator[EventLog]:
    opened_log = opened(relay.url)
    yield opened_log
    opened_log.close()


def stored(kafka: Kafka) -> int:
    """How many records COMMANDS has."""
    client: Any = KafkaConsumer(bootstrap_servers=[kafka.server])
    ends = client.end_offsets([TopicPartition(COMMANDS.name, number) for number in range(COMMANDS.partitions)])
    client.close()
    return sum(ends.values())


def test_an_append_whose_answer_was_lost_is_sent_again_and_stored_once(
    kafka: Kafka, relay: KafkaRelay, log: EventLog
) -> None:
    relay.lose_next(PRODUCE)

    log.append(COMMANDS, "k", start_job(1))

    assert relay.lost.is_set()
    assert len([one for one in relay.requests if one.api_key == PRODUCE]) > 1
    assert stored(kafka) == 1


def test_an_append_is_confirmed_by_all_replicas_that_are_in_step(relay: KafkaRelay, log: EventLog) -> None:
    for topic in ALL:
        log.append(topic, "k", start_job(1))

    produced = [one for one in relay.requests if one.api_key == PRODUCE]
    request: Any = ProduceRequest
    asked = [request.decode(one.body, version=one.version, header=True).acks for one in produced]
    assert asked == [-1] * len(ALL)  # all of them, as Kafka's protocol has it


def test_the_first_append_to_a_topic_waits_for_nothing_that_an_open_log_knows(relay: KafkaRelay, log: EventLog) -> None:
    relay.requests.clear()

    for topic in ALL:
        log.append(topic, "k", start_job(1))

    assert METADATA not in {one.api_key for one in relay.requests}
