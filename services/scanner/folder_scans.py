"""Plan a folder and announce its plan; a folder that is planned already is announced again."""

from datetime import UTC, datetime

from libs.contracts import topics
from libs.contracts.commands import CopyFolder
from libs.contracts.events import FolderPlanned, WorkItemFinished
from libs.contracts.ids import FolderId, new_plan_id
from libs.contracts.notices import DryRunBlind, NameNotTaken, Notice
from libs.eventlog.port import EventLog
from libs.mailbox.sides import SideFailed, at
from libs.readmodel.port import ReadModelUnavailable, Remembered, Store
from libs.readmodel.rows import FolderRow, NoticeRow, PlanRow, RequestRow, WarningRow
from services.scanner.accounts import Accounts, Both
from services.scanner.destination import NOT_CREATED
from services.scanner.earlier import SourceMessage, delivered
from services.scanner.failing import tell_failure
from services.scanner.known import Known, KnownJobs
from services.scanner.naming import fold
from services.scanner.planned import Planned
from services.scanner.planner import Planning
from services.scanner.preflight import Room, too_little_room
from services.scanner.remembered import plan_unchanged
from services.scanner.standins import stand_ins

FIRST_RENAMED = 10_000  # number of the warning of a folder with another name; those of the listing are below
WORKER = "scanner"  # of a dry run: there is no copier in it


def work_item(request: RequestRow, plan: PlanRow) -> CopyFolder:
    return CopyFolder(
        job_id=request.job_id,
        account_digest=request.account_digest,
        folder_id=plan.folder_id,
        plan_id=plan.plan_id,
        number=plan.number,
        run=request.run,
    )


