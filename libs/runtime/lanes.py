"""Work in order within a key, in parallel between keys, on a bounded number of threads."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Lanes:
    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting: dict[str, deque[Callable[[], None]]] = {}
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._cleared = 0  # how often
        self._begun = threading.local()

    def submit(self, key: str, work: Callable[[], None]) -> None:
        """Run `work` after all earlier work of its key. It must not raise."""
        with self._lock:
            lane = self._waiting.get(key)
            if lane is not None:
                lane.append(work)
                return
            self._waiting[key] = deque([work])
        self._pool.submit(self._run, key)

    def clear(self, seconds: float) -> None:
        """Begin nothing of what waits, and return when what runs has ended, at the latest after so many seconds."""
        with self._idle:
            self._cleared += 1
            for lane in self._waiting.values():
                lane.clear()
            self._idle.wait_for(lambda: not self._waiting, seconds)

    def outlived(self) -> bool:
        """Whether the lanes were cleared since the work that asks began."""
        return getattr(self._begun, "cleared", self._cleared) != self._cleared

    def close(self) -> None:
        """Begin nothing more; what runs is not waited for."""
        with self._lock:
            for lane in self._waiting.values():
                lane.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, key: str) -> None:
        while True:
            with self._lock:
                lane = self._waiting[key]
                if not lane:
                    del self._waiting[key]
                    self._idle.notify_all()
                    return
                work = lane.popleft()
                self._begun.cleared = self._cleared
            work()
