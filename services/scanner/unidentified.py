"""Listings that pass messages whose headers can't be read: they are listed by size and date.

Whether the other side holds such a message is for the bytes to tell, of all messages of its size on both sides.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from libs.contracts.accounts import Side
from libs.contracts.uidset import MAX_UID
from libs.mailbox.errors import ConnectionLost
from libs.mailbox.port import Listed, Session
from services.scanner.suspects import Suspects


@dataclass(slots=True)
class _Folder:
    suspects: Suspects = field(default_factory=Suspects)
    listed: dict[int, Listed] = field(default_factory=dict[int, Listed])  # the suspects
    ended_after: set[int] = field(default_factory=set[int])  # the UID before the end of a listing


class Unidentified:
    """Of one plan, across the attempts to make it."""

    def __init__(self) -> None:
        self._folders: defaultdict[tuple[Side, str], _Folder] = defaultdict(_Folder)

    @property
    def sizes(self) -> frozenset[int]:
        """Bytes of the messages that were found, on either side. None is found in an attempt that succeeds."""
        return frozenset(folder.listed[uid].size for folder in self._folders.values() for uid in folder.suspects.found)

    @property
    def losses(self) -> int:
        return sum(folder.suspects.losses for folder in self._folders.values())

    def listing(self, session: Session, side: Side, wire: str) -> Iterator[Listed]:
        """Every message of the folder that is open, with its identity where that can be had."""
        folder = self._folders[side, wire]
        self._find(session, folder)
        last = 0
        try:
            for one in _around(session, [folder.listed[uid] for uid in sorted(folder.suspects.found)]):
                last = max(last, one.uid)
                yield one
        except ConnectionLost:
            folder.ended_after.add(last)
            raise

    @staticmethod
    def _find(session: Session, folder: _Folder) -> None:
        for last in sorted(folder.ended_after):
            after = session.listing(f"{min(last + 1, MAX_UID)}:*", identity=False)
            first = min((one for one in after if one.uid not in folder.suspects.found), default=None, key=_uid)
            if first is not None:
                folder.listed[first.uid] = first
                folder.suspects.suspect(first.uid)
            folder.ended_after.remove(last)
        folder.suspects.ask_alone(lambda uid: list(session.listing(str(uid), identity=True)))


def _around(session: Session, unidentified: list[Listed]) -> Iterator[Listed]:
    start = 1
    for one in unidentified:
        if start < one.uid:
            yield from session.listing(f"{start}:{one.uid - 1}", identity=True)
        yield one
        start = one.uid + 1
    if start <= MAX_UID:
        yield from session.listing(f"{start}:*", identity=True)


def _uid(listed: Listed) -> int:
    return listed.uid
