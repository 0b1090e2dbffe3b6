"""What is compared: each copies one account into an empty one, and says what it took."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from libs.contracts.accounts import Account
from tests.acceptance.instance import LIVE, Instance, body
from tests.bench.measure import Cost, Failed, cpu_seconds, memory, resident_mb, run
from tests.servers.dovecot import Dovecot

Tool = Callable[[Account, Account], Cost]
CONCURRENCY = 2  # folders at once in `engine`: the default of a job


class Copiers:
    """The programs on one server. `directory` takes their files, on the same medium as the mail.

    `limit` makes the mail it appends itself, so it is told the mailbox.
    """

    def __init__(
        self, directory: Path, dovecot: Dovecot, mailbox: str, scale: float, mailtide: Instance | None = None
    ) -> None:
        self._directory = directory
        self._dovecot = dovecot
        self._mailbox = mailbox
        self._scale = scale
        self._mailtide = mailtide
        self.all: dict[str, Tool] = {
            "limit": self.limit,
            "engine": self.engine,
            "mailtide": self.mailtide,
            "interimap": self.interimap,
            "mbsync": self.mbsync,
            "doveadm": self.doveadm,
        }

    def limit(self, source: Account, destination: Account) -> Cost:
        task = {"mailbox": self._mailbox, "scale": self._scale}
        return self._module("tests.bench.limit", source, destination, task)

    def engine(self, source: Account, destination: Account) -> Cost:
        task = {"ca_file": str(self._dovecot.ca_file), "concurrency": CONCURRENCY}
        return self._module("tests.bench.engine", source, destination, task)

    def mailtide(self, source: Account, destination: Account) -> Cost:
        assert self._mailtide
        return job(self._mailtide, source, destination)[0]

    def interimap(self, source: Account, destination: Account) -> Cost:
        directory = self._new_directory()
        sides = {"local": source, "remote": destination}
        sections = "".join(f"\n[{name}]\n{self._interimap_side(account)}" for name, account in sides.items())
        config = directory / "config"
        config.write_text(f"database = {directory}/state.db\n{sections}")
        config.chmod(0o600)
        return run(["interimap", "--quiet", f"--config={config}"])

    def mbsync(self, source: Account, destination: Account) -> Cost:
        directory = self._new_directory()
        stores = "".join(
            f"""
IMAPStore {name}
Host {account.host}
Port {account.port}
User {account.username}
Pass {_password(account)}
SSLType {"IMAPS" if account.security == "tls" else "None"}
CertificateFile {self._dovecot.ca_file}
AuthMechs LOGIN
"""
            for name, account in (("source", source), ("destination", destination))
        )
        channel = f"""
Channel all
Far :source:
Near :destination:
Patterns *
Create Near
Sync PullNew
CopyArrivalDate yes
SyncState {directory}/
"""
        config = directory / "config"
        config.write_text(stores + channel)
        return run(["mbsync", "--config", str(config), "--quiet", "all"])

    def doveadm(self, source: Account, destination: Account) -> Cost:
        """It writes the destination's files itself, without a server: only the source is read over IMAP."""
        settings = {
            "imapc_host": source.host,
            "imapc_port": str(source.port),
            "imapc_user": source.username,
            "imapc_password": _password(source),
            "imapc_ssl": "imaps" if source.security == "tls" else "no",
            "imapc_ssl_verify": "no",
            "imapc_features": "rfc822.size fetch-headers fetch-bodystructure",
            "mail_prefetch_count": "20",
        }
        options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        configuration = self._dovecot.directory / "dovecot.conf"
        user = destination.username
        return run(["doveadm", "-c", str(configuration), *options, "backup", "-R", "-u", user, "imapc:"])

    def _module(self, module: str, source: Account, destination: Account, task: dict[str, Any]) -> Cost:
        given = json.dumps({"source": body(source), "destination": body(destination), **task}).encode()
        cost = run([sys.executable, "-m", module], given=given)
        told = json.loads(cost.output)
        return Cost(wall=told["wall"], cpu=told["cpu"], peak_mb=cost.peak_mb)

    def _interimap_side(self, account: Account) -> str:
        secured = account.security == "tls"
        certificate = f"SSL_CAfile = {self._dovecot.ca_file}\n" if secured else "STARTTLS = NO\n"
        return (
            f"type = {'imaps' if secured else 'imap'}\n{certificate}host = {account.host}\nport = {account.port}\n"
            f"username = {account.username}\npassword = {_password(account)}\n"
        )

    def _new_directory(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._directory))


def job(mailtide: Instance, source: Account, destination: Account, **options: Any) -> tuple[Cost, dict[str, Any]]:
    """A whole job and its last view, from the POST to its end as the job view dates it, with one page that watches.

    CPU and memory are those of the whole service; memory above what it had before.

    Raises:
        Failed: it did not end in `completed`.
    """
    assert mailtide.process
    pid = mailtide.process.pid
    idle, cpu, begun = resident_mb(pid), cpu_seconds(pid), time.time()
    with memory(pid) as peak:
        asked = mailtide.request(source, destination, **options)
        for event, data in asked.events(timeout=1800):
            if event == "snapshot" and data["job"]["state"] not in LIVE:
                view = data["job"]
                break
        else:
            raise Failed("the stream ended before the job")
        used = cpu_seconds(pid) - cpu
    if view["state"] != "completed":
        raise Failed(f"{view['state']}: {view['state_text']}")
    wall = datetime.fromisoformat(view["finished_at"]).timestamp() - begun
    return Cost(wall=wall, cpu=used, peak_mb=peak[0] - idle), view


def _password(account: Account) -> str:
    assert account.password
    return account.password.get_secret_value()
