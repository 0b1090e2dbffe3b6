"""Where the vault keeps what it has sealed. This module never sees it in clear."""

from datetime import datetime

from libs.contracts.ids import JobId
from libs.readmodel import queries
from libs.readmodel.database import stamp
from libs.readmodel.store import WorkerStore


class Sealed(WorkerStore):
    def keep_sealed(self, job_id: JobId, sealed: str, now: datetime) -> None:
        """Nothing is kept for a deleted job."""
        if not self._those(queries.DELETED, [job_id]):
            row = {"job_id": job_id, "sealed": sealed, "updated_at": stamp(now), "version": self._next_version(now)}
            self._db.insert("vault", [row])

    def sealed(self, job_id: JobId) -> str | None:
        found = self._db.rows(queries.SEALED, job=job_id)
        return found[0]["sealed"] if found else None

    def held(self) -> list[JobId]:
        """Jobs whose credentials are held."""
        return [row["job_id"] for row in self._db.rows(queries.HELD)]

    def erase_sealed(self, job_id: JobId) -> None:
        """1 to 2 s after the return no file holds a byte of it."""
        if self._those(queries.SEALED_FOR, [job_id]):  # a mutation touches every part of the table
            self._db.execute(queries.ERASE["vault"], jobs=[job_id])

    def purge_sealed(self) -> None:
        """Drop replaced versions now."""
        self._db.execute(queries.PURGE)
