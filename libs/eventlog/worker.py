"""A service's place in its group: it consumes from `start` to `stop`, or until it dies."""

import asyncio
from collections.abc import Callable, Set

from libs.eventlog.app import App
from libs.eventlog.membership import Membership
from libs.eventlog.port import EventLog

START_SECONDS = 60.0
STOP_SECONDS = 5.0
LOOK_SECONDS = 0.05  # between two looks whether its group has settled


class WorkerNotStarted(Exception):
    """It did not get its partitions in time, or failed while it started: end the process."""


class Worker:
    """Hand `app` to `consume_each` and `consume_batches` before the start.

    A worker that died has committed nothing that was not done; start a new process. Workers of one process are
    started and stopped together (`asyncio.gather`), each with a service name of its own.
    """

    def __init__(self, service: str, log: EventLog) -> None:
        self.app = App(f"mailtide-{service}", log)

    async def start(self) -> None:
        """
        Raises:
            WorkerNotStarted: after 60 s, or as soon as it failed.
        """
        starting = asyncio.ensure_future(self._get_ready())
        dead = asyncio.ensure_future(self.app.wait_until_stopped())
        try:
            await asyncio.wait({starting, dead}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done() or starting.exception() is not None:
                raise WorkerNotStarted from self.app.crash_reason
        except BaseException:
            starting.cancel()
            await self.stop()
            raise
        finally:
            dead.cancel()

    async def _get_ready(self) -> None:
        await self.app.start()
        # Another member may have joined or left just then: the group gives out its partitions anew.
        while not self.ready:  # noqa: ASYNC110 - heartbeats, which are a part of it, tell nobody
            await asyncio.sleep(LOOK_SECONDS)

    @property
    def ready(self) -> bool:
        """It has its part of the topics, which is none for a spare member of the group, and the group hears of it."""
        app = self.app
        return app.started and not app.should_stop and not app.rebalancing and app.assigned and app.heard

    @property
    def membership(self) -> Membership:
        return self.app.membership

    def on_revoked(self, stop_working: Callable[[Set[tuple[str, int]]], None]) -> None:
        """Call it, in a thread, with the (topic, partition)s that others are about to get: they get them when it
        returns, or 50 s later. What is done with them after that is not acknowledged; what is not done comes again."""
        self.app.on_revoked.append(stop_working)

    async def stop(self) -> None:
        """Commit what is done and leave the group; at most 5 s. Repeats are fine, and so is one without a start."""
        if not self.app.started:
            return
        await asyncio.wait({asyncio.ensure_future(self.app.stop())}, timeout=STOP_SECONDS)

    async def wait_until_dead(self) -> None:
        """Return when it was stopped, an agent raised or its connection to the log broke: then end the process."""
        await self.app.wait_until_stopped()
