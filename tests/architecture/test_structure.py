"""What DESIGN fixes about the tree, the imports and what the files may name."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import GENERATED, ROOT, files

TOP_LEVEL = {
    "Makefile", "README.md", "deploy", "docs", "libs", "pyproject.toml", "requirements", "services", "tests",
}  # fmt: skip
SERVICES = {"api", "scanner", "copier", "aggregator"}
HOMELESS = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py", "shared.py"}
# Put together here, so that this file names none itself.
REGISTRIES = [".".join(parts) for parts in (
    ("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"), ("npmmirror", "com"), ("registry", "yarnpkg"),
    ("proxy", "golang"), ("crates", "io"), ("repo1", "maven"),
)]  # fmt: skip


def test_the_import_rules_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_has_a_home() -> None:
    assert [path for path in files() if path.name in HOMELESS] == []


def test_the_top_level_is_the_one_of_the_design() -> None:
    # Hidden entries are tools' caches; a version control directory is no part of the tree.
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - GENERATED
    services = {path.name for path in (ROOT / "services").iterdir() if path.is_dir()}

    assert found <= TOP_LEVEL
    assert (ROOT / ".ci" / "run").is_file()
    assert services >= SERVICES


def test_no_file_names_a_package_registry() -> None:
    naming = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in files()
        for host in REGISTRIES
        if host.encode() in path.read_bytes()
    ]

    assert naming == []


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_a_lock_file_pins_every_package_by_hash_and_carries_no_address(lock: Path) -> None:
    text = lock.read_text()
    pins = re.findall(r"^(\S+)((?:.*\\\n)+.*)$", text, re.MULTILINE)

    assert pins
    assert all("==" in name and "--hash=sha256:" in rest for name, rest in pins)
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_the_dashboard_lock_carries_no_address() -> None:
    locks = [path for path in files() if path.name == "package-lock.json"]

    assert [lock for lock in locks if '"resolved"' in lock.read_text()] == []


def test_the_locks_agree_on_every_version() -> None:
    versions: dict[str, set[str]] = {}
    for lock in (ROOT / "requirements").glob("*.txt"):
        for pin in re.findall(r"^(\S+==\S+(?: ; .*?)?) \\$", lock.read_text(), re.MULTILINE):
            name, _, rest = pin.partition("==")
            versions.setdefault(name + rest.partition(" ;")[2], set()).add(rest.partition(" ;")[0])

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", ["README.md", "docs/architecture.md", "docs/operations.md"])
def test_a_document_names_only_make_targets_and_files_that_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|[`\s])make ([a-z]+)(?=[`\s])", text, re.MULTILINE))
    paths = re.findall(r"`((?:libs|services|tests|docs|deploy|requirements)/[\w./-]*)`", text)

    assert named <= targets
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony

    assert [name for name in phony[1].split() if not re.search(rf"^{name}:.*## ", makefile, re.MULTILINE)] == []
