"""What is stored of a job's folders, read once for the folders that are planned one after the other.

One scanner at a time plans the folders of an account, so between two reads only it writes these rows. What is a little
old, after a rebalance, leads to a second plan of which the newer one counts (COPYING rule 3).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from libs.contracts.ids import FolderId, JobId
from libs.contracts.survives import Survives, weakest
from libs.readmodel.port import Remembered, Store
from libs.readmodel.rows import FolderRow, PlanRow, RequestRow

BELIEVED_SECONDS = 2.0
KEPT = 1_000  # jobs


@dataclass(slots=True)
class Known:
    """`folders` and `plans` are kept up by who writes them; plans: the newest of each folder."""

    read_at: float
    run: int
    folders: dict[FolderId, FolderRow]
    plans: dict[FolderId, PlanRow]
    survives: Survives  # what the destination is known to keep of a message
    remembered: Mapping[str, Remembered]  # by destination folder (wire); no earlier job of the account still lives


class KnownJobs:
    """Thread-safe; may raise ReadModelUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: OrderedDict[JobId, Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, request: RequestRow) -> Known:
        with self._lock:
            known = self._jobs.get(request.job_id)
        now = time.monotonic()
        if known and known.run == request.run and now - known.read_at < BELIEVED_SECONDS:
            return known
        job_id, store = request.job_id, self._store
        read = Known(
            read_at=now,
            run=request.run,
            folders={folder.folder_id: folder for folder in store.folders(job_id)},
            plans={plan.folder_id: plan for plan in store.plans(job_id)},
            survives=weakest(one.survives for one in store.behaviours(request.account_digest)) or "bytes",
            remembered=known.remembered if known else store.remembered(request),
        )
        with self._lock:
            self._jobs[job_id] = read
            while len(self._jobs) > KEPT:
                self._jobs.popitem(last=False)
        return read

    def forget(self, job_id: JobId) -> None:
        """A write failed: nobody knows what is stored."""
        with self._lock:
            self._jobs.pop(job_id, None)
