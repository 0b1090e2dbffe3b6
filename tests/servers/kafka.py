"""A Kafka broker of its own for tests: own directory and ports; stopped, killed and started again on what it stored."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from libs.contracts import topics
from libs.eventlog.kafka_topics import make_topics
from tests.servers.server import free_ports

SCRIPT = Path(__file__).parents[2] / "deploy" / "local" / "kafka.sh"
START_SECONDS = 60.0


class Kafka:
    """Ends with the thread that started it, however that ends."""

    def __init__(self) -> None:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = Path(tempfile.mkdtemp(prefix="mailtide-kafka-", dir=memory))
        self.port, self._controller = free_ports(2)
        self.server = f"127.0.0.1:{self.port}"
        self.url = f"kafka://{self.server}"
        self.output = self.directory / "output"
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def installed() -> bool:
        return shutil.which("java") is not None and subprocess.run([SCRIPT], check=False).returncode == 0

    def start(self) -> None:
        """Returns when it answers."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", SCRIPT, self.directory, str(self.port), str(self._controller)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"Kafka did not start: {self.output.read_text(errors='replace')[-3000:]}")

    def stop(self) -> None:
        """SIGTERM: it ends in order and can be started again."""
        assert self._process
        self._process.terminate()
        self._process.wait(60)

    def kill(self) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def admin(self) -> Any:
        """A client to look at it, and to change what is there."""
        client: Any = KafkaAdminClient
        return client(bootstrap_servers=[self.server], bootstrap_timeout_ms=1000)

    def empty(self) -> None:
        """The topics anew: no message, no commit."""
        admin = self.admin()
        if there := [topic.name for topic in topics.ALL if topic.name in admin.list_topics()]:
            admin.delete_topics(there)
            while set(admin.list_topics()) & set(there):
                time.sleep(0.02)
        admin.close()
        wrong = make_topics([self.server], timedelta(days=7), replicas=1)
        assert all(not each for _, each in wrong), wrong

    def _answers(self) -> bool:
        try:
            self.admin().close()
        except KafkaError:
            time.sleep(0.1)
            return False
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
