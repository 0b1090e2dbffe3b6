"""`mailtide up` as a process of its own, without any mail server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

UP = ("-m", "services.cli", "up")


def command(data: Path, *, program: Sequence[str] = UP, **settings: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILTIDE_")}
    environment |= {"MAILTIDE_DATA_DIR": str(data), "MAILTIDE_LISTEN": "127.0.0.1:0"}
    environment |= {f"MAILTIDE_{name}": value for name, value in settings.items()}
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", sys.executable, *program],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Up:
    """A running Mailtide; `line` is what it said when it was ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self.process = process
        self.line = process.stdout.readline().strip()
        assert self.line.startswith("Mailtide is ready: "), self.line
        self.http = httpx2.Client(base_url=self.line.removeprefix("Mailtide is ready: "), timeout=30)

    def stop(self) -> tuple[int, float]:
        """The exit status after SIGTERM, and the seconds it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20), time.monotonic() - begun


@contextmanager
def up(data: Path, *, program: Sequence[str] = UP, **settings: str) -> Iterator[Up]:
    process = command(data, program=program, **settings)
    try:
        running = Up(process)
        try:
            yield running
        finally:
            running.http.close()
    finally:
        process.kill()
        process.communicate()
