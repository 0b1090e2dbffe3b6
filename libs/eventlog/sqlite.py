"""The embedded log: one SQLite file, held by one process."""

import json
import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from libs.contracts.codec import Message, encode
from libs.contracts.topics import Topic
from libs.eventlog.followers import Followers
from libs.eventlog.port import LogUnavailable
from libs.eventlog.retention import Retention
from libs.eventlog.sqlite_file import SCHEMA, Place, Stored, connect, lock, translated
from libs.eventlog.sqlite_writer import Append, Commit, Unplaced, Writer
from libs.eventlog.tail import Tail

APPEND_SECONDS = 30.0

READ = "SELECT * FROM records WHERE topic = ? AND partition = ? AND offset >= ? ORDER BY offset LIMIT ?"
FIRST = "SELECT min(offset) FROM records WHERE topic = ? AND partition = ? AND offset >= ?"
COMMITTED = "SELECT topic, partition, next_offset FROM commits WHERE consumer = ?"


def partition_of(key: bytes, partitions: int) -> int:
    """The same in every process and version: a key keeps its partition."""
    return zlib.crc32(key) % partitions


class SqliteEventLog:
    """An `EventLog`, and what the Faust transport reads and commits. Thread-safe."""

    def __init__(self, path: Path, retention: timedelta) -> None:
        """
        Raises:
            LogInUse: another process has this log open.
            LogUnavailable: the file can't be written or is not a log.
        """
        self._lock = lock(path)
        try:
            db = connect(path)
            with translated():
                db.executescript(SCHEMA)
                self._reading = connect(path)
                self._writer = Writer(db, Retention(retention))
        except LogUnavailable:
            os.close(self._lock)
            raise
        self._tail = Tail()
        self._followers = Followers()
        self._writer.listeners += [self._tail.add, self._followers.take]
        self.reader = ThreadPoolExecutor(1, thread_name_prefix="log-reader")  # the only thread for `read`

    def append(self, topic: Topic, key: str, message: Message) -> None:
        self.append_all(topic, [(key, message)])

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        now = datetime.now(UTC)
        durable: Future[None] = Future()
        self._writer.submit(Append([_unplaced(topic, key, message, now) for key, message in messages], durable))
        try:
            durable.result(APPEND_SECONDS)
        except TimeoutError as error:
            raise LogUnavailable("The log did not answer in time.") from error

    def follow(self, topic: Topic, on_message: Callable[[Message], None]) -> None:
        self._followers.add(topic.name, on_message)

    def close(self) -> None:
        """Stop the workers on this log before. Repeats are fine."""
        held, self._lock = self._lock, -1
        if held < 0:
            return
        self._writer.close()
        self._followers.close()
        self.reader.shutdown()
        self._reading.close()
        os.close(held)

    # What the transport needs.

    def on_append(self, listener: Callable[[Sequence[Stored]], None]) -> Callable[[], None]:
        """Tell `listener`, from the writer's thread, of all records as they become durable, until the answer is
        called."""
        self._writer.listeners.append(listener)
        return lambda: self._writer.listeners.remove(listener)

    def places(self, topic: str) -> set[Place]:
        """The partitions of a topic that ever had a record."""
        return {place for place in list(self._writer.ends) if place.topic == topic}

    def end(self, place: Place) -> int:
        """The offset the next record will get."""
        return self._writer.ends.get(place, 0)

    def newest(self, place: Place, offset: int) -> list[Stored]:
        """The records from an offset on, if there are few; else nothing: then `read` them. Does not block."""
        return self._tail.since(place, offset)

    def read(self, positions: Iterable[tuple[Place, int]], limit: int) -> list[list[Stored]]:
        """For each place at most `limit` records from an offset on. In the thread `reader` only."""
        found: list[list[Stored]] = []
        with translated():
            for place, offset in positions:
                rows = self._reading.execute(READ, (*place, offset, limit)).fetchall()
                found.append([Stored(place, *row[2:]) for row in rows])
        return found

    def committed(self, consumer: str) -> dict[Place, int]:
        """The offsets a group has done with everything before. In the thread `reader` only."""
        with translated():
            rows = self._reading.execute(COMMITTED, (consumer,)).fetchall()
            return {Place(topic, partition): offset for topic, partition, offset in rows}

    def starts(self, consumer: str, places: Iterable[Place]) -> dict[Place, int]:
        """Where a group reads on: after its commits, or later if retention was there first. In the thread `reader`."""
        committed = self.committed(consumer)
        starts: dict[Place, int] = {}
        for place in places:
            end = self.end(place)  # before looking for records: none between the two is missed
            with translated():
                (first,) = self._reading.execute(FIRST, (*place, committed.get(place, 0))).fetchone()
            starts[place] = end if first is None else first
        return starts

    def commit(self, consumer: str, offsets: Mapping[Place, int]) -> Future[None]:
        """Done once durable; may end in `LogUnavailable`."""
        durable: Future[None] = Future()
        self._writer.submit(Commit(consumer, offsets, durable))
        return durable


def _unplaced(topic: Topic, key: str, message: Message, now: datetime) -> Unplaced:
    record = encode(message, now)
    headers = {name: value.decode("ascii") for name, value in record.headers.items()}
    place = Place(topic.name, partition_of(key.encode(), topic.partitions))
    return Unplaced(place, key.encode(), record.value, json.dumps(headers).encode())
