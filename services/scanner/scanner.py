"""The scanner: admits jobs, lists folders, plans them. One account's work is done in order."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeGuard, assert_never

import structlog

from libs.contracts import topics
from libs.contracts.accounts import Account
from libs.contracts.commands import CopyFolder, FolderScan, PrepareJob, ResumeJob, RetryFailed, ScanFolder, StartJob
from libs.contracts.events import FolderPlanned, FoldersListed, ScanFailed, WorkItemFinished
from libs.contracts.ids import FolderId, JobId, new_plan_id
from libs.contracts.reasons import Reason
from libs.eventlog.consume import Delivery
from libs.eventlog.port import EventLog, LogUnavailable
from libs.mailbox.errors import MailboxError
from libs.mailbox.names import encode_name
from libs.mailbox.pool import SessionPool
from libs.mailbox.port import Session
from libs.mailbox.sides import SideFailed, at
from libs.readmodel.port import ReadModelUnavailable, Store
from libs.readmodel.rows import (
    AdmissionRow,
    FolderRow,
    NoticeRow,
    PlanRow,
    RequestRow,
    ScanFailureRow,
    WarningRow,
)
from libs.runtime.control import Control
from libs.runtime.lanes import Lanes
from libs.runtime.throttles import announce_throttle
from libs.vault.port import Vault
from services.scanner.accounts import Accounts, Both, Stopping
from services.scanner.earlier import Earlier, SourceMessage, delivered
from services.scanner.folders import Listing, list_folders
from services.scanner.known import KnownJobs
from services.scanner.naming import fold
from services.scanner.planner import NOT_CREATED, Planned, plan
from services.scanner.preflight import UNTOLD, Room, room_warning
from services.scanner.remembered import plan_unchanged
from services.scanner.standins import stand_ins
from services.scanner.unidentified import Unidentified

log = structlog.get_logger()

FIRST_RENAMED = 10_000  # number of the warning of a folder with another name; those of the listing are below
WORKER = "scanner"  # of a dry run: there is no copier in it
GIVE_BACK_SECONDS = 45.0
SCAN_THREADS = 32  # accounts scanned at once in one process; most of them wait for a server


class Scanner:
    """Every method may be repeated: what a job has already is announced again, not made anew."""

    def __init__(
        self, *, eventlog: EventLog, store: Store, vault: Vault, control: Control, connect: Callable[[Account], Session]
    ) -> None:
        self._log = eventlog
        self._store = store
        self._control = control
        self._known = KnownJobs(store)
        self._lanes = Lanes("scanner", SCAN_THREADS)
        self._stopping = threading.Event()
        self._pool = SessionPool(connect)
        self._accounts = Accounts(
            pool=self._pool,
            vault=vault,
            control=control,
            stopping=self._stopping,
            on_throttled=partial(announce_throttle, store, eventlog),
        )

    # ---- taking work in

    def take_command(self, delivery: Delivery) -> None:
        """What begins or goes on is passed to the account's scanner; other commands are not for us."""
        message = delivery.message
        if isinstance(message, StartJob | ResumeJob | RetryFailed):
            self._lanes.submit(message.job_id, lambda: self._carry_out(delivery, lambda: self.command(message)))
        else:
            delivery.done()

    def take_scan(self, delivery: Delivery) -> None:
        message = delivery.message
        if isinstance(message, PrepareJob | ScanFolder):
            self._lanes.submit(delivery.key, lambda: self._carry_out(delivery, lambda: self.scan(message)))
        else:
            delivery.done()

    def close(self) -> None:
        self._stopping.set()
        self._lanes.close()
        self._pool.close_all()

    def give_back(self) -> None:
        """Others get our accounts when this returns, after 45 s at most: what waits comes again, what runs ends."""
        self._lanes.clear(GIVE_BACK_SECONDS)

    def close_idle(self) -> None:
        self._pool.close_idle()

    def _carry_out(self, delivery: Delivery, work: Callable[[], None]) -> None:
        """Try until the log and ClickHouse have taken it; only then is it acknowledged."""
        pause = 0.5
        while not self._stopping.is_set():
            try:
                work()
            except (LogUnavailable, ReadModelUnavailable) as error:
                log.warning("scan waits for the log or ClickHouse", error=type(error).__name__)
                self._stopping.wait(pause)
                pause = min(pause * 2, 15)
            except Stopping:
                return
            except Exception:
                log.exception("scan failed")
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
        earlier = self._earlier(request.job_id)
        settled = earlier.settled(request.run)
        items = [self._work_item(request, planned) for planned in earlier.plans if planned.folder_id not in settled]
        self._log.append_all(topics.WORK_ITEMS, [(request.account_digest, item) for item in items])

    # ---- folder scans

    def scan(self, message: FolderScan) -> None:
        match message:
            case PrepareJob():
                request = self._store.request(message.job_id)
                if self._lives(request):
                    self.prepare(request)
            case ScanFolder():
                request = self._control.request(message.job_id, message.run)
                if self._lives(request):
                    self.scan_folder(request, message.folder_id, message.number)
            case _:
                assert_never(message)

    def _lives(self, request: RequestRow | None) -> TypeGuard[RequestRow]:
        return request is not None and self._control.desired(request.job_id, request.run).state in ("run", "pause")

    def prepare(self, request: RequestRow) -> None:
        """Admit the job, log in, list. A job whose turn has not come is left `queued`.

        A job that is tried again keeps its folders and plans: what is not settled is announced again.
        """
        live = self._store.live_admission(request.account_digest)
        if live is not None and live.job_id != request.job_id:
            return
        earlier = self._earlier(request.job_id)
        if live is None:
            self._admit(request, earlier.bytes_completed)
        elif live.run < request.run:  # it lived when it was tried again
            self._store.write([replace(live, run=request.run)], now=datetime.now(UTC))
        folders = self._store.folders(request.job_id)
        # The credentials of a job that had ended are new, the folders of it are not.
        if (not folders or live is None) and (folders := self._list_folders(request, folders)) is None:
            return
        listed = FoldersListed(job_id=request.job_id, folders=len(folders), run=request.run)
        self._log.append(topics.PROGRESS, request.job_id, listed)
        settled = earlier.settled(request.run)
        self._log.append_all(
            topics.FOLDER_SCANS,
            [
                (
                    request.account_digest,
                    ScanFolder(
                        job_id=request.job_id,
                        account_digest=request.account_digest,
                        folder_id=folder.folder_id,
                        number=earlier.number(folder.folder_id),
                        run=request.run,
                    ),
                )
                for folder in folders
                if folder.folder_id not in settled
            ],
        )

    def _admit(self, request: RequestRow, bytes_before: int) -> None:
        row = AdmissionRow(
            job_id=request.job_id,
            account_digest=request.account_digest,
            admitted_at=datetime.now(UTC),
            run=request.run,
            bytes_before=bytes_before,
        )
        self._store.write([row], now=datetime.now(UTC))

    def _earlier(self, job_id: JobId) -> Earlier:
        return Earlier(self._store.plans(job_id), self._store.totals(job_id))

    def _list_folders(self, request: RequestRow, known: list[FolderRow]) -> list[FolderRow] | None:
        """The folder rows, stored before anybody hears of them; None when the job has failed or ended.

        What is known is not listed anew, but both accounts must let us in.
        """

        def look(both: Both) -> Listing:
            if known:
                return Listing(folders=known, warnings=[])
            return list_folders(request.job_id, request.options, both)

        try:
            listing = self._accounts.run(
                request.job_id,
                request.run,
                look,
                first_contact=True,
                read_only=request.options.mode == "dry_run",
            )
        except SideFailed as failed:
            self._fail(request, failed)
            return None
        if listing is not None and not known:
            quota = [listing.quota] if listing.quota else []
            self._store.write([*quota, *listing.folders, *listing.warnings], now=datetime.now(UTC))
        return listing.folders if listing else None

    def scan_folder(self, request: RequestRow, folder_id: FolderId, number: int) -> None:
        known = self._known.of(request)
        planned = known.plans.get(folder_id)
        if planned is None or planned.number < number:
            folder = known.folders.get(folder_id)
            if folder is None:
                return
            planning = partial(
                plan,
                options=request.options,
                plan_id=new_plan_id(),
                number=number,
                now=datetime.now(UTC),
                delivered=self._delivered(request, folder_id),
                survives=known.survives,
                previous=planned,
                unidentified=Unidentified(),
            )
            # A folder that is planned once more has changed, or its plan was not right.
            remembered = known.remembered.get(folder.destination_wire) if number == 1 else None
            dry_run = request.options.mode == "dry_run"

            def work(both: Both) -> Planned:
                unchanged = remembered and plan_unchanged(
                    folder, request.options, both, remembered, plan_id=new_plan_id()
                )
                return Planned.nothing(unchanged) if unchanged else planning(folder, both=both)

            renamed: list[FolderRow | WarningRow] = []
            try:
                new = self._accounts.run(request.job_id, request.run, work, read_only=dry_run)
                if new and new.misnamed:
                    new, renamed = self._under_another_name(request, folder, new, planning)
            except SideFailed as failed:
                self._fail(request, failed, folder_id)
                return
            if new is None:
                return
            planned = new.row
            rows = [*renamed, *new.refused, *new.notices, planned]
            try:
                self._store.write(rows, now=datetime.now(UTC))
            except ReadModelUnavailable:
                self._known.forget(request.job_id)
                raise
            known.plans[folder_id] = planned
            known.folders.update((row.folder_id, row) for row in renamed if isinstance(row, FolderRow))
            self._say_of_the_job(request, quota=new.quota)
        self._log.append(
            topics.PROGRESS,
            request.job_id,
            FolderPlanned(
                job_id=request.job_id,
                folder_id=folder_id,
                plan_id=planned.plan_id,
                number=planned.number,
                items=planned.items,
                bytes=planned.bytes,
                skipped=planned.skipped_present + planned.skipped_filtered + planned.skipped_gone,
                bytes_skipped=planned.bytes_skipped,
            ),
        )
        if request.options.mode == "dry_run":
            self._log.append(topics.PROGRESS, request.job_id, self._would_be(request, planned))
        else:
            self._log.append(topics.WORK_ITEMS, request.account_digest, self._work_item(request, planned))

    def _say_of_the_job(self, request: RequestRow, *, quota: bool) -> None:
        """After each plan: whether there is room for what all of them will copy."""
        said = {"untold": UNTOLD} if request.options.mode == "dry_run" else {}
        left = self._store.quota(request.job_id) if quota else None
        if left and (left.bytes_free is not None or left.messages_free is not None):
            planned = self._store.planned(request.job_id)
            room = Room(
                bytes_free=left.bytes_free,
                messages_free=left.messages_free,
                bytes_planned=planned.bytes,
                messages_planned=planned.items,
            )
            said["room"] = room_warning(room)
        rows = [
            NoticeRow(job_id=request.job_id, folder_id=FolderId(""), kind=kind, text=text)
            for kind, text in said.items()
        ]
        if rows:
            self._store.write(rows, now=datetime.now(UTC))

    def _would_be(self, request: RequestRow, planned: PlanRow) -> WorkItemFinished:
        """The end of a dry run's folder: nothing is completed, and what remains would be copied."""
        failed = len(self._store.failures(planned.job_id, planned.plan_id))
        return WorkItemFinished(
            job_id=planned.job_id,
            folder_id=planned.folder_id,
            plan_id=planned.plan_id,
            worker=WORKER,
            completed=0,
            skipped=0,
            failed=failed,
            bytes_completed=0,
            run=request.run,
        )

    def _delivered(self, request: RequestRow, folder_id: FolderId) -> set[SourceMessage]:
        """Of a job that is tried again: what must not come back, though the folder is another one than was planned."""
        if request.run == 1:
            return set()
        plans = self._store.folder_plans(request.job_id, folder_id)
        return {one for each in plans for one in delivered(each, self._store.acks(request.job_id, each.plan_id))}

    def _under_another_name(
        self, request: RequestRow, folder: FolderRow, refused: Planned, planning: Callable[..., Planned]
    ) -> tuple[Planned, list[FolderRow | WarningRow]]:
        """The plan of the first stand-in that the destination takes, and what is to be stored with it.

        Raises:
            SideFailed: an account could not be read.
        """
        others = [one for one in self._store.folders(request.job_id) if one.folder_id != folder.folder_id]
        taken = {fold(one.destination_name) for one in others}

        def try_names(both: Both) -> tuple[Planned, list[FolderRow | WarningRow]]:
            with at("destination"):
                delimiter = both.destination.namespace().delimiter
            for name in stand_ins(folder.destination_name, delimiter, taken):
                renamed = replace(folder, destination_name=name, destination_wire=encode_name(name))
                planned = planning(renamed, both=both)
                if planned.row.destination_uidvalidity != NOT_CREATED:
                    text = f"The destination does not take the name “{folder.destination_name}”: it is “{name}” there."
                    number = FIRST_RENAMED + int(folder.folder_id)
                    return planned, [renamed, WarningRow(job_id=request.job_id, number=number, text=text)]
            return refused, []

        return self._accounts.run(request.job_id, request.run, try_names) or (refused, [])

    @staticmethod
    def _work_item(request: RequestRow, planned: PlanRow) -> CopyFolder:
        return CopyFolder(
            job_id=request.job_id,
            account_digest=request.account_digest,
            folder_id=planned.folder_id,
            plan_id=planned.plan_id,
            number=planned.number,
            run=request.run,
        )

    def _fail_job(self, job_id: JobId, failed: SideFailed) -> None:
        request = self._store.request(job_id)
        if request is not None:
            self._fail(request, failed)

    def _fail(self, request: RequestRow, failed: SideFailed, folder_id: FolderId | None = None) -> None:
        """What the server said goes to ClickHouse, the class of it to the log."""
        row = ScanFailureRow(
            job_id=request.job_id,
            side=failed.side,
            reason=failed.error.reason,
            server_text=failed.error.server_text,
            folder_id=folder_id,
            run=request.run,
        )
        self._store.write([row], now=datetime.now(UTC))
        event = ScanFailed(job_id=row.job_id, side=row.side, reason=row.reason, folder_id=row.folder_id, run=row.run)
        self._log.append(topics.PROGRESS, request.job_id, event)
