"""What is desired of a job right now: read once, kept in memory, read again after a command of the log."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from libs.contracts.codec import Message
from libs.contracts.commands import CancelJob, DeleteJob
from libs.contracts.ids import JobId
from libs.contracts.topics import COMMANDS, JOB_EVENTS
from libs.eventlog.port import EventLog
from libs.readmodel.port import Store
from libs.readmodel.rows import NOTHING, Desired, RequestRow

KEPT = 10_000  # jobs remembered by a process; a forgotten one is read again


class Control:
    """Thread-safe. What is desired is written to ClickHouse before its command is appended, so reading
    again after a command is right; a cancellation and a deletion hold from the command on, before any read.
    """

    def __init__(self, log: EventLog, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: OrderedDict[JobId, Desired] = OrderedDict()
        self._requests: OrderedDict[JobId, RequestRow] = OrderedDict()
        self._changes = 0  # counts messages: a read that began before one is not kept
        self._callbacks: list[Callable[[JobId], None]] = []
        log.follow(COMMANDS, self._on_message)
        log.follow(JOB_EVENTS, self._on_message)  # the end of a job: what is read again says that it is over

    def desired(self, job_id: JobId, run: int = 1) -> Desired:
        """What holds for this run of the job, or a later one.

        Blocks for one read at the first meeting, after a change and for a later run; may raise `ReadModelUnavailable`.
        """
        while True:
            with self._lock:
                known = self._known.get(job_id)
                before = self._changes
            if known is not None and known.run >= run:
                return known
            read = self._store.desired(job_id)
            with self._lock:
                if self._changes == before:
                    self._keep(job_id, read)
                    return read

    def request(self, job_id: JobId, run: int = 1) -> RequestRow | None:
        """What was asked for in this run of the job, or a later one; as long as `desired` is not over, it holds.

        Within a run it changes in what no worker looks at, so it is read once; may raise `ReadModelUnavailable`.
        """
        with self._lock:
            known = self._requests.get(job_id)
            before = self._changes
        if known is not None and known.run >= run:
            return known
        read = self._store.request(job_id)
        with self._lock:
            if read is not None and self._changes == before:
                self._requests[job_id] = read
                while len(self._requests) > KEPT:
                    self._requests.popitem(last=False)
        return read

    def on_change(self, callback: Callable[[JobId], None]) -> None:
        """Call `callback`, from a thread of the log's, after each command; it must return quickly."""
        self._callbacks.append(callback)

    def _on_message(self, message: Message) -> None:
        job_id = message.job_id
        with self._lock:
            self._changes += 1
            known = self._known.pop(job_id, None)
            self._requests.pop(job_id, None)
            match message:
                case DeleteJob():
                    self._keep(job_id, NOTHING)
                case CancelJob() if known is None or (known.state != "over" and known.run <= message.run):
                    self._keep(job_id, replace(known or Desired(state="cancel"), state="cancel", run=message.run))
                case _:
                    pass
        for callback in self._callbacks:
            callback(job_id)

    def _keep(self, job_id: JobId, desired: Desired) -> None:
        self._known[job_id] = desired
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
