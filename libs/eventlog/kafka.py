"""The log on Apache Kafka, as its writers and followers see it: kafka-python."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from kafka import KafkaProducer
from kafka.errors import KafkaError

from libs.contracts import topics
from libs.contracts.codec import Message, Record, encode
from libs.contracts.topics import Topic
from libs.eventlog.brokers import Brokers
from libs.eventlog.kafka_followers import KafkaFollowers
from libs.eventlog.kafka_refusals import look, meaning
from libs.eventlog.membership import Member
from libs.eventlog.port import LogRefused, LogUnavailable, TopicsMissing

logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)  # it warns of each step of its own above 0.1 s

OPEN_SECONDS = 10.0  # for the first answer of a broker
APPEND_SECONDS = 5.0  # after which an append is unconfirmed
STUCK_SECONDS = 10.0  # without a confirmed append; then a new producer is tried
RENEW_SECONDS = 3.0  # for the first answer of a broker to that one


class KafkaEventLog:
    """An `EventLog`, and what a worker needs to join its group. Thread-safe."""

    def __init__(self, brokers: Brokers, member: Member) -> None:
        """
        Raises:
            LogUnavailable: no broker answers; TopicsMissing.
            LogRefused: a broker is not trusted, or refuses who we are; a topic is not as it must be.
        """
        self.brokers = brokers
        self.member = member
        look(brokers)
        self._renewing = threading.Lock()
        self._trusted_since = time.monotonic()  # the last confirmed append, or attempt at a new producer
        try:
            self._producer = self._new_producer(OPEN_SECONDS)
        except (KafkaError, ValueError) as error:
            raise meaning(error) from error
        self._followers = KafkaFollowers(brokers)
        self._warm()

    def _new_producer(self, seconds: float) -> Any:
        return cast(Any, KafkaProducer)(
            bootstrap_servers=list(self.brokers.servers),
            **self.brokers.settings,
            acks="all",
            enable_idempotence=True,
            compression_type="gzip",
            linger_ms=0,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=int(seconds * 1000),
            max_block_ms=int(APPEND_SECONDS * 1000),
            request_timeout_ms=int(APPEND_SECONDS * 900),
            delivery_timeout_ms=int(APPEND_SECONDS * 1000),
            reconnect_backoff_max_ms=1000,
        )

    def _warm(self) -> None:
        """The first append to a topic would wait for its metadata (108 ms)."""
        for topic in topics.ALL:
            try:
                known = self._producer.partitions_for(topic.name)
            except KafkaError:
                known = None
            if not known or len(known) != topic.partitions:
                self.close()
                text = f"{topic.name} must have {topic.partitions} partitions: mailtide admin topics"
                raise LogRefused("LOG_URL", text) if known else TopicsMissing(text)

    def append(self, topic: Topic, key: str, message: Message) -> None:
        self.append_all(topic, [(key, message)])

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        now, producer = datetime.now(UTC), self._producer
        try:
            sent = [_send(producer, topic, key, encode(message, now)) for key, message in messages]
            for each in sent:
                each.get(timeout=APPEND_SECONDS + 1)  # the producer gives up before
        except (KafkaError, TimeoutError) as error:
            self._renew(producer)
            raise LogUnavailable(f"Not confirmed ({type(error).__name__}).") from error
        self._trusted_since = time.monotonic()

    def _renew(self, failing: Any) -> None:
        """A producer that confirms nothing for long may never do so again: after a broker was away for 20 s, one of
        eight was seen to fail for four minutes beside a broker that answered all others. What it held has failed.
        """
        with self._renewing:
            if self._producer is not failing or time.monotonic() - self._trusted_since < STUCK_SECONDS:
                return
            self._trusted_since = time.monotonic()
            with contextlib.suppress(KafkaError, ValueError):  # no broker answers; a later append tries again
                self._producer = self._new_producer(RENEW_SECONDS)
                failing.close(timeout=0)

    def follow(self, topic: Topic, on_message: Callable[[Message], None]) -> None:
        """
        Raises:
            LogUnavailable: its end can't be found.
        """
        self._followers.add(topic.name, on_message)

    def close(self) -> None:
        """Repeats are fine."""
        self._followers.close()
        self._producer.close(timeout=APPEND_SECONDS)


def _send(producer: Any, topic: Topic, key: str, record: Record) -> Any:
    return producer.send(topic.name, key=key.encode(), value=record.value, headers=list(record.headers.items()))
