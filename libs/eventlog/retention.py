"""Old records leave the file without a trace."""

import sqlite3
import time
from collections.abc import Mapping
from datetime import timedelta
from itertools import takewhile

from libs.eventlog.sqlite_file import Place

CHUNK = 1000  # records deleted in one transaction, so that appends wait for milliseconds only
RETRY_SECONDS = 10.0

OLDEST = "SELECT offset, timestamp FROM records WHERE topic = ? AND partition = ? ORDER BY offset LIMIT ?"
KEEP_END = "UPDATE ends SET next_offset = ? WHERE topic = ? AND partition = ?"
DELETE = "DELETE FROM records WHERE topic = ? AND partition = ? AND offset <= ?"


class Retention:
    """Deletes the records of each partition from its beginning up to the first that is young enough.

    The connection overwrites what it deletes (`secure_delete`); the write-ahead log, which still has the old
    pages, is written back and cut to nothing at the end of each pass.
    """

    def __init__(self, age: timedelta) -> None:
        self._age = age
        self._uncut = True  # a write-ahead log that a killed process left behind counts
        self.due = time.monotonic()  # when `trim` is to be called next

    def trim(self, db: sqlite3.Connection, ends: Mapping[Place, int]) -> None:
        """One pass, or one step of it: then it is due again at once. `ends` are the next offsets."""
        self.due = time.monotonic() + RETRY_SECONDS  # should it fail
        oldest_kept = (time.time_ns() // 1_000_000) - self._age // timedelta(milliseconds=1)
        unfinished = False
        for place, end in ends.items():
            cursor = db.execute(OLDEST, (*place, CHUNK))
            expired = list(takewhile(lambda row: row[1] < oldest_kept, cursor))
            cursor.close()
            if expired:
                with db:
                    db.execute("BEGIN IMMEDIATE")
                    db.execute(KEEP_END, (end, *place))
                    db.execute(DELETE, (*place, expired[-1][0]))
                self._uncut = True
            unfinished |= len(expired) == CHUNK
        if unfinished:
            self.due = time.monotonic()
            return
        if self._uncut:
            (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._uncut = bool(busy)  # somebody was reading
        if not self._uncut:
            self.due = time.monotonic() + self._age.total_seconds() / 100
