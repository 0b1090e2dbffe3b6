"""External agents and the jobs they carry out. For the operator."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from libs.contracts.ids import (
    AccountDigest,
    AgentId,
    JobId,
    key_hash,
    keyed,
    new_agent_id,
    new_job_id,
    new_key,
    view_key,
)
from libs.contracts.jobs import JobOptions, Limits
from libs.eventlog.port import LogUnavailable
from libs.readmodel.agents import Agent
from libs.readmodel.port import ReadModelUnavailable
from libs.readmodel.rows import AgentJobRow, DesiredRow, EntityRow, RequestRow, Row
from services.api.access import Operator, agent_token_hash
from services.api.deps import Dependencies, Deps
from services.api.errors import InvalidForm, NoSuchAgent
from services.api.jobs import base_url
from services.api.problems import FieldCode
from services.api.requests import JobAccepted, forget

MOST_ENTITIES = 200  # types of entity of one job
MOST_ITEMS, MOST_BYTES = 2**40, 2**60  # of one job as announced, or of one report

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Items = Annotated[int, Field(ge=0, le=MOST_ITEMS)]
Bytes = Annotated[int, Field(ge=0, le=MOST_BYTES)]

router = APIRouter(prefix="/api/agents", tags=["agents"], dependencies=[Operator])


class AgentForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name


class AgentRegistered(BaseModel):
    agent_id: AgentId
    token: str  # with it the agent reports; nobody can give it out a second time


class AgentView(BaseModel):
    agent_id: AgentId
    name: str
    created_at: AwareDatetime


class AgentJobForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    items_total: Items | None = None
    bytes_total: Bytes | None = None
    entity_types: list[Name] = Field(default_factory=list[str], max_length=MOST_ENTITIES)


@router.post("", status_code=201)
def register(form: AgentForm, deps: Dependencies) -> AgentRegistered:
    """An agent may report from now on. `token` is shown only here."""
    agent_id, token = new_agent_id(), new_key()
    agent = Agent(agent_id, form.name, deps.now())
    deps.agents.put_agent(agent, agent_token_hash(deps, token), deps.now())
    return AgentRegistered(agent_id=agent_id, token=token)


@router.get("")
def agents(deps: Dependencies) -> list[AgentView]:
    """By name."""
    return [AgentView(agent_id=a.agent_id, name=a.name, created_at=a.created_at) for a in deps.agents.agents()]


@router.delete("/{agent_id}", status_code=204)
def remove(agent_id: str, deps: Dependencies) -> None:
    """Its token opens nothing any more, within 5 s. Its jobs stay."""
    deps.agents.remove_agent(_agent(agent_id, deps), deps.now())


@router.post("/{agent_id}/jobs", status_code=201)
def create_job(agent_id: str, form: AgentJobForm, request: Request, deps: Dependencies) -> JobAccepted:
    """A job for this agent. `key` is shown only here: whoever has it owns the job."""
    agent = _agent(agent_id, deps)
    if len(set(form.entity_types)) < len(form.entity_types):
        raise InvalidForm("entity_types", FieldCode.GIVEN_TWICE)
    job_id, key = new_job_id(), new_key()
    rows: list[Row] = [
        AgentJobRow(
            job_id=job_id,
            agent_id=agent.agent_id,
            items_announced=form.items_total,
            bytes_announced=form.bytes_total,
        ),
        *(EntityRow(job_id=job_id, entity_id=entity_id(deps, job_id, name), name=name) for name in form.entity_types),
        DesiredRow(job_id=job_id, state="run", limits=Limits()),
        RequestRow(  # the last one: with it the job is there
            job_id=job_id,
            kind="external",
            key_hash=key_hash(key),
            view_key_hash=key_hash(view_key(key)),
            name=form.name,
            project=None,
            source_host=None,
            destination_host=None,
            account_digest=AccountDigest(""),
            source_digest=AccountDigest(""),
            options=JobOptions(),
            created_at=deps.now(),
            accepted=True,
        ),
    ]
    try:
        deps.store.write(rows, now=deps.now())
    except (LogUnavailable, ReadModelUnavailable):
        forget(job_id, deps)
        raise
    return JobAccepted.by_key(job_id, key, base_url(request, deps))


def entity_id(deps: Deps, job_id: JobId, name: str) -> str:
    return keyed(deps.account_key, "entity", job_id, name)


def _agent(agent_id: str, deps: Deps) -> Agent:
    found = next((agent for agent in deps.agents.agents() if agent.agent_id == agent_id), None)
    if found is None:
        raise NoSuchAgent
    return found
