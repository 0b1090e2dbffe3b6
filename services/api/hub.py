"""One poller a process reads all watched jobs together and fans out what it sees.

Thread-bound: all but `wake` belong to the event loop.
"""

import asyncio
import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from libs.contracts.ids import JobId
from libs.contracts.jobs import ENDED, JobState
from libs.contracts.views import Snapshot
from libs.readmodel.port import ReadModelUnavailable

INTERVAL = 1.0  # seconds between two looks
SHORTEST = 0.2  # seconds between two looks when something has happened in between

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shown:
    """A snapshot as it goes to every watcher of the job."""

    state: JobState
    json: str

    @property
    def last(self) -> bool:
        return self.state in ENDED or self.state is JobState.GONE


class Watch:
    """What one stream has yet to send: the newest snapshot only."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._newest: Shown | None = None

    def put(self, shown: Shown | None) -> None:
        self._newest = shown
        self._changed.set()

    async def next(self) -> Shown | None:
        """Waits for a change; None when the process stops."""
        await self._changed.wait()
        self._changed.clear()
        return self._newest


class Hub:
    def __init__(self, read: Callable[[Sequence[JobId]], Mapping[JobId, Snapshot]]) -> None:
        """`read` blocks; it runs in a thread of the hub's own."""
        self._read = read
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hub")
        self._watches: dict[JobId, list[Watch]] = {}
        self._shown: dict[JobId, Shown] = {}
        self._percent: dict[JobId, float] = {}
        self._something = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def wake(self) -> None:
        """Something has changed: look soon. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._something.set)

    @contextlib.contextmanager
    def watch(self, job_id: JobId) -> Generator[Watch]:
        watch = Watch()
        self._watches.setdefault(job_id, []).append(watch)
        if self._closed:
            watch.put(None)
        elif job_id in self._shown:
            watch.put(self._shown[job_id])
        else:
            self._something.set()
        try:
            yield watch
        finally:
            self._watches[job_id].remove(watch)
            if not self._watches[job_id]:
                for of_the_job in (self._watches, self._shown, self._percent):
                    of_the_job.pop(job_id, None)

    def close(self) -> None:
        """Let every stream end by itself."""
        self._closed = True
        for watch in [watch for watches in self._watches.values() for watch in watches]:
            watch.put(None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), INTERVAL - SHORTEST if self._watches else None)
            self._something.clear()
            if self._watches:
                await self._look()
            await asyncio.sleep(SHORTEST)

    async def _look(self) -> None:
        job_ids = list(self._watches)
        try:
            snapshots = await self._loop.run_in_executor(self._thread, self._read, job_ids)
        except ReadModelUnavailable:
            log.warning("hub.read_model_unavailable")
            return
        for job_id in job_ids:
            shown = self._show(job_id, snapshots.get(job_id))
            if not self._closed and job_id in self._watches and shown != self._shown.get(job_id):
                self._shown[job_id] = shown
                for watch in self._watches[job_id]:
                    watch.put(shown)

    def _show(self, job_id: JobId, snapshot: Snapshot | None) -> Shown:
        if snapshot is None:
            return Shown(JobState.GONE, "")
        job = steady(snapshot, self._percent.get(job_id, 0.0)).job
        self._percent[job_id] = job.progress_percent or self._percent.get(job_id, 0.0)
        return Shown(job.state, snapshot.model_copy(update={"job": job}).model_dump_json())


def steady(snapshot: Snapshot, before: float) -> Snapshot:
    """The snapshot with a percentage that does not fall, though a new plan can find more to copy.

    100 % goes with nothing remaining, and with that only.
    """
    job = snapshot.job
    if job.progress_percent is None or job.items_remaining == 0:
        return snapshot
    percent = min(max(before, job.progress_percent), 99.9)
    return snapshot.model_copy(update={"job": job.model_copy(update={"progress_percent": percent})})
