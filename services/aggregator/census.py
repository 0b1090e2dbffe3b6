"""How many jobs live, in which state, and for how many credentials are held: counted now and then for `/metrics`."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog

from libs.contracts.ids import JobId
from libs.contracts.jobs import ENDED, JobState
from libs.contracts.views import JobView
from libs.readmodel.port import ReadModelUnavailable
from libs.runtime import metrics

LOOK_SECONDS = 15.0
STATES = [state for state in JobState if state not in ENDED and state is not JobState.GONE]

log = structlog.get_logger()


class Census:
    """Every aggregator counts all jobs, so that it is known while any of them lives."""

    def __init__(
        self,
        live: Callable[[], Sequence[JobId]],
        views: Callable[[Sequence[JobId], datetime], Mapping[JobId, JobView]],
        held: Callable[[], Sequence[object]],
        clock: Callable[[], datetime],
    ) -> None:
        self._live = live
        self._views = views
        self._held = held
        self._clock = clock
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look_for_ever, name="census", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """A count under way is not waited for."""
        self._closing.set()

    def look(self) -> None:
        """
        Raises:
            ReadModelUnavailable: what was counted before stands, and its age grows.
        """
        found = Counter(each.state for each in self._views(self._live(), self._clock()).values())
        held = len(self._held())
        for state in STATES:
            metrics.LIVE_JOBS.labels(state).set(found[state])
        metrics.CREDENTIALS_HELD.set(held)
        counted = time.monotonic()
        metrics.CENSUS_AGE.set_function(lambda: time.monotonic() - counted)

    def _look_for_ever(self) -> None:
        while True:
            try:
                self.look()
            except ReadModelUnavailable as error:
                log.warning("census.delayed", error=type(error).__name__)
            except Exception:
                log.exception("census.failed")
            if self._closing.wait(LOOK_SECONDS):
                return
