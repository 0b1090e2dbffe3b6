"""How a worker takes messages of a topic in its group: at least once, acknowledged in any order."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from libs.contracts.codec import Message, UnknownMessage, decode
from libs.contracts.topics import Topic
from libs.eventlog.acks import Acks
from libs.eventlog.app import App
from libs.eventlog.measured import Measured

BATCH = 2000  # messages `apply` gets at once
OPEN = 50_000  # messages of a topic that `take` may have and not be done with, about 2 KB each
LOOK_SECONDS = 0.005  # between two looks for more, while a batch grows
LAST_APPLY_SECONDS = 3.0  # how long a stop waits for a batch that is being applied

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One message, until it is done."""

    message: Message
    key: str
    partition: int
    offset: int
    at: datetime  # when it was appended, UTC
    acknowledge: Callable[[], None] = field(repr=False)

    def done(self) -> None:
        """Acknowledge it: from any thread, in any order, any number of times.

        Committed soon after, once all before it in its partition are done too; what is not committed is delivered
        again to the next owner of the partition.
        """
        self.acknowledge()


def consume_each(app: App, topic: Topic, take: Callable[[Delivery], None]) -> None:
    """Call `take` on the event loop for each message as it arrives, however many are not yet done (50,000).

    It must return at once. If it raises, the app ends.
    """
    acks, measured = _acks(app, topic)

    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            delivery = _receive(app, event, acks, measured)
            if delivery is not None:
                take(delivery)
            await acks.room()

    app.consume(topic, agent)


def consume_batches(
    app: App,
    topic: Topic,
    apply: Callable[[Sequence[Delivery]], None],
    *,
    gather: float = 0.0,
    hurry: Callable[[Sequence[Delivery]], bool] = lambda _: True,
) -> None:
    """Call `apply`, always in the same thread, with all that has arrived (at most 2,000), one batch after the other.

    Acknowledged when it returns. If it raises, the app ends and nothing of the batch is committed. For `gather`
    seconds after a batch the next one grows, until what is in it is in a hurry.
    """
    acks, measured = _acks(app, topic)
    thread = ThreadPoolExecutor(1, thread_name_prefix=topic.name)

    async def agent(stream: Any) -> None:
        loop = asyncio.get_running_loop()
        events = aiter(stream.noack().events())
        arrived = stream.channel.queue
        until = loop.time()

        async def more(batch: Sequence[Delivery | None]) -> bool:
            if loop.time() >= until or hurry([delivery for delivery in batch if delivery is not None]):
                return False
            while arrived.empty() and loop.time() < until:  # noqa: ASYNC110 - a queue does not tell that it has grown
                await asyncio.sleep(LOOK_SECONDS)
            return not arrived.empty()

        async for first in events:
            batch = [_receive(app, first, acks, measured)]
            while len(batch) < BATCH and (not arrived.empty() or await more(batch)):
                event = await anext(events, None)
                if event is None:
                    return  # stopped
                batch.append(_receive(app, event, acks, measured))
            deliveries = [delivery for delivery in batch if delivery is not None]
            if deliveries:
                await _to_the_end(loop.run_in_executor(thread, apply, deliveries), deliveries)
            until = loop.time() + gather
            acks.settle()

    app.consume(topic, agent)


async def _to_the_end(applying: asyncio.Future[None], deliveries: Sequence[Delivery]) -> None:
    """A worker that is stopped gives the batch under way the time to end and to be acknowledged."""
    try:
        await asyncio.shield(applying)
    except asyncio.CancelledError:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_APPLY_SECONDS):
                await asyncio.shield(applying)
                _all_done(deliveries)
        raise
    _all_done(deliveries)


def _all_done(deliveries: Sequence[Delivery]) -> None:
    for delivery in deliveries:
        delivery.done()


def _acks(app: App, topic: Topic) -> tuple[Acks[int, Any], Measured]:
    acks: Acks[int, Any] = Acks(lambda event: event.ack(), OPEN)
    measured = Measured(app, topic, lambda: len(acks))

    def forget() -> None:
        acks.forget()
        measured.revoked()

    app.on_give_back.append(forget)
    return acks, measured


def _receive(app: App, event: Any, acks: Acks[int, Any], measured: Measured) -> Delivery | None:
    """The event as a delivery; one that can't be read is done with.

    One that was on its way when its partition was given back comes again, here or to its next owner.
    """
    record = event.message
    if not app.assigned or record.generation_id != app.consumer_generation_id:
        return None
    measured.took(record)
    done = acks.take(record.partition, event)
    headers = {name: bytes(value) for name, value in dict(record.headers or ()).items()}
    try:
        message = decode(record.value, headers)
    except UnknownMessage:
        measured.unreadable.inc()
        log.error("log.message_skipped", type=_type(headers), topic=record.topic, offset=record.offset)
        done()
        return None
    return Delivery(
        message=message,
        key=(record.key or b"").decode(errors="replace"),
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp, UTC),
        acknowledge=done,
    )


def _type(headers: dict[str, bytes]) -> str:
    return headers.get("ce_type", b"").decode("ascii", "replace")[:80]
