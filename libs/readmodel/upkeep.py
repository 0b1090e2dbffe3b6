"""What the aggregator needs to end, settle, refresh and forget jobs. Each method is a few queries for any number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from libs.contracts.ids import JobId
from libs.readmodel import queries
from libs.readmodel.rows import OutcomeRow
from libs.readmodel.store import WorkerStore
from libs.readmodel.tables import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a job is, summed over the newest plans: what its end is decided from."""

    job_id: JobId
    run: int = 1
    ended: bool
    admitted: bool
    prepared: bool = True  # the scanner has seen the current run
    cancelled: bool  # is to be cancelled
    desired_at: datetime | None
    folders: int | None  # None: not listed yet
    planned: int
    finished: int  # folders with which the current run has nothing to do any more
    stopped: int  # of the finished, those a cancellation ended
    completed: int
    skipped: int
    failed: int
    bytes_completed: int
    differing: int  # delivered, and by the audit not there, not equal, or there twice
    dry_run: bool = False  # what would fail is no error: nothing was to be copied


_STANDING = TypeAdapter(Standing)


def _standing(row: dict[str, Any]) -> Standing:
    run, admitted, ended = row["run"], row["admitted_run"] or 0, row["ended_run"] or 0
    return _STANDING.validate_python(
        row | {"admitted": admitted > ended, "prepared": admitted == run, "ended": ended == run}
    )


class Upkeep(WorkerStore):
    def standings(self, job_ids: Sequence[JobId]) -> dict[JobId, Standing]:
        found = self._db.rows(queries.STANDINGS, jobs=list(job_ids)) if job_ids else []
        return {row["job_id"]: _standing(row) for row in found}

    def live(self) -> list[JobId]:
        """Accepted jobs that have not ended, oldest first."""
        return self._ids(queries.ACTIVE, kept=self._kept())

    def cancelling(self) -> list[JobId]:
        """Jobs that are to be cancelled and have not ended."""
        return self._ids(queries.CANCELLING)

    def unsettled(self) -> list[OutcomeRow]:
        """Outcomes whose consequences are not known to be complete: those that were never refreshed. At most 100."""
        return [read(OutcomeRow, row) for row in self._db.rows(queries.UNSETTLED)]

    def turns(self, *, waiting_since: datetime) -> list[JobId]:
        """The oldest accepted job of each destination account no job is using, none that was made after
        `waiting_since` unless an earlier job of the account ended since."""
        return self._ids(queries.TURNS, before=waiting_since, kept=self._kept())

    def unaccepted(self, *, before: datetime) -> list[JobId]:
        """Requests made before that time whose callers never got an answer."""
        return self._ids(queries.UNACCEPTED, before=before)

    def stale(self, *, before: datetime) -> list[JobId]:
        """Live jobs whose rows were not refreshed since. At most 100."""
        return self._ids(queries.STALE, before=before, kept=self._kept())

    def erase(self, job_ids: Sequence[JobId]) -> None:
        """Remove jobs from every table; 2 s after the return no file holds their bytes."""
        if job_ids:
            for row in self._db.rows(queries.TABLES_WITH, jobs=list(job_ids)):
                self._db.execute(queries.ERASE[row["name"]], jobs=list(job_ids))

    def leftovers(self, *, deleted_before: datetime) -> list[JobId]:
        """Jobs deleted before that time of which rows exist: written by workers that had not stopped yet."""
        return self._ids(queries.LEFTOVERS, before=deleted_before)

    def secrets_left(self, *, before: datetime) -> list[tuple[JobId, int]]:
        """Runs whose credentials are held though they ended, were deleted, or were never requested (since then)."""
        return [(row["job_id"], row["run"]) for row in self._db.rows(queries.SECRETS_LEFT, before=before)]

    def _ids(self, query: str, **parameters: Any) -> list[JobId]:
        return [row["job_id"] for row in self._db.rows(query, **parameters)]
