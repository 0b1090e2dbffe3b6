"""Which adapter the URL of a log stands for."""

from datetime import timedelta
from pathlib import Path

from libs.eventlog.brokers import PLAIN, TLS, Access, brokers_of
from libs.eventlog.membership import Member
from libs.eventlog.port import EventLog, LogRefused
from libs.eventlog.sqlite import SqliteEventLog


def open_log(url: str, retention: timedelta, member: Member | None = None, access: Access | None = None) -> EventLog:
    """Open `sqlite:///<path>`, an absolute path makes it four slashes, `kafka://host:port,host:port` or `kafka+tls://…`.

    Records older than `retention` are deleted; on Kafka its topics say when. `member`: of the groups on Kafka.

    Raises:
        LogInUse: another process has it open.
        LogUnavailable: its disk is full or fails; no broker answers, or the topics are not there.
        LogRefused: not the URL of a log; the brokers are not trusted, or refuse the name and password.
    """
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:
        return SqliteEventLog(Path(path), retention)
    if url.startswith((PLAIN, TLS)):
        from libs.eventlog.kafka import KafkaEventLog  # takes 0.4 s to load: not for the embedded log

        return KafkaEventLog(brokers_of(url, access or Access()), member or Member())
    raise LogRefused("LOG_URL", "it is not the URL of a log: write sqlite:///<path> or kafka://<host>:<port>")
