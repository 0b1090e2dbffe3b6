"""Tells everybody who follows a topic of what is appended to it."""

import json
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import structlog

from libs.contracts.codec import Message, UnknownMessage, decode
from libs.eventlog.sqlite_file import Stored

log = structlog.get_logger()


def headers_of(stored: Stored) -> dict[str, bytes]:
    return {name: value.encode("ascii") for name, value in json.loads(stored.headers).items()}


class Followers:
    """One thread calls them all, so that a slow one never holds up an append."""

    def __init__(self) -> None:
        self._followers: list[tuple[str, Callable[[Message], None]]] = []
        self._records: SimpleQueue[Stored | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log-followers", daemon=True)
        self._thread.start()

    def add(self, topic: str, on_message: Callable[[Message], None]) -> None:
        self._followers.append((topic, on_message))

    def take(self, records: Sequence[Stored]) -> None:
        followed = {topic for topic, _ in self._followers}
        for record in records:
            if record.place.topic in followed:
                self._records.put(record)

    def close(self) -> None:
        """What was appended before is told first."""
        self._records.put(None)
        self._thread.join()

    def _run(self) -> None:
        while record := self._records.get():
            try:
                message = decode(record.value, headers_of(record))
            except UnknownMessage:
                continue  # a consumer of the group says so in its log
            for topic, on_message in list(self._followers):
                if topic == record.place.topic:
                    self._tell(on_message, message)

    def _tell(self, on_message: Callable[[Message], None], message: Message) -> None:
        try:
            on_message(message)
        except Exception:  # the others must still hear of it
            log.exception("log.follower_failed")
