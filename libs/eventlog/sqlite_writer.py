"""The one thread that writes the embedded log: whatever waits is made durable by one fsync (group commit)."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from queue import Empty, SimpleQueue

import structlog

from libs.eventlog.port import LogUnavailable
from libs.eventlog.retention import Retention
from libs.eventlog.sqlite_file import Place, Stored, translated

BATCH = 1000  # requests made durable together

ROWS = 100  # in one statement: Python lets go of its lock, and waits for it, once a statement

ENDS = """
SELECT topic, partition, max(next_offset, coalesce((SELECT max(offset) + 1 FROM records
    WHERE records.topic = ends.topic AND records.partition = ends.partition), 0)) FROM ends
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A record that has no offset yet."""

    place: Place
    key: bytes
    value: bytes
    headers: bytes


@dataclass(frozen=True, slots=True)
class Append:
    records: Sequence[Unplaced]
    durable: Future[None]


@dataclass(frozen=True, slots=True)
class Commit:
    """What a group has done with: it reads on from these offsets."""

    consumer: str
    offsets: Mapping[Place, int]
    durable: Future[None]


class Writer:
    """Owns the writing connection. `listeners` hear of records, from this thread, as soon as they are durable."""

    def __init__(self, db: sqlite3.Connection, retention: Retention) -> None:
        self._db = db
        self._retention = retention
        self._requests: SimpleQueue[Append | Commit | None] = SimpleQueue()
        self._closed = threading.Event()
        self.ends: dict[Place, int] = {Place(topic, partition): offset for topic, partition, offset in db.execute(ENDS)}
        self.listeners: list[Callable[[Sequence[Stored]], None]] = []
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def submit(self, request: Append | Commit) -> None:
        """
        Raises:
            LogUnavailable: the log is closed.
        """
        if self._closed.is_set():
            raise LogUnavailable("The log is closed.")
        self._requests.put(request)

    def close(self) -> None:
        """What was submitted before is written first."""
        self._closed.set()
        self._requests.put(None)
        self._thread.join()
        with suppress(Empty):
            while request := self._requests.get_nowait():  # submitted while the log was closing
                request.durable.set_exception(LogUnavailable("The log is closed."))
        self._db.close()

    def _run(self) -> None:
        try:
            while self._step():
                pass
        finally:
            self._closed.set()

    def _step(self) -> bool:
        with suppress(Empty):
            waiting = [self._requests.get(timeout=max(0.0, self._retention.due - time.monotonic()))]
            with suppress(Empty):
                while waiting[-1] is not None and len(waiting) < BATCH:
                    waiting.append(self._requests.get_nowait())
            self._write([request for request in waiting if request is not None])
            if waiting[-1] is None:
                return False
        if time.monotonic() >= self._retention.due:
            self._trim()
        return True

    def _write(self, requests: Sequence[Append | Commit]) -> None:
        if not requests:
            return
        try:
            stored = self._transaction(requests)
        except LogUnavailable as error:
            for request in requests:
                request.durable.set_exception(error)
            return
        for record in stored:
            self.ends[record.place] = record.offset + 1
        if stored:
            for listener in tuple(self.listeners):
                listener(stored)
        for request in requests:
            request.durable.set_result(None)

    def _transaction(self, requests: Sequence[Append | Commit]) -> list[Stored]:
        now = time.time_ns() // 1_000_000
        ends: dict[Place, int] = {}
        stored: list[Stored] = []
        commits: list[tuple[str, str, int, int]] = []
        for request in requests:
            match request:
                case Append():
                    for record in request.records:
                        offset = ends.get(record.place, self.ends.get(record.place, 0))
                        ends[record.place] = offset + 1
                        stored.append(Stored(record.place, offset, now, record.key, record.value, record.headers))
                case Commit():
                    commits += [
                        (request.consumer, place.topic, place.partition, offset)
                        for place, offset in request.offsets.items()
                    ]
        begun = [(*place, 0) for place in ends if place not in self.ends]
        statements = [
            *_insert("INSERT INTO ends", begun),
            *_insert("INSERT INTO records", [(*record.place, *record[1:]) for record in stored]),
            *_insert("INSERT OR REPLACE INTO commits", commits),
        ]
        with translated():
            if len(statements) == 1:
                self._db.execute(*statements[0])  # a transaction of its own
            else:
                with self._db:
                    self._db.execute("BEGIN IMMEDIATE")
                    for statement in statements:
                        self._db.execute(*statement)
        return stored

    def _trim(self) -> None:
        try:
            with translated():
                self._retention.trim(self._db, self.ends)
        except LogUnavailable:
            log.exception("log.not_trimmed")


def _insert(into: str, rows: Sequence[tuple[object, ...]]) -> Iterator[tuple[str, tuple[object, ...]]]:
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        row = f"({', '.join('?' * len(some[0]))})"
        yield f"{into} VALUES {', '.join([row] * len(some))}", tuple(chain.from_iterable(some))
