"""A migration is asked for, changed and deleted: the request first, then the order in the log."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Self

import structlog
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from libs.contracts import topics
from libs.contracts.accounts import account_digest
from libs.contracts.commands import CancelJob, ChangeLimits, Command, DeleteJob, PauseJob, ResumeJob, StartJob
from libs.contracts.ids import JobId, key_hash, new_job_id, new_key, view_key
from libs.contracts.jobs import JobForm, JobSecrets, Language, Limits, Recipient
from libs.contracts.schedule import Schedule, TimeZone
from libs.eventlog.port import LogUnavailable
from libs.readmodel.port import ReadModelUnavailable
from libs.readmodel.rows import DesiredRow, RequestRow, TombstoneRow
from services.api.deps import Deps
from services.api.errors import InvalidForm, JobEnded
from services.api.problems import FieldCode
from services.api.projects import with_defaults

log = structlog.get_logger()

changing = threading.Lock()  # a row of a job is read and written as one step


class JobAccepted(BaseModel):
    job_id: JobId
    key: str  # opens everything of the job; nobody can give it out a second time
    view_key: str  # reads only
    url: str
    view_url: str

    @classmethod
    def by_key(cls, job_id: JobId, key: str, base_url: str) -> Self:
        reading = view_key(key)
        return cls(
            job_id=job_id,
            key=key,
            view_key=reading,
            url=f"{base_url}/jobs/{key}",
            view_url=f"{base_url}/jobs/{reading}",
        )


class LimitsChange(BaseModel):
    """What is left out stays as it is; `bandwidth_limit_mbps: null` takes the limit away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    concurrency: int = Field(default=2, ge=1, le=16)
    bandwidth_limit_mbps: float | None = Field(default=None, gt=0, le=100_000)
    schedule: Schedule = ()
    timezone: TimeZone | None = None


def request_job(form: JobForm, deps: Deps, base_url: str) -> JobAccepted:
    """Seal the credentials, store the request, append StartJob; what did not succeed leaves nothing.

    Raises:
        InvalidForm: source and destination are the same account, or nobody can be mailed.
        LogUnavailable: nothing was kept.
        ReadModelUnavailable: nothing was kept.
    """
    destination = account_digest(deps.account_key, form.destination)
    source = account_digest(deps.account_key, form.source)
    if source == destination:
        raise InvalidForm("destination", FieldCode.SAME_ACCOUNT)
    if form.options.notify_email is not None and deps.recipients is None:
        raise InvalidForm("options.notify_email", FieldCode.CANNOT_MAIL)
    options = with_defaults(form.options, form.project, deps)
    job_id, key = new_job_id(), new_key()
    request = RequestRow(
        job_id=job_id,
        kind="mailbox",
        key_hash=key_hash(key),
        view_key_hash=key_hash(view_key(key)),
        name=form.name,
        project=form.project,
        source_host=form.source.host,
        destination_host=form.destination.host,
        account_digest=destination,
        source_digest=source,
        options=options,
        created_at=deps.now(),
        accepted=False,
    )
    desired = DesiredRow(
        job_id=job_id, state="run", limits=Limits(**options.model_dump(include=set(Limits.model_fields)))
    )
    try:
        deps.vault.store(job_id, JobSecrets(source=form.source, destination=form.destination))
        deps.store.write([request, desired], now=deps.now())
        if deps.recipients is not None and form.options.notify_email is not None:
            recipient = recipient_of(form.options.notify_email, form.options.notify_language, key, base_url)
            deps.recipients.store(job_id, recipient)
        deps.log.append(topics.COMMANDS, job_id, StartJob(job_id=job_id))
        deps.store.write([replace(request, accepted=True)], now=deps.now())
    except (LogUnavailable, ReadModelUnavailable):
        forget(job_id, deps)
        raise
    return JobAccepted.by_key(job_id, key, base_url)


def recipient_of(address: str, language: Language, key: str, base_url: str) -> Recipient:
    return Recipient(address=SecretStr(address), url=SecretStr(f"{base_url}/jobs/{key}"), language=language)


def forget(job_id: JobId, deps: Deps) -> None:
    """A request that was not answered: each step for itself. What fails here too the aggregator erases."""
    steps: tuple[Callable[[], None], ...] = (
        lambda: deps.vault.destroy(job_id),
        lambda: deps.store.write([TombstoneRow(job_id=job_id, deleted_at=deps.now())], now=deps.now()),
        lambda: deps.log.append(topics.COMMANDS, job_id, DeleteJob(job_id=job_id)),
    )
    for step in steps:
        try:
            step()
        except (LogUnavailable, ReadModelUnavailable) as error:
            log.warning("request.not_forgotten_yet", job_id=job_id, failure=type(error).__name__)


def cancel(job_id: JobId, deps: Deps) -> None:
    _desire(job_id, deps, "cancel", lambda run: CancelJob(job_id=job_id, run=run))


def pause(job_id: JobId, deps: Deps) -> None:
    _desire(job_id, deps, "pause", lambda _: PauseJob(job_id=job_id))


def resume(job_id: JobId, deps: Deps) -> None:
    _desire(job_id, deps, "run", lambda _: ResumeJob(job_id=job_id))


def change_limits(job_id: JobId, change: LimitsChange, deps: Deps) -> None:
    _desire(job_id, deps, None, lambda _: ChangeLimits(job_id=job_id), change)


def _desire(
    job_id: JobId,
    deps: Deps,
    state: Literal["run", "pause", "cancel"] | None,
    command: Callable[[int], Command],
    change: LimitsChange | None = None,
) -> None:
    """Write what is desired, then tell the workers: `command` of the run it is for. A cancellation is never taken back.

    Raises:
        JobEnded: there is nothing to change any more.
    """
    with changing:
        desired = deps.store.desired(job_id)
        if desired.state == "over" or (desired.state == "cancel" and state != "cancel"):
            raise JobEnded
        changed = change.model_dump(exclude_unset=True) if change else {}
        limits = Limits.model_validate(desired.limits.model_dump() | changed)
        row = DesiredRow(job_id=job_id, state=state or desired.state, limits=limits, run=desired.run)
        deps.store.write([row], now=deps.now())
    deps.log.append(topics.COMMANDS, job_id, command(desired.run))


def delete(job_id: JobId, deps: Deps) -> None:
    """The tombstone hides the job at once; the aggregator erases what is stored of it."""
    agent_id = deps.agents.agent_of(job_id) or ""
    tombstone = TombstoneRow(job_id=job_id, deleted_at=deps.now(), agent_id=agent_id)
    deps.store.write([tombstone], now=deps.now())
    deps.log.append(topics.COMMANDS, job_id, DeleteJob(job_id=job_id))
