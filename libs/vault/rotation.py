"""Everything that is held, sealed anew with the newest key: after that the older ones can be dropped."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Literal, NamedTuple, Protocol

from libs.contracts.ids import JobId
from libs.contracts.jobs import JobSecrets, Recipient
from libs.vault.seal import Seal, SealBroken

Table = Literal["vault", "notifications"]


class SealedTables(Protocol):
    """What the read model keeps, of credentials and of whom to tell."""

    def held(self, table: Table) -> list[JobId]: ...
    def reseal(self, table: Table, job_id: JobId, renew: Callable[[str], str], now: datetime) -> bool: ...
    def purge_sealed(self, table: Table) -> None: ...


class Rotated(NamedTuple):
    renewed: int
    broken: int  # open with none of the keys


def rotate(tables: SealedTables, keys: Sequence[str]) -> dict[Table, Rotated]:
    """`keys`: Fernet keys, newest first. Services may go on: what they store meanwhile stays.

    What a job that ends meanwhile leaves behind, the aggregator's sweep destroys; somebody who is told of it at that
    moment may be told twice.
    """
    seals: dict[Table, Seal[JobSecrets] | Seal[Recipient]] = {
        "vault": Seal(keys, JobSecrets),
        "notifications": Seal(keys, Recipient),
    }
    return {table: _rotate(tables, table, seal) for table, seal in seals.items()}


def _rotate(tables: SealedTables, table: Table, seal: Seal[JobSecrets] | Seal[Recipient]) -> Rotated:
    renewed = broken = 0
    for job_id in tables.held(table):
        try:
            renewed += tables.reseal(table, job_id, partial(seal.renew, job_id), datetime.now(UTC))
        except SealBroken:
            broken += 1
    tables.purge_sealed(table)
    return Rotated(renewed, broken)
