"""The newest records, in memory: who keeps up never reads the file, which would cost a switch of threads a record."""

import threading
from collections import defaultdict, deque
from collections.abc import Sequence

from libs.eventlog.sqlite_file import Place, Stored

KEPT = 64  # records of each partition


class Tail:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: defaultdict[Place, deque[Stored]] = defaultdict(lambda: deque(maxlen=KEPT))

    def add(self, records: Sequence[Stored]) -> None:
        with self._lock:
            for record in records:
                self._records[record.place].append(record)

    def since(self, place: Place, offset: int) -> list[Stored]:
        """All records from `offset` on, if they are all still here; else nothing."""
        with self._lock:
            kept = self._records.get(place)
            if not kept or kept[0].offset > offset:
                return []
            return [record for record in kept if record.offset >= offset]
