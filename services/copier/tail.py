"""The tail of a destination folder: what arrived since the plan, and what of it is ours (COPYING rules 9, 13)."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from libs.contracts import uidset
from libs.mailbox.digests import digests
from libs.mailbox.errors import FolderGone
from libs.mailbox.port import Listed, Session
from libs.mailbox.sides import at
from services.copier.ledger import Ledger, Ref

ACK_ITEMS = 500  # messages in one ack row
STEP = 100  # source messages whose bytes are read at once when looking for one


class PlanOutdated(Exception):
    """The folder is not the one that was planned: gone, or its UIDVALIDITY changed. It must be planned again."""


class Tail:
    """Reads one folder's tail and writes what it finds into the ledger.

    A message in the tail that no ack explains is compared, by the sha256 of its
    bytes, with the whole plan in source order, less what is acked or failed.
    """

    def __init__(self, ledger: Ledger, source: Callable[[], Session]) -> None:
        self._ledger = ledger
        self._source = source
        self._sizes: dict[Ref, int] | None = None
        self.next_uid = ledger.plan.boundary  # E: above every UID that was seen or acked

    def read(self, destination: Session, *, first: int | None = None, last: int | None = None) -> list[Ref]:
        """Look once, in UIDs `first` to `last` (B to the end); the refs that were found to be delivered.

        Raises:
            PlanOutdated: the folder on either side is another one.
            SideFailed: a connection failed; looking again is safe.
        """
        unexplained = self._unexplained(self.listing(destination, first=first, last=last))
        found = self._match(destination, unexplained) if unexplained else []
        with at("destination"):
            destination.unselect()
        return found

    def listing(self, destination: Session, *, first: int | None = None, last: int | None = None) -> Iterator[Listed]:
        """One by one, as folders may be large; the destination folder stays open.

        Raises:
            PlanOutdated: the destination folder is another one.
        """
        plan = self._ledger.plan
        with at("destination"):
            try:
                selected = destination.examine(plan.destination_wire)
            except FolderGone as error:
                raise PlanOutdated from error
            if selected.uidvalidity != plan.destination_uidvalidity:
                raise PlanOutdated
            if not selected.exists:
                return
            for one in destination.listing(f"{first or plan.boundary}:{last or '*'}", identity=False):
                self.next_uid = max(self.next_uid, one.uid + 1)
                yield one

    def sizes(self) -> dict[Ref, int]:
        """RFC822.SIZE of every message of the plan that is still at the source."""
        if self._sizes is None:
            sizes: dict[Ref, int] = {}
            for index, uids in by_source(self._ledger.order()):
                with at("source"):
                    session = open_source(self._source(), self._ledger, index)
                    for chunk in uidset.chunks(uids):
                        for one in session.listing(chunk, identity=False):
                            sizes[Ref(index, one.uid)] = one.size
            self._sizes = sizes
        return self._sizes

    def _unexplained(self, listed: Iterable[Listed]) -> list[Listed]:
        known = self._ledger.delivered_uids()
        return [one for one in listed if one.uid not in known and one.uid not in self._ledger.foreign]

    def _match(self, destination: Session, unexplained: Sequence[Listed]) -> list[Ref]:
        sizes = self.sizes()
        tail_sizes = {one.size for one in unexplained}
        # Delivered under a UID we were not told first: an arrived message is theirs before it is anybody's else.
        groups = [
            [ref for ref in refs if sizes.get(ref) in tail_sizes]
            for refs in (self._ledger.delivered_unnamed(), self._ledger.remaining())
        ]
        candidate_sizes = {sizes[ref] for refs in groups for ref in refs}
        arrived = [one for one in unexplained if one.size in candidate_sizes]
        unmatched: defaultdict[bytes, deque[int]] = defaultdict(deque)
        with at("destination"):
            for uid, digest in digests(destination, sorted(one.uid for one in arrived)):
                unmatched[digest].append(uid)
        pending = sum(len(uids) for uids in unmatched.values())
        found: list[tuple[Ref, int]] = []
        for ref, digest in chain.from_iterable(map(self._source_digests, groups)) if pending else ():
            if unmatched.get(digest):
                found.append((ref, unmatched[digest].popleft()))
                pending -= 1
                if not pending:
                    break
        named = {uid for _, uid in found}
        self._ledger.foreign.update(one.uid for one in unexplained if one.uid not in named)
        return self._record(found, sizes)

    def _source_digests(self, refs: Iterable[Ref]) -> Iterator[tuple[Ref, bytes]]:
        """Read in small steps, so that one who stops listening has not asked for much too much."""
        for index, uids in by_source(refs):
            with at("source"):
                session = open_source(self._source(), self._ledger, index)
            for start in range(0, len(uids), STEP):
                with at("source"):
                    step = list(digests(session, uids[start : start + STEP]))
                yield from ((Ref(index, uid), digest) for uid, digest in step)

    def _record(self, found: Sequence[tuple[Ref, int]], sizes: dict[Ref, int]) -> list[Ref]:
        new: list[tuple[Ref, int]] = []
        for ref, uid in found:
            if ref in self._ledger.delivered:
                self._ledger.name(ref, uid)
            else:
                new.append((ref, uid))
        uidvalidity = self._ledger.plan.destination_uidvalidity
        for start in range(0, len(new), ACK_ITEMS):
            for index, _ in by_source(ref for ref, _ in new[start : start + ACK_ITEMS]):
                part = [(ref, uid) for ref, uid in new[start : start + ACK_ITEMS] if ref.source == index]
                refs = [ref for ref, _ in part]
                self._ledger.deliver(refs, [sizes[ref] for ref in refs], uidvalidity, [uid for _, uid in part])
        return [ref for ref, _ in new]


def open_source(session: Session, ledger: Ledger, index: int) -> Session:
    """EXAMINE one source folder of the plan.

    Raises:
        PlanOutdated: it is gone, or its UIDVALIDITY changed.
    """
    source = ledger.plan.sources[index]
    try:
        selected = session.examine(source.wire)
    except FolderGone as error:
        raise PlanOutdated from error
    if selected.uidvalidity != source.uidvalidity:
        raise PlanOutdated
    return session


def by_source(refs: Iterable[Ref]) -> list[tuple[int, list[int]]]:
    """UIDs in their order, grouped by source folder."""
    groups: dict[int, list[int]] = {}
    for ref in refs:
        groups.setdefault(ref.source, []).append(ref.uid)
    return list(groups.items())
