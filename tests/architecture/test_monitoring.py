"""The dashboard and the alerts use what the code exports, and the code exports what it counts."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from libs.runtime import metrics
from tests.architecture.tree import ROOT, files

MONITORING = ROOT / "deploy/monitoring"
EXPORTED = {name: one for name, one in vars(metrics).items() if isinstance(one, Counter | Gauge | Histogram)}
UNITS = ("_seconds", "_bytes", "_total", "_events", "_jobs", "_items", "_streams", "_open", "_held")
# A label with any other name must be looked at: does it hold an id, a host, a user, a folder?
CLASSES = {
    "side",
    "reason",
    "result",
    "state",
    "service",
    "topic",
    "table",
    "outcome",
    "kind",
    "route",
    "method",
    "status",
}
PROMETHEUS = {"le", "job", "instance"}
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total", "up"}


def series() -> dict[str, set[str]]:
    """Every series by its name, with its labels."""
    found: dict[str, set[str]] = {}
    for one in EXPORTED.values():
        [family] = one.describe()
        labels = set(one._labelnames)
        match one:
            case Counter():
                found[f"{family.name}_total"] = labels
            case Histogram():
                found |= {f"{family.name}_{part}": labels for part in ("bucket", "sum", "count")}
            case _:
                found[family.name] = labels
    return found


def expressions() -> Iterator[str]:
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_a_metric_of_the_dashboard_or_an_alert_is_exported_with_its_labels(expression: str) -> None:
    exported = series()
    named = set(re.findall(r"\b(mailtide_\w+|process_\w+|up)\b", re.sub(r'"[^"]*"|\$\w+', "", expression)))
    labels = {label for text in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", text)}
    labels |= {label for text in re.findall(r"\{([^}]*)\}", expression) for label in re.findall(r"(\w+)\s*[=!]", text)}

    assert named
    assert named - PROCESS <= set(exported)
    assert labels <= PROMETHEUS.union(*(exported[name] for name in named - PROCESS))


def test_a_name_says_the_unit_and_no_label_says_who() -> None:
    assert [one._name for one in EXPORTED.values() if not one._name.startswith("mailtide_")] == []
    assert [name for name in series() if not re.sub("_(bucket|sum|count)$", "", name).endswith(UNITS)] == []
    assert {label for labels in series().values() for label in labels} <= CLASSES


def test_what_is_exported_is_counted_somewhere() -> None:
    code = "\n".join(path.read_text() for path in files() if path.suffix == ".py" and "tests" not in path.parts)

    assert [name for name in EXPORTED if f"metrics.{name}" not in code] == []


def test_an_alert_says_what_it_is_and_where_the_runbook_tells_what_to_do() -> None:
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"], rule["alert"]
            assert rule["annotations"]["runbook"] in anchors, rule["alert"]
            assert rule["labels"]["severity"] in ("page", "ticket")
