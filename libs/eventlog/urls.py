"""Which adapter the URL of a log stands for."""

from datetime import timedelta
from pathlib import Path

from libs.eventlog.port import EventLog, LogRefused
from libs.eventlog.sqlite import SqliteEventLog


def open_log(url: str, retention: timedelta) -> EventLog:
    """Open `sqlite:///<path>`; an absolute path makes it four slashes. Records older than `retention` are deleted.

    Raises:
        LogInUse: another process has it open.
        LogUnavailable: its disk is full or fails.
        LogRefused: not the URL of a log.
    """
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:
        return SqliteEventLog(Path(path), retention)
    if url.startswith("kafka:"):
        raise LogRefused("A log on Kafka is not supported yet: set MAILTIDE_LOG_URL to sqlite:///<path>.")
    raise LogRefused("MAILTIDE_LOG_URL is not the URL of a log: write sqlite:///<path>.")
