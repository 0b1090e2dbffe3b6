"""What is stored of destination accounts: the claims that were left open, and how their folders treat mail.

An account's partition is one copier's, and nobody else writes these rows meanwhile. So they are read once when it
takes over, not for every folder: a claim that a former owner opened before it passed a gate was stored by then.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from libs.contracts.ids import AccountDigest
from libs.readmodel.port import Store
from libs.readmodel.rows import BehaviourRow
from services.copier.lease import Lease

KEPT = 1_000  # accounts
BELIEVED_SECONDS = 600.0  # rows expire in days


@dataclass(slots=True)
class AccountRecord:
    """By the digests of the account's folders. Kept up by those who write."""

    taken_over: float
    read_at: float
    open_claims: dict[str, frozenset[str]]  # incarnations
    behaviours: dict[str, BehaviourRow]


class AccountRecords:
    """Those of one process. Thread-safe; may raise ReadModelUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._records: OrderedDict[AccountDigest, AccountRecord] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, account: AccountDigest, lease: Lease) -> AccountRecord:
        taken_over, now = lease.taken_over, time.monotonic()
        with self._lock:
            known = self._records.get(account)
            if known and known.taken_over == taken_over and now - known.read_at < BELIEVED_SECONDS:
                return known
            record = self._read(account, taken_over, now)
            self._records[account] = record
            while len(self._records) > KEPT:
                self._records.popitem(last=False)
        return record

    def forget(self, account: AccountDigest) -> None:
        """A write failed: nobody knows what is stored."""
        with self._lock:
            self._records.pop(account, None)

    def _read(self, account: AccountDigest, taken_over: float, now: float) -> AccountRecord:
        claims: dict[str, frozenset[str]] = {}
        for claim in self._store.open_claims(account):
            claims[claim.folder_digest] = claims.get(claim.folder_digest, frozenset()) | {claim.incarnation}
        behaviours = {row.folder_digest: row for row in self._store.behaviours(account)}
        return AccountRecord(taken_over, now, claims, behaviours)
