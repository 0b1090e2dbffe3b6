"""Two accounts, a log, a store, and one process after the other that moves mail between them until it is killed."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from libs.contracts import topics
from libs.contracts.accounts import Account, account_digest
from libs.contracts.codec import Message
from libs.contracts.commands import CancelJob, DeleteJob, PauseJob, ResumeJob, RetryFailed, StartJob
from libs.contracts.events import (
    FolderAudited,
    FolderPlanned,
    FoldersListed,
    JobCancelled,
    ProgressBatch,
    ScanFailed,
)
from libs.contracts.events import WorkItemFinished as Finished
from libs.contracts.ids import FolderId, JobId, PlanId
from libs.contracts.jobs import JobOptions, JobSecrets, Limits
from libs.contracts.reasons import Reason
from libs.contracts.topics import Topic
from libs.eventlog.consume import Delivery
from libs.mailbox.errors import ConnectionLost
from libs.mailbox.port import Session
from libs.readmodel.rows import DesiredRow, FailureRow, OutcomeRow, PlanRow, RequestRow, Row, TombstoneRow
from libs.runtime.control import Control
from services.aggregator.rows import audit, totals
from services.copier.copier import Copier
from services.copier.lease import Lease
from services.scanner.scanner import Scanner
from tests.mail.model import MailboxModel, mail
from tests.unit.fakes import MemoryLog, MemoryStore, MemoryVault, utc_now

ACCOUNT_KEY = b"account key of the tests"
LATE_SECONDS = 0.2
CONSUMED = (topics.COMMANDS, topics.FOLDER_SCANS, topics.WORK_ITEMS)


class Killed(SystemExit):
    """Ends a thread of a process that is no more, without a word."""


class Process:
    """A scanner and a copier. After `kill` no thread of it writes, appends or reaches a server any more."""

    def __init__(self, world: "World", number: int) -> None:
        self._world = world
        self._dead = threading.Event()
        self._sessions: list[Session] = []
        self.control = Control(_Log(self), _Store(self))  # type: ignore[arg-type]
        shared = {
            "eventlog": _Log(self),
            "store": _Store(self),
            "vault": world.vault,
            "control": self.control,
            "connect": self._connect,
        }
        self.scanner = Scanner(**shared)  # type: ignore[arg-type]
        self.copier = Copier(
            **shared,  # type: ignore[arg-type]
            account_key=ACCOUNT_KEY,
            incarnation=f"process-{number}",
            threads=world.threads,
            late_commit_seconds=world.late_seconds,
            lease=world.lease,
        )
        self._takes: dict[str, Callable[[Delivery], None]] = {
            topics.COMMANDS.name: self.scanner.take_command,
            topics.FOLDER_SCANS.name: self.scanner.take_scan,
            topics.WORK_ITEMS.name: self.copier.take,
        }
        self._consumer = threading.Thread(target=self._consume, name="consumer", daemon=True)

    def start(self) -> None:
        self._consumer.start()

    @property
    def dead(self) -> bool:
        return self._dead.is_set()

    def kill(self) -> None:
        """kill -9: any thread may call it; what was sent to a server stays sent."""
        self._dead.set()
        for session in list(self._sessions):
            session.reset()
        with self._world.log.changed:
            self._world.log.changed.notify_all()

    def stop(self) -> None:
        """SIGTERM; also lets the threads of a killed process end."""
        self.scanner.close()
        self.copier.close()
        self.kill()

    def check(self) -> None:
        if self.dead:
            raise Killed

    def _connect(self, account: Account) -> Session:
        if self.dead:
            raise ConnectionLost(Reason.CONNECTION_LOST)
        session = self._world.connect(account)
        self._sessions.append(session)
        if self.dead:
            session.reset()
        return session

    def _consume(self) -> None:
        """Like a group consumer that has just come: from the first message that was not done."""
        log, world = self._world.log, self._world
        positions = {topic.name: world.committed(topic) for topic in CONSUMED}
        while not self.dead:
            with log.changed:
                new = {name: log.records[name][position:] for name, position in positions.items()}
                if not any(new.values()):
                    log.changed.wait(0.5)
            for name, records in new.items():
                for key, message in records:
                    offset = positions[name]
                    positions[name] += 1
                    if self.dead:
                        return
                    self._takes[name](
                        Delivery(
                            message=message,
                            key=key,
                            partition=0,
                            offset=offset,
                            at=utc_now(),
                            acknowledge=lambda name=name, offset=offset: self._done(name, offset),
                        )
                    )

    def _done(self, name: str, offset: int) -> None:
        if not self.dead:
            self._world.done[name].add(offset)


class _Log:
    """The log as one process has it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._log = process._world.log

    def append(self, topic: Topic, key: str, message: Message) -> None:
        self.append_all(topic, [(key, message)])

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        self._process.check()
        self._process._world.meet("append to the log")
        self._process.check()
        self._log.append_all(topic, messages)
        self._process._world.meet("appended to the log")
        self._process.check()

    def follow(self, topic: Topic, on_message: Callable[[Message], None]) -> None:
        self._log.follow(topic, lambda message: None if self._process.dead else on_message(message))

    def close(self) -> None: ...


