"""Whether a copier may go on with a work item, asked at every message boundary and at the commit gate."""

import threading
import time
from typing import Literal

from services.copier.lease import Lease, LogLease

HOLD_SECONDS = 600.0  # then the item is handed on, so that commits never lag behind

Why = Literal["cancel", "over", "pause", "hand_on", "shutdown", "fenced"]
# fenced: the item may be another process's by now, whatever else is wanted of it
RANK: dict[Why, int] = {"hand_on": 0, "pause": 1, "shutdown": 2, "cancel": 3, "over": 4, "fenced": 5}


class Stopped(Exception):
    """The work item is not to be worked on any longer, here and now."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class Hold:
    """One copier's hold on one work item. Any thread may stop it; a weightier reason replaces a lighter one."""

    def __init__(self, seconds: float = HOLD_SECONDS, lease: Lease | None = None) -> None:
        self.lease = lease or LogLease()
        self._until = time.monotonic() + seconds
        self._why: Why | None = None
        self._changed = threading.Event()

    def stop(self, why: Why) -> None:
        if self._why is None or RANK[why] > RANK[self._why]:
            self._why = why
        self._changed.set()

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self._until

    def gate(self) -> None:
        """The commit gate (COPYING rule 7): raises when the append must not be committed."""
        if not self.lease.holds():
            self.stop("fenced")
        if self._why is not None:
            raise Stopped(self._why)

    def check(self) -> None:
        """At a message boundary."""
        self.gate()
        if self.expired:
            raise Stopped("hand_on")

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than the item may be held."""
        self._changed.wait(max(0.0, min(seconds, self._until - time.monotonic())))
        self.check()
