"""Faust on the embedded log: an app alone in its group gets every partition of its topics, at once.

It rests on Faust's internals: Faust is pinned exactly, and `tests/contract/test_eventlog*.py` say when a new version
breaks it.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from faust.transport import base
from faust.types import TP, AppT, ConsumerMessage
from yarl import URL

from libs.eventlog.followers import headers_of
from libs.eventlog.rebalance import RebalancingConsumer
from libs.eventlog.sqlite import SqliteEventLog, partition_of
from libs.eventlog.sqlite_file import Place, Stored

# Faust pauses a partition when the buffer of its topic is 4/5 full and would block all topics of the app at a full one:
# what one round of reading 12 partitions brings must fit in the last fifth of `stream_buffer_maxsize`.
READ_LIMIT = 64


class SqliteConsumer(RebalancingConsumer):
    """Reads ahead of what is committed; woken by the log's writer, never by a timer."""

    def __init__(self, transport: "SqliteTransport", *args: Any, **kwargs: Any) -> None:
        super().__init__(transport, *args, **kwargs)
        self._log = transport.log
        self._partitions = transport.partitions
        self._positions: dict[TP, int] = {}  # the offset to read next, of each assigned partition
        self._topics: frozenset[str] = frozenset()
        self._arrived = asyncio.Event()
        self._unsubscribe = self._log.on_append(self._on_append)

    async def on_stop(self) -> None:
        await super().on_stop()
        self._unsubscribe()

    # Assignment.

    async def subscribe(self, topics: Iterable[str]) -> None:
        places = {place for topic in topics for place in self._log.places(topic)}
        places |= {Place(topic, number) for topic in topics for number in range(self._partitions[topic])}
        self._topics = frozenset(topics)
        # In a task: Faust's handlers of an assignment wait for the subscription to be over.
        self.add_future(self._assign({TP(*place) for place in places}))

    async def _assign(self, assigned: set[TP]) -> None:
        """What a group coordinator does in Kafka, in its order."""
        before = self.assignment()
        if assigned == before:
            return
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(before)
        self._positions = dict.fromkeys(assigned, 0)
        self.app.consumer_generation_id += 1
        await self.on_partitions_assigned(assigned, self.app.consumer_generation_id)

    def assignment(self) -> set[TP]:
        return set(self._positions)

    # Reading.

    def _on_append(self, records: Sequence[Stored]) -> None:
        if any(record.place.topic in self._topics for record in records):
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self.loop.call_soon_threadsafe(self._arrived.set)

    def on_buffer_drop(self, tp: TP) -> None:
        super().on_buffer_drop(tp)
        self._arrived.set()

    async def _wait_next_records(self, timeout: float) -> tuple[Mapping[TP, list[Stored]], set[TP]]:  # noqa: ASYNC109
        """As in Faust, save that it does not sleep for a second when the buffers are full."""
        if not self.flow_active:
            await self.wait_for_stopped(self.can_resume_flow.wait())
        active = self._get_active_partitions()
        return await self._getmany(active, timeout), active

    async def _getmany(  # the signature is Faust's
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109
    ) -> Mapping[TP, list[Stored]]:
        self._arrived.clear()  # before looking: what is appended from here on sets it again
        records: dict[TP, list[Stored]] = {}
        unread: list[tuple[Place, int]] = []
        for tp in active_partitions or ():
            place, position = Place(*tp), self._positions.get(tp)
            if position is None or position >= self._log.end(place):
                continue
            if newest := self._log.newest(place, position):
                self._read(records, newest)
            else:
                unread.append((place, position))
        if unread:
            found = await self.loop.run_in_executor(self._log.reader, self._log.read, unread, READ_LIMIT)
            for (place, position), stored in zip(unread, found, strict=True):
                if self._positions.get(TP(*place)) == position:  # not assigned anew meanwhile
                    self._read(records, stored)
        if not records:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
        return records

    def _read(self, records: dict[TP, list[Stored]], stored: list[Stored]) -> None:
        if stored:
            tp = TP(*stored[0].place)
            self._positions[tp] = stored[-1].offset + 1
            records[tp] = stored

    def _to_message(self, tp: TP, record: Stored) -> ConsumerMessage:
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=record.offset,
            timestamp=record.timestamp / 1000,
            timestamp_type=1,  # of the append
            headers=headers_of(record),
            key=record.key,
            value=record.value,
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    # Positions and commits.

    async def seek_to_committed(self) -> Mapping[TP, int]:
        places = [Place(*tp) for tp in self._positions]
        starts = await self.loop.run_in_executor(self._log.reader, self._log.starts, self.app.conf.id, places)
        self._positions = {TP(*place): start for place, start in starts.items()}
        self._arrived.set()
        return dict(self._positions)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """A commit that fails ends the app: what it did is done again after the next start."""
        await asyncio.wrap_future(
            self._log.commit(self.app.conf.id, {Place(*tp): offset for tp, offset in offsets.items()})
        )
        return True

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset
        self._arrived.set()

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        for tp, offset in partitions.items():
            await self.seek(tp, offset)

    async def position(self, tp: TP) -> int | None:
        return self._positions.get(tp)

    def highwater(self, tp: TP) -> int:
        return self._log.end(Place(*tp))

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        return {tp: self.highwater(tp) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, 0)

    # The rest of the interface.

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    def topic_partitions(self, topic: str) -> int | None:
        return self._partitions.get(topic)

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        return partition_of(key or b"", self._partitions[topic]) if partition is None else partition

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:
        """A topic is there once something is appended to it."""


class SqliteTransport(base.Transport):
    """Nothing is produced through Faust: everybody appends through the port."""

    Consumer = SqliteConsumer

    def __init__(self, app: AppT, log: SqliteEventLog, partitions: Mapping[str, int]) -> None:
        """`partitions` is read when the app subscribes."""
        super().__init__([URL("sqlite://")], app)
        self.log = log
        self.partitions = partitions
