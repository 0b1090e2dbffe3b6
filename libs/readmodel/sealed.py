"""Where the vault keeps what it has sealed. This module never sees it in clear."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from libs.contracts.ids import JobId
from libs.contracts.jobs import MOST_RUNS
from libs.readmodel import queries
from libs.readmodel.database import stamp
from libs.readmodel.store import WorkerStore

Table = Literal["vault", "notifications"]


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

    def held(self, table: Table) -> list[JobId]:
        """Jobs of which something is held."""
        return [row["job_id"] for row in self._db.rows(queries.HELD[table])]

    def reseal(self, table: Table, job_id: JobId, renew: Callable[[str], str], now: datetime) -> bool:
        """Put `renew` of what is held in its place; False: nothing is. What somebody stores meanwhile wins."""
        found = self._db.rows(queries.HELD_ROW[table], job=job_id)
        if not found or self._those(queries.DELETED, [job_id]):
            return False
        (row,) = found  # its version stays: of two that are equal the last inserted counts, and a newer one wins
        self._db.insert(table, [row | {"sealed": renew(row["sealed"]), "updated_at": stamp(now)}])
        return True

    def erase_sealed(self, job_id: JobId, *, run: int = MOST_RUNS) -> None:
        """What was kept for this run and earlier ones: 1 to 2 s after the return no file holds a byte of it."""
        if self._db.rows(queries.SEALED_UNTIL, job=job_id, run=run):  # a mutation touches every part of the table
            self._db.execute(queries.ERASE_SEALED, job=job_id, run=run)

    def purge_sealed(self, table: Table) -> None:
        """Drop replaced versions now."""
        self._db.execute(queries.PURGE[table])
