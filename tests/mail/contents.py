"""What an account holds, read independently of the code under test, and how two accounts differ."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from libs.contracts.accounts import Account
from tests.mail.imap import connected, folders, quoted

UID = re.compile(rb"UID (\d+)")
FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
DATE = re.compile(rb'INTERNALDATE "([^"]+)"')
AT_ONCE = 200  # messages in memory
SHOWN = 20  # lines of a difference


class Kept(NamedTuple):
    """One message as it lies in a folder. UIDs are left out: they differ between servers."""

    folder: str  # decoded, "/" between levels, without the personal prefix
    sha256: str  # of the whole message
    flags: frozenset[str]  # system flags in the server's case, keywords; without \\Recent
    internaldate: datetime  # an instant: equal whatever the zone it is written in


def folder_names(account: Account) -> set[str]:
    """The folders that can be opened, also the empty ones."""
    with connected(account) as client:
        return set(folders(client))


def contents(account: Account) -> Counter[Kept]:
    """Everything in the account, as a multiset."""
    return Counter(by_uid(account).values())


def by_uid(account: Account) -> dict[tuple[str, int], Kept]:
    """Everything in the account by folder and UID, in the order of each folder."""
    return {(kept.folder, uid): kept for uid, kept, _ in messages(account)}


def messages(account: Account) -> Iterator[tuple[int, Kept, bytes]]:
    """UID, what it is and the whole of each message. Nothing is marked as read."""
    with connected(account) as client:
        for name, wire in folders(client).items():
            status, answer = client.select(quoted(wire), readonly=True)
            assert status == "OK", answer
            exists = int(answer[0])
            for first in range(1, exists + 1, AT_ONCE):
                last = min(first + AT_ONCE - 1, exists)
                status, data = client.fetch(f"{first}:{last}", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
                assert status == "OK", data
                kept = _kept(name, data)
                assert len(kept) == last - first + 1, f"{len(kept)} of {last - first + 1} messages came"
                yield from kept


def difference(source: Counter[Kept], destination: Counter[Kept]) -> str:
    """Empty when equal; else what a person needs to see, a line per kind of message."""
    if source == destination:
        return ""
    missing, surplus = source - destination, destination - source
    by_bytes: dict[str, list[Kept]] = defaultdict(list)
    for kept in surplus:
        by_bytes[kept.sha256].append(kept)
    lines = [f"{missing.total()} missing, {surplus.total()} surplus, {(source & destination).total()} equal"]
    for kept, count in missing.items():
        others = [other for other in by_bytes[kept.sha256] if other.folder == kept.folder] or by_bytes[kept.sha256]
        lines.append(f"- {count} x {_shown(kept)}" + (f"; there as {_changes(kept, others[0])}" if others else ""))
    lines.extend(f"+ {count} x {_shown(kept)}" for kept, count in surplus.items())
    more = len(lines) - SHOWN
    return "\n".join(lines[:SHOWN] + ([f"… and {more} more lines"] if more > 0 else []))


def _kept(folder: str, data: Sequence[object]) -> list[tuple[int, Kept, bytes]]:
    kept: list[tuple[int, Kept, bytes]] = []
    for index, part in enumerate(data):
        if not isinstance(part, tuple):
            continue
        head, body = part
        tail = data[index + 1] if index + 1 < len(data) else b""  # items may follow the literal
        items = head + (tail if isinstance(tail, bytes) else b"")
        uid, flags, date = UID.search(items), FLAGS.search(items), DATE.search(items)
        assert uid, items
        assert flags, items
        assert date, items
        at = datetime.strptime(date[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
        names = frozenset(flags[1].decode().split()) - {"\\Recent"}
        kept.append((int(uid[1]), Kept(folder, hashlib.sha256(body).hexdigest(), names, at), body))
    return kept


def _shown(kept: Kept) -> str:
    return f"{kept.folder!r} {kept.sha256[:12]} ({' '.join(sorted(kept.flags))}) {kept.internaldate:%Y-%m-%d %H:%M:%S}"


def _changes(wanted: Kept, other: Kept) -> str:
    changes: list[str] = []
    if other.folder != wanted.folder:
        changes.append(f"folder {other.folder!r}")
    if other.flags != wanted.flags:
        changes.append(f"flags ({' '.join(sorted(other.flags))})")
    if other.internaldate != wanted.internaldate:
        changes.append(f"date {other.internaldate:%Y-%m-%d %H:%M:%S}")
    return ", ".join(changes) or "the same, counted differently"
