"""The read model as its users get it."""

from libs.readmodel.database import Database
from libs.readmodel.migrate import migrate
from libs.readmodel.sealed import Sealed
from libs.readmodel.upkeep import Upkeep


class ReadModel(Sealed, Upkeep):
    """ClickHouse behind one object: `Store` for the workers, `Watching` for the api, `Upkeep` for the aggregator,
    `Sealed` for the vault. Blocking and thread-safe; every method may raise `ReadModelUnavailable`."""


def connect(url: str, retention_days: int) -> ReadModel:
    """Open `chdb:///path` or `http(s)://user:password@host:port/database` and bring its schema up to date.

    chDB: one path per process, one process per path.

    Raises:
        DatabaseUrlInvalid: not such a URL.
        ReadModelUnavailable: it does not answer.
    """
    database = Database(url)
    migrate(database, retention_days)
    return ReadModel(database, retention_days)
