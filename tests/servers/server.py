"""What the mail servers of the tests have in common: a directory, ports, a certificate, and logins."""

import os
import pwd
import shutil
import socket
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from pydantic import SecretStr

from libs.contracts.accounts import Account, Security

UNPACKED = Path(f"/var/tmp/mailtide-servers-{os.getuid()}")


class MailServer(ABC):
    """Any user name logs in with `password`. Ends with the process that started it, however that ends."""

    host = "127.0.0.1"
    password = "correct-horse"
    name: ClassVar[str]

    def __init__(self, parent: Path | None = None) -> None:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = Path(tempfile.mkdtemp(prefix=f"mailtide-{self.name}-", dir=parent or memory))
        self.directory.chmod(0o755)
        # Mail servers refuse to run as root.
        self.owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.imap_port, self.imaps_port = free_ports(2)
        self.ca_file: Path

    @classmethod
    @abstractmethod
    def binary(cls) -> Path:
        """What must be there for this server to run."""

    @abstractmethod
    def stop(self) -> None:
        """End all its processes and connections at once, and remove its mail."""

    def account(
        self,
        username: str,
        *,
        security: Security | None = None,
        host: str = host,
        port: int | None = None,
        password: str = password,
        login_as: str | None = None,
    ) -> Account:
        """A login to this server; over TLS unless it has none."""
        security = security or ("tls" if self.imaps_port else "plain")
        return Account(
            host=host,
            port=port or (self.imaps_port if security == "tls" else self.imap_port),
            security=security,
            username=username,
            password=SecretStr(password),
            login_as=login_as,
        )

    def own(self, directory: Path) -> Path:
        """Make a directory that the server's processes may write to."""
        directory.mkdir(parents=True, exist_ok=True)
        os.chown(directory, self.owner.pw_uid, self.owner.pw_gid)
        return directory

    def answers(self) -> bool:
        """Whether it greets."""
        try:
            with socket.create_connection((self.host, self.imap_port), 1) as probe:
                return probe.recv(4) == b"* OK"
        except OSError:
            return False

    def remove(self) -> None:
        """Mail processes may be a moment behind their master."""
        for _ in range(50):
            shutil.rmtree(self.directory, ignore_errors=True)
            if not self.directory.exists():
                return
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def libraries(root: Path) -> dict[str, str]:
    """The environment in which a server unpacked at `root` finds its libraries."""
    directories = sorted(
        {str(library.parent) for pattern in ("lib", "usr/lib") for library in (root / pattern).rglob("*.so*")}
    )
    return {"LD_LIBRARY_PATH": ":".join(directories)}
