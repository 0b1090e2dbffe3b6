"""UID sets as IMAP writes them (RFC 9051 section 9, sequence-set), without `*`."""

from collections.abc import Iterable, Iterator

MAX_UID = 2**32 - 1


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
        ValueError: not a set of UIDs between 1 and 2^32-1, or larger than any mailbox.
    """
    for part in text.split(",") if text else ():
        first, _, last = part.partition(":")
        low, high = int(first), int(last or first)
        if not 0 < low <= MAX_UID or not 0 < high <= MAX_UID:
            raise ValueError("not a UID set")
        if low > high:
            low, high = high, low  # RFC 9051: the order in a range does not matter
        yield from range(low, high + 1)


def count(text: str) -> int:
    """How many UIDs a set holds, without making the list."""
    total = 0
    for part in text.split(",") if text else ():
        first, _, last = part.partition(":")
        total += int(last) - int(first) + 1 if last else 1
    return total


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
