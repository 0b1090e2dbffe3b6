"""Mailtide as processes of their own on a real broker and ClickHouse's HTTP interface, each of them killed at will."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
from cryptography.fernet import Fernet
from kafka.partitioner.default import murmur2

from libs.contracts.accounts import Account
from libs.contracts.topics import Topic
from tests.acceptance.instance import Job, body, new_user, wait_for
from tests.mail.corpus import Corpus, Mail, internaldate
from tests.mail.ports import free_port
from tests.mail.seed import append, seed
from tests.servers.clickhouse import ClickHouse
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka

SERVICES = "mailtide-services"  # a user of the broker
SESSION_SECONDS = 6.0
READY_SECONDS = 90.0
STOP_SECONDS = 30.0
MORE_FOLDERS = 16  # of a long job
FOLDER, SUBJECT, MESSAGE_ID = "Kanarienordner", "Kanarienbetreff", "kanarie-4711@mail.example"


class Service:
    """One process of one kind, with a name and a port that it keeps over restarts."""

    def __init__(self, kind: str, name: str, directory: Path, settings: Mapping[str, str]) -> None:
        self.kind, self.name = kind, name
        self.url = f"http://127.0.0.1:{free_port()}"
        self.output = directory / f"{name}.log"
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("MAILTIDE_")} | {
            f"MAILTIDE_{key}": value
            for key, value in {**settings, "LISTEN": self.url.removeprefix("http://"), "INSTANCE": name}.items()
        }
        self.process: subprocess.Popen[bytes] | None = None

    def give(self, **settings: str) -> None:
        """At its next start."""
        self._environment |= {f"MAILTIDE_{name}": value for name, value in settings.items()}

    def setting(self, name: str) -> str:
        return self._environment[f"MAILTIDE_{name}"]

    def command(self, *words: str) -> tuple[int, str]:
        """Of `mailtide`, with its settings: the status and what was said."""
        command = [sys.executable, "-m", "services.cli", *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, timeout=60)
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    def begin(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "services.cli", self.kind],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def is_ready(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.output.read_text(errors="replace")[-3000:]
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{self.url}/readyz", timeout=6).status_code == 200
        return False

    def is_alive(self) -> bool:
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{self.url}/livez", timeout=6).status_code == 200
        return False

    def kill(self) -> None:
        """kill -9"""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """SIGTERM: it ends in order within 30 s."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS) == 0, self.output.read_text(errors="replace")[-2000:]

    def freeze(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)


