"""What contract tests of the read model share: one store per adapter, jobs of their own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.readmodel.database import Database
from libs.readmodel.model import ReadModel, connect
from tests.contract.jobs import Log

ADAPTERS = ["chdb"]


@pytest.fixture(scope="session")
def chdb_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """chDB takes one path per process, so this one is for the whole run."""
    return tmp_path_factory.mktemp("clickhouse")


@pytest.fixture(scope="session", params=ADAPTERS)
def store(request: pytest.FixtureRequest, chdb_path: Path) -> Iterator[ReadModel]:
    store = connect(f"chdb://{chdb_path}", retention_days=7)
    yield store
    store.close()


@pytest.fixture(scope="session")
def database(store: ReadModel, chdb_path: Path) -> Iterator[Database]:
    """A second way into the same tables, to see what is in them."""
    database = Database(f"chdb://{chdb_path}")
    yield database
    database.close()


@pytest.fixture
def log() -> Log:
    return Log()
