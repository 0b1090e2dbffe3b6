"""The addresses of a job: given out to its owner again, or replaced."""

from dataclasses import replace

from pydantic import SecretStr

from libs.contracts.ids import JobId, key_hash, new_key, view_key
from libs.vault.seal import SealBroken
from services.api.deps import Deps
from services.api.errors import NoSuchJob
from services.api.requests import JobAccepted, changing


def links(job_id: JobId, key: str, deps: Deps, base_url: str) -> JobAccepted:
    """
    Raises:
        NoSuchJob: this is not the owner's key: the operator has none to give out.
    """
    request = deps.store.request(job_id)
    if request is None or key_hash(key) != request.key_hash:
        raise NoSuchJob
    return JobAccepted.by_key(job_id, key, base_url)


def rotate(job_id: JobId, deps: Deps, base_url: str) -> JobAccepted:
    """New keys; the old ones open nothing from now on."""
    with changing:
        request = deps.store.request(job_id)
        if request is None:
            raise NoSuchJob
        key = new_key()
        renewed = replace(request, key_hash=key_hash(key), view_key_hash=key_hash(view_key(key)))
        accepted = JobAccepted.by_key(job_id, key, base_url)
        _tell_of(accepted, deps)  # before: who gets no answer still has the old keys, and may ask again
        deps.store.write([renewed], now=deps.now())
    return accepted


def _tell_of(accepted: JobAccepted, deps: Deps) -> None:
    """The mail at the end, if one is to be sent, has the new address."""
    if deps.recipients is None:
        return
    try:
        recipient = deps.recipients.open(accepted.job_id)
    except SealBroken:
        return  # whoever is to send the mail can't open it either
    if recipient is not None:
        deps.recipients.store(accepted.job_id, recipient.model_copy(update={"url": SecretStr(accepted.url)}))
