"""Who may do what with a job: its key everything, its view key reading. Its id opens it to the operator, and to the
agent that carries it out for reading."""

import hmac
import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from libs.contracts.ids import AgentId, JobId, key_hash, keyed
from services.api.deps import ClientAddress, Dependencies, Deps
from services.api.errors import AgentRefused, NoSuchJob, OperatorsOnly, TokenRefused

MAX_KEY = 100  # characters; what is longer is no key of ours
BELIEVED_SECONDS = 5.0

# One header; OpenAPI has a name for each kind of token.
Bearer = HTTPAuthorizationCredentials | None
_OPERATORS = HTTPBearer(scheme_name="operator", description="`MAILTIDE_OPERATOR_TOKEN`", auto_error=False)
_AGENTS = HTTPBearer(scheme_name="agent", description="Given out by `POST /api/agents`", auto_error=False)
OperatorToken = Annotated[Bearer, Depends(_OPERATORS)]
AgentToken = Annotated[Bearer, Depends(_AGENTS)]


@dataclass(frozen=True, slots=True)
class Access:
    job_id: JobId
    owner: bool
    opened_by: str | None = None  # the hash of the key; None: a token


def _operates(bearer: Bearer, deps: Deps) -> bool:
    if deps.operator_token is None or bearer is None:
        return False
    return hmac.compare_digest(bearer.credentials.encode(), deps.operator_token.encode())


def agent_token_hash(deps: Deps, token: str) -> str:
    """What is stored of an agent's token."""
    return keyed(deps.account_key, "agent token", token)


class Tokens:
    """Which agent a token is of; asked every 5 s, so a removed agent is refused soon. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[AgentId, float]] = {}

    def agent(self, token: str, deps: Deps) -> AgentId | None:
        hashed, now = agent_token_hash(deps, token), time.monotonic()
        agent_id, asked = self._known.get(hashed, (None, 0.0))
        if agent_id is None or now - asked > BELIEVED_SECONDS:
            self._known.pop(hashed, None)
            agent_id = deps.agents.agent_by_token(hashed)
            if agent_id is not None:
                self._known[hashed] = (agent_id, now)
        return agent_id


def _agent(bearer: Bearer, request: Request, deps: Deps) -> AgentId | None:
    tokens: Tokens = request.app.state.tokens
    return tokens.agent(bearer.credentials, deps) if bearer and len(bearer.credentials) <= MAX_KEY else None


def reporting_agent(bearer: AgentToken, request: Request, client: ClientAddress, deps: Dependencies) -> AgentId:
    """
    Raises:
        AgentRefused: no agent has this token.
        TooManyRequests: this client has tried too many.
    """
    agent_id = _agent(bearer, request, deps)
    if agent_id is None:
        deps.refusals.take(client)
        raise AgentRefused
    return agent_id


def operator(bearer: OperatorToken, deps: Dependencies) -> None:
    """
    Raises:
        OperatorsOnly: no token is configured.
        TokenRefused: none was sent, or another.
    """
    if deps.operator_token is None:
        raise OperatorsOnly
    if not _operates(bearer, deps):
        raise TokenRefused


def opened(
    key: Annotated[str, Path(description="`key`, `view_key`, or `job_id` with a token")],
    bearer: OperatorToken,
    request: Request,
    client: ClientAddress,
    deps: Dependencies,
) -> Access:
    """
    Raises:
        NoSuchJob: this opens nothing.
        TooManyRequests: this client has tried too many tokens.
    """
    if not 0 < len(key) <= MAX_KEY or not key.isascii():
        raise NoSuchJob
    found = deps.views.find(key_hash(key))
    if found is not None:
        job_id, opened_by = found
        return Access(job_id, owner=opened_by == "key", opened_by=key_hash(key))
    if bearer is None:
        raise NoSuchJob
    job_id, operates = JobId(key), _operates(bearer, deps)
    agent_id = None if operates else _agent(bearer, request, deps)
    if not operates and agent_id is None:
        deps.refusals.take(client)
        raise NoSuchJob
    may = operates or deps.agents.agent_of(job_id) == agent_id
    if may and job_id in deps.views.views([job_id], deps.now()):
        return Access(job_id, owner=operates)
    raise NoSuchJob


def reader(access: Annotated[Access, Depends(opened)], _agents_too: AgentToken) -> Access:
    return access


def owner(access: Annotated[Access, Depends(opened)]) -> Access:
    if not access.owner:
        raise NoSuchJob
    return access


Reader = Annotated[Access, Depends(reader)]
Owner = Annotated[Access, Depends(owner)]
Operator = Depends(operator)
ReportingAgent = Annotated[AgentId, Depends(reporting_agent)]
