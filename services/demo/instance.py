"""A Mailtide of the demo's own: a temporary data directory, and no way to any account but the demo's."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from libs.contracts.accounts import Account
from libs.contracts.jobs import JobForm
from services.demo.accounts import DemoFailed

PORT = 8025  # where Mailtide listens by default; any other when it is taken
START_SECONDS, STOP_SECONDS = 60.0, 12.0


@contextmanager
def mailtide(accounts: Sequence[Account]) -> Generator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address and its process. Nothing of it is left after the block.

    Raises:
        DemoFailed: it did not get ready; the message ends with the last lines of its log.
    """
    with tempfile.TemporaryDirectory(prefix="mailtide-demo-", ignore_cleanup_errors=True) as directory:
        log = Path(directory) / "mailtide.log"
        address = f"127.0.0.1:{_port()}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILTIDE_")} | {
            "MAILTIDE_DATA_DIR": f"{directory}/data",
            "MAILTIDE_LISTEN": address,
            "MAILTIDE_ALLOW_PLAIN": "true",
            "MAILTIDE_ALLOW_NETWORKS": "127.0.0.1/32",
            "MAILTIDE_ALLOW_PORTS": ",".join(str(account.port) for account in accounts),
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.cli", "up"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal is for the demo, which ends it in order
            )
        try:
            _await_ready(f"http://{address}", process, log)
            yield f"http://{address}", process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def request_job(url: str, source: Account, destination: Account) -> str:
    """Ask for the migration as anybody would; returns the job's key.

    Raises:
        DemoFailed: it was refused; the message is the problem's.
    """
    form = JobForm(name="Anna moves house", source=source, destination=destination)
    body = form.model_dump(mode="json", exclude_none=True)
    for side, account in (("source", source), ("destination", destination)):
        body[side]["password"] = account.password.get_secret_value() if account.password else None
    answer = httpx2.post(f"{url}/api/jobs", json=body, timeout=30)
    if answer.status_code != 202:
        raise DemoFailed(f"the job was refused: {answer.text}")
    return answer.json()["key"]


def failed_messages(url: str, key: str) -> int:
    """How many messages Mailtide lists as failed."""
    return len(httpx2.get(f"{url}/api/jobs/{key}/failures", timeout=30).raise_for_status().json())


def _port() -> int:
    for port in (PORT, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as probe:
            return probe.getsockname()[1]
    raise DemoFailed("no port can be listened on")


def _await_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise DemoFailed(f"Mailtide did not get ready\n{last}")
