"""The topics on a broker: made where they are missing, compared where they are not."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import InvalidReplicationFactorError, KafkaError

from libs.contracts import topics
from libs.contracts.topics import Topic
from libs.eventlog.brokers import Brokers
from libs.eventlog.kafka_refusals import look, meaning
from libs.eventlog.port import LogRefused

OPEN_MILLISECONDS = 10_000


def make_topics(brokers: Brokers, retention: timedelta, replicas: int) -> list[tuple[str, list[str]]]:
    """Each topic's name and what is wrong with it: partitions, copies or settings that somebody else gave it.

    `replicas`: copies of each partition.

    Raises:
        LogUnavailable: no broker answers.
        LogRefused: a setting is wrong; its user may not do this; there are fewer brokers than copies.
    """
    look(brokers)
    client: Any = None
    try:
        client = cast(Any, KafkaAdminClient)(
            bootstrap_servers=list(brokers.servers), bootstrap_timeout_ms=OPEN_MILLISECONDS, **brokers.settings
        )
        there = set(client.list_topics())
        missing = {
            topic.name: {
                "num_partitions": topic.partitions,
                "replication_factor": replicas,
                "configs": settings_of(retention, replicas),
            }
            for topic in topics.ALL
            if topic.name not in there
        }
        if missing:
            client.create_topics(missing, wait_for_metadata=True)
        return [(topic.name, list(_wrong(client, topic, retention, replicas))) for topic in topics.ALL]
    except InvalidReplicationFactorError as error:
        raise LogRefused("LOG_URL", f"there are fewer than {replicas} brokers: take fewer --replicas") from error
    except (KafkaError, ValueError) as error:
        raise meaning(error) from error
    finally:
        if client is not None:
            client.close()


def settings_of(retention: timedelta, replicas: int) -> dict[str, str]:
    """What each topic is made with. `acks=all` waits for the copies that are in step: of several two at least."""
    return {
        "min.insync.replicas": str(min(replicas, 2)),
        "cleanup.policy": "delete",
        "retention.ms": str(retention // timedelta(milliseconds=1)),
        "compression.type": "gzip",  # the only one that every client can read without a library more
    }


def _wrong(client: Any, topic: Topic, retention: timedelta, replicas: int) -> Iterator[str]:
    (described,) = client.describe_topics([topic.name])
    partitions = described["partitions"]
    if len(partitions) != topic.partitions:
        yield f"{len(partitions)} partitions, not {topic.partitions}"
    for copies in sorted({len(partition["replica_nodes"]) for partition in partitions} - {replicas}):
        yield f"{copies} copies of a partition, not {replicas}"
    wanted = settings_of(retention, replicas)
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=wanted)
    found = client.describe_configs([resource], config_filter="all")["topic"][topic.name]
    for name, value in wanted.items():
        if found[name]["value"] != value:
            yield f"{name} is {found[name]['value']}, not {value}"
