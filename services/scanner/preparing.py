"""Prepare a job: admit it, log in to both accounts, list, and order the scan of each folder."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from libs.contracts import topics
from libs.contracts.commands import ScanFolder
from libs.contracts.events import FoldersListed
from libs.eventlog.port import EventLog
from libs.mailbox.sides import SideFailed
from libs.readmodel.port import Store
from libs.readmodel.rows import AdmissionRow, FolderRow, RequestRow
from services.scanner.accounts import Accounts, Both
from services.scanner.earlier import Earlier
from services.scanner.failing import tell_failure
from services.scanner.folders import Listing, list_folders


class Preparing:
    """May be repeated: what a job has already is announced again, not made anew."""

    def __init__(self, eventlog: EventLog, store: Store, accounts: Accounts) -> None:
        self._log = eventlog
        self._store = store
        self._accounts = accounts

    def prepare(self, request: RequestRow) -> None:
        """A job whose turn has not come is left `queued`.

        A job that is tried again keeps its folders and plans: what is not settled is announced again.
        """
        live = self._store.live_admission(request.account_digest)
        if live is not None and live.job_id != request.job_id:
            return
        earlier = Earlier.of(self._store, request.job_id)
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
        self._scan(request, folders, earlier)

    def _admit(self, request: RequestRow, bytes_before: int) -> None:
        row = AdmissionRow(
            job_id=request.job_id,
            account_digest=request.account_digest,
            admitted_at=datetime.now(UTC),
            run=request.run,
            bytes_before=bytes_before,
        )
        self._store.write([row], now=datetime.now(UTC))

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
            tell_failure(self._store, self._log, request, failed)
            return None
        if listing is not None and not known:
            quota = [listing.quota] if listing.quota else []
            self._store.write([*quota, *listing.folders, *listing.warnings], now=datetime.now(UTC))
        return listing.folders if listing else None

    def _scan(self, request: RequestRow, folders: Sequence[FolderRow], earlier: Earlier) -> None:
        settled = earlier.settled(request.run)
        scans = [
            ScanFolder(
                job_id=request.job_id,
                account_digest=request.account_digest,
                folder_id=folder.folder_id,
                number=earlier.number(folder.folder_id),
                run=request.run,
            )
            for folder in folders
            if folder.folder_id not in settled
        ]
        self._log.append_all(topics.FOLDER_SCANS, [(request.account_digest, scan) for scan in scans])
