"""What the api reads of jobs. Blocking and thread-safe; every method may raise `ReadModelUnavailable`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from libs.contracts.ids import JobId
from libs.contracts.jobs import Limits
from libs.contracts.views import BatchRow, FailureRow, Snapshot


class Projects(Protocol):
    def put_project(self, name: str, limits: Limits, now: datetime) -> None: ...
    def projects(self) -> dict[str, Limits]: ...


class JobViews(Protocol):
    """Only accepted jobs that are not deleted and not expired are seen."""

    def find(self, key_hash: str) -> tuple[JobId, Literal["key", "view_key"]] | None: ...
    def views(self, job_ids: Sequence[JobId], now: datetime) -> Mapping[JobId, Snapshot]:
        """A constant number of queries; jobs that are not there (any more) are left out."""
        ...

    def live(self) -> list[JobId]:
        """Jobs that have not ended, oldest first."""
        ...

    def finished(self, since: datetime) -> list[JobId]:
        """Jobs that ended after that time, the last one first."""
        ...

    def batches(
        self, job_id: JobId, *, after: datetime | None, limit: int, resolution_seconds: int
    ) -> list[BatchRow]: ...
    def failures(self, job_id: JobId) -> list[FailureRow]: ...
