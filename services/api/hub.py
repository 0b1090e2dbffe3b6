"""One poller a process reads all watched jobs together and fans out what it sees.

Thread-bound: all but `wake` belong to the event loop.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog

from libs.contracts.ids import JobId
from libs.contracts.jobs import ENDED, JobState
from libs.contracts.views import JobView, Snapshot
from libs.readmodel.port import ReadModelUnavailable
from libs.runtime import metrics
from services.api.fleet import Fleet, fleet

INTERVAL = 1.0  # seconds between two looks
SHORTEST = 0.2  # seconds between two looks when something has happened in between

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shown:
    """A snapshot as it goes to every watcher of the job."""

    state: JobState
    json: str

    @property
    def last(self) -> bool:
        return self.state in ENDED or self.state is JobState.GONE


_GONE = Shown(JobState.GONE, "")


class Watch(Generic[T]):
    """What one stream has yet to send: the newest only."""

    def __init__(self, key: str | None = None) -> None:
        """`key`: the hash of what it was opened with, and is open as long as that opens its job."""
        self.key = key
        self._changed = asyncio.Event()
        self._newest: T | None = None

    def put(self, shown: T | None) -> None:
        self._newest = shown
        self._changed.set()

    async def next(self) -> T | None:
        """Waits for a change; None when the process stops."""
        await self._changed.wait()
        self._changed.clear()
        return self._newest


class Hub:
    def __init__(
        self,
        read: Callable[[Sequence[JobId]], Mapping[JobId, Snapshot]],
        read_jobs: Callable[[Sequence[JobId]], Mapping[JobId, JobView]],
        live: Callable[[], Sequence[JobId]],
        now: Callable[[], datetime],
        keys: Callable[[Sequence[JobId]], Mapping[JobId, Collection[str]]],
    ) -> None:
        """`read` is for the jobs that are watched, `read_jobs` for the fleet, all at once; `live` names the jobs of
        the fleet, `keys` the hashes of the keys that open these jobs.

        All block; they run in a thread of the hub's own.
        """
        self._read = read
        self._read_jobs = read_jobs
        self._live = live
        self._now = now
        self._keys = keys
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hub")
        self._watches: dict[JobId, list[Watch[Shown]]] = {}
        self._shown: dict[JobId, Shown] = {}
        self._fleet_watches: list[Watch[Fleet]] = []
        self._fleet: Fleet | None = None  # None: not looked at yet
        self._percent: dict[tuple[JobId, int], float] = {}  # of a run: the next one begins anew
        self._something = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._looked = time.monotonic()
        metrics.SNAPSHOT_AGE.set_function(self._age)

    def wake(self, job_id: JobId) -> None:
        """Something has changed that who watches this job should not wait for. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._wake, job_id)

    def _wake(self, job_id: JobId) -> None:
        if job_id in self._watches:
            self._something.set()

    @contextlib.contextmanager
    def watch(self, job_id: JobId, key: str | None = None) -> Generator[Watch[Shown]]:
        watch = Watch[Shown](key)
        self._watches.setdefault(job_id, []).append(watch)
        if (shown := self._shown.get(job_id)) is not None and shown.last:
            shown = None
            del self._shown[job_id]  # looked at again: it may have been tried again since
        self._begin(watch, shown)
        try:
            with metrics.SSE_STREAMS.labels("job").track_inprogress():
                yield watch
        finally:
            self._watches[job_id].remove(watch)
            if not self._watches[job_id]:
                del self._watches[job_id]
                self._shown.pop(job_id, None)

    @contextlib.contextmanager
    def watch_fleet(self) -> Generator[Watch[Fleet]]:
        """All jobs that have not ended, and for a while those that ended since somebody watches."""
        watch = Watch[Fleet]()
        self._fleet_watches.append(watch)
        self._begin(watch, self._fleet)
        try:
            with metrics.SSE_STREAMS.labels("fleet").track_inprogress():
                yield watch
        finally:
            self._fleet_watches.remove(watch)
            if not self._fleet_watches:
                self._fleet = None

    def close(self) -> None:
        """Let every stream end by itself."""
        self._closed = True
        for watch in [*(watch for watches in self._watches.values() for watch in watches), *self._fleet_watches]:
            watch.put(None)

    async def run(self) -> None:
        """Until cancelled. A look begins a second after the one before it began, however long that took."""
        begun = self._loop.time()
        while True:
            watched = self._watches or self._fleet_watches
            with contextlib.suppress(TimeoutError):
                left = max(0.0, begun + INTERVAL - self._loop.time())
                await asyncio.wait_for(self._something.wait(), left if watched else None)
            self._something.clear()
            begun = self._loop.time()
            if self._watches or self._fleet_watches:
                await self._look()
            await asyncio.sleep(SHORTEST)

    def _streams(self) -> int:
        return len(self._fleet_watches) + sum(map(len, self._watches.values()))

    def _age(self) -> float:
        return time.monotonic() - self._looked if self._streams() else 0.0

    def _begin(self, watch: Watch[T], shown: T | None) -> None:
        if self._streams() == 1:
            self._looked = time.monotonic()
        if self._closed or shown is not None:
            watch.put(None if self._closed else shown)
        else:
            self._something.set()

    async def _look(self) -> None:
        watched = list(self._watches)
        before = (self._fleet or Fleet()) if self._fleet_watches else None
        try:
            with metrics.SNAPSHOT_SECONDS.time():
                snapshots, seen, keys = await self._loop.run_in_executor(self._thread, self._read_all, watched, before)
        except ReadModelUnavailable:
            log.warning("hub.delayed")
            return
        self._looked = time.monotonic()
        if self._closed:
            return
        for job_id in watched:
            shown = _shown(snapshots.get(job_id))
            if job_id in self._watches and shown != self._shown.get(job_id):
                self._shown[job_id] = shown
                _tell(self._watches[job_id], shown)
            for watch in self._watches.get(job_id, []):
                if watch.key is not None and watch.key not in keys.get(job_id, ()):
                    watch.put(_GONE)
        if self._fleet_watches and seen is not None and seen != self._fleet:
            self._fleet = seen
            _tell(self._fleet_watches, seen)

    def _read_all(
        self, watched: Sequence[JobId], before: Fleet | None
    ) -> tuple[Mapping[JobId, Snapshot], Fleet | None, Mapping[JobId, Collection[str]]]:
        """The watched jobs, the fleet unless nobody watches it (`before` is None), and the keys of the watched."""
        live = [] if before is None else self._live()
        read = self._read(watched) if watched else {}
        jobs = self._read_jobs(list(dict.fromkeys([*live, *before.jobs]))) if before is not None else {}
        snapshots = {each: found.model_copy(update={"job": self._steady(found.job)}) for each, found in read.items()}
        seen = {job_id: self._steady(job) for job_id, job in jobs.items()}
        shown = [*(each.job for each in snapshots.values()), *seen.values()]
        self._percent = {(job.job_id, job.run): job.progress_percent or 0.0 for job in shown}
        now = None if before is None else fleet(before, live, seen, self._now())
        return snapshots, now, self._keys(watched) if watched else {}

    def _steady(self, job: JobView) -> JobView:
        return steady(job, self._percent.get((job.job_id, job.run), 0.0))


def _tell(watches: Iterable[Watch[T]], shown: T) -> None:
    for watch in watches:
        watch.put(shown)


def _shown(snapshot: Snapshot | None) -> Shown:
    return _GONE if snapshot is None else Shown(snapshot.job.state, snapshot.model_dump_json())


def steady(job: JobView, before: float) -> JobView:
    """The job with a percentage that does not fall, though a new plan can find more to copy.

    100 % goes with nothing remaining, and with that only.
    """
    if job.progress_percent is None or job.items_remaining == 0:
        return job
    percent = min(max(before, job.progress_percent), 99.9)
    return job.model_copy(update={"progress_percent": percent})
