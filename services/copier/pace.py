"""A job's bandwidth limit, shared by its folders."""

import threading
import time

BITS = 8
MEGA = 1_000_000


class Pace:
    """Bytes pass in the order they were announced, as fast as the limit of the moment lets them. Thread-safe."""

    def __init__(self) -> None:
        self._announced = 0.0
        self._passed = 0.0
        self._per_second = 0.0  # bytes, since `_at`
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def announce(self, size: int) -> float:
        """What must have passed before these bytes may be sent."""
        with self._lock:
            self._announced += size
            return self._announced - size

    def delay(self, before: float, mbps: float | None) -> float:
        """Seconds until then at `mbps` megabits a second (None: no limit); ask again when the limit may have changed.

        Time without anything to send is not saved up.
        """
        with self._lock:
            now = time.monotonic()
            self._passed = min(self._announced, self._passed + self._per_second * (now - self._at))
            self._at, self._per_second = now, 0.0 if mbps is None else mbps * MEGA / BITS
            if mbps is None:
                self._passed = self._announced
            missing = before - self._passed
            return missing / self._per_second if missing > 0 else 0.0
