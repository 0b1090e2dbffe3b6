"""What unit tests share."""

from collections.abc import Iterator

import pytest
import structlog
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from libs.runtime import logs
from libs.runtime.health import Health
from services.api.app import create_app
from services.api.deps import Deps
from tests.api.fakes import NOW, FakeLog, FakeReadModel, FakeSession, FakeVault
from tests.mail.model import MailboxModel
from tests.unit.world import LATE_SECONDS, WORLD, World

# As in a service: structlog's own default writes the variables of every frame of a failure.
logs.configure()

OPERATOR = "operator-token-of-the-tests"


class Api:
    """The api in process, and what it is given."""

    def __init__(self) -> None:
        self.log = FakeLog()
        self.model = FakeReadModel()
        self.vault = FakeVault()
        self.session = FakeSession()
        self.ready = True
        self.deps = Deps(
            log=self.log,
            store=self.model,
            views=self.model,
            projects=self.model,
            agents=self.model,
            vault=self.vault,
            connect=lambda _account: self.session,
            account_key=b"account key of the tests",
            operator_token=OPERATOR,
            now=lambda: NOW,
        )
        self.app = create_app(self.deps, Health({"agents": lambda: self.ready}))

    @property
    def nothing_is_kept(self) -> bool:
        return not (self.log.messages or self.model.rows or self.vault.held)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def client(api: Api) -> Iterator[TestClient]:
    with TestClient(api.app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def make() -> Iterator[WORLD]:
    """Worlds whose threads end with the test, and in which nothing of ours broke."""
    made: list[World] = []

    def world(*, late: float = LATE_SECONDS, **destination: object) -> World:
        made.append(World(destination=MailboxModel(**destination), late=late))  # type: ignore[arg-type]
        return made[-1]

    with capture_logs() as logs:
        yield world
        for one in made:
            one.close()
    structlog.reset_defaults()
    assert [one for one in logs if one["log_level"] == "error"] == []
