"""Everybody who follows a topic hears of what is appended to it: one consumer without a group, in a thread."""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, cast

import structlog
from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from libs.contracts.codec import Message, UnknownMessage, decode
from libs.eventlog.brokers import Brokers
from libs.eventlog.port import LogUnavailable

POLL_MILLISECONDS = 250
BEGIN_SECONDS = 15.0
PAUSE_SECONDS = 1.0  # after an error of the client; it goes on where it was

log = structlog.get_logger()


class Begin(NamedTuple):
    topic: str
    begun: threading.Event


class KafkaFollowers:
    """The client is used by the thread alone. A broker that is away delays messages and loses none."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._followers: list[tuple[str, Callable[[Message], None]]] = []
        self._to_begin: SimpleQueue[Begin] = SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def add(self, topic: str, on_message: Callable[[Message], None]) -> None:
        """Return once nothing appended from now on is missed.

        Raises:
            LogUnavailable: the end of the topic can't be found.
        """
        with self._lock:
            self._followers.append((topic, on_message))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log-followers", daemon=True)
                self._thread.start()
        begin = Begin(topic, threading.Event())
        self._to_begin.put(begin)
        if not begin.begun.wait(BEGIN_SECONDS):
            raise LogUnavailable("The end of the log can't be found.")

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        client: Any = None
        try:
            while not self._closing.is_set():
                try:
                    client = client or self._connect()
                    self._begin(client)
                    if client.assignment():
                        for records in client.poll(timeout_ms=POLL_MILLISECONDS).values():
                            self._tell(records)
                except (KafkaError, OSError, ValueError) as error:
                    log.warning("log.follower_delayed", error=type(error).__name__)
                    self._closing.wait(PAUSE_SECONDS)
        finally:
            if client is not None:
                client.close()

    def _connect(self) -> Any:
        return cast(Any, KafkaConsumer)(
            bootstrap_servers=list(self._brokers.servers),
            **self._brokers.settings,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            allow_auto_create_topics=False,
            reconnect_backoff_max_ms=1000,
        )

    def _begin(self, client: Any) -> None:
        """Follow what was asked for since the last look, from its end."""
        while True:
            try:
                begin = self._to_begin.get_nowait()
            except Empty:
                return
            followed = client.assignment()
            partitions = [TopicPartition(begin.topic, number) for number in client.partitions_for_topic(begin.topic)]
            if not followed.issuperset(partitions):
                ends = client.end_offsets(partitions)
                client.assign([*followed, *partitions])
                for partition, end in ends.items():
                    client.seek(partition, end)
            begin.begun.set()

    def _tell(self, records: Sequence[Any]) -> None:
        for record in records:
            try:
                message = decode(record.value, dict(record.headers))
            except UnknownMessage:
                continue  # a consumer of the group says so in its log
            for topic, on_message in list(self._followers):
                if topic == record.topic:
                    self._tell_one(on_message, message)

    def _tell_one(self, on_message: Callable[[Message], None], message: Message) -> None:
        try:
            on_message(message)
        except Exception:  # the others must still hear of it
            log.exception("log.follower_failed")
