"""Signs of life of jobs at hand that may have nothing to report: what is listed, compared, waits or does not move."""

import threading
from collections.abc import Callable, Collection

import structlog

from libs.contracts import topics
from libs.contracts.events import SignOfLife
from libs.contracts.ids import JobId
from libs.eventlog.port import EventLog, LogUnavailable

SIGN_SECONDS = 20.0  # the first one comes within two of these; a job is stalled after 60

log = structlog.get_logger()


class SignsOfLife:
    """Those of one worker process, once they are started."""

    def __init__(self, eventlog: EventLog, at_hand: Callable[[], Collection[JobId]]) -> None:
        """`at_hand`: the jobs of which the process has work, under way or waiting."""
        self._log = eventlog
        self._at_hand = at_hand
        self._before = frozenset[JobId]()
        self._closing = threading.Event()

    def start(self, name: str) -> None:
        threading.Thread(target=self._give_for_ever, name=f"{name}-signs", daemon=True).start()

    def close(self) -> None:
        self._closing.set()

    def give(self) -> None:
        """Of the jobs that were at hand the last time too: short work gives none.

        Raises:
            LogUnavailable: the next ones will do.
        """
        now = frozenset(self._at_hand())
        alive, self._before = sorted(now & self._before), now
        if alive:
            self._log.append_all(topics.PROGRESS, [(job_id, SignOfLife(job_id=job_id)) for job_id in alive])

    def _give_for_ever(self) -> None:
        while not self._closing.wait(SIGN_SECONDS):
            try:
                self.give()
            except LogUnavailable as error:
                log.warning("signs.not_given", error=type(error).__name__)
            except Exception:
                log.exception("signs.failed")