class _Store:
    """The store as one process has it."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def write(self, rows: Sequence[Row], *, now: object, version: int | None = None) -> None:
        self._process.check()
        self._process._world.meet("write")
        self._process.check()
        self._process._world.store.write(rows, now=utc_now(), version=version)
        self._process._world.meet("written")
        self._process.check()

    def __getattr__(self, name: str) -> object:
        self._process.check()
        return getattr(self._process._world.store, name)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the job view would show, from the newest plan of each folder."""

    total: int
    completed: int
    skipped: int
    failed: int

    @property
    def settled(self) -> int:
        return self.completed + self.skipped + self.failed


class World:
    def __init__(
        self, source: MailboxModel | None = None, destination: MailboxModel | None = None, *, late: float = LATE_SECONDS
    ) -> None:
        self.threads = 8  # of a copier
        self.source = source or MailboxModel()
        self.destination = destination or MailboxModel()
        self.models = {"source.example": self.source, "destination.example": self.destination}
        self.log = MemoryLog()
        self.store = MemoryStore()
        self.vault = MemoryVault()
        self.late_seconds = late
        self.lease: Callable[[int], Lease] | None = None
        self.done: dict[str, set[int]] = {topic.name: set() for topic in CONSUMED}
        self.processes: list[Process] = []
        self._numbers = itertools.count(1)
        self._moments: dict[tuple[str, int], Callable[[], None]] = {}
        self._met: dict[str, int] = {}
        self._lock = threading.Lock()

    def connect(self, account: Account) -> Session:
        return self.models[account.host].connect()

    def account(self, host: str) -> Account:
        return Account.model_validate({"host": host, "username": "somebody", "password": "secret"})

    # ---- processes

    @property
    def process(self) -> Process:
        return self.processes[-1]

    def start(self) -> Process:
        self.processes.append(Process(self, next(self._numbers)))
        self.process.start()
        return self.process

    def kill(self) -> None:
        self.process.kill()

    def restart(self) -> Process:
        self.kill()
        return self.start()

    def close(self) -> None:
        for process in self.processes:
            process.stop()

    def at(self, moment: str, number: int, action: Callable[[], None]) -> None:
        """Do something at the `number`th write, or append to the log, from now on: before it or after it."""
        with self._lock:
            self._moments[moment, self._met.get(moment, 0) + number] = action

    def meet(self, moment: str) -> None:
        with self._lock:
            self._met[moment] = self._met.get(moment, 0) + 1
            action = self._moments.pop((moment, self._met[moment]), None)
        if action is not None:
            action()

    def committed(self, topic: Topic) -> int:
        return next(offset for offset in itertools.count() if offset not in self.done[topic.name])

    # ---- jobs

    def request(
        self,
        job_id: str = "job",
        *,
        source: str = "source.example",
        destination: str = "destination.example",
        **options: object,
    ) -> JobId:
        """What the api does: seal, store, append."""
        ends = self._secrets(source, destination)
        job = JobId(job_id)
        self.vault.store(job, ends)
        row = RequestRow(
            job_id=job,
            kind="mailbox",
            key_hash="",
            view_key_hash="",
            name=None,
            project=None,
            source_host=source,
            destination_host=destination,
            account_digest=account_digest(ACCOUNT_KEY, ends.destination),
            source_digest=account_digest(ACCOUNT_KEY, ends.source),
            options=JobOptions.model_validate({"concurrency": 4, **options}),
            created_at=utc_now(),
            accepted=True,
        )
        self.store.write([row], now=utc_now())
        self.log.append(topics.COMMANDS, job, StartJob(job_id=job))
        return job

    def _secrets(self, source: str, destination: str) -> JobSecrets:
        return JobSecrets(source=self.account(source), destination=self.account(destination))

    def desire(self, job: JobId, state: str) -> None:
        self.store.write([DesiredRow(job_id=job, state=state, limits=Limits(concurrency=4))], now=utc_now())  # type: ignore[arg-type]
        command = {"cancel": CancelJob, "pause": PauseJob, "run": ResumeJob}[state]
        self.log.append(topics.COMMANDS, job, command(job_id=job))

    def delete(self, job: JobId) -> None:
        self.store.write([TombstoneRow(job_id=job, deleted_at=utc_now())], now=utc_now())
        self.log.append(topics.COMMANDS, job, DeleteJob(job_id=job))
        self.vault.destroy(job)

    def end(self, job: JobId) -> None:
        """What the aggregator does when it has seen the end."""
        told = [totals(event, utc_now()) for event in self.totals(job).values()]
        audits = [audit(event) for event in self.audits(job).values()]
        row = OutcomeRow(job_id=job, state="completed", side=None, reason=None, finished_at=utc_now())
        self.store.write([*told, *audits, row], now=utc_now())
        self.vault.destroy(job)

    def retry(self, job: JobId, state: Literal["completed_with_errors", "failed", "cancelled"]) -> None:
        """The end of a job as the aggregator writes it, and what the api does when it is tried again."""
        request = self.store.request(job)
        assert request is not None
        totals_rows = [totals(event, utc_now()) for event in self.totals(job).values()]
        outcome = OutcomeRow(job_id=job, run=request.run, state=state, side=None, reason=None, finished_at=utc_now())
        self.store.write([*totals_rows, outcome], now=utc_now())
        self.log.append(topics.JOB_EVENTS, job, JobCancelled(job_id=job, run=request.run))
        self.vault.store(
            job, self._secrets(request.source_host or "", request.destination_host or ""), run=request.run + 1
        )
        desired = DesiredRow(job_id=job, state="run", limits=Limits(concurrency=4), run=request.run + 1)
        self.store.write([desired, replace(request, run=request.run + 1)], now=utc_now())
        self.log.append(topics.COMMANDS, job, RetryFailed(job_id=job))

    def run(self, *, seconds: float = 20.0, **options: object) -> JobId:
        """One job from request to end, in processes that are started as often as they are killed."""
        job = self.request(**options)  # type: ignore[arg-type]
        self.finish(job, seconds=seconds)
        return job

    def finish(self, job: JobId, *, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_finished(job):
            if not self.processes or self.process.dead:
                self.start()
            if time.monotonic() > deadline:
                raise AssertionError(f"not finished: {self.counts(job)}")
            self.wait_for(lambda: self.is_finished(job) or self.process.dead, seconds=0.5, must=False)

    def wait_for(self, condition: Callable[[], bool], *, seconds: float = 10.0, must: bool = True) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                assert not must, "it did not come true in time"
                return
            with self.log.changed:
                self.log.changed.wait(0.005)

    # ---- what was reported

    def progress(self, job: JobId) -> list[Message]:
        return [message for message in self.log.read(topics.PROGRESS) if message.job_id == job]

    def plans(self, job: JobId, events: Sequence[Message] | None = None) -> dict[FolderId, FolderPlanned]:
        """The newest plan of each folder."""
        planned = [one for one in events or self.progress(job) if isinstance(one, FolderPlanned)]
        return {one.folder_id: one for one in sorted(planned, key=lambda one: (one.number, one.plan_id))}

    def totals(self, job: JobId, events: Sequence[Message] | None = None) -> dict[PlanId, ProgressBatch | Finished]:
        """The last totals of each plan; a finished plan's stand until a later run reports."""
        found: dict[PlanId, ProgressBatch | Finished] = {}
        for event in events or self.progress(job):
            if isinstance(event, Finished | ProgressBatch):
                known = found.get(event.plan_id)
                if known is None or _rank(event) >= _rank(known):
                    found[event.plan_id] = event
        return found

    def counts(self, job: JobId, events: Sequence[Message] | None = None) -> Counts:
        events = self.progress(job) if events is None else events
        plans, found = self.plans(job, events).values() if events else (), self.totals(job, events)
        mine = [found[plan.plan_id] for plan in plans if plan.plan_id in found]
        return Counts(
            total=sum(plan.items + plan.skipped for plan in plans),
            completed=sum(one.completed for one in mine),
            skipped=sum(one.skipped for one in mine) + sum(plan.skipped for plan in plans),
            failed=sum(one.failed for one in mine),
        )

    def is_finished(self, job: JobId) -> bool:
        events, request = self.progress(job), self.store.request(job)
        run = request.run if request else 1
        if any(isinstance(one, ScanFailed) and one.run == run for one in events):
            return True
        listed = [one.folders for one in events if isinstance(one, FoldersListed)]
        plans, found = self.plans(job, events), self.totals(job, events)
        return (
            bool(listed)
            and len(plans) == listed[-1]
            and all(_is_settled(found.get(plan.plan_id), run) for plan in plans.values())
        )

    def scan_failures(self, job: JobId) -> list[ScanFailed]:
        return [one for one in self.progress(job) if isinstance(one, ScanFailed)]

    def audits(self, job: JobId) -> dict[FolderId, FolderAudited]:
        return {one.folder_id: one for one in self.progress(job) if isinstance(one, FolderAudited)}

    def failures(self, outcome: str = "failed") -> list[FailureRow]:
        return [row for row in self.store.rows(FailureRow) if row.outcome == outcome]


def _rank(event: ProgressBatch | Finished) -> tuple[int, bool]:
    return event.run, isinstance(event, Finished)


def _is_settled(event: ProgressBatch | Finished | None, run: int) -> bool:
    return event is not None and totals(event, utc_now()).settled(run)


WORLD = Callable[..., World]


def bodies(count: int, name: str = "m") -> list[bytes]:
    return [mail(f"{name}{number}") for number in range(count)]


def equal(world: World) -> None:
    """Nothing is missing, nothing is double, flags and dates are the same."""
    source, destination = world.source.contents(), world.destination.contents()
    assert (source - destination, destination - source) == (Counter(), Counter())


def reconciled(world: World, job: str = "job") -> None:
    counts = world.counts(job)  # type: ignore[arg-type]
    assert counts.settled == counts.total


def after_planning(world: World, action: Callable[[], object], wire: str | None = None) -> None:
    """Once this destination folder, or any, is planned and before it is copied."""

    def act() -> None:
        if any(wire in (None, plan.destination_wire) for plan in world.store.rows(PlanRow)):
            action()
        else:
            world.at("written", 1, act)

    world.at("written", 1, act)
