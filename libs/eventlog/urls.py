"""Which adapter the URL of a log stands for."""

from datetime import timedelta
from pathlib import Path

from libs.eventlog.membership import Member
from libs.eventlog.port import EventLog, LogRefused
from libs.eventlog.sqlite import SqliteEventLog

KAFKA = "kafka://"


def open_log(url: str, retention: timedelta, member: Member | None = None) -> EventLog:
    """Open `sqlite:///<path>`, an absolute path makes it four slashes, or `kafka://host:port,host:port`.

    Records older than `retention` are deleted; on Kafka its topics say when. `member`: of the groups on Kafka.

    Raises:
        LogInUse: another process has it open.
        LogUnavailable: its disk is full or fails; no broker answers, or the topics are not there.
        LogRefused: not the URL of a log.
    """
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:
        return SqliteEventLog(Path(path), retention)
    if url.startswith(KAFKA):
        from libs.eventlog.kafka import KafkaEventLog  # takes 0.4 s to load: not for the embedded log

        return KafkaEventLog(servers_of(url), member or Member())
    raise LogRefused("It is not the URL of a log: write sqlite:///<path> or kafka://<host>:<port>.")


def servers_of(url: str) -> list[str]:
    """
    Raises:
        LogRefused: not the URL of a log on Kafka.
    """
    servers = url.removeprefix(KAFKA).split(",")
    if not url.startswith(KAFKA) or not all(_is_server(server) for server in servers):
        raise LogRefused("It is not the URL of a log on Kafka: write kafka://<host>:<port>,<host>:<port>.")
    return servers


def _is_server(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) <= 65535 and not set(host) & set("/@?# ")
