"""A job is tried again: the same job, the same plans, a new run."""

from dataclasses import replace
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from libs.contracts import topics
from libs.contracts.accounts import Account, Side, account_digest
from libs.contracts.commands import RetryFailed
from libs.contracts.ids import AccountDigest, JobId
from libs.contracts.jobs import MOST_RUNS, JobSecrets, JobState
from libs.readmodel.rows import Desired, DesiredRow
from libs.vault.port import SecretsDestroyed
from services.api.deps import Deps
from services.api.errors import InvalidForm, NoSuchJob, NothingToRetry
from services.api.requests import changing

FORGOTTEN_SOON = timedelta(minutes=1)  # what it knows might go while it is made to stay


class RetryForm(BaseModel):
    """The accounts the job began with. Needed once it has ended: its credentials are destroyed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Account | None = None
    destination: Account | None = None


def retry(job_id: JobId, form: RetryForm, deps: Deps) -> None:
    """What failed or was not done is tried again; what was delivered never is.

    Raises:
        InvalidForm: an account is missing, or is another one than the job began with.
        NothingToRetry: it can't be tried again, or not now; it says why.
        NoSuchJob
        LogUnavailable: it is tried again nevertheless, if not at once.
    """
    with changing:
        request, desired = deps.store.request(job_id), deps.store.desired(job_id)
        if request is None:
            raise NoSuchJob
        if request.kind == "external":
            raise NothingToRetry("An agent's job can't be tried again. Make a new job for the agent.")
        _refuse_unless_retriable(job_id, desired, deps)
        held = None if desired.state == "over" else _held(job_id, deps)
        secrets = JobSecrets(
            source=_same("source", form.source or (held and held.source), request.source_digest, deps),
            destination=_same(
                "destination", form.destination or (held and held.destination), request.account_digest, deps
            ),
        )
        run = request.run + 1
        state = "run" if desired.state == "over" else desired.state
        deps.store.refresh([job_id], deps.now())  # or what it knows of the earlier runs would go before it
        deps.vault.store(job_id, secrets, run=run)
        # What is desired comes first: a cancellation must not be found in the new run.
        rows = [DesiredRow(job_id=job_id, state=state, limits=desired.limits, run=run), replace(request, run=run)]
        deps.store.write(rows, now=deps.now())
    deps.log.append(topics.COMMANDS, job_id, RetryFailed(job_id=job_id))


def _refuse_unless_retriable(job_id: JobId, desired: Desired, deps: Deps) -> None:
    snapshot = deps.views.views([job_id], deps.now()).get(job_id)
    if snapshot is None or snapshot.job.expires_at - deps.now() < FORGOTTEN_SOON:
        raise NoSuchJob
    if desired.state == "cancel":
        raise NothingToRetry("It is being cancelled. It can be tried again when it has stopped.")
    if desired.run >= MOST_RUNS:
        raise NothingToRetry("This migration was tried again too often. Start a new one.")
    job = snapshot.job
    if job.state is JobState.COMPLETED:
        raise NothingToRetry("Nothing has failed: there is nothing to try again.")
    if desired.state != "over" and not job.items_failed:
        raise NothingToRetry("It is still going on, and nothing has failed so far.")


def _held(job_id: JobId, deps: Deps) -> JobSecrets | None:
    try:
        return deps.vault.open(job_id)
    except SecretsDestroyed:
        return None


def _same(side: Side, account: Account | None, digest: AccountDigest, deps: Deps) -> Account:
    if account is None:
        raise InvalidForm(side, "Give this account again: its credentials are no longer held.")
    if account_digest(deps.account_key, account) != digest:
        raise InvalidForm(side, "This is another account. Give the one this migration began with.")
    return account
