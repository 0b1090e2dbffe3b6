"""Whom to tell of a job's end: sealed apart from the credentials, which go an hour earlier at most."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from libs.contracts.ids import JobId
from libs.contracts.jobs import Recipient
from libs.vault.seal import Seal


class SealedRecipients(Protocol):
    """What the read model keeps."""

    def keep_notification(self, job_id: JobId, sealed: str, now: datetime) -> None: ...
    def notification(self, job_id: JobId) -> str | None: ...
    def erase_notification(self, job_id: JobId) -> None: ...


def _now() -> datetime:
    return datetime.now(UTC)


class Recipients:
    """Blocking and thread-safe; may raise `ReadModelUnavailable`."""

    def __init__(self, table: SealedRecipients, keys: Sequence[str], clock: Callable[[], datetime] = _now) -> None:
        """`keys`: Fernet keys, newest first."""
        self._table = table
        self._seal = Seal(keys, Recipient)
        self._clock = clock

    def store(self, job_id: JobId, recipient: Recipient) -> None:
        self._table.keep_notification(job_id, self._seal.seal(job_id, recipient), self._clock())

    def open(self, job_id: JobId) -> Recipient | None:
        """None: nobody is to be told (any more).

        Raises:
            SealBroken: the keys are not those it was sealed with.
        """
        sealed = self._table.notification(job_id)
        return None if sealed is None else self._seal.open(job_id, sealed)

    def destroy(self, job_id: JobId) -> None:
        """No bytes of it, sealed or clear, are left in any file 10 s after the return. Repeats are fine."""
        self._table.erase_notification(job_id)
