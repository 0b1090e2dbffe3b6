"""Where it is kept, sealed, whom to tell of a job's end, until they were told. This module never sees it in clear."""

from dataclasses import dataclass
from datetime import datetime

from libs.contracts.ids import JobId
from libs.readmodel import queries
from libs.readmodel.database import Ids, stamp
from libs.readmodel.store import WorkerStore


@dataclass(frozen=True, slots=True)
class Due:
    """A job that has ended and somebody waits to hear of."""

    job_id: JobId
    finished_at: datetime


class Notifications(WorkerStore):
    def keep_notification(self, job_id: JobId, sealed: str, now: datetime) -> None:
        """Nothing is kept for a deleted job."""
        if not self._those(queries.DELETED, [job_id]):
            row = {"job_id": job_id, "sealed": sealed, "updated_at": stamp(now), "version": self._next_version(now)}
            self._db.insert("notifications", [row])

    def notification(self, job_id: JobId) -> str | None:
        found = self._db.rows(queries.NOTIFICATION, job=job_id)
        return found[0]["sealed"] if found else None

    def due_notifications(self) -> list[Due]:
        """The longest due first. At most 100."""
        return [Due(row["job_id"], row["finished_at"]) for row in self._db.rows(queries.DUE_NOTIFICATIONS)]

    def erase_notification(self, job_id: JobId) -> None:
        """1 to 2 s after the return no file holds a byte of it."""
        self._db.execute(queries.ERASE["notifications"], jobs=Ids([job_id]))