class Cluster:
    """1 api, 2 scanners, 3 copiers, 2 aggregators."""

    operator_token = "operator-token-of-the-tests"
    replicas: Mapping[str, int] = {"api": 1, "scanner": 2, "copier": 3, "aggregator": 2}

    def __init__(self, directory: Path, kafka: Kafka, dovecot: Dovecot) -> None:
        self.kafka, self.dovecot = kafka, dovecot
        self.clickhouse = ClickHouse()
        trusted = directory / "trusted.pem"
        trusted.write_text(dovecot.ca_file.read_text())
        settings = {
            "LOG_URL": kafka.tls_url,  # as in production: TLS, and a name with the rights that it has there
            "LOG_CA_FILE": str(kafka.ca_file),
            "LOG_USERNAME": SERVICES,
            "LOG_PASSWORD": kafka.password,
            "CLICKHOUSE_URL": self.clickhouse.url,
            "MASTER_KEYS": Fernet.generate_key().decode(),
            "ACCOUNT_KEY": "the secret of the accounts of these tests",
            "DATA_DIR": str(directory / "data"),
            "SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
            "ALLOW_NETWORKS": "127.0.0.0/8,::1/128",
            "ALLOW_PORTS": f"{dovecot.imap_port},{dovecot.imaps_port}",
            "TLS_CA_FILE": str(trusted),
            "LATE_COMMIT_SECONDS": "2",
            "OPERATOR_TOKEN": self.operator_token,
        }
        self.services = [
            Service(kind, f"{kind}-{number}", directory, settings)
            for kind, count in self.replicas.items()
            for number in range(count)
        ]
        (api,) = self.of("api")
        self.http = httpx2.Client(base_url=api.url, timeout=30)

    def of(self, kind: str) -> list[Service]:
        return [service for service in self.services if service.kind == kind]

    def owner(self, kind: str, topic: Topic, key: str) -> Service:
        """The process that takes what has this key."""
        group, partition = f"mailtide-{kind}", (murmur2(key.encode()) & 0x7FFFFFFF) % topic.partitions
        admin = self.kafka.admin()
        members = admin.describe_groups([group])[group]["members"]
        admin.close()
        (name,) = (
            member["group_instance_id"]
            for member in members
            for part in member["member_assignment"]["assigned_partitions"]
            if part["topic"] == topic.name and partition in part["partitions"]
        )
        (service,) = (service for service in self.of(kind) if service.name == name)
        return service

    def start(self, services: Iterable[Service]) -> None:
        """All at once; returns when all are ready."""
        services = list(services)
        for service in services:
            service.begin()
        wait_for(lambda: all(one.is_ready() for one in services), READY_SECONDS, "the services are ready")

    def restart(self, **settings: str) -> None:
        """All at once, by kill -9."""
        for service in self.services:
            service.kill()
            service.give(**settings)
        self.start(self.services)

    def is_ready(self) -> bool:
        return all(service.is_ready() for service in self.services)

    def __enter__(self) -> Self:
        self.clickhouse.begin()
        self.kafka.empty()
        self.kafka.access(SERVICES)
        self.clickhouse.wait()
        self.start(self.services)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service in self.services:
            service.kill()
        self.clickhouse.kill()
        self.http.close()

    def accounts(self, messages: int, host: str = Dovecot.host) -> tuple[Account, Account]:
        """Two new ones; the first has mail, about 2.5 KB each."""
        source, destination = self._new_accounts(host)
        seed(source, Corpus(messages=messages, median_bytes=2_000, sigma=0.6))
        return source, destination

    def long_accounts(self) -> tuple[Account, Account]:
        """For a job at `SLOW_MBPS`: what a limit lets pass at once is a folder, so each of many has about 2 KB."""
        source, destination = self._new_accounts()
        corpus = Corpus(messages=0, median_bytes=300, sigma=0.4)
        folders = [*corpus.folders, *(f"{FOLDER}-{number}" for number in range(MORE_FOLDERS))]
        pairs = [tuple(corpus.more(folder, 2)) for folder in folders]
        append(source, [mail for first, second in pairs for mail in (first, second, first)])
        return source, destination

    def _new_accounts(self, host: str = Dovecot.host) -> tuple[Account, Account]:
        user = new_user()
        source, destination = (self.dovecot.account(f"kanarie-{name}-{user}", host=host) for name in ("alt", "neu"))
        head = f"From: a@mail.example\r\nSubject: {SUBJECT}\r\nMessage-ID: <{MESSAGE_ID}>\r\n\r\nhello\r\n"
        append(source, [Mail(FOLDER, head.encode(), ("\\Seen",), internaldate(datetime(2020, 1, 2, tzinfo=UTC)))])
        return source, destination

    # ---- as a client that tries again

    def request(self, source: Account, destination: Account, **options: Any) -> Job:
        form = {"source": body(source), "destination": body(destination), "options": options}
        return Job(self, self.ask("POST", "/api/jobs", form).json())  # type: ignore[arg-type]

    def ask(self, method: str, path: str, form: dict[str, Any] | None = None) -> httpx2.Response:
        """The answer, when it is neither that the api is away nor that one of its stores is."""

        def answer() -> httpx2.Response | None:
            with contextlib.suppress(httpx2.TransportError):
                got = self.http.request(method, path, json=form)
                return None if got.status_code in (502, 503, 504) else got
            return None

        found = wait_for(answer, 60, f"{method} {path} is answered")
        assert isinstance(found, httpx2.Response)
        assert found.status_code < 300, (found.status_code, found.text)
        return found
