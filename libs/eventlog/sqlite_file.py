"""The file of the embedded log: its lock, its tables, its connections."""

import fcntl
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from libs.eventlog.port import LogInUse, LogUnavailable

BUSY_SECONDS = 2.0  # how long a write waits for a stranger (a backup, a shell) that locks the file

# `ends` has a row for each partition that ever had a record. Its offset is the next one as it was when retention last
# removed records, so that none is used twice even if nothing is left.
SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, headers BLOB NOT NULL,
    PRIMARY KEY (topic, partition, offset)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ends (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS commits (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
) WITHOUT ROWID;
"""


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Stored(NamedTuple):
    """One record as it lies in the file."""

    place: Place
    offset: int
    timestamp: int  # milliseconds since 1970, when it was appended
    key: bytes
    value: bytes
    headers: bytes  # JSON object of strings


def lock(path: Path) -> int:
    """Take the log for this process; the descriptor holds it until it is closed, also by a kill.

    A file of its own: closing any descriptor of a database would drop SQLite's own locks on it.

    Raises:
        LogInUse: somebody else has it.
        LogUnavailable: the directory can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LogUnavailable("The directory of the log can't be written.") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(held)
        raise LogInUse(
            "This data directory is in use by another Mailtide process: stop that one, or set MAILTIDE_DATA_DIR."
        ) from error
    return held


def connect(path: Path) -> sqlite3.Connection:
    """A connection on which each transaction is durable when its COMMIT returns, and what is deleted is overwritten."""
    with translated():
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        return db


@contextmanager
def translated() -> Generator[None]:
    """
    Raises:
        LogUnavailable: the disk is full or fails, or the file is locked by a stranger or not ours.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise LogUnavailable("The log did not take it: its disk is full or fails, or its file is locked.") from error
