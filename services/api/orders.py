"""What agents are to do with their jobs, as a long poll: the answer is always the whole, so none can be missed."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from libs.contracts.ids import AgentId, JobId
from libs.contracts.jobs import Limits
from libs.readmodel.agents import Order
from libs.readmodel.port import ReadModelUnavailable
from services.api.access import ReportingAgent
from services.api.hub import INTERVAL, SHORTEST

router = APIRouter(prefix="/api/agents/me", tags=["agents"])
log = structlog.get_logger()


class AgentCommand(BaseModel):
    job_id: JobId
    command: Literal["run", "pause", "cancel", "delete"]
    limits: Limits


class AgentCommands(BaseModel):
    state: str  # give it back as `known` to wait for a change
    jobs: list[AgentCommand]  # all that have not ended, and the deleted ones for 8 days


@router.get("/commands")
async def commands(
    agent_id: ReportingAgent,
    request: Request,
    known: Annotated[str, Query(max_length=100, description="`state` of the last answer")] = "",
    wait_seconds: Annotated[int, Query(ge=0, le=55)] = 25,
) -> AgentCommands:
    """What is wanted of each job now. Answers at once when that is not `known`, else when it changes."""
    orders: Orders = request.app.state.orders
    return await orders.wait(agent_id, known, wait_seconds)


class Orders:
    """One look a second for all agents that wait, and one soon after each command. Bound to the event loop."""

    def __init__(self, read: Callable[[Sequence[AgentId]], Mapping[AgentId, Sequence[Order]]]) -> None:
        """`read` blocks; it runs in a thread of its own."""
        self._read = read
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="orders")
        self._loop = asyncio.get_running_loop()
        self._something = asyncio.Event()
        self._waiting: dict[AgentId, int] = {}  # how many wait
        self._seen: dict[AgentId, AgentCommands] = {}  # of those who wait
        self._looked = asyncio.Condition()
        self._closed = False

    def wake(self) -> None:
        """Something has changed: look soon. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._something.set)

    async def wait(self, agent_id: AgentId, known: str, seconds: float) -> AgentCommands:
        """
        Raises:
            ReadModelUnavailable: nothing could be read in that time.
        """
        self._waiting[agent_id] = self._waiting.get(agent_id, 0) + 1
        self._seen.pop(agent_id, None)  # it is seen anew
        self._something.set()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(seconds, INTERVAL)), self._looked:
                    await self._looked.wait_for(lambda: self._closed or self._news(agent_id, known, seconds))
            if agent_id not in self._seen:
                raise ReadModelUnavailable
            return self._seen[agent_id]
        finally:
            self._waiting[agent_id] -= 1
            if not self._waiting[agent_id]:
                del self._waiting[agent_id]
                self._seen.pop(agent_id, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), INTERVAL - SHORTEST if self._waiting else None)
            self._something.clear()
            if self._waiting:
                await self._look()
            await asyncio.sleep(SHORTEST)

    async def close(self) -> None:
        """Let everybody go who waits."""
        self._closed = True
        async with self._looked:
            self._looked.notify_all()

    def _news(self, agent_id: AgentId, known: str, seconds: float) -> bool:
        seen = self._seen.get(agent_id)
        return seen is not None and (seen.state != known or not seconds)

    async def _look(self) -> None:
        agents = list(self._waiting)
        try:
            found = await self._loop.run_in_executor(self._thread, self._read, agents)
        except ReadModelUnavailable:
            log.warning("orders.delayed")
            return
        async with self._looked:
            self._seen |= {each: _commands(orders) for each, orders in found.items() if each in self._waiting}
            self._looked.notify_all()


def _commands(orders: Sequence[Order]) -> AgentCommands:
    jobs = [AgentCommand(job_id=each.job_id, command=each.command, limits=each.limits) for each in orders]
    told = "\n".join(job.model_dump_json() for job in jobs)
    return AgentCommands(state=hashlib.sha256(told.encode()).hexdigest()[:16], jobs=jobs)
