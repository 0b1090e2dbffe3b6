"""The log over TLS with a name and a password, as in production: who is let in, to what, and what is said if not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from libs.contracts.topics import ALL, COMMANDS, PROGRESS, WORK_ITEMS
from libs.eventlog import open_log
from libs.eventlog.brokers import Access, brokers_of
from libs.eventlog.consume import Delivery
from libs.eventlog.kafka import KafkaEventLog
from libs.eventlog.kafka_topics import make_topics
from libs.eventlog.membership import Member
from libs.eventlog.port import EventLog, LogRefused, LogUnavailable
from tests.acceptance.instance import wait_for
from tests.contract.eventlog_groups import WEEK, Group, Taken, taker
from tests.contract.test_eventlog import start_job
from tests.servers.certificates import Authority
from tests.servers.kafka import Kafka


@pytest.fixture(scope="module")
def services(kafka: Kafka) -> Access:
    kafka.empty()
    return kafka.access("mailtide-services")


@pytest.fixture
def log(kafka: Kafka, services: Access) -> Iterator[EventLog]:
    opened = open_log(kafka.tls_url, WEEK, Member(session_timeout=6), services)
    yield opened
    opened.close()


def spread(log: EventLog, numbers: range) -> None:
    log.append_all(WORK_ITEMS, [(str(number), start_job(number)) for number in numbers])


def test_services_append_follow_and_consume(log: EventLog) -> None:
    followed = list[str]()
    log.follow(WORK_ITEMS, lambda message: followed.append(message.job_id))
    taken, again = Taken(), Taken()
    for seen, numbers in ((taken, range(40)), (again, range(40, 41))):

        def take(delivery: Delivery, seen: Taken = seen) -> None:
            seen.add(delivery)
            delivery.done()

        with Group(taker(log, WORK_ITEMS, take)):
            spread(log, numbers)
            seen.wait(len(numbers))

    assert len(set(taken.jobs)) == len(set(followed) - set(again.jobs)) == 40
    assert len(again.jobs) == 1  # what was done was committed


def test_topics_are_checked_by_the_services_and_made_by_somebody_with_more_rights(
    kafka: Kafka, services: Access
) -> None:
    brokers = brokers_of(kafka.tls_url, services)
    assert make_topics(brokers, WEEK, replicas=1) == [(topic.name, []) for topic in ALL]
    assert make_topics(brokers, timedelta(days=8), replicas=1)[0][1] == ["retention.ms is 604800000, not 691200000"]


def test_what_is_wrong_is_named_and_no_password_is(kafka: Kafka, services: Access, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger").file
    (tmp_path / "empty.pem").write_text("")
    elsewhere = kafka.tls_url.replace("127.0.0.1", "localhost")
    for url, access, setting in (
        (kafka.tls_url, services._replace(password="another-canary"), "LOG_PASSWORD"),
        (kafka.tls_url, services._replace(username="nobody"), "LOG_PASSWORD"),
        (kafka.tls_url, services._replace(ca_file=stranger), "LOG_CA_FILE"),
        (kafka.tls_url, services._replace(ca_file=None), "LOG_CA_FILE"),
        (kafka.tls_url, services._replace(ca_file=tmp_path / "empty.pem"), "LOG_CA_FILE"),
        (elsewhere, services, "LOG_CA_FILE"),  # its certificate has another name
    ):
        with pytest.raises(LogRefused) as refused:
            open_log(url, WEEK, None, access)
        assert refused.value.setting == setting, (url, access, str(refused.value))
        assert "canary" not in f"{refused.value!r} {refused.value} {brokers_of(kafka.tls_url, services)!r}"


def test_without_a_name_nobody_gets_in(kafka: Kafka, services: Access) -> None:
    brokers = brokers_of(kafka.tls_url, Access(services.ca_file))
    with pytest.raises(KafkaError):
        KafkaAdminClient(bootstrap_servers=list(brokers.servers), bootstrap_timeout_ms=1000, **brokers.settings)


def test_who_scales_sees_how_far_services_are_behind_and_reads_nothing(kafka: Kafka, log: EventLog) -> None:
    settings = brokers_of(kafka.tls_url, kafka.access("mailtide-scaling")).settings
    spread(log, range(3))
    partitions = [TopicPartition(WORK_ITEMS.name, number) for number in range(WORK_ITEMS.partitions)]
    client = KafkaConsumer(
        bootstrap_servers=[f"127.0.0.1:{kafka.tls_port}"],
        group_id="mailtide-copier",
        auto_offset_reset="earliest",
        **settings,
    )
    client.assign(partitions)

    assert sum(client.end_offsets(partitions).values()) >= 3
    assert {client.committed(each) is None for each in partitions} <= {True, False}
    with pytest.raises(KafkaError, match="Authorization"):
        client.poll(timeout_ms=5000)
    client.close(autocommit=False)


def test_integrations_write_nothing_and_read_no_order(kafka: Kafka, log: EventLog) -> None:
    settings = brokers_of(kafka.tls_url, kafka.access("mailtide-integrations")).settings
    servers = [f"127.0.0.1:{kafka.tls_port}"]
    producer = KafkaProducer(bootstrap_servers=servers, **settings)
    for topic in (PROGRESS, COMMANDS):
        with pytest.raises(KafkaError, match="Authorization"):
            producer.send(topic.name, b"{}").get(timeout=5)
    producer.close(timeout=1)
    client = KafkaConsumer(bootstrap_servers=servers, **settings)
    assert PROGRESS.name in client.topics()
    assert COMMANDS.name not in client.topics()
    client.close()


def test_a_producer_that_confirms_nothing_any_more_is_replaced(log: EventLog) -> None:
    assert isinstance(log, KafkaEventLog)
    log.append(COMMANDS, "j", start_job(1))
    log._producer.close()

    with pytest.raises(LogUnavailable):
        log.append(COMMANDS, "j", start_job(2))

    def confirmed() -> bool:
        try:
            log.append(COMMANDS, "j", start_job(3))
        except LogUnavailable:
            return False
        return True

    wait_for(confirmed, 30, "a new producer")
