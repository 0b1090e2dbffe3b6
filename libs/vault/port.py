"""Where credentials are while a job runs, and from where they are destroyed when it ends."""

from typing import Protocol

from libs.contracts.ids import JobId
from libs.contracts.jobs import JobSecrets


class SecretsDestroyed(Exception):
    """Nothing is held for this job (any more)."""


class Vault(Protocol):
    """Blocking and thread-safe; may raise `ReadModelUnavailable`."""

    def store(self, job_id: JobId, secrets: JobSecrets) -> None: ...
    def open(self, job_id: JobId) -> JobSecrets:
        """
        Raises:
            SecretsDestroyed: nothing is held for this job.
        """
        ...

    def destroy(self, job_id: JobId) -> None:
        """No bytes of the secrets, sealed or clear, are left in any file 10 s after the return. Repeats are fine."""
        ...
