"""A Faust app with the settings that were found to work; it consumes, and nothing else."""

import asyncio
from collections.abc import Callable, Coroutine, Set
from typing import TYPE_CHECKING, Any, cast

import faust
from faust.tables import TableManager
from faust.types import TP, TransportT
from mode.supervisors import CrashingSupervisor

from libs.contracts.topics import Topic
from libs.eventlog.membership import Member, Membership, boot_seconds
from libs.eventlog.port import EventLog
from libs.eventlog.sqlite import SqliteEventLog
from libs.eventlog.transport import SqliteTransport

if TYPE_CHECKING:
    from libs.eventlog.kafka import KafkaEventLog

DAY = 86400.0
REBALANCE_SECONDS = 60.0  # how long the group waits for a member that has to give its partitions back
LAST_WORK_SECONDS = 50.0  # how long that member waits for what it was doing


class NoTables(TableManager):
    """There are no tables to wait for: Faust would sleep for a second so that they can register."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class App(faust.App):
    """One consumer group in one process."""

    def __init__(self, group: str, log: EventLog) -> None:
        self.topics_consumed: dict[str, int] = {}  # their partitions
        self.membership = Membership()
        self.assigned = False  # a part, possibly none, of the topics: the group has settled
        self.on_give_back: list[Callable[[], None]] = []
        self.on_revoked: list[Callable[[Set[tuple[str, int]]], None]] = []
        self._log = log
        self.member = Member() if isinstance(log, SqliteEventLog) else cast("KafkaEventLog", log).member
        super().__init__(
            group,
            broker="sqlite://",  # not used: see _new_transport
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            consumer_auto_offset_reset="earliest",
            stream_wait_empty=False,
            stream_buffer_maxsize=4096,
            broker_commit_interval=0.5,
            broker_session_timeout=self.member.session_timeout,
            broker_heartbeat_interval=min(3.0, self.member.session_timeout / 5),
            broker_request_timeout=REBALANCE_SECONDS,
            broker_rebalance_timeout=REBALANCE_SECONDS,
            consumer_group_instance_id=self.member.instance,
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

    @property
    def heard(self) -> bool:
        """The group has heard of this member within its session; alone on the embedded log, it is the group."""
        silent = boot_seconds() - self.membership.heard_at
        return isinstance(self._log, SqliteEventLog) or silent < self.member.session_timeout

    # What the consumer says, on the loop.

    def give_back(self) -> None:
        """All partitions are revoked: from here on nothing of them is acknowledged."""
        self.assigned = False
        for listener in self.on_give_back:
            listener()

    async def wait_for_work(self, revoked: Set[TP]) -> None:
        """The others get the partitions when this returns, or when the group has lost its patience."""
        partitions = {(tp.topic, tp.partition) for tp in revoked}
        stopping = [asyncio.to_thread(listener, partitions) for listener in self.on_revoked if partitions]
        if stopping:
            await asyncio.wait({asyncio.ensure_future(each) for each in stopping}, timeout=LAST_WORK_SECONDS)

    def take_over(self) -> None:
        self.assigned = True

    def _new_transport(self) -> TransportT:
        if isinstance(self._log, SqliteEventLog):
            return SqliteTransport(self, self._log, self.topics_consumed)
        from libs.eventlog.kafka_transport import KafkaTransport  # takes 0.7 s to load: not for the embedded log

        return KafkaTransport(self, cast("KafkaEventLog", self._log).brokers)

    def _new_producer_transport(self) -> TransportT:
        return self.transport

    def _create_directories(self) -> None:
        """Nothing is kept outside the log."""
