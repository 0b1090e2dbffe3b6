"""What a process holds as a member of its consumer group, and until when nobody else can have it."""

import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS counts sleep in CLOCK_MONOTONIC


def boot_seconds() -> float:
    """Since the machine was started, the time included in which it slept or this process was stopped."""
    return time.clock_gettime(_CLOCK)


class Member(NamedTuple):
    """How a process takes part in its consumer group."""

    session_timeout: float = 45.0  # seconds without a heartbeat after which the group gives its partitions to others
    instance: str | None = None  # the name it keeps over restarts; without one it leaves the group when it stops


class Held:
    """One partition, from its assignment to its revocation. Any thread."""

    def __init__(self, membership: "Membership", taken_over: float) -> None:
        self._membership = membership
        self._revoked = False
        self.taken_over = taken_over  # time.monotonic()

    def last_heartbeat(self) -> float | None:
        """`boot_seconds()` before the last one that the group confirmed was sent; None: it was revoked."""
        return None if self._revoked else self._membership.heard_at

    def revoke(self) -> None:
        self._revoked = True


class Membership:
    """Any thread. The transport tells it what happens, in the thread in which the group is spoken to."""

    def __init__(self) -> None:
        self.heard_at = 0.0  # `boot_seconds()`
        self._held: dict[tuple[str, int], Held] = {}
        self._lock = threading.Lock()
        self._nobodys = Held(self, 0.0)
        self._nobodys.revoke()

    def heard(self, sent: float) -> None:
        """The group confirmed a request that was sent then."""
        self.heard_at = max(self.heard_at, sent)

    def assign(self, partitions: Iterable[tuple[str, int]]) -> None:
        now = time.monotonic()
        with self._lock:
            self._held = {(topic, partition): Held(self, now) for topic, partition in partitions}

    def revoke(self) -> None:
        """All at once: the group is eager."""
        with self._lock:
            held, self._held = self._held, {}
        for one in held.values():
            one.revoke()

    def hold(self, topic: str, partition: int) -> Held:
        """What is not ours is revoked already."""
        with self._lock:
            return self._held.get((topic, partition), self._nobodys)
