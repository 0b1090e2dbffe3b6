"""Compare bytes where identity does not decide (COPYING rule 4)."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from libs.contracts import uidset
from libs.mailbox.digests import digests
from libs.mailbox.errors import ConnectionLost
from libs.mailbox.port import Listed, Session
from libs.mailbox.sides import at
from services.scanner.accounts import Both
from services.scanner.matching import At, Decided, Undecided, decide
from services.scanner.suspects import Suspects

PORTION = 10_000  # messages whose bytes are compared in one go


class Comparison:
    """What was read stays read when a connection breaks: the next attempt goes on there."""

    def __init__(
        self, sources: Sequence[str], destination: str, undecided: Iterable[Undecided], *, by_bytes: bool
    ) -> None:
        """Folders by their wire names. Without `by_bytes` as many are present as are held."""
        self._portions = (_Portion(sources, destination, classes, by_bytes) for classes in portions(undecided))
        self._portion: _Portion | None = None
        self._read_before = self._losses_before = 0

    @property
    def read(self) -> int:
        """Messages so far."""
        return self._read_before + (sum(len(one.digests) for one in self._portion.readings) if self._portion else 0)

    @property
    def losses(self) -> int:
        """Of the connection, with one message asked for."""
        return self._losses_before + (sum(one.losses for one in self._portion.readings) if self._portion else 0)

    def decide(self, both: Both) -> Iterator[Decided]:
        """
        Raises:
            SideFailed: call it again.
        """
        while portion := self._portion or next(self._portions, None):
            self._portion = portion
            portion.read(both)
            self._read_before, self._losses_before, self._portion = self.read, self.losses, None
            yield from portion.decide()


class _Portion:
    def __init__(self, sources: Sequence[str], destination: str, classes: list[Undecided], by_bytes: bool) -> None:
        members: dict[int, list[int]] = {}
        for ref in (ref for one in classes for ref in one.members):
            members.setdefault(ref.source, []).append(ref.uid)
        self._classes = classes
        self._source = {index: _Reading(sources[index], uids, by_bytes) for index, uids in members.items()}
        self._destination = _Reading(destination, [uid for one in classes for uid in one.held], by_bytes)

    @property
    def readings(self) -> list["_Reading"]:
        return [*self._source.values(), self._destination]

    def read(self, both: Both) -> None:
        for reading in self._source.values():
            with at("source"):
                reading.go_on(both.source)
        with at("destination"):
            self._destination.go_on(both.destination)
            both.destination.unselect()

    def decide(self) -> Iterator[Decided]:
        there, held_bytes = self._destination.listed, self._destination.digests
        source_bytes = {
            (index, uid): digest for index, reading in self._source.items() for uid, digest in reading.digests.items()
        }
        for one in self._classes:
            members, gone = list[At](), list[At]()
            for ref in one.members:
                listed = self._source[ref.source].listed.get(ref.uid)
                if listed:
                    members.append(At(ref.source, listed))
                else:
                    gone.append(At(ref.source, Listed(ref.uid, 0, "")))
            decided = decide(members, [there[uid] for uid in one.held if uid in there], source_bytes, held_bytes)
            decided.absent.extend(gone)  # the copier says so
            yield decided


class _Reading:
    """The bytes of some messages of one folder."""

    def __init__(self, wire: str, uids: list[int], by_bytes: bool) -> None:
        self.listed: dict[int, Listed] = {}  # size and date of those that are still there
        self.digests: dict[int, bytes] = {}  # of those that are handed out
        self._wire = wire
        self._uids = sorted(uids)
        self._by_bytes = by_bytes
        self._asked: set[int] = set()  # and answered
        self._suspects = Suspects()

    @property
    def losses(self) -> int:
        return self._suspects.losses

    def go_on(self, session: Session) -> None:
        if len(self._asked | self._suspects.found) == len(self._uids):
            return
        session.examine(self._wire)
        self.listed = {
            one.uid: one for chunk in uidset.chunks(self._uids) for one in session.listing(chunk, identity=False)
        }
        if not self._by_bytes:
            self.digests = dict.fromkeys(self.listed, b"")
            self._asked.update(self._uids)
            return
        self._suspects.ask_alone(partial(self._ask, session))
        left = [uid for uid in self._uids if uid not in self._asked | self._suspects.found]
        last = 0
        try:
            for uid, digest in digests(session, left):
                self.digests[uid], last = digest, max(last, uid)
                self._asked.add(uid)
        except ConnectionLost:
            suspect = next((uid for uid in left if uid > last), None)
            if suspect is not None:
                self._suspects.suspect(suspect)
            raise
        self._asked.update(left)

    def _ask(self, session: Session, uid: int) -> None:
        self.digests.update(digests(session, [uid]))
        self._asked.add(uid)


def portions(undecided: Iterable[Undecided]) -> Iterator[list[Undecided]]:
    """As many at once as are to be kept in memory."""
    portion: list[Undecided] = []
    messages = 0
    for one in undecided:
        portion.append(one)
        messages += len(one.members) + len(one.held)
        if messages >= PORTION:
            yield portion
            portion, messages = [], 0
    if portion:
        yield portion
