"""A job is tried again: the same job, the same plans, a new run."""

from dataclasses import replace
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from libs.contracts import topics
from libs.contracts.accounts import Account, Side, account_digest
from libs.contracts.commands import RetryFailed
from libs.contracts.ids import AccountDigest, JobId
from libs.contracts.jobs import MOST_RUNS, JobSecrets, JobState, Language, MailAddress, Recipient
from libs.readmodel.rows import Desired, DesiredRow
from libs.vault.port import SecretsDestroyed
from services.api.deps import Deps
from services.api.errors import InvalidForm, NoSuchJob, NothingToRetry
from services.api.problems import FieldCode, ProblemCode
from services.api.requests import changing, recipient_of

FORGOTTEN_SOON = timedelta(minutes=1)  # what it knows might go while it is made to stay


class RetryForm(BaseModel):
    """The accounts the job began with. Needed once it has ended: its credentials are destroyed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Account | None = None
    destination: Account | None = None
    notify_email: MailAddress | None = Field(default=None, repr=False)  # the one given before is erased after the end
    notify_language: Language = "en"


def retry(job_id: JobId, form: RetryForm, deps: Deps, key: str | None, base_url: str) -> None:
    """What failed or was not done is tried again; what was delivered never is.

    Raises:
        InvalidForm: an account is missing, or is another one than the job began with; or nobody can be mailed.
        NothingToRetry: it can't be tried again, or not now; it says why.
        NoSuchJob
        LogUnavailable: it is tried again nevertheless, if not at once.
    """
    recipient = _recipient(form, deps, key, base_url)
    with changing:
        request, desired = deps.store.request(job_id), deps.store.desired(job_id)
        if request is None:
            raise NoSuchJob
        if request.kind == "external":
            raise NothingToRetry(ProblemCode.JOB_OF_AN_AGENT)
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
        if recipient is not None and deps.recipients is not None:
            deps.recipients.store(job_id, recipient)  # after the new run is there: the old one has ended
    deps.log.append(topics.COMMANDS, job_id, RetryFailed(job_id=job_id))


def _recipient(form: RetryForm, deps: Deps, key: str | None, base_url: str) -> Recipient | None:
    """Whom to tell of the end of the new run, with the address of the page that the owner has."""
    if form.notify_email is None:
        return None
    if deps.recipients is None:
        raise InvalidForm("notify_email", FieldCode.CANNOT_MAIL)
    if key is None:
        raise InvalidForm("notify_email", FieldCode.ONLY_OWNERS_MAILED)
    return recipient_of(form.notify_email, form.notify_language, key, base_url)


def _refuse_unless_retriable(job_id: JobId, desired: Desired, deps: Deps) -> None:
    snapshot = deps.views.views([job_id], deps.now()).get(job_id)
    if snapshot is None or snapshot.job.expires_at - deps.now() < FORGOTTEN_SOON:
        raise NoSuchJob
    if desired.state == "cancel":
        raise NothingToRetry(ProblemCode.BEING_CANCELLED)
    if desired.run >= MOST_RUNS:
        raise NothingToRetry(ProblemCode.TRIED_TOO_OFTEN)
    job = snapshot.job
    if job.state is JobState.COMPLETED:
        raise NothingToRetry(ProblemCode.NOTHING_FAILED)
    if desired.state != "over" and not job.items_failed:
        raise NothingToRetry(ProblemCode.NOTHING_FAILED_YET)


def _held(job_id: JobId, deps: Deps) -> JobSecrets | None:
    try:
        return deps.vault.open(job_id)
    except SecretsDestroyed:
        return None


def _same(side: Side, account: Account | None, digest: AccountDigest, deps: Deps) -> Account:
    if account is None:
        raise InvalidForm(side, FieldCode.ACCOUNT_NEEDED)
    if account_digest(deps.account_key, account) != digest:
        raise InvalidForm(side, FieldCode.OTHER_ACCOUNT)
    return account
