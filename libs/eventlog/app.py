"""A Faust app with the settings that were found to work; it consumes, and nothing else."""

from collections.abc import Callable, Coroutine
from typing import Any

import faust
from faust.tables import TableManager
from faust.types import TransportT
from mode.supervisors import CrashingSupervisor

from libs.contracts.topics import Topic
from libs.eventlog.port import EventLog, LogRefused
from libs.eventlog.sqlite import SqliteEventLog
from libs.eventlog.transport import SqliteTransport

DAY = 86400.0


class NoTables(TableManager):
    """There are no tables to wait for: Faust would sleep for a second so that they can register."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class App(faust.App):
    """One consumer group in one process."""

    def __init__(self, group: str, log: EventLog) -> None:
        self.topics_consumed: dict[str, int] = {}  # their partitions
        self._log = log
        super().__init__(
            group,
            broker="sqlite://",
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            consumer_auto_offset_reset="earliest",
            stream_wait_empty=False,
            stream_buffer_maxsize=4096,
            broker_commit_interval=0.5,
            broker_session_timeout=45,
            broker_heartbeat_interval=3,
            broker_request_timeout=60,
            broker_rebalance_timeout=60,
            broker_max_poll_interval=DAY,
            stream_processing_timeout=DAY,
            broker_commit_livelock_soft_timeout=DAY,
            TableManager=NoTables,
        )

    def consume(self, topic: Topic, agent: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        """Run `agent` on the raw events of a topic; when it raises, the app ends and has committed nothing of it."""
        self.topics_consumed[topic.name] = topic.partitions
        channel = self.topic(topic.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        self.agent(channel, name=topic.name, supervisor_strategy=CrashingSupervisor)(agent)

    def _new_transport(self) -> TransportT:
        if isinstance(self._log, SqliteEventLog):
            return SqliteTransport(self, self._log, self.topics_consumed)
        raise LogRefused("There is no transport for this log.")

    def _new_producer_transport(self) -> TransportT:
        return self.transport

    def _create_directories(self) -> None:
        """Nothing is kept outside the log."""
