"""What a connection tells of itself at `/metrics`: logins, messages read, appends."""

import contextlib
import time
from collections.abc import Generator, Iterable, Iterator, Sequence

from libs.mailbox.errors import AppendRefused, AppendUnconfirmed, MailboxError
from libs.mailbox.port import AnyMessage, Body, Message
from libs.runtime import metrics

_APPEND_SECONDS = {
    result: metrics.APPEND_SECONDS.labels(result) for result in ("stored", "refused", "unconfirmed", "lost")
}


@contextlib.contextmanager
def login() -> Generator[None]:
    try:
        yield
    except MailboxError as error:
        metrics.LOGIN_FAILURES.labels(error.reason).inc()
        raise
    metrics.LOGINS.inc()


def fetched(messages: Iterable[Message]) -> Iterator[Message]:
    """Counted when the command is over, so that a message costs nothing more."""
    items = size = 0
    try:
        for message in messages:
            items += 1
            size += len(message.body)
            yield message
    finally:
        metrics.FETCHES.inc()
        metrics.FETCHED_ITEMS.inc(items)
        metrics.FETCHED_BYTES.inc(size)


def read(body: Body) -> Body:
    metrics.FETCHES.inc()
    metrics.FETCHED_ITEMS.inc()
    metrics.FETCHED_BYTES.inc(body.size)
    return body


@contextlib.contextmanager
def append(messages: Sequence[AnyMessage]) -> Generator[None]:
    begun, result = time.monotonic(), "lost"
    try:
        yield
        result = "stored"
    except AppendRefused:
        result = "refused"
        raise
    except AppendUnconfirmed:
        result = "unconfirmed"
        raise
    finally:
        _APPEND_SECONDS[result].observe(time.monotonic() - begun)
        if result == "stored":
            metrics.COPIED_ITEMS.inc(len(messages))
            metrics.COPIED_BYTES.inc(sum(message.size for message in messages))