class FolderScans:
    def __init__(self, eventlog: EventLog, store: Store, accounts: Accounts) -> None:
        self._log = eventlog
        self._store = store
        self._accounts = accounts
        self._known = KnownJobs(store)

    def scan(self, request: RequestRow, folder_id: FolderId, number: int) -> None:
        known = self._known.of(request)
        plan = known.plans.get(folder_id)
        if plan is None or plan.number < number:
            folder = known.folders.get(folder_id)
            plan = self._plan(request, known, folder, number) if folder else None
        if plan is not None:
            self._announce(request, plan)

    def _plan(self, request: RequestRow, known: Known, folder: FolderRow, number: int) -> PlanRow | None:
        """The plan, stored; None when the job has failed or ended."""
        planning = Planning(
            folder,
            request.options,
            plan_id=new_plan_id(),
            number=number,
            now=datetime.now(UTC),
            delivered=self._delivered(request, folder.folder_id),
            survives=known.survives,
            previous=known.plans.get(folder.folder_id),
        )
        # A folder that is planned once more has changed, or its plan was not right.
        remembered = known.remembered.get(folder.destination_wire) if number == 1 else None
        try:
            planned = self._make(request, planning, remembered)
            renamed: list[FolderRow | WarningRow] = []
            if planned and planned.misnamed:
                planned, renamed = self._under_another_name(request, planning, planned)
        except SideFailed as failed:
            tell_failure(self._store, self._log, request, failed, folder.folder_id)
            return None
        if planned is None:
            return None
        try:
            self._store.write([*renamed, *planned.failed, *planned.notices, planned.row], now=datetime.now(UTC))
        except ReadModelUnavailable:
            self._known.forget(request.job_id)
            raise
        known.plans[folder.folder_id] = planned.row
        known.folders.update((row.folder_id, row) for row in renamed if isinstance(row, FolderRow))
        self._say_of_the_job(request, quota=planned.quota)
        return planned.row

    def _make(self, request: RequestRow, planning: Planning, remembered: Remembered | None) -> Planned | None:
        def work(both: Both) -> Planned:
            unchanged = remembered and plan_unchanged(
                planning.folder, request.options, both, remembered, plan_id=new_plan_id()
            )
            return Planned.nothing(unchanged) if unchanged else planning.plan(both)

        dry_run = request.options.mode == "dry_run"
        return self._accounts.run(
            request.job_id, request.run, work, read_only=dry_run, progress=lambda: planning.progress
        )

    def _under_another_name(
        self, request: RequestRow, planning: Planning, refused: Planned
    ) -> tuple[Planned, list[FolderRow | WarningRow]]:
        """The plan of the first stand-in that the destination takes, and what is to be stored with it.

        Raises:
            SideFailed: an account could not be read.
        """
        folder = planning.folder
        others = [one for one in self._store.folders(request.job_id) if one.folder_id != folder.folder_id]
        taken = {fold(one.destination_name) for one in others}

        def try_names(both: Both) -> tuple[Planned, list[FolderRow | WarningRow]]:
            with at("destination"):
                delimiter = both.destination.namespace().delimiter
            for name in stand_ins(folder.destination_name, delimiter, taken):
                planning.rename(name)
                planned = planning.plan(both)
                if planned.row.destination_uidvalidity != NOT_CREATED:
                    notice = NameNotTaken(folder=folder.destination_name, destination=name)
                    number = FIRST_RENAMED + int(folder.folder_id)
                    return planned, [planning.folder, WarningRow.of(request.job_id, number, notice)]
            return refused, []

        return self._accounts.run(request.job_id, request.run, try_names) or (refused, [])

    def _delivered(self, request: RequestRow, folder_id: FolderId) -> set[SourceMessage]:
        """Of a job that is tried again: what must not come back, though the folder is another one than was planned."""
        if request.run == 1:
            return set()
        plans = self._store.folder_plans(request.job_id, folder_id)
        return {one for each in plans for one in delivered(each, self._store.acks(request.job_id, each.plan_id))}

    # ---- telling

    def _say_of_the_job(self, request: RequestRow, *, quota: bool) -> None:
        """After each plan: whether there is room for what all of them will copy."""
        said: dict[str, Notice | None] = {"untold": DryRunBlind()} if request.options.mode == "dry_run" else {}
        left = self._store.quota(request.job_id) if quota else None
        if left and (left.bytes_free is not None or left.messages_free is not None):
            planned = self._store.planned(request.job_id)
            room = Room(
                bytes_free=left.bytes_free,
                messages_free=left.messages_free,
                bytes_planned=planned.bytes,
                messages_planned=planned.items,
            )
            said["room"] = too_little_room(room)
        rows = [NoticeRow.of(request.job_id, FolderId(""), kind, notice) for kind, notice in said.items()]
        if rows:
            self._store.write(rows, now=datetime.now(UTC))

    def _announce(self, request: RequestRow, plan: PlanRow) -> None:
        planned = FolderPlanned(
            job_id=request.job_id,
            folder_id=plan.folder_id,
            plan_id=plan.plan_id,
            number=plan.number,
            items=plan.items,
            bytes=plan.bytes,
            skipped=plan.skipped_present + plan.skipped_filtered + plan.skipped_gone,
            bytes_skipped=plan.bytes_skipped,
        )
        self._log.append(topics.PROGRESS, request.job_id, planned)
        if request.options.mode == "dry_run":
            self._log.append(topics.PROGRESS, request.job_id, self._would_be(request, plan))
        else:
            self._log.append(topics.WORK_ITEMS, request.account_digest, work_item(request, plan))

    def _would_be(self, request: RequestRow, plan: PlanRow) -> WorkItemFinished:
        """The end of a dry run's folder: nothing is completed, and what remains would be copied."""
        return WorkItemFinished(
            job_id=plan.job_id,
            folder_id=plan.folder_id,
            plan_id=plan.plan_id,
            worker=WORKER,
            completed=0,
            skipped=0,
            failed=len(self._store.failures(plan.job_id, plan.plan_id)),
            bytes_completed=0,
            run=request.run,
        )
