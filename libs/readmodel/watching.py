"""What the api shows: job views of many jobs in a constant number of queries, history, failures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from libs.contracts import notices
from libs.contracts.ids import JobId
from libs.contracts.notices import Notice
from libs.contracts.reasons import WHAT_TO_DO, Reason
from libs.contracts.views import BatchRow, FailureRow, JobView, Snapshot
from libs.readmodel import agent_queries, queries
from libs.readmodel.database import Database, Ids
from libs.readmodel.jobview import snapshot, view
from libs.readmodel.numbers import (
    AgentProgress,
    Entity,
    Failure,
    FolderNames,
    FolderProgress,
    FolderSums,
    Head,
    Numbers,
    Recent,
    Throttle,
)
from libs.readmodel.sums import far
from libs.readmodel.tables import read_limits

T = TypeVar("T")
_BEGINNING = datetime.fromtimestamp(0, UTC)
_MICROSECONDS = 1_000_000


class Watching:
    """Only accepted jobs that are not deleted and not expired are seen. Blocking and thread-safe."""

    def __init__(self, database: Database, retention: timedelta) -> None:
        self._db = database
        self._retention = retention

    def find(self, key_hash: str) -> tuple[JobId, Literal["key", "view_key"]] | None:
        """The job a key opens, and which of its keys that is."""
        found = self._db.rows(queries.FIND, hash=key_hash, kept=self._kept())
        if not found:
            return None
        return found[0]["job_id"], "key" if found[0]["key_hash"] == key_hash else "view_key"

    def live(self) -> list[JobId]:
        """Jobs that have not ended, oldest first."""
        return [row["job_id"] for row in self._db.rows(queries.ACTIVE, kept=self._kept())]

    def keys(self, job_ids: Sequence[JobId]) -> dict[JobId, tuple[str, ...]]:
        """The hashes of the keys that open these jobs now."""
        found = self._db.rows(queries.KEYS, jobs=Ids(job_ids))
        return {row["job_id"]: (row["key_hash"], row["view_key_hash"]) for row in found}

    def finished(self, since: datetime) -> list[JobId]:
        """Jobs that ended after that time, the last one first."""
        return [row["job_id"] for row in self._db.rows(queries.FINISHED, kept=self._kept(), after=since)]

    def views(self, job_ids: Sequence[JobId], now: datetime) -> dict[JobId, Snapshot]:
        """Seven queries at most, however many jobs are watched. Unknown, deleted and expired jobs are left out."""
        found = self._wholes(job_ids, now)
        if not found:
            return {}
        jobs = Ids(found)
        external = [job_id for job_id, numbers in found.items() if numbers.agent is not None]
        entities = self._each(Entity, agent_queries.ENTITIES, jobs=Ids(external)) if external else {}
        names = self._each(FolderNames, queries.FOLDER_NAMES, jobs=jobs)
        progress = self._each(FolderProgress, queries.FOLDER_PROGRESS, jobs=jobs)
        return {
            job_id: snapshot(
                replace(
                    numbers,
                    named=bool(names.get(job_id) or entities.get(job_id)),
                    names=names.get(job_id, []),
                    progress=progress.get(job_id, []),
                    entities=entities.get(job_id, []),
                ),
                now=now,
                retention=self._retention,
            )
            for job_id, numbers in found.items()
        }

    def jobs(self, job_ids: Sequence[JobId], now: datetime) -> dict[JobId, JobView]:
        """The jobs of `views` without their breakdowns, of which ClickHouse makes the sums: for very many jobs."""
        found = self._wholes(job_ids, now)
        if not found:
            return {}
        jobs = Ids(found)
        folders = self._each(FolderSums, queries.FOLDER_SUMS, jobs=jobs)
        named = {row["job_id"] for row in self._db.rows(queries.NAMED, jobs=jobs)}
        return {
            job_id: view(
                replace(numbers, named=job_id in named),
                far(numbers, folders.get(job_id, ())),
                now=now,
                retention=self._retention,
            )
            for job_id, numbers in found.items()
        }

    def batches(self, job_id: JobId, *, after: datetime | None, limit: int, resolution_seconds: int) -> list[BatchRow]:
        """Sums per interval, in time order: intervals that begin at `after` or later, `at` being their beginning."""
        width = resolution_seconds * _MICROSECONDS
        found = self._db.rows(queries.BATCHES, job=job_id, after=after or _BEGINNING, limit=limit, width=width)
        return [BatchRow(**row) for row in found]

    def failures(self, job_id: JobId) -> list[FailureRow]:
        """What is not at the destination, or is there otherwise than it was sent; under the newest plans, by time."""
        names = {row["folder_id"]: row for row in self._db.rows(queries.FOLDERS, job=job_id)}
        wires = {row["plan_id"]: row["wires"] for row in self._db.rows(queries.PLAN_WIRES, job=job_id)}
        failures = [
            FailureRow(folder="", uid=0, what_to_do=WHAT_TO_DO[Reason(row["reason"])], **row)
            for row in self._db.rows(agent_queries.AGENT_FAILURES, job=job_id)
        ]
        for row in self._db.rows(queries.FAILED_ITEMS, jobs=Ids([job_id])):
            folder = names.get(row["folder_id"])
            by_wire = dict(zip(folder["source_wires"], folder["source_names"], strict=True)) if folder else {}
            sources = wires.get(row["plan_id"], ())
            wire = sources[row["source"]] if row["source"] < len(sources) else ""
            failures.append(
                FailureRow(
                    at=row["at"],
                    folder=by_wire.get(wire, ", ".join(by_wire.values())),
                    uid=row["uid"],
                    reason=row["reason"],
                    server_text=row["server_text"],
                    what_to_do=WHAT_TO_DO[Reason(row["reason"])],
                    outcome=row["outcome"],
                    left_out=row["left_out"],
                )
            )
        return failures

    def _kept(self) -> datetime:
        return datetime.now(UTC) - self._retention

    def _wholes(self, job_ids: Sequence[JobId], now: datetime) -> dict[JobId, Numbers]:
        """What is known of jobs as wholes."""
        heads = self._heads(job_ids) if job_ids else {}
        if not heads:
            return {}
        jobs = Ids(heads)
        external = [job_id for job_id, head in heads.items() if head.kind == "external"]
        agents = self._each(AgentProgress, agent_queries.AGENT_PROGRESS, jobs=Ids(external)) if external else {}
        recent = self._each(Recent, queries.RECENT, jobs=jobs, now=now)
        notes: dict[JobId, list[dict[str, Any]]] = {}
        for row in self._db.rows(queries.NOTES, jobs=jobs, now=now):
            notes.setdefault(row["job_id"], []).append(row)
        return {
            job_id: Numbers(
                head=_begun(head, agents.get(job_id, [])),
                agent=next(iter(agents.get(job_id, [])), None),
                recent=next(iter(recent.get(job_id, [])), None),
                notices=_notices(notes.get(job_id, [])),
                throttle=_throttle(notes.get(job_id, [])),
                failures=_failures(notes.get(job_id, []), head.run),
            )
            for job_id, head in heads.items()
        }

    def _heads(self, jobs: Sequence[JobId]) -> dict[JobId, Head]:
        newest: dict[JobId, dict[str, Any]] = {}
        for row in self._db.rows(queries.HEADS, jobs=Ids(jobs), kept=self._kept()):
            known = newest.get(row["job_id"])
            if known is None or row["ended_run"] > known["ended_run"]:
                newest[row["job_id"]] = row
        return {job_id: _head(row) for job_id, row in newest.items()}

    def _each(self, kind: type[T], query: str, **parameters: Any) -> dict[JobId, list[T]]:
        """The rows of a query by job."""
        adapter = _adapter(kind)
        found: dict[JobId, list[T]] = {}
        for row in self._db.rows(query, **parameters):
            found.setdefault(row["job_id"], []).append(adapter.validate_python(row))
        return found


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


_HEAD = TypeAdapter(Head)
_OF_AN_OUTCOME = ("outcome", "side", "reason", "finished_at")


def _head(row: dict[str, Any]) -> Head:
    """The end of an earlier run is none, and after it the job is to be admitted anew."""
    ended = row["ended_run"] or 0
    if ended != row["run"]:
        row |= dict.fromkeys(_OF_AN_OUTCOME)
        if (row["admitted_run"] or 0) <= ended:
            row |= {"admitted_at": None, "bytes_before": 0}
    return _HEAD.validate_python(row | {"limits": read_limits(row["limits"])})


def _begun(head: Head, agent: Sequence[AgentProgress]) -> Head:
    """An external job begins with the first report of its agent."""
    started_at = agent[0].started_at if agent else None
    return replace(head, admitted_at=started_at, listed_at=started_at) if agent else head


def _failures(notes: list[dict[str, Any]], run: int) -> list[Failure]:
    found = [note for note in notes if note["kind"] == "failure" and note["number"] == run]
    return [Failure(side=n["side"], folder_id=n["folder_id"], text=n["text"]) for n in found]


def _notices(notes: list[dict[str, Any]]) -> list[Notice]:
    """The scanner's in their order, then the copier's; what several folders say is said once."""
    ordered = sorted(
        (note for note in notes if note["kind"] == "warning"), key=lambda note: (note["number"], note["text"])
    )
    read = [notices.read(n["notice"]) if n["notice"] else notices.OtherNotice(sentence=n["text"]) for n in ordered]
    return list({notice.text: notice for notice in read}.values())


def _throttle(notes: list[dict[str, Any]]) -> Throttle | None:
    """The one that lasts longest."""
    found = [Throttle(side=n["side"], until=n["until"], text=n["text"]) for n in notes if n["kind"] == "throttle"]
    return max(found, key=lambda throttle: throttle.until, default=None)
