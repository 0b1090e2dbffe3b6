"""deploy/compose.yaml is read by the library that Docker Compose reads it with; there is no Docker here to run it."""

import json
import re
from pathlib import Path

import pytest

from tests.architecture.test_deploy import SERVICES
from tests.architecture.tree import ROOT
from tests.integration.manifests import composed

FILE = ROOT / "deploy" / "compose.yaml"
AS_IT_IS = "-no-interpolation"  # this reader has no variables

pytestmark = pytest.mark.timeout(600)  # the first one builds it


def test_compose_reads_every_service_in_its_order() -> None:
    status, model = composed(FILE, AS_IT_IS)
    assert status == 0, model
    services = json.loads(model)["services"]

    assert set(services) == {*SERVICES, "topics", "kafka", "clickhouse", "mail"}
    for name in SERVICES:
        assert {of: one["condition"] for of, one in services[name]["depends_on"].items()} == {
            "clickhouse": "service_healthy",
            "topics": "service_completed_successfully",
        }


def test_compose_does_not_start_without_a_secret(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE.read_text())
    status, told = composed(tmp_path / "compose.yaml")

    assert status != 0
    missing = set(re.findall(r"required variable (\w+) is missing", told))
    assert missing == {"MASTER_KEYS", "ACCOUNT_KEY", "CLICKHOUSE_PASSWORD"}


def test_compose_finds_a_field_that_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE.read_text().replace("cap_drop:", "cap_dropped:"))
    status, told = composed(tmp_path / "compose.yaml", AS_IT_IS)

    assert status != 0
    assert "cap_dropped" in told
