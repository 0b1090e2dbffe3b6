"""What a consumer group tells of itself at `/metrics`."""

import time
from collections.abc import Callable
from typing import Any

from libs.contracts.topics import Topic
from libs.eventlog.app import App
from libs.runtime import metrics


class Measured:
    """One topic in one group of this process. All but the counters is asked for when somebody looks."""

    def __init__(self, app: App, topic: Topic, opened: Callable[[], int]) -> None:
        """`opened`: how many messages were taken and are not done."""
        self._app = app
        self._topic = topic.name
        self._next: dict[int, int] = {}  # the offset after the last one taken, by partition
        labels = (app.conf.id.removeprefix("mailtide-"), topic.name)
        self._events = metrics.EVENTS.labels(*labels)
        self._age = metrics.EVENT_AGE.labels(*labels)
        self.unreadable = metrics.EVENTS_UNREADABLE.labels(topic.name)
        metrics.EVENTS_OPEN.labels(*labels).set_function(opened)
        metrics.LAG.labels(*labels).set_function(self._lag)

    def took(self, record: Any) -> None:
        self._next[record.partition] = record.offset + 1
        self._events.inc()
        self._age.observe(max(0.0, time.time() - record.timestamp))

    def revoked(self) -> None:
        self._next.clear()

    def _lag(self) -> int:
        if not self._app.started or self._app.should_stop:
            return 0
        consumer: Any = self._app.consumer
        lag = 0
        for tp in consumer.assignment():
            if tp.topic == self._topic:
                committed = consumer._committed_offset.get(tp) or 0
                lag += max(0, (consumer.highwater(tp) or 0) - max(self._next.get(tp.partition, 0), committed))
        return lag
