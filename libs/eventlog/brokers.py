"""Where the brokers of a log on Kafka are, and how they are spoken to."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from libs.eventlog.port import LogRefused

PLAIN, TLS = "kafka://", "kafka+tls://"
MECHANISM = "SCRAM-SHA-512"


class Access(NamedTuple):
    """What the URL of a log does not say. For `kafka+tls://` alone."""

    ca_file: Path | None = None  # PEM of the authorities of the brokers' certificates; None: those of the system
    username: str | None = None
    password: str | None = None  # never in a text of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Brokers:
    servers: Sequence[str]  # host:port, some of them: they tell of the others
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def settings(self) -> dict[str, Any]:
        """Of each client of kafka-python."""
        if self.tls is None:
            return {"security_protocol": "PLAINTEXT"}
        if self.username is None:
            return {"security_protocol": "SSL", "ssl_context": self.tls}
        return {
            "security_protocol": "SASL_SSL",
            "ssl_context": self.tls,
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }


def brokers_of(url: str, access: Access) -> Brokers:
    """From `kafka://host:port,host:port`, or `kafka+tls://…`.

    Raises:
        LogRefused: not the URL of a log on Kafka; no certificate is in the file.
    """
    scheme = next((each for each in (PLAIN, TLS) if url.startswith(each)), "")
    servers = url.removeprefix(scheme).split(",")
    if not scheme or not all(_is_server(server) for server in servers):
        text = "it is not the URL of a log on Kafka: write kafka://<host>:<port>,<host>:<port> or kafka+tls://…"
        raise LogRefused("LOG_URL", text)
    if scheme == PLAIN:
        return Brokers(servers=servers)
    try:
        tls = ssl.create_default_context(cafile=access.ca_file)
    except OSError:  # SSLError is one
        raise LogRefused("LOG_CA_FILE", "no certificate in PEM can be read there") from None
    return Brokers(servers=servers, tls=tls, username=access.username, password=access.password)


def _is_server(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) <= 65535 and not set(host) & set("/@?# ")
