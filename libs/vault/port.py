"""Where credentials are while a job runs, and from where they are destroyed when it ends."""

from typing import Protocol

from libs.contracts.ids import JobId
from libs.contracts.jobs import MOST_RUNS, JobSecrets


class SecretsDestroyed(Exception):
    """Nothing is held for this job (any more)."""


class Vault(Protocol):
    """Blocking and thread-safe; may raise `ReadModelUnavailable`."""

    def store(self, job_id: JobId, secrets: JobSecrets, *, run: int = 1) -> None:
        """They replace those of an earlier run. Nothing is stored for a deleted job."""
        ...

    def open(self, job_id: JobId) -> JobSecrets:
        """
        Raises:
            SecretsDestroyed: nothing is held for this job.
        """
        ...

    def destroy(self, job_id: JobId, *, run: int = MOST_RUNS) -> None:
        """What was stored for this run and earlier ones: no bytes of it, sealed or clear, are left in any file
        10 s after the return. Repeats are fine; late ones leave what a later run was given."""
        ...
