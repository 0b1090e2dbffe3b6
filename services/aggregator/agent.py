"""The aggregator's agents: batches are applied in threads, the sweep has one of its own."""

import threading
from collections.abc import Callable, Sequence

import structlog

from libs.contracts import topics
from libs.eventlog.consume import Delivery, consume_batches
from libs.eventlog.port import LogUnavailable
from libs.eventlog.worker import Worker
from libs.readmodel.port import ReadModelUnavailable
from services.aggregator.aggregator import Aggregator

SWEEP_SECONDS = 2.0  # a cancellation is given 10 s
LONGEST_PAUSE_SECONDS = 15.0
GATHER_SECONDS = 0.5  # rows of several events cost what those of one cost; who watches looks once a second

log = structlog.get_logger()


class AggregatorAgent:
    """Consumes once it is attached, sweeps from the start to `close`."""

    def __init__(self, aggregator: Aggregator, leads: Callable[[], bool] = lambda: True) -> None:
        """`leads`: whether this process is the one that sweeps."""
        self._aggregator = aggregator
        self._leads = leads
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep_for_ever, name="aggregator-sweep", daemon=True)

    def attach(self, worker: Worker) -> None:
        consume_batches(
            worker.app,
            topics.PROGRESS,
            lambda batch: self._apply(self._aggregator.apply_progress, batch),
            gather=GATHER_SECONDS,
            hurry=self._aggregator.may_end,
        )
        consume_batches(worker.app, topics.COMMANDS, lambda batch: self._apply(self._aggregator.apply_commands, batch))

    def start(self) -> None:
        self._sweeper.start()

    def close(self) -> None:
        """Return when the sweep under way has ended, after 3 s at most."""
        self._closing.set()
        self._wake.set()
        self._sweeper.join(timeout=3)

    def _apply(self, apply: Callable[[Sequence[Delivery]], bool], batch: Sequence[Delivery]) -> None:
        """Until it is applied: an outage of ClickHouse or the log delays a batch and loses nothing."""
        pause = 0.5
        while True:
            try:
                if apply(batch):
                    self._wake.set()
            except (ReadModelUnavailable, LogUnavailable) as error:
                log.warning("events.delayed", error=type(error).__name__, events=len(batch))
                if self._closing.wait(pause):
                    raise
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return

    def _sweep_for_ever(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                if self._leads():
                    self._aggregator.sweep()
            except (ReadModelUnavailable, LogUnavailable) as error:
                log.warning("sweep.delayed", error=type(error).__name__)
            except Exception:
                log.exception("sweep.failed")
            self._wake.wait(SWEEP_SECONDS)
