"""The vault in ClickHouse: only sealed text ever reaches it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from libs.contracts.ids import JobId
from libs.contracts.jobs import MOST_RUNS, JobSecrets
from libs.vault.port import SecretsDestroyed
from libs.vault.seal import Seal


class SealedTable(Protocol):
    """What the read model keeps for the vault."""

    def keep_sealed(self, job_id: JobId, sealed: str, now: datetime, *, run: int) -> None: ...
    def sealed(self, job_id: JobId) -> str | None: ...
    def erase_sealed(self, job_id: JobId, *, run: int) -> None: ...


def _now() -> datetime:
    return datetime.now(UTC)


class ClickHouseVault:
    """The port `Vault`."""

    def __init__(self, table: SealedTable, keys: Sequence[str], clock: Callable[[], datetime] = _now) -> None:
        """`keys`: Fernet keys, newest first.

        Raises:
            ValueError: none, or one that is not a Fernet key.
        """
        self._table = table
        self._seal = Seal(keys, JobSecrets)
        self._clock = clock

    def store(self, job_id: JobId, secrets: JobSecrets, *, run: int = 1) -> None:
        self._table.keep_sealed(job_id, self._seal.seal(job_id, secrets), self._clock(), run=run)

    def open(self, job_id: JobId) -> JobSecrets:
        """
        Raises:
            SecretsDestroyed: nothing is held for this job.
            SealBroken: the keys are not those it was sealed with.
        """
        sealed = self._table.sealed(job_id)
        if sealed is None:
            raise SecretsDestroyed(job_id)
        return self._seal.open(job_id, sealed)

    def destroy(self, job_id: JobId, *, run: int = MOST_RUNS) -> None:
        self._table.erase_sealed(job_id, run=run)
