"""What the routes work with, and how they get it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from libs.contracts.accounts import Account
from libs.eventlog.port import EventLog
from libs.mailbox.port import Session
from libs.readmodel.port import Store
from libs.vault.port import Vault
from libs.vault.recipients import Recipients
from services.api import rates
from services.api.port import Agents, JobViews, Projects
from services.api.rates import Client, Rate, client_of


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything the api touches. Blocking and thread-safe, all of it."""

    log: EventLog
    store: Store
    views: JobViews
    projects: Projects
    agents: Agents
    vault: Vault
    recipients: Recipients | None = None  # None: no mail can be sent
    connect: Callable[[Account], Session]  # logs in; may raise a `MailboxError`
    account_key: bytes  # of the account digests
    operator_token: str | None = None
    public_url: str | None = None  # without a slash at the end; None: as the request came in
    now: Callable[[], datetime] = _utc_now
    checks: Rate = field(default_factory=lambda: Rate(rates.CHECKS))
    jobs: Rate = field(default_factory=lambda: Rate(rates.JOBS))
    reports: Rate = field(default_factory=lambda: Rate(rates.REPORTS))
    refusals: Rate = field(default_factory=lambda: Rate(rates.REFUSALS))


def deps_of(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


def _client(request: Request) -> Client:
    return client_of(request)


Dependencies = Annotated[Deps, Depends(deps_of)]
ClientAddress = Annotated[Client, Depends(_client)]
