"""The log as its writers and followers see it; consumers in a group use `libs.eventlog.consume`."""

from collections.abc import Callable, Sequence
from typing import Protocol

from libs.contracts.codec import Message
from libs.contracts.topics import Topic


class LogUnavailable(Exception):
    """Not confirmed as durable; appending again is safe."""


class TopicsMissing(LogUnavailable):
    """Somebody has to make them."""


class LogInUse(Exception):
    """Another process, or another part of this one, has the log open."""


class LogRefused(Exception):
    """A setting is wrong: trying again does not help."""

    def __init__(self, setting: str, text: str) -> None:
        super().__init__(text)
        self.setting = setting


class EventLog(Protocol):
    """Append-only topics; messages with one key are read in the order written. Thread-safe, blocking."""

    def append(self, topic: Topic, key: str, message: Message) -> None:
        """Return once the message is durable.

        Raises:
            LogUnavailable: not confirmed; appending again is safe.
        """
        ...

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        """Append (key, message) pairs in order; return once all are durable."""
        ...

    def follow(self, topic: Topic, on_message: Callable[[Message], None]) -> None:
        """Call `on_message`, from a thread of the log's own, for every message appended from now on.

        Without a group: every process sees every message. It must return quickly.
        """
        ...

    def close(self) -> None: ...
