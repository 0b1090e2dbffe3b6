"""External agents: who they are, what they may report of, and what they are to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.contracts.ids import AgentId, JobId
from libs.contracts.jobs import Limits
from libs.readmodel import agent_queries
from libs.readmodel.database import stamp
from libs.readmodel.store import WorkerStore
from libs.readmodel.tables import read_limits


@dataclass(frozen=True, slots=True)
class Agent:
    agent_id: AgentId
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of one job of an agent."""

    job_id: JobId
    command: Literal["run", "pause", "cancel", "delete"]
    limits: Limits


class Agents(WorkerStore):
    def put_agent(self, agent: Agent, token_hash: str, now: datetime) -> None:
        self._write_agent(agent, token_hash, now, gone=False)

    def remove_agent(self, agent: Agent, now: datetime) -> None:
        """Its token opens nothing from now on; its jobs stay, without its name."""
        self._write_agent(agent, "", now, gone=True)

    def agents(self) -> list[Agent]:
        """By name."""
        return [Agent(**row) for row in self._db.rows(agent_queries.AGENTS)]

    def agent_by_token(self, token_hash: str) -> AgentId | None:
        found = self._db.rows(agent_queries.AGENT_BY_TOKEN, hash=token_hash)
        return found[0]["agent_id"] if found else None

    def agent_of(self, job_id: JobId) -> AgentId | None:
        """Whose job this is; None: nobody's."""
        found = self._db.rows(agent_queries.AGENT_OF, job=job_id)
        return found[0]["agent_id"] if found else None

    def content_of(self, job_id: JobId, batch_id: str) -> str | None:
        """Of the report that counts under this id, once the aggregator has seen it. It reads 256 rows at most."""
        found = self._db.rows(agent_queries.CONTENT, job=job_id, batch=batch_id)
        return found[0]["content"] or None

    def entity_names(self, job_id: JobId) -> dict[str, str]:
        return {row["entity_id"]: row["name"] for row in self._db.rows(agent_queries.ENTITY_NAMES, job=job_id)}

    def orders(self, agent_ids: Sequence[AgentId]) -> dict[AgentId, list[Order]]:
        """One query for any number of agents."""
        found: dict[AgentId, list[Order]] = {agent_id: [] for agent_id in agent_ids}
        rows = self._db.rows(agent_queries.ORDERS, agents=list(agent_ids), kept=self._kept()) if agent_ids else []
        for row in rows:
            found[row["agent_id"]].append(Order(row["job_id"], row["command"], read_limits(row["limits"])))
        return found

    def _write_agent(self, agent: Agent, token_hash: str, now: datetime, *, gone: bool) -> None:
        row = {
            "agent_id": agent.agent_id,
            "name": "" if gone else agent.name,
            "token_hash": token_hash,
            "created_at": stamp(agent.created_at),
            "gone": gone,
            "updated_at": stamp(now),
            "version": self._next_version(now),
        }
        self._db.insert("agents", [row])
