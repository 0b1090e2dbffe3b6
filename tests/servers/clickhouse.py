"""A ClickHouse of its own for tests, in a process that is stopped and started again on what it stored."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import urlopen

from tests.servers.server import free_ports

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0


class ClickHouse:
    """Ends with the thread that started it, however that ends."""

    password = "front-door"

    def __init__(self, directory: Path | None = None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="mailtide-clickhouse-", ignore_cleanup_errors=True)
        self.directory = directory or Path(self._temporary.name)
        (self.port,) = free_ports(1)
        self.url = f"http://mailtide:{self.password}@127.0.0.1:{self.port}/default"
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """`start`, without waiting until it answers."""
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.servers.clickhouse_front"),
                    *(str(self.port), str(self.directory / "store"), self.password),
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def start(self) -> None:
        """Returns when it answers."""
        self.begin()
        self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"It did not start: {(self.directory / 'output').read_text()[-3000:]}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def freeze(self) -> None:
        """It takes statements and answers none, until it is killed."""
        os.kill(self.pid, signal.SIGSTOP)

    def kill(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._temporary.cleanup()
