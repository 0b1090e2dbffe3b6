"""Where the vault keeps what it has sealed. This module never sees it in clear."""

from datetime import datetime

from libs.contracts.ids import JobId
from libs.contracts.jobs import MOST_RUNS
from libs.readmodel import queries
from libs.readmodel.database import stamp
from libs.readmodel.store import WorkerStore


class Sealed(WorkerStore):
    def keep_sealed(self, job_id: JobId, sealed: str, now: datetime, *, run: int = 1) -> None:
        """Nothing is kept for a deleted job."""
        if not self._those(queries.DELETED, [job_id]):
            version = self._next_version(now)
            row = {"job_id": job_id, "run": run, "sealed": sealed, "updated_at": stamp(now), "version": version}
            self._db.insert("vault", [row])

    def sealed(self, job_id: JobId) -> str | None:
        found = self._db.rows(queries.SEALED, job=job_id)
        return found[0]["sealed"] if found else None

    def held(self) -> list[tuple[JobId, int]]:
        """Jobs whose credentials are held, and the run they were given for."""
        return [(row["job_id"], row["run"]) for row in self._db.rows(queries.HELD)]

    def erase_sealed(self, job_id: JobId, *, run: int = MOST_RUNS) -> None:
        """What was kept for this run and earlier ones: 1 to 2 s after the return no file holds a byte of it."""
        if self._db.rows(queries.SEALED_UNTIL, job=job_id, run=run):  # a mutation touches every part of the table
            self._db.execute(queries.ERASE_SEALED, job=job_id, run=run)

    def purge_sealed(self) -> None:
        """Drop replaced versions now."""
        self._db.execute(queries.PURGE)
