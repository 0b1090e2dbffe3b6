"""Listings that pass messages whose headers can't be read: Dovecot ends the connection when it is asked for them.

Such a message is listed by size and date alone. It is found by where the listing ended, each time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from libs.contracts import uidset
from libs.contracts.accounts import Side
from libs.mailbox.errors import ConnectionLost
from libs.mailbox.port import Listed, Session

LOSSES = 2  # of the connection at one place of a folder; one, where such a message was found before


class Unidentified:
    """Of one folder, across the attempts to plan it."""

    def __init__(self) -> None:
        self._ended: Counter[tuple[Side, str, int]] = Counter()  # after this UID
        self._known: defaultdict[tuple[Side, str], set[int]] = defaultdict(set)

    def listing(self, session: Session, side: Side, wire: str) -> Iterator[Listed]:
        """Every message of the folder that is open, with its identity where that can be had."""
        last = 0
        try:
            for one in self._listing(session, self._known[side, wire]):
                last = max(last, one.uid)
                yield one
        except ConnectionLost:
            self._ended[side, wire, last] += 1
            raise

    def find(self, session: Session, side: Side, wire: str) -> None:
        """In the folder that is open: the message after which the listing ended too often is not asked again."""
        known = self._known[side, wire]
        for (where, folder, last), times in list(self._ended.items()):
            if (where, folder) == (side, wire) and times >= (1 if known else LOSSES):
                del self._ended[where, folder, last]
                after = session.listing(f"{last + 1}:*", identity=False)
                known.update(sorted(one.uid for one in after if one.uid not in known)[:1])

    def _listing(self, session: Session, known: set[int]) -> Iterator[Listed]:
        if not known:
            yield from session.listing(identity=True)
            return
        plain = {one.uid: one for one in session.listing(identity=False)}
        for chunk in uidset.chunks(uid for uid in sorted(plain) if uid not in known):
            yield from session.listing(chunk, identity=True)
        yield from (one for uid, one in plain.items() if uid in known)
