"""Projects: the limits of jobs that name them and give none of their own."""

from datetime import datetime

from libs.contracts.jobs import Limits
from libs.readmodel import queries
from libs.readmodel.database import stamp
from libs.readmodel.store import WorkerStore


class Projects(WorkerStore):
    def put_project(self, name: str, limits: Limits, now: datetime) -> None:
        row = {"name": name, "limits": limits.model_dump_json(), "updated_at": stamp(now)}
        self._db.insert("projects", [row | {"version": self._next_version(now)}])

    def remove_project(self, name: str, now: datetime) -> None:
        """Nothing of it is left but its name: the name of what is deleted would stand in the mutation's file."""
        row = {"name": name, "limits": "", "updated_at": stamp(now)}
        self._db.insert("projects", [row | {"version": self._next_version(now)}])

    def projects(self) -> dict[str, Limits]:
        """By name, in its order."""
        found = self._db.rows(queries.PROJECTS)
        return {row["name"]: Limits.model_validate_json(row["limits"], extra="ignore") for row in found}
