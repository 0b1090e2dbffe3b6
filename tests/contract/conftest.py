"""What contract tests of the read model share: one store per adapter, jobs of their own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.readmodel.database import Database
from libs.readmodel.model import ReadModel, connect
from tests.contract.jobs import Log
from tests.servers.clickhouse import ClickHouse


@pytest.fixture(scope="session")
def chdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """chDB takes one path per process, so this one is for the whole run."""
    return tmp_path_factory.mktemp("clickhouse")


@pytest.fixture(scope="session")
def front() -> Iterator[ClickHouse]:
    with ClickHouse() as server:
        yield server


@pytest.fixture(scope="session")
def adapter(request: pytest.FixtureRequest) -> str:
    """`http`: the driver's other half, against ClickHouse's interface in front of chDB. `make test` runs both."""
    return request.config.getoption("clickhouse")


@pytest.fixture(scope="session")
def clickhouse_url(adapter: str, request: pytest.FixtureRequest) -> str:
    return f"chdb://{request.getfixturevalue('chdb')}" if adapter == "chdb" else request.getfixturevalue("front").url


@pytest.fixture(scope="session")
def clickhouse_files(adapter: str, request: pytest.FixtureRequest) -> Path:
    """Where it keeps what it was given."""
    return (
        request.getfixturevalue("chdb") if adapter == "chdb" else request.getfixturevalue("front").directory / "store"
    )


@pytest.fixture(scope="session")
def store(clickhouse_url: str) -> Iterator[ReadModel]:
    store = connect(clickhouse_url, retention_days=7)
    yield store
    store.close()


@pytest.fixture(scope="session")
def database(store: ReadModel, clickhouse_url: str) -> Iterator[Database]:
    """A second way into the same tables, to see what is in them."""
    database = Database(clickhouse_url)
    yield database
    database.close()


@pytest.fixture
def log() -> Log:
    return Log()
