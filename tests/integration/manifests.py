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
from jsonschema import Draft7Validator

from tests.architecture.tree import ROOT

TOOLS = ROOT / "build" / "tools"
MODULE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"
KUSTOMIZE = TOOLS / "kustomize-v5.8.1"
KEDA_MODULE = "github.com/kedacore/keda/v2@v2.21.0"
KEDA = TOOLS / "keda-v2.21.0"
COMPOSE_MODULE = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
COMPOSE = TOOLS / "compose-v2.16.2"
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


def unknown_to_keda(manifests: list[Manifest]) -> list[str]:
    """What KEDA's own definitions, which its Go module holds, do not know."""
    _require(KEDA, ["go", "mod", "download", "-modcacherw", KEDA_MODULE], GOMODCACHE=str(_made(KEDA)))
    kinds = dict[str, Any]()
    for file in (KEDA / KEDA_MODULE / "config/crd/bases").glob("keda.sh_*.yaml"):
        definition = yaml.safe_load(file.read_text())["spec"]
        kinds[definition["names"]["kind"]] = _closed(definition["versions"][0]["schema"]["openAPIV3Schema"])
    return sorted(
        f"{one['kind']}/{one['metadata']['name']}.{'.'.join(str(step) for step in error.path)}: {error.message}"
        for one in manifests
        for error in Draft7Validator(kinds[one["kind"]]).iter_errors(one)  # pyright: ignore[reportUnknownMemberType]
    )


def _closed(schema: Any) -> Any:
    """No field but those that are named."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    fixed = isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields")
    return closed | ({"additionalProperties": False} if fixed and "additionalProperties" not in schema else {})


def composed(file: Path, *options: str) -> tuple[int, str]:
    """What Docker Compose's own reader makes of a file: its status, and the model as JSON or what it says."""
    _require(COMPOSE, ["go", "install", COMPOSE_MODULE], GOBIN=str(_made(COMPOSE)))
    command = [COMPOSE / "cmd", *options, "-format", "json", file]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr if done.returncode else done.stdout


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
