"""What tests of several tiers share."""

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka
from tests.servers.server import MailServer

settings.register_profile("mailtide", deadline=None)  # a busy machine is no failure
settings.load_profile("mailtide")

INSTALL = Path(__file__).parent / "servers" / "install.sh"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clickhouse", choices=["chdb", "http"], default="chdb", help="the read model of contract tests")


def require(server: type[MailServer]) -> None:
    """Installs a server where it is missing and can be had; else the test is skipped, or fails in CI."""
    if os.access(server.binary(), os.X_OK):
        return
    installed = subprocess.run([INSTALL], capture_output=True, text=True, check=False, timeout=250)
    if not os.access(server.binary(), os.X_OK):
        missing(f"{server.name} can't be had here: {installed.stderr[-300:]}")


def missing(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """One broker for the whole run."""
    if not Kafka.installed():
        subprocess.run([INSTALL], capture_output=True, check=False, timeout=250)
    if not Kafka.installed():
        missing("Kafka can't be had here: it needs Java and Maven")
    with Kafka() as broker:
        yield broker


@pytest.fixture(scope="session")
def dovecot_installed() -> None:
    require(Dovecot)


@pytest.fixture(scope="session")
def dovecot(dovecot_installed: None) -> Iterator[Dovecot]:
    """One server for the whole run: take a user name of your own in each test."""
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def cyrus() -> Iterator[Cyrus]:
    """Folders lie beside INBOX, with "/" between levels."""
    require(Cyrus)
    with Cyrus() as server:
        yield server


@pytest.fixture(scope="session")
def courier() -> Iterator[Courier]:
    """Folders lie below INBOX, with "." between levels."""
    require(Courier)
    with Courier() as server:
        yield server


def pytest_unconfigure() -> None:
    """pytest's summary is the last line: what the interpreter tears down after it is not logged."""
    logging.disable(logging.CRITICAL)
