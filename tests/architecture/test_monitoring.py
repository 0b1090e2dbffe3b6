"""The dashboard and the alerts use what the code exports, and the code exports what it counts."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from promql_parser import AggregateExpr, Expr, VectorSelector

from libs.runtime import metrics
from tests.architecture.test_deploy import SERVICES
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


def alerts() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]:
        yield from group["rules"]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in alerts())
    for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def parts(expression: str) -> list[Expr]:
    """Of a query in PromQL, the outermost first; it fails where Prometheus would take none."""
    found = list[Expr]()
    promql_parser.walk(promql_parser.parse(re.sub(r"\$\w+", "5m", expression)), found.append)
    return found


def selectors(expression: str) -> list[tuple[str, dict[str, str]]]:
    """Each series that is asked for: its name, and the labels that it is chosen by with their values."""
    return [
        (each.name or "", {label.name: label.value for label in each.matchers.matchers})
        for each in parts(expression)
        if isinstance(each, VectorSelector)
    ]


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_a_metric_of_the_dashboard_or_an_alert_is_exported_with_its_labels(expression: str) -> None:
    exported = series()
    named = {name for name, _ in selectors(expression)}
    labels = {label for _, chosen in selectors(expression) for label in chosen}
    for each in parts(expression):
        labels.update(each.modifier.labels if isinstance(each, AggregateExpr) and each.modifier else ())

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
    for rule in alerts():
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["runbook"] in anchors, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_a_service_that_has_no_process_at_all_is_missed() -> None:
    [missing] = [rule["expr"] for rule in alerts() if "absent" in rule["expr"]]

    assert selectors(missing) == [("up", {"job": f"mailtide-{service}"}) for service in SERVICES]
    assert missing.count("absent(") == len(SERVICES)


def test_the_runbook_tells_of_metrics_that_are_exported() -> None:
    runbook = (ROOT / "docs/operations.md").read_text()
    named = set(re.findall(r"\bmailtide_\w+", runbook))
    [table] = re.findall(r"^\| metric \|.*?\n\n", runbook, re.MULTILINE | re.DOTALL)
    histograms = {family.name for one in EXPORTED.values() if isinstance(one, Histogram) for family in one.describe()}

    assert len(re.findall(r"\bmailtide_\w+", table)) > 15
    assert named <= set(series()) | histograms
