"""What the aggregator needs to end, settle, refresh and forget jobs. Each method is a few queries for any number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter

from libs.contracts.ids import JobId
from libs.readmodel import agent_queries, queries
from libs.readmodel.database import Ids
from libs.readmodel.rows import AgentTotalsRow, EntityTotalsRow, OutcomeRow
from libs.readmodel.store import WorkerStore
from libs.readmodel.tables import read

REFRESH_AFTER = timedelta(hours=24)


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
    kind: Literal["mailbox", "external"] = "mailbox"
    agent: AgentTotalsRow | None = None  # of an external job: what was reported; None: nothing yet


@dataclass(frozen=True, slots=True)
class Reported:
    """What is known of agents' reports before some more of them are counted."""

    first: dict[tuple[JobId, str], int] = field(default_factory=dict[tuple[JobId, str], int])  # offsets of batches
    totals: dict[JobId, AgentTotalsRow] = field(default_factory=dict[JobId, AgentTotalsRow])
    entities: dict[tuple[JobId, str], EntityTotalsRow] = field(default_factory=dict[tuple[JobId, str], EntityTotalsRow])


_STANDING = TypeAdapter(Standing)


def _standing(row: dict[str, Any]) -> Standing:
    run, admitted, ended = row["run"], row["admitted_run"] or 0, row["ended_run"] or 0
    return _STANDING.validate_python(
        row | {"admitted": admitted > ended, "prepared": admitted == run, "ended": ended == run}
    )


def _of_an_agent(totals: AgentTotalsRow | None) -> dict[str, Any]:
    if totals is None:
        return {}
    counts = {name: getattr(totals, name) for name in ("completed", "skipped", "failed", "bytes_completed")}
    return counts | {"agent": totals}


class Upkeep(WorkerStore):
    def standings(self, job_ids: Sequence[JobId]) -> dict[JobId, Standing]:
        found = self._db.rows(queries.STANDINGS, jobs=Ids(job_ids)) if job_ids else []
        external = [row["job_id"] for row in found if row["kind"] == "external"]
        agents = self._agent_totals(external) if external else {}
        return {row["job_id"]: _standing(row | _of_an_agent(agents.get(row["job_id"]))) for row in found}

    def reported(self, batches: Iterable[tuple[JobId, str]]) -> Reported:
        """What is known of these batches, and of their jobs."""
        jobs, ids = (sorted(set(part)) for part in zip(*batches, strict=True))
        first = self._db.rows(agent_queries.FIRST_OFFSETS, jobs=Ids(jobs), batches=ids)
        entities = [read(EntityTotalsRow, row) for row in self._db.rows(agent_queries.ENTITY_TOTALS, jobs=Ids(jobs))]
        return Reported(
            first={(row["job_id"], row["batch_id"]): row["offset"] for row in first},
            totals=self._agent_totals(jobs),
            entities={(row.job_id, row.entity_id): row for row in entities},
        )

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

    def stale(self, now: datetime) -> list[JobId]:
        """Live jobs whose rows were not refreshed for a day, or for half of what they are kept. At most 100."""
        before = now - min(REFRESH_AFTER, self._retention / 2)
        return self._ids(queries.STALE, before=before, kept=self._kept())

    def erase(self, job_ids: Sequence[JobId]) -> None:
        """Remove jobs from every table; 2 s after the return no file holds their bytes."""
        if job_ids:
            for row in self._db.rows(queries.TABLES_WITH, jobs=Ids(job_ids)):
                self._db.execute(queries.ERASE[row["name"]], jobs=Ids(job_ids))

    def leftovers(self, *, deleted_before: datetime) -> list[JobId]:
        """Jobs deleted before that time of which rows exist: written by workers that had not stopped yet."""
        return self._ids(queries.LEFTOVERS, before=deleted_before)

    def secrets_left(self, *, before: datetime) -> list[tuple[JobId, int]]:
        """Runs whose credentials are held though they ended, were deleted, or were never requested (since then)."""
        return [(row["job_id"], row["run"]) for row in self._db.rows(queries.SECRETS_LEFT, before=before)]

    def _agent_totals(self, job_ids: Sequence[JobId]) -> dict[JobId, AgentTotalsRow]:
        rows = self._db.rows(agent_queries.AGENT_TOTALS, jobs=Ids(job_ids))
        return {row["job_id"]: read(AgentTotalsRow, row) for row in rows}

    def _ids(self, query: str, **parameters: Any) -> list[JobId]:
        return [row["job_id"] for row in self._db.rows(query, **parameters)]
