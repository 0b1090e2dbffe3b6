"""Sealing secrets of one job. Fernet: AES-128-CBC with HMAC-SHA256, the time of sealing in clear."""

import json
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel, SecretStr

from libs.contracts.ids import JobId

M = TypeVar("M", bound=BaseModel)


class SealBroken(Exception):
    """Not sealed with any of the keys, or sealed for another job. The keys are wrong, or somebody moved it."""


class Seal(Generic[M]):
    """Seals with the newest key, opens with any of them."""

    def __init__(self, keys: Sequence[str], kind: type[M]) -> None:
        """`keys`: Fernet keys, newest first.

        Raises:
            ValueError: none, or one that is not 32 bytes in URL-safe base64.
        """
        self._kind = kind
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def seal(self, job_id: JobId, secrets: M) -> str:
        clear = json.dumps({"job_id": job_id, "secrets": secrets.model_dump()}, default=_reveal)
        return self._keys.encrypt(clear.encode()).decode("ascii")

    def open(self, job_id: JobId, sealed: str) -> M:
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
        return self._kind.model_validate(content["secrets"])

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
