"""UID sets as IMAP writes them (RFC 9051 section 9, sequence-set), without `*`."""

import re
from collections.abc import Iterable, Iterator

MAX_UID = 2**32 - 1
RANGE = re.compile(r"([0-9]{1,10})(?::([0-9]{1,10}))?")


def encode(uids: Iterable[int]) -> str:
    """`[1, 2, 3, 7]` → `1:3,7`. Order is kept: `[7, 1, 2]` → `7,1:2`."""
    parts: list[str] = []
    first = last = 0
    for uid in uids:
        if first and uid == last + 1:
            last = uid
            continue
        if first:
            parts.append(str(first) if first == last else f"{first}:{last}")
        first = last = uid
    if first:
        parts.append(str(first) if first == last else f"{first}:{last}")
    return ",".join(parts)


def decode(text: str) -> Iterator[int]:
    """`1:3,7` → 1, 2, 3, 7; the empty string holds nothing.

    Raises:
        ValueError: not a set of UIDs between 1 and 2^32-1.
    """
    for low, high in list(_ranges(text)):  # all of it is checked before the first UID is given
        yield from range(low, high + 1)


def count(text: str) -> int:
    """How many UIDs a set holds, without making the list.

    Raises:
        ValueError: not a set of UIDs between 1 and 2^32-1.
    """
    return sum(high - low + 1 for low, high in _ranges(text))


def chunks(uids: Iterable[int], *, most: int = 700) -> Iterator[str]:
    """UID sets of at most `most` UIDs in order, each short enough for one command line (8 kB)."""
    chunk: list[int] = []
    for uid in uids:
        chunk.append(uid)
        if len(chunk) == most:
            yield encode(chunk)
            chunk = []
    if chunk:
        yield encode(chunk)


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for part in text.split(",") if text else ():
        matched = RANGE.fullmatch(part)
        if matched is None:
            raise ValueError("not a UID set")
        ends = int(matched[1]), int(matched[2] or matched[1])
        low, high = min(ends), max(ends)  # RFC 9051: the order in a range does not matter
        if low == 0 or high > MAX_UID:
            raise ValueError("not a UID set")
        yield low, high
