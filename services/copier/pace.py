"""A job's bandwidth limit, shared by its folders."""

import threading
import time

BITS = 8
MEGA = 1_000_000


class Pace:
    """Bytes may pass at `mbps` megabits a second on average; `None`: no limit. Thread-safe."""

    def __init__(self) -> None:
        self._free_at = 0.0
        self._lock = threading.Lock()

    def delay(self, size: int, mbps: float | None) -> float:
        """Seconds to wait before `size` bytes may be sent."""
        if mbps is None:
            return 0.0
        now = time.monotonic()
        with self._lock:
            begin = max(now, self._free_at)
            self._free_at = begin + size * BITS / (mbps * MEGA)
        return begin - now
