"""A Kafka broker of its own for tests: own directory and ports; stopped, killed and started again on what it stored."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError

from libs.contracts import topics
from libs.eventlog.brokers import MECHANISM, Access, Brokers
from libs.eventlog.kafka_topics import make_topics
from tests.servers.certificates import Authority
from tests.servers.server import free_ports

USERS = Path(__file__).parents[2] / "deploy" / "k8s" / "overlays" / "production" / "users.yaml"
SCRIPT = Path(__file__).parents[2] / "deploy" / "local" / "kafka.sh"
START_SECONDS = 60.0


PATTERNS = {"literal": ACLResourcePatternType.LITERAL, "prefix": ACLResourcePatternType.PREFIXED}

# With a listener as in production: TLS, and users with a password who may do what they are permitted to. And one that
# sends its clients to another port, where a `KafkaRelay` may be. What is too old is looked for twice a second.
SETTINGS = """
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{tls_port},RELAYED://127.0.0.1:{relayed},\
CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{tls_port},RELAYED://127.0.0.1:{relay}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,RELAYED:PLAINTEXT
log.retention.check.interval.ms=500
log.initial.task.delay.ms=500
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location={keystore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class Kafka:
    """Ends with the thread that started it, however that ends."""

    password = "scram-canary-4711"  # of each user

    def __init__(self) -> None:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = Path(tempfile.mkdtemp(prefix="mailtide-kafka-", dir=memory))
        self.port, self.tls_port, self.relayed_port, self.relay_port, self._controller = free_ports(5)
        self.server = f"127.0.0.1:{self.port}"
        self.url, self.tls_url = f"kafka://{self.server}", f"kafka+tls://127.0.0.1:{self.tls_port}"
        authority = Authority(self.directory, "kafka-ca")
        self.ca_file = authority.file
        issued = authority.issue("127.0.0.1")
        keystore = self.directory / "keystore.pem"
        keystore.write_bytes(issued.key_file.read_bytes() + issued.file.read_bytes())
        self._settings = self.directory / "more.properties"
        self._settings.write_text(
            SETTINGS.format(
                port=self.port,
                tls_port=self.tls_port,
                relayed=self.relayed_port,
                relay=self.relay_port,
                controller=self._controller,
                keystore=keystore,
            )
        )
        self.output = self.directory / "output"
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def installed() -> bool:
        return shutil.which("java") is not None and subprocess.run([SCRIPT], check=False).returncode == 0

    def start(self) -> None:
        """Returns when it answers."""
        where = self.directory, str(self.port), str(self._controller), self._settings
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", SCRIPT, *where],
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

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

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
        wrong = make_topics(Brokers(servers=[self.server]), timedelta(days=7), replicas=1)
        assert all(not each for _, each in wrong), wrong

    def access(self, username: str) -> Access:
        """For `tls_url`, as one of the users of production, who gets the rights that are written there."""
        found = {one["metadata"]["name"]: one["spec"] for one in yaml.safe_load_all(USERS.read_text())}
        client: Any = self.admin()
        told = client.alter_user_scram_credentials([UserScramCredentialUpsertion(username, MECHANISM, self.password)])
        made = client.create_acls(
            [
                ACL(
                    principal=f"User:{username}",
                    host="*",
                    operation=ACLOperation[re.sub("(?<=[a-z])(?=[A-Z])", "_", operation).upper()],
                    permission_type=ACLPermissionType.ALLOW,
                    resource_pattern=ResourcePattern(
                        ResourceType[rule["resource"]["type"].upper()],
                        rule["resource"]["name"],
                        PATTERNS[rule["resource"].get("patternType", "literal")],
                    ),
                )
                for rule in found[username]["authorization"]["acls"]
                for operation in rule["operations"]
            ]
        )
        client.close()
        assert (told, made["failed"]) == ({username: None}, [])
        return Access(self.ca_file, username, self.password)

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
