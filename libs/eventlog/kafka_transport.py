"""Faust on Kafka: aiokafka's consumer, and what the commit gate and the readiness of a worker need to know of it.

It rests on internals of Faust and aiokafka: both are pinned, and the contract tests say when a new version breaks it.
"""

import asyncio
from typing import TYPE_CHECKING, Any, cast

import aiokafka
from aiokafka.consumer.group_coordinator import HeartbeatRequest, SyncGroupRequest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport import base
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT
from yarl import URL

from libs.eventlog.brokers import MECHANISM, Brokers
from libs.eventlog.membership import Membership, boot_seconds
from libs.eventlog.rebalance import RebalancingConsumer

if TYPE_CHECKING:
    from libs.eventlog.app import App


class GroupThread(driver.AIOKafkaConsumerThread):
    """Where aiokafka speaks to the group, in a loop of its own: a busy process still sends heartbeats."""

    @property
    def membership(self) -> Membership:
        return cast("App", self.app).membership

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust's choice deals out the partitions of all topics in turn: two topics of one key would part.
        cast(Any, consumer)._partition_assignment_strategy = [RangePartitionAssignor]
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        coordinator = cast(Any, self._ensure_consumer())._coordinator
        send, membership = coordinator._send_req, self.membership

        async def send_and_record(request: Any) -> Any:
            sent = boot_seconds()
            response = await send(request)
            if isinstance(request, HeartbeatRequest | SyncGroupRequest) and response.error_code == 0:
                membership.heard(sent)
            return response

        coordinator._send_req = send_and_record
        coordinator._coordination_task.add_done_callback(self._on_coordination_ended)

    def _on_coordination_ended(self, task: Any) -> None:
        """Faust would not notice, and wait for ever."""
        if not self.should_stop and not task.cancelled() and task.exception() is not None:
            asyncio.run_coroutine_threadsafe(cast("App", self.app).crash(task.exception()), self.app.loop)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.membership.revoke()  # here, as the loop of the process may be busy
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.membership.assign((tp.topic, tp.partition) for tp in assigned)
        await super().on_partitions_assigned(assigned, generation_id)


class KafkaConsumer(RebalancingConsumer, driver.Consumer):
    def _new_consumer_thread(self) -> GroupThread:
        return GroupThread(self, loop=self.loop, beacon=self.beacon)


class KafkaTransport(driver.Transport):
    """Nothing is produced through Faust: everybody appends through the port."""

    Consumer = KafkaConsumer
    Producer = base.Producer

    def __init__(self, app: AppT, brokers: Brokers) -> None:
        super().__init__([URL(f"aiokafka://{server}") for server in brokers.servers], app)
        if brokers.username is not None:
            app.conf.broker_credentials = SASLCredentials(
                username=brokers.username, password=brokers.password, ssl_context=brokers.tls, mechanism=MECHANISM
            )
        elif brokers.tls is not None:
            app.conf.broker_credentials = SSLCredentials(brokers.tls)
