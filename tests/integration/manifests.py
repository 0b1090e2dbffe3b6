"""The manifests of an overlay as `kustomize build` makes them, by the real kustomize, built from its Go module."""

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT

TOOLS = ROOT / "build" / "tools"
MODULE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"
KUSTOMIZE = TOOLS / "kustomize-v5.8.1"
STRIMZI = ROOT / "tests" / "integration" / "strimzi"
OURS = {f"mailtide-{name}" for name in ("api", "scanner", "copier", "aggregator", "topics")}
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pod:
    owner: Manifest
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        return self.owner["metadata"]["name"]


@functools.cache
def overlay(name: str) -> list[Manifest]:
    _require(KUSTOMIZE, ["go", "install", MODULE], GOBIN=str(_made(KUSTOMIZE)))
    rendered = subprocess.run(
        [KUSTOMIZE / "kustomize", "build", ROOT / "deploy/k8s/overlays" / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rendered.returncode == 0, rendered.stderr
    assert "deprecated" not in rendered.stderr, rendered.stderr
    return list(yaml.safe_load_all(rendered.stdout))


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] in kinds]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    [found] = [one for one in of_kind(manifests, kind) if one["metadata"]["name"] == name]
    return found


def pods(manifests: list[Manifest]) -> Iterator[Pod]:
    for owner in of_kind(manifests, "Deployment", "StatefulSet", "Job"):
        template = owner["spec"]["template"]
        yield Pod(owner, template["metadata"]["labels"], template["spec"])


def ours(manifests: list[Manifest]) -> list[Pod]:
    return [pod for pod in pods(manifests) if pod.name in OURS]


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """A label selector as Kubernetes reads it, with the operators used here."""
    exact = all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())
    return exact and all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", ()))


def environment(pod: Pod, manifests: list[Manifest]) -> dict[str, str]:
    """The variables of our container; those that come from elsewhere by the name of the pod."""
    [container] = pod.spec["containers"]
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= named(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {one["name"]: one.get("value", f"{pod.name}-0") for one in container.get("env", ())}


def unknown_to_strimzi(manifests: list[Manifest]) -> list[str]:
    """Fields and values that the classes, which its operator reads its resources with, do not know."""
    classes = TOOLS / "strimzi"
    fetch = ["mvn", "-q", "-f", STRIMZI / "pom.xml", "dependency:copy-dependencies"]
    _require(classes, [*fetch, f"-DoutputDirectory={_made(classes)}"])
    command = ["java", "-cp", f"{classes}/*", STRIMZI / "Strange.java"]
    done = subprocess.run(command, input=yaml.safe_dump_all(manifests), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _require(folder: Path, command: list[str | Path], **environment: str) -> None:
    """Let the command fill the folder, by way of the one beside it that it was told; else skip, or fail in CI."""
    if folder.exists():
        return
    _made(folder).mkdir(parents=True, exist_ok=True)
    found = shutil.which(command[0])
    done = found and subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if not done or done.returncode:
        said = done.stdout[-500:] + done.stderr[-500:] if done else f"there is no {command[0]}"
        reason = f"{folder.name} can't be had: {said}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    _made(folder).rename(folder)


def _made(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{os.getpid()}")


def text(path: str) -> str:
    return Path(ROOT / path).read_text()
