"""Claims: appends to a folder may be on their way (COPYING rule 8), kept for each folder of an account.

An open claim of a process that is no more is doubt about that folder alone; a
clean end closes it. Claims name no job: they outlive one.
"""

import threading
from datetime import UTC, datetime

from libs.contracts.accounts import folder_digest
from libs.contracts.ids import AccountDigest
from libs.readmodel.port import Store
from libs.readmodel.rows import ClaimRow
from services.copier.account_records import AccountRecords
from services.copier.doubt import Doubt
from services.copier.lease import Lease


class Claims:
    """One process's claims, and the doubts it left or found. Thread-safe."""

    def __init__(self, store: Store, account_key: bytes, incarnation: str) -> None:
        self.store = store
        self.account_key = account_key
        self.incarnation = incarnation
        self.records = AccountRecords(store)
        self._doubts: dict[tuple[AccountDigest, str], Doubt] = {}
        self._lock = threading.Lock()

    def folder(self, account: AccountDigest, destination_wire: str, lease: Lease) -> "FolderClaim":
        """May raise ReadModelUnavailable."""
        return FolderClaim(self, account, folder_digest(self.account_key, account, destination_wire), lease)

    def doubt(self, account: AccountDigest, folder: str) -> Doubt | None:
        with self._lock:
            return self._doubts.get((account, folder))

    def keep_doubt(self, account: AccountDigest, folder: str, doubt: Doubt | None) -> None:
        """The next work on this folder, of whatever job, settles it first."""
        with self._lock:
            if doubt is None:
                self._doubts.pop((account, folder), None)
            else:
                self._doubts[account, folder] = doubt


class FolderClaim:
    """The claim to one destination folder, from before its first append to the end of the work on it."""

    def __init__(self, claims: Claims, account: AccountDigest, folder: str, lease: Lease) -> None:
        self._claims = claims
        self._account = account
        self.folder = folder  # its digest
        self.record = claims.records.of(account, lease)
        self._taken_over = lease.taken_over  # whoever claimed before us has sent its last byte before this
        self._found = frozenset[str]()

    def open(self) -> Doubt | None:
        """Store our claim; the doubt there is about this folder."""
        claims = self._claims
        self._found = self.record.open_claims.get(self.folder, frozenset())
        claims.store.write([self._row(claims.incarnation, is_open=True)], now=datetime.now(UTC))
        doubt = claims.doubt(self._account, self.folder)
        if not self._found - {claims.incarnation}:
            return doubt
        return Doubt(quiet_since=max(self._taken_over, doubt.quiet_since if doubt else self._taken_over))

    def close(self, doubt: Doubt | None) -> list[ClaimRow]:
        """The rows that close every claim to this folder, or none as long as there is doubt. `forget` the account's
        records when they can't be stored."""
        self._claims.keep_doubt(self._account, self.folder, doubt)
        if doubt is not None:
            return []
        self.record.open_claims.pop(self.folder, None)
        return [self._row(one, is_open=False) for one in sorted(self._found | {self._claims.incarnation})]

    def _row(self, incarnation: str, *, is_open: bool) -> ClaimRow:
        return ClaimRow(account_digest=self._account, folder_digest=self.folder, incarnation=incarnation, open=is_open)
