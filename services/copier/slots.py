"""How many folders of a job are copied at once. What is read before and stored after does not count."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from services.copier.hold import Hold

LOOK_SECONDS = 0.1  # between two looks whether the work item that waits may still go on


class Slots:
    """One job's in one process. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limit = 0
        self._taken = 0

    def limit(self, folders: int) -> None:
        with self._changed:
            self._limit = folders
            self._changed.notify_all()

    @contextmanager
    def one(self, hold: Hold) -> Generator[None]:
        """
        Raises:
            Stopped: while it waited.
        """
        with self._changed:
            while self._taken >= self._limit:
                self._changed.wait(LOOK_SECONDS)
                hold.check()
            self._taken += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify()
