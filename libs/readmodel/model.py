"""The read model as its users get it."""

from datetime import timedelta

from libs.readmodel.agents import Agents
from libs.readmodel.database import Database
from libs.readmodel.migrate import migrate
from libs.readmodel.notifications import Notifications
from libs.readmodel.projects import Projects
from libs.readmodel.sealed import Sealed
from libs.readmodel.upkeep import Upkeep
from libs.readmodel.watching import Watching


class ReadModel(Sealed, Upkeep, Projects, Notifications, Agents):
    """ClickHouse behind one object: the port `Store` for the workers, `Upkeep` for the aggregator, `Sealed` for the
    vault, `Projects` for the operator, `Notifications` for those who are told of an end, `Agents` for what external
    agents report; `watching` is what the api reads. Blocking and thread-safe; every method may raise
    `ReadModelUnavailable`.
    """

    def __init__(self, database: Database, retention_days: int) -> None:
        super().__init__(database, retention_days)
        self.watching = Watching(database, timedelta(days=retention_days))


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
