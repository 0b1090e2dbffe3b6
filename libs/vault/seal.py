"""Sealing credentials for one job. Fernet: AES-128-CBC with HMAC-SHA256, the time of sealing in clear."""

import json
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from libs.contracts.ids import JobId
from libs.contracts.jobs import JobSecrets


class SealBroken(Exception):
    """Not sealed with any of the keys, or sealed for another job. The keys are wrong, or somebody moved it."""


class Seal:
    """Seals with the newest key, opens with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: Fernet keys, newest first.

        Raises:
            ValueError: none, or one that is not 32 bytes in URL-safe base64.
        """
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def seal(self, job_id: JobId, secrets: JobSecrets) -> str:
        clear = json.dumps({"job_id": job_id, "secrets": secrets.model_dump()}, default=_reveal)
        return self._keys.encrypt(clear.encode()).decode("ascii")

    def open(self, job_id: JobId, sealed: str) -> JobSecrets:
        """
        Raises:
            SealBroken: it does not open under this job.
        """
        try:
            content: dict[str, Any] = json.loads(self._keys.decrypt(sealed))
        except InvalidToken:
            raise SealBroken(job_id) from None
        if content["job_id"] != job_id:
            raise SealBroken(job_id)
        return JobSecrets.model_validate(content["secrets"])

    def renew(self, job_id: JobId, sealed: str) -> str:
        """The same content under the newest key.

        Raises:
            SealBroken: it was not sealed with any of the keys.
        """
        try:
            return self._keys.rotate(sealed).decode("ascii")
        except InvalidToken:
            raise SealBroken(job_id) from None


def _reveal(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError(type(value).__name__)
