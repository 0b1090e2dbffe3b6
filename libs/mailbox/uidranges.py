"""UID sets as they are asked for: with `*`, and in commands of bounded length. Pure."""

from bisect import bisect_right
from collections.abc import Iterator

SET_CHARACTERS = 4000  # servers take lines of 8,192 bytes at least (RFC 7162 section 4)
ENDLESS = 2**32


class UidRanges:
    """Which UIDs a set means. `100:*` means those from 100 up, though a server adds its last message to them."""

    def __init__(self, uids: str) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(_range(part) for part in uids.split(",") if part):
            if self._ends and start <= self._ends[-1] + 1:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, uid: int) -> bool:
        index = bisect_right(self._starts, uid) - 1
        return index >= 0 and uid <= self._ends[index]


def split(uids: str) -> Iterator[str]:
    """The set in parts short enough for one command each, in order."""
    start = 0
    while len(uids) - start > SET_CHARACTERS:
        end = uids.rindex(",", start, start + SET_CHARACTERS)
        yield uids[start:end]
        start = end + 1
    if start < len(uids):
        yield uids[start:]


def _range(part: str) -> tuple[int, int]:
    first, _, last = part.partition(":")
    if last == "*":
        return int(first), ENDLESS
    ends = int(first), int(last or first)
    return min(ends), max(ends)
