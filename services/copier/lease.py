"""The right of a process to write to the accounts of one partition, asked at the commit gate (COPYING rule 7)."""

import time
from collections.abc import Callable
from typing import Protocol

from libs.eventlog.membership import boot_seconds

MARGIN_SECONDS = 10.0  # before others may take over, the last line break must have been sent


def margin(session_timeout: float) -> float:
    """10 s, less for sessions so short that nothing would be left."""
    return min(MARGIN_SECONDS, session_timeout / 3)


class Lease(Protocol):
    """One partition's, while this process has it. Any thread."""

    taken_over: float  # time.monotonic(): whoever had it before passes no gate after this

    def holds(self) -> bool:
        """Whether nobody else can have it within the time an append takes from its gate to its last byte."""
        ...

    @property
    def lost(self) -> bool:
        """It was revoked: what came with it comes again, to whoever has the partition now."""
        ...


class LogLease:
    """The embedded log's: the lock on its file, which this process has as long as it lives."""

    def __init__(self) -> None:
        self.taken_over = time.monotonic()

    def holds(self) -> bool:
        return True

    @property
    def lost(self) -> bool:
        return False


class GroupLease:
    """A member's of a consumer group: the partition is its own until the group has missed its heartbeats.

    Heartbeats run in a thread or task of their own, so a process that was
    stopped finds the last one too old before the group has told it anything.
    """

    def __init__(
        self,
        last_heartbeat: Callable[[], float | None],
        *,
        session_timeout: float,
        taken_over: float,
        margin: float = MARGIN_SECONDS,
        now: Callable[[], float] = boot_seconds,
    ) -> None:
        """`last_heartbeat`: `now()` before the last one that succeeded was sent; None: the partition was revoked."""
        self.taken_over = taken_over
        self._last_heartbeat = last_heartbeat
        self._longest = session_timeout - margin
        self._now = now

    def holds(self) -> bool:
        last = self._last_heartbeat()
        return last is not None and self._now() - last < self._longest

    @property
    def lost(self) -> bool:
        return self._last_heartbeat() is None
