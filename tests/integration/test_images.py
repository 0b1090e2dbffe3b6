"""What an image installs is enough for its service, and every service starts with nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_deploy import SERVICES
from tests.architecture.tree import ROOT

UV = Path(sys.executable).with_name("uv")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_with_the_packages_of_its_image_alone(service: str, tmp_path: Path) -> None:
    """As deploy/Dockerfile installs them; it loads all its code before it says what is wrong with its settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILTIDE_")}
    environment |= {"VIRTUAL_ENV": str(tmp_path / "venv"), "PYTHONDONTWRITEBYTECODE": "1"}
    lock = ROOT / "requirements" / f"{service}.txt"
    for command in (
        [UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"],
        [UV, "pip", "sync", "--quiet", "--require-hashes", "--only-binary", ":all:", lock],
    ):
        installed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert installed.returncode == 0, installed.stderr
    started = subprocess.run(
        [tmp_path / "venv/bin/python", "-m", "services.cli", service],
        cwd=ROOT,
        env=environment | {"MAILTIDE_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (started.returncode, started.stderr.splitlines()[0][:25]) == (2, "mailtide: MAILTIDE_LOG_UR"), started.stderr
    assert not (tmp_path / "data").exists()
