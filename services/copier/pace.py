"""A job's bandwidth limit, shared by its folders."""

import threading
import time
from collections.abc import Callable

BITS = 8
MEGA = 1_000_000


class Pace:
    """Bytes pass in the order they were announced, as fast as the limit of the moment lets them. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._announced = 0.0
        self._passed = 0.0
        self._per_second = 0.0  # bytes, since `_at`
        self._at = clock()
        self._lock = threading.Lock()

    def announce(self, size: int) -> float:
        """What must have passed before these bytes may be sent."""
        with self._lock:
            self._settle()  # time without anything to send is not saved up
            self._announced += size
            return self._announced - size

    def delay(self, before: float, mbps: float | None) -> float:
        """Seconds until then at `mbps` megabits a second (None: no limit); ask again when that may have changed."""
        with self._lock:
            self._settle()
            if mbps is None:
                self._passed = self._announced
            self._per_second = 0.0 if mbps is None else mbps * MEGA / BITS
            missing = before - self._passed
            return missing / self._per_second if missing > 0 else 0.0

    def _settle(self) -> None:
        now = self._clock()
        self._passed = min(self._announced, self._passed + self._per_second * (now - self._at))
        self._at = now
