"""From events to rows, from rows to the end of jobs, and from an end to all that follows from it."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast, get_args

from libs.contracts import topics
from libs.contracts.commands import CancelJob, DeleteJob, StartJob
from libs.contracts.events import AgentReported, FoldersListed, JobDeleted, JobStarted, Progress, ScanFailed
from libs.contracts.ids import JobId
from libs.contracts.jobs import ENDED
from libs.eventlog.consume import Delivery
from libs.eventlog.port import EventLog
from libs.readmodel.rows import OutcomeRow, TombstoneRow
from libs.readmodel.tables import Stamped
from libs.readmodel.upkeep import Standing, Upkeep
from libs.runtime import metrics
from libs.vault.port import Vault
from services.aggregator.ends import Ends
from services.aggregator.outcome import decide, told
from services.aggregator.reports import Report, counted
from services.aggregator.rows import rows

CHORES_EVERY = timedelta(seconds=30)
UNACCEPTED_AFTER = timedelta(seconds=60)  # its caller never got an answer
WORKERS_STOPPED_AFTER = timedelta(seconds=15)  # of a deletion: what they wrote until then is erased too
START_UNDER_WAY = timedelta(seconds=10)  # a new request has a StartJob of its own on the way to the scanner
TURN_AGAIN_AFTER = timedelta(seconds=60)  # a turn that was given and not taken

_PROGRESS = get_args(Progress)


class Aggregator:
    """Blocking and thread-safe. All it knows is in ClickHouse, so every step may be repeated by any process.

    Events become rows; rows decide outcomes. What follows from an outcome is done in `sweep` alone, which finds
    what is missing wherever an earlier process ended.
    """

    def __init__(self, store: Upkeep, vault: Vault, log: EventLog, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._vault = vault
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._turns_given: dict[JobId, datetime] = {}
        self._chores_done: datetime | None = None
        self._ends = Ends()  # of apply_progress alone: its batches come one after the other
        for state in ENDED:
            metrics.JOBS_ENDED.labels(state)

    def may_end(self, deliveries: Sequence[Delivery]) -> bool:
        """Whether a job begins or may end with these events, so that somebody waits for them to be applied."""
        known = [cast(Progress, d.message) for d in deliveries if isinstance(d.message, _PROGRESS)]
        begun_or_failed = any(isinstance(event, FoldersListed | ScanFailed) for event in known)
        return begun_or_failed or bool(self._ends.possible(known))

    def apply_progress(self, deliveries: Sequence[Delivery]) -> bool:
        """Durable when it returns; True when a job has ended and is to be swept.

        Raises:
            ReadModelUnavailable, LogUnavailable: not all was done; applying the same again is right.
        """
        known = [(d, cast(Progress, d.message)) for d in deliveries if isinstance(d.message, _PROGRESS)]
        stamped = [
            Stamped(row, delivery.offset, delivery.at)
            for delivery, event in known
            for row in rows(event, delivery.offset, delivery.at)
        ]
        stamped += self._counted([Report(e, d.offset, d.at) for d, e in known if isinstance(e, AgentReported)])
        self._store.write_each(stamped)
        listed = dict.fromkeys((event.job_id, event.run) for _, event in known if isinstance(event, FoldersListed))
        if listed:
            started = [(job_id, JobStarted(job_id=job_id, run=run)) for job_id, run in listed]
            self._log.append_all(topics.JOB_EVENTS, started)
        ended = self._decide(self._ends.possible(event for _, event in known), self._clock())
        return ended or any(isinstance(each.row, OutcomeRow) for each in stamped)

    def _counted(self, reports: Sequence[Report]) -> list[Stamped]:
        if not reports:
            return []
        known = self._store.reported((report.event.job_id, report.event.batch_id) for report in reports)
        stamped, begun = counted(reports, known)
        # Before the totals are written: after them nobody would see that these jobs have just begun.
        self._log.append_all(topics.JOB_EVENTS, [(job_id, JobStarted(job_id=job_id)) for job_id in begun])
        return stamped

    def apply_commands(self, deliveries: Sequence[Delivery]) -> bool:
        """As `apply_progress`. A job that was never admitted is cancelled at once, a deleted one is erased."""
        now = self._clock()
        commands = [delivery.message for delivery in deliveries]
        deleted = dict.fromkeys(command.job_id for command in commands if isinstance(command, DeleteJob))
        if deleted:
            self._forget(list(deleted))
            self._give_turns(now)
        return self._decide({command.job_id for command in commands if isinstance(command, CancelJob)}, now)

    def sweep(self) -> None:
        """Every few seconds, and when a job has ended: end what is to end, and do what follows.

        Raises:
            ReadModelUnavailable, LogUnavailable: the next sweep goes on.
        """
        now = self._clock()
        self._decide(self._store.cancelling(), now)
        self._settle(now)
        if self._chores_done is None or now - self._chores_done >= CHORES_EVERY:
            self._do_chores(now)
            self._chores_done = now

    def _decide(self, job_ids: Iterable[JobId], now: datetime) -> bool:
        return self._end(self._store.standings(sorted(job_ids)), now)

    def _end(self, standings: Mapping[JobId, Standing], now: datetime) -> bool:
        outcomes = [outcome for each in standings.values() if (outcome := decide(each, now)) is not None]
        self._store.write(outcomes, now=now)
        return bool(outcomes)

    def _settle(self, now: datetime) -> None:
        """The job event, the end of the credentials, the next job's turn; the refresh marks that all was done."""
        outcomes = self._store.unsettled()
        if not outcomes:
            return
        jobs = [outcome.job_id for outcome in outcomes]
        standings = self._store.standings(jobs)
        events = [(outcome.job_id, told(outcome, standings.get(outcome.job_id))) for outcome in outcomes]
        self._log.append_all(topics.JOB_EVENTS, events)
        for outcome in outcomes:
            self._vault.destroy(outcome.job_id, run=outcome.run)
        self._give_turns(now)
        self._store.refresh(jobs, now)
        for outcome in outcomes:
            metrics.JOBS_ENDED.labels(outcome.state).inc()

    def _do_chores(self, now: datetime) -> None:
        standings = self._store.standings(self._store.live())
        self._end(standings, now)
        self._settle(now)
        for job_id, run in self._store.secrets_left(before=now - UNACCEPTED_AFTER):
            self._vault.destroy(job_id, run=run)
        self._give_up(self._store.unaccepted(before=now - UNACCEPTED_AFTER), now)
        self._forget(self._store.leftovers(deleted_before=now - WORKERS_STOPPED_AFTER))
        # A job that was retried while it lived has its turn; the order to try again may have been lost.
        self._give_turns(now, [job_id for job_id, each in standings.items() if each.admitted and not each.prepared])
        self._store.refresh(self._store.stale(now), now)

    def _give_up(self, job_ids: Sequence[JobId], now: datetime) -> None:
        """A worker may have begun with a request that nobody accepted: it is deleted like any job."""
        if not job_ids:
            return
        self._store.write([TombstoneRow(job_id=job_id, deleted_at=now) for job_id in job_ids], now=now)
        self._log.append_all(topics.COMMANDS, [(job_id, DeleteJob(job_id=job_id)) for job_id in job_ids])

    def _forget(self, job_ids: Sequence[JobId]) -> None:
        if not job_ids:
            return
        for job_id in job_ids:
            self._vault.destroy(job_id)
        self._store.erase(job_ids)
        self._log.append_all(topics.JOB_EVENTS, [(job_id, JobDeleted(job_id=job_id)) for job_id in job_ids])

    def _give_turns(self, now: datetime, more: Sequence[JobId] = ()) -> None:
        """StartJob for the oldest job of each free account; once a minute while the scanner does not take it."""
        with self._lock:
            self._turns_given = {job: at for job, at in self._turns_given.items() if now - at < TURN_AGAIN_AFTER}
            waiting = [*self._store.turns(waiting_since=now - START_UNDER_WAY), *more]
            turns = [job_id for job_id in waiting if job_id not in self._turns_given]
            if turns:
                self._log.append_all(topics.COMMANDS, [(job_id, StartJob(job_id=job_id)) for job_id in turns])
            self._turns_given |= dict.fromkeys(turns, now)
