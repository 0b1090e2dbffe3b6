"""The copier: takes work items in freely, and runs them fairly between jobs on a bounded number of threads."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog

from libs.contracts.accounts import Account
from libs.contracts.commands import CopyFolder
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason
from libs.eventlog.consume import Delivery
from libs.eventlog.port import EventLog, LogUnavailable
from libs.mailbox.pool import SessionPool
from libs.mailbox.port import Session
from libs.readmodel.port import ReadModelUnavailable, Store
from libs.runtime import metrics
from libs.runtime.control import Control
from libs.runtime.signs import SignsOfLife
from libs.runtime.throttles import Throttles
from libs.vault.port import Vault
from services.copier.claims import Claims
from services.copier.connections import Reach
from services.copier.hold import Hold, Stopped, Why
from services.copier.job_work import JobWork, Waiting
from services.copier.lease import Lease, LogLease
from services.copier.work_item import Setting, WorkItem, hand_on

log = structlog.get_logger()

TICK_SECONDS = 1.0
AHEAD = 1  # work items of a job that are read while its folders are copied
STOP_SECONDS = 5.0  # what an append past its gate may take when the process ends; then connections are reset
GIVE_BACK_SECONDS = 45.0  # what an append past its gate may take when others wait for its account
MOST_DEFECTS = 5  # of ours, met by one work item; then its job ends and says so
WHY: dict[str, Why] = {"cancel": "cancel", "over": "over", "pause": "pause"}


class Copier:
    def __init__(
        self,
        *,
        eventlog: EventLog,
        store: Store,
        vault: Vault,
        control: Control,
        connect: Callable[[Account], Session],
        account_key: bytes,
        incarnation: str,
        threads: int,
        late_commit_seconds: float,
        lease: Callable[[int], Lease] | None = None,
    ) -> None:
        """`lease`: of a partition of work items; without it they are an embedded log's."""
        self._own = LogLease()
        self._lease = lease
        self._control = control
        self._pool = SessionPool(connect, Throttles(store, control).check)
        self._setting = Setting(
            eventlog=eventlog,
            store=store,
            vault=vault,
            control=control,
            pool=self._pool,
            reach=Reach(),
            claims=Claims(store, account_key, incarnation),
            late_commit_seconds=late_commit_seconds,
            worker=f"copier-{incarnation[:8]}",
        )
        self._threads = threads
        self._jobs: OrderedDict[JobId, JobWork] = OrderedDict()  # who is first is served next
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._changed: set[JobId] = set()
        self._wake = threading.Event()
        for name, loop in (("scheduler", self._schedule_for_ever), ("ticker", self._tick_for_ever)):
            threading.Thread(target=loop, name=f"copier-{name}", daemon=True).start()
        self.signs = SignsOfLife(eventlog, self._at_hand)
        self.signs.start("copier")
        control.on_change(self._on_change)

    def take(self, delivery: Delivery) -> None:
        message = delivery.message
        if not isinstance(message, CopyFolder):
            delivery.done()
            return
        with self._lock:
            lease = self._lease(delivery.partition) if self._lease else self._own
            if lease.lost:
                return
            work = self._jobs.setdefault(message.job_id, JobWork())
            work.waiting.append(Waiting(delivery, message, Hold(lease=lease)))
        self._wake.set()

    def give_back(self, seconds: float = GIVE_BACK_SECONDS) -> None:
        """Others get what we have lost when this returns, after `seconds` at most (COPYING rule 14): what waits comes
        to them, what runs stops before its gate, and the acks of what is past it are stored."""
        with self._lock:
            for job_id, work in list(self._jobs.items()):
                work.waiting = deque(waiting for waiting in work.waiting if not waiting.hold.lease.lost)
                if not work.waiting and not work.running:
                    del self._jobs[job_id]
        lost = [item for item in self._running() if item.hold.lease.lost]
        for item in lost:
            item.hold.stop("fenced")
        deadline = time.monotonic() + seconds
        while (left := [item for item in self._running() if item in lost]) and time.monotonic() < deadline:
            time.sleep(0.01)
        for item in left:
            item.reset()

    def close(self) -> None:
        """Stop at the next message boundary; nothing that is not done is acknowledged."""
        self._stopping.set()
        self.signs.close()
        self._wake.set()
        for item in self._running():
            item.hold.stop("shutdown")
        deadline = time.monotonic() + STOP_SECONDS
        while self._running() and time.monotonic() < deadline:
            time.sleep(0.01)
        for item in self._running():
            item.reset()
        self._pool.close_all()

    # ---- choosing what runs

    def _schedule_for_ever(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            try:
                self._apply_changes()
                self._start_what_may()
            except ReadModelUnavailable as error:
                log.warning("copier.scheduling_delayed", error=type(error).__name__)
            except Exception:
                log.exception("copier.scheduling_failed")

    def _start_what_may(self) -> None:
        """Start items while there are threads, one of each job in turn."""
        with self._lock:
            jobs = list(self._jobs)
        concurrency = {job_id: self._may_run(job_id) for job_id in jobs}
        while not self._stopping.is_set():
            with self._lock:
                chosen = self._choose(concurrency)
            if chosen is None:
                return
            threading.Thread(target=self._run, args=chosen, name="copier-writer", daemon=True).start()

    def _may_run(self, job_id: JobId) -> int:
        """Folders at once; none while the schedule is closed: what runs then is handed on, and its connections end."""
        desired = self._control.desired(job_id)
        if desired.state != "run" or not desired.limits.rate(datetime.now(UTC)).closed:
            return desired.limits.concurrency
        for item in self._running(job_id):
            item.hold.stop("hand_on")
        return 0

    def _choose(self, concurrency: Mapping[JobId, int]) -> tuple[Waiting, WorkItem] | None:
        copying = (min(len(work.running), concurrency.get(job_id) or 1) for job_id, work in self._jobs.items())
        if sum(copying) >= self._threads:
            return None
        # An append of a deleted job may still be on its way: the account's next job waits for it.
        writers = {
            item.message.account_digest: job_id for job_id, work in self._jobs.items() for item in work.running.values()
        }
        for job_id, work in self._jobs.items():
            limit = concurrency.get(job_id, 0)
            work.slots.limit(limit)
            if not limit or len(work.running) >= limit + AHEAD:
                continue
            for waiting in work.may_begin():
                if writers.get(waiting.message.account_digest, job_id) == job_id:
                    self._jobs.move_to_end(job_id)
                    return waiting, work.begin(waiting, self._setting)
        return None

    def _run(self, waiting: Waiting, item: WorkItem) -> None:
        message = waiting.message
        try:
            if self._carry_out(item):
                waiting.delivery.done()
            elif not self._stopping.is_set() and not item.hold.lease.lost:
                self.take(waiting.delivery)  # the group was not heard for a while: it is still ours
        finally:
            with self._lock:
                work = self._jobs[message.job_id]
                del work.running[message.folder_id]
                if not work.running and not work.waiting:
                    del self._jobs[message.job_id]
            self._wake.set()

    def _carry_out(self, item: WorkItem) -> bool:
        """Whether the item may be acknowledged."""
        pause, defects = 0.5, 0
        while (
            not self._stopping.is_set() and not item.hold.lease.lost
        ):  # whoever has it now reads what could not be stored
            try:
                if defects == MOST_DEFECTS:
                    item.give_up("destination", Reason.INTERNAL, "")
                    return True
                item.run()
            except (LogUnavailable, ReadModelUnavailable) as error:
                log.warning("work_item.delayed", error=type(error).__name__)
            except Stopped:
                return False
            except Exception:
                log.exception("work_item.failed")
                defects += 1
            else:
                return True
            self._stopping.wait(pause)
            pause = min(pause * 2, 15)
        return False

    # ---- while they run

    def _on_change(self, job_id: JobId) -> None:
        """From the log's thread: what is desired of a job has changed."""
        with self._lock:
            if job_id in self._jobs:
                self._changed.add(job_id)
        self._wake.set()

    def _apply_changes(self) -> None:
        """Its items hear of it before their next commit gate."""
        with self._lock:
            changed, self._changed = self._changed, set()
        for job_id in changed:
            for item in self._running(job_id):
                try:
                    why = WHY.get(self._control.desired(job_id, item.message.run).state)
                except ReadModelUnavailable:
                    with self._lock:
                        self._changed.add(job_id)
                    break
                if why is not None:
                    item.hold.stop(why)

    def _running(self, job_id: JobId | None = None) -> list[WorkItem]:
        with self._lock:
            return [item for one, work in self._jobs.items() if job_id in (None, one) for item in work.running.values()]

    def _at_hand(self) -> list[JobId]:
        with self._lock:
            works = {job_id: [*work.running.values(), *work.waiting] for job_id, work in self._jobs.items()}
        return [job_id for job_id, work in works.items() if any(one.hold.lease.holds() for one in work)]

    def _tick_for_ever(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            try:
                self._tick()
            except Exception:
                log.exception("copier.tick_failed")

    def _tick(self) -> None:
        with self._lock:
            jobs = list(self._jobs.values())
            metrics.WORK_ITEMS.labels("running").set(sum(len(work.running) for work in jobs))
            metrics.WORK_ITEMS.labels("waiting").set(sum(len(work.waiting) for work in jobs))
        for item in self._running():
            try:
                item.report()
            except (LogUnavailable, ReadModelUnavailable) as error:
                log.warning("progress.delayed", error=type(error).__name__)
        for waiting in self._expired():
            try:
                hand_on(waiting.message, self._setting.eventlog)
            except LogUnavailable as error:
                log.warning("work_item.not_handed_on", error=type(error).__name__)
                self.take(waiting.delivery)
            else:
                waiting.delivery.done()
        self._pool.close_idle()

    def _expired(self) -> list[Waiting]:
        """Items that waited too long: they are handed on, so that commits never lag behind."""
        with self._lock:
            expired = [one for work in self._jobs.values() for one in work.waiting if one.hold.expired]
            for waiting in expired:
                self._jobs[waiting.message.job_id].waiting.remove(waiting)
        return expired
