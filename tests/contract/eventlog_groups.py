"""Workers as the tests of the event log run them: each on a loop of its own thread, as a process would."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import uvloop

from libs.contracts.topics import Topic
from libs.eventlog import open_log
from libs.eventlog.consume import Delivery, consume_batches, consume_each
from libs.eventlog.membership import Member
from libs.eventlog.port import EventLog
from libs.eventlog.worker import Worker

PATIENCE = 20.0  # seconds
WEEK = timedelta(days=7)


def opened(url: str) -> EventLog:
    """A log whose groups soon notice that a member was killed."""
    return open_log(url, WEEK, Member(session_timeout=6))


class Taken:
    """What was delivered, for a test to wait on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.deliveries: list[Delivery] = []
        self.batches: list[int] = []

    def add(self, *deliveries: Delivery) -> None:
        with self._changed:
            self.deliveries += deliveries
            self.batches.append(len(deliveries))
            self._changed.notify_all()

    def wait(self, count: int) -> list[Delivery]:
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.deliveries) >= count, PATIENCE)
        assert arrived, f"{len(self.deliveries)} of {count} arrived"
        return self.deliveries

    @property
    def jobs(self) -> list[str]:
        return [delivery.message.job_id for delivery in self.deliveries]


class Group:
    """Workers that run while the block does."""

    def __init__(self, *workers: Worker) -> None:
        self._workers = workers
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(asyncio.wait_for(self._all(Worker.start), PATIENCE))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.run(self._all(Worker.stop))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def run(self, work: Any) -> Any:
        async def awaited() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(PATIENCE)

    async def _all(self, step: Callable[[Worker], Any]) -> None:
        await asyncio.gather(*(step(worker) for worker in self._workers))


def taker(log: EventLog, topic: Topic, take: Callable[[Delivery], None], service: str = "copier") -> Worker:
    worker = Worker(service, log)
    consume_each(worker.app, topic, take)
    return worker


def batcher(log: EventLog, topic: Topic, apply: Callable[[Sequence[Delivery]], None]) -> Worker:
    worker = Worker("aggregator", log)
    consume_batches(worker.app, topic, apply)
    return worker
