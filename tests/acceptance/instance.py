"""A real Mailtide process for acceptance tests: started, killed and started again over one data directory."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from libs.contracts.accounts import Account
from tests.mail.ports import free_port
from tests.servers.server import MailServer

READY_SECONDS = 60
CLOSED_PORT, SILENT_PORT = free_port(), free_port()  # nothing answers at the first, nobody speaks at the second
LIVE = {"queued", "scanning", "running", "paused", "throttled", "stalled", "cancelling"}
Snapshot = dict[str, Any]


class Instance:
    """`mailtide up` for one or more servers, with its output in `<directory>/mailtide.log`.

    Args:
        servers: those it may connect to.
        settings: more or other settings, without the prefix MAILTIDE_.
    """

    def __init__(
        self, directory: Path, servers: MailServer | Sequence[MailServer], settings: Mapping[str, str] | None = None
    ) -> None:
        servers = [servers] if isinstance(servers, MailServer) else servers
        ports = [CLOSED_PORT, SILENT_PORT, *(port for one in servers for port in (one.imap_port, one.imaps_port))]
        directory.mkdir(parents=True, exist_ok=True)
        trusted = directory / "trusted.pem"
        trusted.write_text("".join(one.ca_file.read_text() for one in servers))
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "mailtide.log"
        self.url = f"http://127.0.0.1:{free_port()}"
        self._settings = {
            "DATA_DIR": str(self.data),
            "LISTEN": self.url.removeprefix("http://"),
            "ALLOW_NETWORKS": "127.0.0.0/8",
            "ALLOW_PORTS": ",".join(map(str, ports)),
            "TLS_CA_FILE": str(trusted),
            "LATE_COMMIT_SECONDS": "2",
            **(settings or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.http = httpx2.Client(base_url=self.url, timeout=30)

    def start(self) -> None:
        """Returns when it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILTIDE_")}
        environment |= {f"MAILTIDE_{name}": value for name, value in self._settings.items()}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "services.cli", "up"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_for(self._is_ready, READY_SECONDS, "Mailtide is ready")

    def kill(self) -> None:
        """kill -9: nothing is tidied up."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 10) -> float:
        """SIGTERM; returns the seconds until it had ended, and fails when it takes longer than `seconds`."""
        assert self.process
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(seconds)
        return time.monotonic() - begun

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process and self.process.poll() is None:
            self.kill()
        self.http.close()
        if error is not None:
            print("".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-40:]), file=sys.stderr)

    def _is_ready(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
        with contextlib.suppress(httpx2.TransportError):
            return self.http.get("/readyz").status_code == 200
        return False

    # ---- as a client

    def request(
        self,
        source: Account,
        destination: Account,
        *,
        name: str | None = None,
        project: str | None = None,
        **options: Any,
    ) -> "Job":
        form = {
            "name": name,
            "project": project,
            "source": body(source),
            "destination": body(destination),
            "options": options,
        }
        answer = self.http.post("/api/jobs", json=form)
        assert answer.status_code == 202, answer.text
        return Job(self, answer.json())


class Job:
    """A job as its owner sees it, with every snapshot that was seen."""

    def __init__(self, instance: Instance, accepted: dict[str, str]) -> None:
        self.instance = instance
        self.job_id, self.key, self.view_key = accepted["job_id"], accepted["key"], accepted["view_key"]
        self.path = f"/api/jobs/{self.key}"
        self.seen: list[Snapshot] = []
        self._seeing = threading.Lock()

    def get(self, what: str = "") -> Any:
        answer = self.instance.http.get(self.path + what)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def view(self, http: httpx2.Client | None = None) -> Snapshot:
        """The job view now; it must reconcile, and go only forward. From any thread: no two of them ask at once,
        or the older answer might be looked at last. `http`: a thread's own."""
        with self._seeing:
            answer = (http or self.instance.http).get(self.path)
            if answer.status_code == 503:
                raise httpx2.TransportError("not there at the moment")
            assert answer.status_code == 200, answer.text
            view = answer.json()
            check(view, self.seen[-1] if self.seen else None)
            self.seen.append(view)
        return view

    def wait(self, until: Callable[[Snapshot], bool], seconds: float, what: str = "the job got there") -> Snapshot:
        found = wait_for(lambda: (view := self.view()) and until(view) and view, seconds, what)
        assert isinstance(found, dict)
        return found

    def wait_for_end(self, seconds: float = 120) -> Snapshot:
        return self.wait(lambda view: view["state"] not in LIVE, seconds, "the job has ended")

    def retry(self, source: Account | None = None, destination: Account | None = None) -> httpx2.Response:
        form = {"source": source and body(source), "destination": destination and body(destination)}
        return self.instance.http.post(f"{self.path}/retry", json=form)

    def events(self, timeout: float = 30) -> Iterator[tuple[str, Any]]:
        """(event, data) of its stream, until the server ends it."""
        with self.instance.http.stream("GET", f"{self.path}/events", timeout=timeout) as answer:
            assert answer.status_code == 200
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    yield name, json.loads(line[5:])


def check(view: Snapshot, before: Snapshot | None) -> None:
    """What holds for every snapshot."""
    total = view["items_total"]
    if total is not None:
        parts = [view[f"items_{part}"] for part in ("completed", "failed", "skipped", "remaining")]
        assert sum(parts) == total, view
        assert (view["progress_percent"] == 100) == (view["items_remaining"] == 0), view
    else:
        assert view["progress_percent"] is None, view
    if before is not None and before["progress_percent"] is not None and before["run"] == view["run"]:
        assert view["progress_percent"] is not None, (before, view)
        assert view["progress_percent"] >= before["progress_percent"], (before, view)


def body(account: Account) -> dict[str, Any]:
    """The account as a request carries it."""
    assert account.password
    fields = account.model_dump(mode="json", exclude={"password"}, exclude_none=True)
    return fields | {"password": account.password.get_secret_value()}


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> object:
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


users = (f"user{number}" for number in itertools.count(1))
_lock = threading.Lock()


def new_user() -> str:
    """A user name that no other test has."""
    with _lock:
        return f"{next(users)}-{os.getpid()}"
