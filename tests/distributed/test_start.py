"""A service with a wrong setting says so in one line and ends; one whose stores are away waits for them."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from cryptography.fernet import Fernet

from libs.contracts.topics import COMMANDS
from tests.acceptance.instance import wait_for
from tests.distributed.cluster import Service
from tests.servers.clickhouse import ClickHouse
from tests.servers.kafka import Kafka

KEYS = {"MASTER_KEYS": Fernet.generate_key().decode(), "ACCOUNT_KEY": "the secret of the accounts"}
NOWHERE = "http://mailtide:hunter2-hunter2@127.0.0.1:1/default"


def said(directory: Path, *command: str, **settings: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILTIDE_")}
    given = {"DATA_DIR": str(directory / "data"), "LISTEN": "127.0.0.1:0", **settings}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", *command],
        env=environment | {f"MAILTIDE_{name}": value for name, value in given.items()},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize("service", ["api", "scanner", "copier", "aggregator"])
def test_a_service_of_its_own_needs_kafka(tmp_path: Path, service: str) -> None:
    told = "mailtide: MAILTIDE_LOG_URL: must start with kafka for a service of its own"
    assert said(tmp_path, service) == (2, told)


def test_a_service_of_its_own_needs_a_clickhouse_server(kafka: Kafka, tmp_path: Path) -> None:
    told = "mailtide: MAILTIDE_CLICKHOUSE_URL: must start with http for a service of its own"
    assert said(tmp_path, "copier", LOG_URL=kafka.url, **KEYS) == (2, told)


def test_a_clickhouse_that_refuses_is_said(kafka: Kafka, tmp_path: Path) -> None:
    kafka.empty()
    with ClickHouse() as clickhouse:
        wrong = clickhouse.url.replace(clickhouse.password, "hunter2-hunter2")
        told = "mailtide: MAILTIDE_CLICKHOUSE_URL: it refuses this user and password"
        assert said(tmp_path, "copier", LOG_URL=kafka.url, CLICKHOUSE_URL=wrong, **KEYS) == (1, told)
        assert said(tmp_path, "admin", "rotate", LOG_URL=kafka.url, CLICKHOUSE_URL=wrong, **KEYS) == (2, told)
    status, told = said(tmp_path, "admin", "rotate", LOG_URL=kafka.url, CLICKHOUSE_URL=NOWHERE, **KEYS)
    assert (status, told.count("\n")) == (2, 0)
    assert told.startswith("mailtide: MAILTIDE_CLICKHOUSE_URL: it does not answer")


@pytest.mark.timeout(120)
def test_a_service_waits_for_its_stores_alive_and_not_ready(kafka: Kafka, tmp_path: Path) -> None:
    """First no broker is there, then no topics, then no ClickHouse; then it works."""
    clickhouse = ClickHouse()
    service = Service(
        "aggregator", "patient", tmp_path, {"LOG_URL": kafka.url, "CLICKHOUSE_URL": clickhouse.url, **KEYS}
    )

    def not_ready(check: str, reason: str) -> bool:
        line = f'"check": "{check}", "error": "{reason}", "event": "process.start_delayed"'
        with contextlib.suppress(httpx2.TransportError):
            checks = httpx2.get(f"{service.url}/readyz", timeout=6).json()["checks"]
            wanted = {"log": check != "log", "clickhouse": False}
            return checks == wanted and line in service.output.read_text() and service.is_alive()
        return False

    kafka.empty()
    kafka.stop()
    service.begin()
    try:
        wait_for(lambda: not_ready("log", "KafkaTimeoutError"), 30, "it waits for the broker")
        assert httpx2.get(f"{service.url}/api/jobs").status_code == 503
        kafka.start()
        admin = kafka.admin()
        admin.delete_topics([COMMANDS.name])
        admin.close()
        wait_for(lambda: not_ready("log", "TopicsMissing"), 30, "it waits for the topics")
        kafka.empty()
        wait_for(lambda: not_ready("clickhouse", "ReadModelUnavailable"), 30, "it waits for ClickHouse")
        with clickhouse:
            wait_for(service.is_ready, 40, "it is ready")
            service.stop()
    finally:
        service.kill()
    assert "Traceback" not in service.output.read_text()


def test_a_service_that_waits_can_be_stopped(tmp_path: Path) -> None:
    service = Service("api", "stopped", tmp_path, {"LOG_URL": "kafka://127.0.0.1:1", "CLICKHOUSE_URL": NOWHERE, **KEYS})
    service.begin()
    wait_for(service.is_alive, 30, "it is alive")
    service.stop()
    assert "hunter2" not in service.output.read_text()


def test_a_broker_that_refuses_is_said_by_the_setting_that_is_wrong(kafka: Kafka, tmp_path: Path) -> None:
    access = kafka.access("mailtide-services")
    settings = {"LOG_URL": kafka.tls_url, "LOG_USERNAME": access.username or "", "CLICKHOUSE_URL": NOWHERE, **KEYS}
    told = "mailtide: MAILTIDE_LOG_PASSWORD: the broker refuses this name and password"
    trusted = {"LOG_CA_FILE": str(access.ca_file), "LOG_PASSWORD": "hunter2-hunter2"}
    assert said(tmp_path, "copier", **settings, **trusted) == (1, told)
    assert said(tmp_path, "admin", "topics", **settings, **trusted) == (2, told)
    status, told = said(tmp_path, "api", **settings, LOG_PASSWORD=kafka.password)
    assert (status, told.partition(" a ")[0]) == (1, "mailtide: MAILTIDE_LOG_CA_FILE:")


def test_topics_are_made_and_checked_by_a_command(kafka: Kafka, tmp_path: Path) -> None:
    kafka.empty()
    assert said(tmp_path, "admin", "topics", "--replicas", "1", LOG_URL=kafka.url, **KEYS)[0] == 0
    assert said(tmp_path, "admin", "topics", "--replicas", "1", LOG_URL=kafka.url, RETENTION_DAYS="8", **KEYS)[0] == 1
    status, told = said(tmp_path, "admin", "topics")
    assert (status, told.count("\n")) == (2, 0)
