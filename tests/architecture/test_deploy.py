"""What the image and compose name is there: nothing of it can be built here, so it is compared with the tree."""

import fnmatch
import re

import pytest
import yaml

from libs.runtime.settings import PREFIX, SECRETS, Settings
from tests.architecture.tree import ROOT

SERVICES = ("api", "scanner", "copier", "aggregator")
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields} | {
    f"{PREFIX}{name.upper()}_FILE" for name in SECRETS
}


def copied() -> list[str]:
    """What is copied from the tree, each with the name of a service."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [path.replace("${SERVICE}", service) for line in lines for path in line.split() for service in SERVICES]


def test_what_the_image_copies_is_there_and_is_sent_to_the_builder() -> None:
    rules = (ROOT / "deploy/Dockerfile.dockerignore").read_text().split()
    sent = {rule[1:] for rule in rules if rule.startswith("!")}
    left_out = [rule.removeprefix("**/") for rule in rules if rule[0] not in "!*" or rule.startswith("**/")]

    assert copied()
    for path in copied():
        assert (ROOT / path).exists(), path
        assert path.split("/")[0] in sent, path
        assert not any(fnmatch.fnmatch(path, rule) or path.startswith(f"{rule}/") for rule in left_out), path


def test_each_stage_that_is_named_is_there() -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE)
    named = re.findall(r"--from=(\w+)", DOCKERFILE) + re.findall(r"^FROM (\w+) AS", DOCKERFILE, re.MULTILINE)

    assert set(SERVICES) <= set(stages)
    assert set(named) <= set(stages)
    assert set(re.findall(r"^FROM ([\w.-]+:[\w.-]+)", DOCKERFILE, re.MULTILINE)) == {"python:3.11-slim", "node:20-slim"}


def test_everything_in_the_image_is_installed_by_hash_and_nothing_runs_as_root() -> None:
    installing = [line for line in DOCKERFILE.splitlines() if re.search(r"(pip|uv pip) (install|sync)", line)]

    assert installing
    assert all("--require-hashes" in line for line in installing)
    assert "npm ci" in DOCKERFILE
    assert DOCKERFILE.index("USER 10001:10001") < DOCKERFILE.index("AS scanner")


def test_the_secrets_of_compose_are_not_in_the_tree() -> None:
    assert "/deploy/.env" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", [*SERVICES, "topics"])
def test_a_service_of_compose_has_settings_that_exist_an_image_and_few_rights(name: str) -> None:
    service = COMPOSE["services"][name]
    given = {variable for variable in service["environment"] if variable.startswith(PREFIX)}

    assert given
    assert given <= SETTINGS
    assert service["environment"]["MAILTIDE_LISTEN"].endswith(":8025")
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    built = service["build"]
    assert service["image"].startswith(f"mailtide-{built['args']['SERVICE']}:")
    assert (ROOT / "deploy" / built["context"] / built["dockerfile"]).samefile(ROOT / "deploy/Dockerfile")
    assert built["args"]["SERVICE"] in SERVICES
    assert service["healthcheck"].get("disable") or "/readyz" in service["healthcheck"]["test"][-1]


def test_compose_starts_in_order_and_keeps_what_must_be_kept() -> None:
    services = COMPOSE["services"]

    for name in SERVICES:
        assert services[name]["command"] == [name]
        assert services[name]["depends_on"]["topics"] == {"condition": "service_completed_successfully"}
    assert services["topics"]["restart"].startswith("on-failure:")  # it ends for good, yet not at the first try
    for name in ("kafka", "clickhouse"):
        assert services[name]["healthcheck"]["test"]
        assert services[name]["volumes"][0].split(":")[0] in COMPOSE["volumes"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
