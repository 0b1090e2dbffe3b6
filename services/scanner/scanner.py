"""The scanner: admits jobs, lists folders, plans them. One account's work is done in order."""

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeGuard, assert_never

import structlog

from libs.contracts import topics
from libs.contracts.accounts import Account
from libs.contracts.commands import FolderScan, PrepareJob, ResumeJob, RetryFailed, ScanFolder, StartJob
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason
from libs.eventlog.consume import Delivery
from libs.eventlog.port import EventLog, LogUnavailable
from libs.mailbox.errors import MailboxError
from libs.mailbox.pool import SessionPool
from libs.mailbox.port import Session
from libs.mailbox.sides import SideFailed
from libs.readmodel.port import ReadModelUnavailable, Store
from libs.readmodel.rows import RequestRow
from libs.runtime.control import Control
from libs.runtime.lanes import Lanes
from libs.runtime.signs import SignsOfLife
from libs.runtime.throttles import Throttles, announce_throttle
from libs.vault.port import Vault
from services.scanner.accounts import Accounts, Stopping
from services.scanner.earlier import Earlier
from services.scanner.failing import tell_failure
from services.scanner.folder_scans import FolderScans, work_item
from services.scanner.preparing import Preparing

log = structlog.get_logger()

GIVE_BACK_SECONDS = 45.0
AT_ONCE = 32  # accounts scanned in one process; those whose server asked for a pause do not count


class Scanner:
    """Every method may be repeated: what a job has already is announced again, not made anew."""

    def __init__(
        self, *, eventlog: EventLog, store: Store, vault: Vault, control: Control, connect: Callable[[Account], Session]
    ) -> None:
        self._log = eventlog
        self._store = store
        self._control = control
        self._lanes = Lanes("scanner", AT_ONCE)
        self._stopping = threading.Event()
        self._pool = SessionPool(connect, Throttles(store, control).check)
        accounts = Accounts(
            pool=self._pool,
            vault=vault,
            control=control,
            stopping=self._stopping,
            lost=self._lanes.outlived,
            aside=self._lanes.aside,
            on_throttled=partial(announce_throttle, store, eventlog),
        )
        self._preparing = Preparing(eventlog, store, accounts)
        self._folder_scans = FolderScans(eventlog, store, accounts)
        self.signs = SignsOfLife(eventlog, self._lanes.at_hand)
        self.signs.start("scanner")

    # ---- taking work in

    def take_command(self, delivery: Delivery) -> None:
        """What begins or goes on is passed to the account's scanner; other commands are not for us."""
        message = delivery.message
        if isinstance(message, StartJob | ResumeJob | RetryFailed):
            work = partial(self._carry_out, delivery, lambda: self.command(message))
            self._lanes.submit(message.job_id, message.job_id, work)
        else:
            delivery.done()

    def take_scan(self, delivery: Delivery) -> None:
        message = delivery.message
        if isinstance(message, PrepareJob | ScanFolder):
            work = partial(self._carry_out, delivery, lambda: self.scan(message))
            self._lanes.submit(delivery.key, message.job_id, work)
        else:
            delivery.done()

    def close(self) -> None:
        self._stopping.set()
        self.signs.close()
        self._lanes.close()
        self._pool.close_all()

    def give_back(self, seconds: float = GIVE_BACK_SECONDS) -> None:
        """Others get our accounts when this returns, after 45 s at most: what waits comes again, what runs ends. What
        outlives this stores and tells nothing of what it reads."""
        self._lanes.clear(seconds)

    def close_idle(self) -> None:
        self._pool.close_idle()

    def _carry_out(self, delivery: Delivery, work: Callable[[], None]) -> None:
        """Try until the log and ClickHouse have taken it; only then is it acknowledged."""
        pause = 0.5
        while not self._stopping.is_set():
            try:
                work()
            except (LogUnavailable, ReadModelUnavailable) as error:
                log.warning("scan.delayed", error=type(error).__name__)
                self._stopping.wait(pause)
                pause = min(pause * 2, 15)
            except Stopping:
                return
            except Exception:
                log.exception("scan.failed")
                failed = SideFailed("source", MailboxError(Reason.INTERNAL))
                work = partial(self._fail_job, delivery.message.job_id, failed)
                self._stopping.wait(pause)
            else:
                delivery.done()
                return

    # ---- commands

    def command(self, message: StartJob | ResumeJob | RetryFailed) -> None:
        request = self._store.request(message.job_id)
        if request is None or self._control.desired(request.job_id, request.run).state == "over":
            return
        if isinstance(message, ResumeJob) and request.options.mode == "dry_run":
            return  # it has no work items to go on with
        if not isinstance(message, ResumeJob):
            prepare = PrepareJob(job_id=request.job_id, account_digest=request.account_digest)
            self._log.append(topics.FOLDER_SCANS, request.account_digest, prepare)
            return
        earlier = Earlier.of(self._store, request.job_id)
        settled = earlier.settled(request.run)
        items = [work_item(request, planned) for planned in earlier.plans if planned.folder_id not in settled]
        self._log.append_all(topics.WORK_ITEMS, [(request.account_digest, item) for item in items])

    # ---- folder scans

    def scan(self, message: FolderScan) -> None:
        match message:
            case PrepareJob():
                request = self._store.request(message.job_id)
                if self._lives(request):
                    self._preparing.prepare(request)
            case ScanFolder():
                request = self._control.request(message.job_id, message.run)
                if self._lives(request):
                    self._folder_scans.scan(request, message.folder_id, message.number)
            case _:
                assert_never(message)

    def _lives(self, request: RequestRow | None) -> TypeGuard[RequestRow]:
        return request is not None and self._control.desired(request.job_id, request.run).state in ("run", "pause")

    def _fail_job(self, job_id: JobId, failed: SideFailed) -> None:
        request = self._store.request(job_id)
        if request is not None:
            tell_failure(self._store, self._log, request, failed)
