"""Work in order within a key, in parallel between keys, so much of it at once."""

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from libs.contracts.ids import JobId

MOST_THREADS = 1_000  # each is made when it is needed


@dataclass(slots=True)
class _Lane:
    waiting: deque[tuple[JobId, Callable[[], None]]] = field(default_factory=deque[tuple[JobId, Callable[[], None]]])
    running: JobId | None = None


class Lanes:
    def __init__(self, name: str, at_once: int, *, with_waiting: int = MOST_THREADS) -> None:
        """`at_once`: lanes that work; `with_waiting`: those and the ones whose work only waits."""
        self._pool = ThreadPoolExecutor(with_waiting, thread_name_prefix=name)
        self._most = with_waiting
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[str] = deque()  # lanes without a thread
        self._free = at_once
        self._returning = 0  # who has waited goes before who has not begun
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._cleared = 0  # how often
        self._closed = False
        self._begun = threading.local()

    def submit(self, key: str, job_id: JobId, work: Callable[[], None]) -> None:
        """Run `work` after all earlier work of its key. It must not raise."""
        with self._lock:
            if self._closed:
                return
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane()
                self._ready.append(key)
            lane.waiting.append((job_id, work))
            self._begin()

    def at_hand(self) -> set[JobId]:
        """The jobs of which there is work: that runs, or waits for its turn."""
        with self._lock:
            waiting = {job_id for lane in self._lanes.values() for job_id, _ in lane.waiting}
            return waiting | {lane.running for lane in self._lanes.values() if lane.running is not None}

    @contextmanager
    def aside(self) -> Generator[None]:
        """Around what only waits, within work: another lane has its place until then."""
        self._leave()
        try:
            yield
        finally:
            with self._changed:
                self._returning += 1
                self._changed.wait_for(lambda: self._free > 0 or self._closed or self.outlived())
                self._returning -= 1
                self._free -= 1

    def clear(self, seconds: float) -> None:
        """Begin nothing of what waits, and return when what runs has ended, at the latest after so many seconds."""
        with self._changed:
            self._cleared += 1
            self._drop()
            self._changed.wait_for(lambda: not self._lanes, seconds)

    def outlived(self) -> bool:
        """Whether the lanes were cleared since the work that asks began."""
        return getattr(self._begun, "cleared", self._cleared) != self._cleared

    def close(self) -> None:
        """Begin nothing more; what runs is not waited for."""
        with self._changed:
            self._closed = True
            self._drop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _drop(self) -> None:
        for key in self._ready:
            del self._lanes[key]
        self._ready.clear()
        for lane in self._lanes.values():
            lane.waiting.clear()
        self._changed.notify_all()

    def _begin(self) -> None:
        # A place without a thread would be one that nobody ever gives back.
        while self._ready and self._free > self._returning and len(self._lanes) - len(self._ready) < self._most:
            self._free -= 1
            self._pool.submit(self._run, self._ready.popleft())

    def _leave(self) -> None:
        with self._changed:
            self._free += 1
            if not self._closed:
                self._begin()
            self._changed.notify_all()

    def _run(self, key: str) -> None:
        while True:
            with self._changed:
                lane = self._lanes[key]
                if not lane.waiting:
                    del self._lanes[key]
                    break
                lane.running, work = lane.waiting.popleft()
                self._begun.cleared = self._cleared
            work()
        self._leave()
