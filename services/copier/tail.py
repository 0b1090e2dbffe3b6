"""The tail of a destination folder: what arrived since the plan, and what of it is ours (COPYING rules 9, 13, 15)."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain

from libs.contracts import uidset
from libs.contracts.survives import Survives
from libs.mailbox.digests import Digest, digests, recognising
from libs.mailbox.errors import FolderGone, FolderRefused, MailboxError
from libs.mailbox.port import Listed, Session
from libs.mailbox.recognise import key
from libs.mailbox.sides import at
from services.copier.behaviour import Behaviour
from services.copier.ledger import Ledger, Ref

ACK_ITEMS = 500  # messages in one ack row
STEP = 100  # source messages whose bytes are read at once when looking for one
WEAKER: tuple[Survives, ...] = ("size", "headers", "message_id")


class PlanOutdated(Exception):
    """The folder is not the one that was planned: gone, or its UIDVALIDITY changed. It must be planned again."""


class SourceFolderGone(Exception):
    """A source folder of the plan, by its index, is no longer there."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class SourceFolderFailed(Exception):
    """A source folder of the plan, by its index, that its server does not open, or of which it answers nonsense."""

    def __init__(self, index: int, error: MailboxError) -> None:
        super().__init__(index)
        self.index = index
        self.error = error


class Tail:
    """Reads one folder's tail and writes what it finds into the ledger.

    A message in the tail that no ack explains is compared with the whole plan in source order, less what is acked
    or failed: by the sha256 of its bytes, or by what survives of a message on this server.
    """

    def __init__(self, ledger: Ledger, source: Callable[[], Session], behaviour: Behaviour | None = None) -> None:
        self._ledger = ledger
        self._source = source
        self._behaviour = behaviour or Behaviour()
        self._listings: dict[bool, dict[Ref, Listed]] = {}
        # E: above every UID that was seen or acked
        self.next_uid = max(ledger.plan.boundary, max(ledger.delivered_uids(), default=0) + 1)
        self.uidvalidity = ledger.plan.destination_uidvalidity  # what the server said last, and
        self.uidnext = 0
        self.gaps = False  # this server leaves out UIDs

    @property
    def assigned(self) -> int:
        """Every UID that was given to a message is below this, as far as is known."""
        return max(self.next_uid, self.uidnext)

    def read(self, destination: Session, *, first: int | None = None, last: int | None = None) -> list[Ref]:
        """Look once, in UIDs `first` to `last` (B to the end); the refs that were found to be delivered.

        Raises:
            PlanOutdated: the folder on either side is another one.
            SideFailed: a connection failed; looking again is safe.
        """
        unexplained, count = self._unexplained(self.listing(destination, first=first, last=last))
        if first is not None and last is not None:
            self.gaps = self.gaps or count < last - first + 1
        found = self._match(destination, unexplained) if unexplained else []
        with at("destination"):
            destination.unselect()
        return found

    def listing(
        self, destination: Session, *, first: int | None = None, last: int | None = None, identity: bool = False
    ) -> Iterator[Listed]:
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
            if not self._ledger.is_planned_folder(selected.uidvalidity):
                raise PlanOutdated
            self.uidvalidity = selected.uidvalidity
            self.uidnext = selected.uidnext or 0
            begin = first or plan.boundary
            if not selected.exists or begin > uidset.MAX_UID:  # B may be above the last UID there can be
                return
            for one in destination.listing(f"{begin}:{last or '*'}", identity=identity):
                self.next_uid = max(self.next_uid, one.uid + 1)
                yield one

    def sources(self, *, identity: bool) -> dict[Ref, Listed]:
        """Every message of the plan that is still at the source."""
        if identity not in self._listings:
            found: dict[Ref, Listed] = {}
            for index, uids in by_source(ref for ref in self._ledger.order() if ref.uid):
                with at("source"):
                    try:
                        session = open_source(self._source(), self._ledger, index)
                    except SourceFolderGone:
                        continue
                    for chunk in uidset.chunks(uids):
                        for one in session.listing(chunk, identity=identity):
                            found[Ref(index, one.uid)] = one
            self._listings[identity] = found
        return self._listings[identity]

    def digests_at_source(self, refs: Iterable[Ref], digest: Digest = recognising) -> Iterator[tuple[Ref, bytes]]:
        """Of what is still there. Read in small steps: one who stops listening has not asked for much too much."""
        for index, uids in by_source(refs):
            with at("source"):
                try:
                    session = open_source(self._source(), self._ledger, index)
                except SourceFolderGone:
                    continue
            for start in range(0, len(uids), STEP):
                with at("source"):
                    step = list(digests(session, uids[start : start + STEP], digest))
                yield from ((Ref(index, uid), found) for uid, found in step)

    # ---- what is ours

    def _unexplained(self, listed: Iterable[Listed]) -> tuple[list[Listed], int]:
        """And how many there are at all."""
        known, found, count = self._ledger.delivered_uids(), list[Listed](), 0
        for one in listed:
            count += 1
            if one.uid not in known and one.uid not in self._ledger.foreign:
                found.append(one)
        return found, count

    def _match(self, destination: Session, unexplained: Sequence[Listed]) -> list[Ref]:
        # Delivered under a UID we were not told first: an arrived message is theirs before it is anybody's else.
        groups = [self._ledger.delivered_unnamed(), self._ledger.remaining(), self._ledger.unconfirmed()]
        survives = self._behaviour.survives
        by_bytes = survives in (None, "bytes")
        if survives is None or by_bytes:
            found = self._by_bytes(destination, unexplained, groups)
        else:
            found = self._by_key(destination, [one.uid for one in unexplained], chain.from_iterable(groups), survives)
        named = {uid for _, uid in found}
        self._ledger.foreign.update(one.uid for one in unexplained if one.uid not in named)
        return self._record(found, self.sources(identity=not by_bytes))

    def _by_bytes(
        self, destination: Session, unexplained: Sequence[Listed], groups: Sequence[Sequence[Ref]]
    ) -> list[tuple[Ref, int]]:
        sources = self.sources(identity=False)
        tail_sizes = {one.size for one in unexplained}
        groups = [[ref for ref in refs if ref in sources and sources[ref].size in tail_sizes] for refs in groups]
        candidate_sizes = {sources[ref].size for refs in groups for ref in refs}
        arrived = [one for one in unexplained if one.size in candidate_sizes]
        with at("destination"):
            there = [(uid, digest) for uid, digest in digests(destination, sorted(one.uid for one in arrived))]
        return _pair(there, chain.from_iterable(map(self.digests_at_source, groups)) if there else ())

    def _by_key(
        self, destination: Session, uids: Sequence[int], refs: Iterable[Ref], survives: Survives
    ) -> list[tuple[Ref, int]]:
        with at("destination"):
            there = [
                (one.uid, key(one, survives))
                for chunk in uidset.chunks(sorted(uids))
                for one in destination.listing(chunk, identity=True)
            ]
        sources = self.sources(identity=True)
        return _pair(there, ((ref, key(sources[ref], survives)) for ref in refs if ref in sources))

    def look_closer(self, destination: Session, refs: Sequence[Ref]) -> Survives | None:
        """Look for these by what is weaker than bytes, among what was nobody's; the weakest that one was found by.

        On a server that is known to keep bytes, and that tells a wrong size, they must still be equal.
        """
        known = self._behaviour.survives
        if known not in (None, "bytes") or not self._ledger.foreign:
            return None
        listed = [one.uid for one in self.listing(destination) if one.uid in self._ledger.foreign]
        result: Survives | None = None
        for survives in WEAKER:
            left = [ref for ref in refs if not self._ledger.is_settled(ref)]
            strangers = [uid for uid in listed if uid in self._ledger.foreign]
            if not left or not strangers:
                break
            found = self._by_key(destination, strangers, left, survives)
            if known == "bytes" and found:
                with at("destination"):
                    there = dict(digests(destination, sorted(uid for _, uid in found)))
                here = dict(self.digests_at_source(ref for ref, _ in found))
                found = [(ref, uid) for ref, uid in found if uid in there and here.get(ref) == there[uid]]
            if found:
                self._ledger.foreign.difference_update(uid for _, uid in found)
                self._record(found, self.sources(identity=True))
                result = survives
        return result

    def not_accounted_for(self, destination: Session, base: int | None, unnamed: int) -> int:
        """How many of what was sent may have landed without being recognised.

        `base`: UIDs from there on were given since, `unnamed` of them to messages that are delivered. What is not
        accounted for is gone again, removed by a person or a rule, as the server's UIDNEXT says; or it lies there,
        and nothing tells whose it is.
        """
        if base is None:
            return 0
        listed = {one.uid for one in self.listing(destination, identity=False) if one.uid >= base}
        acked = {uid for uid in self._ledger.delivered_uids() if uid >= base}
        vanished = 0 if self.gaps else self.uidnext - base - len(listed | acked) - unnamed
        strangers = listed - acked if self._behaviour.survives == "none" else self._without_id(destination, base)
        return max(0, vanished) + max(0, len(strangers) - unnamed)

    def _without_id(self, destination: Session, base: int) -> set[int]:
        """Messages without Message-ID that are nobody's, where it is not known yet what the server keeps."""
        strangers = sorted(uid for uid in self._ledger.foreign if uid >= base)
        if self._behaviour.survives is not None or not strangers:
            return set()
        with at("destination"):
            return {
                one.uid
                for chunk in uidset.chunks(strangers)
                for one in destination.listing(chunk, identity=True)
                if one.message_id is None
            }

    def _record(self, found: Sequence[tuple[Ref, int]], sources: dict[Ref, Listed]) -> list[Ref]:
        new: list[tuple[Ref, int]] = []
        for ref, uid in found:
            if ref in self._ledger.delivered:
                self._ledger.name(ref, uid)
            else:
                new.append((ref, uid))
        for start in range(0, len(new), ACK_ITEMS):
            for index, _ in by_source(ref for ref, _ in new[start : start + ACK_ITEMS]):
                part = [(ref, uid) for ref, uid in new[start : start + ACK_ITEMS] if ref.source == index]
                refs = [ref for ref, _ in part]
                self._ledger.deliver(
                    refs, [sources[ref].size for ref in refs], self.uidvalidity, [uid for _, uid in part]
                )
        return [ref for ref, _ in new]


def _pair(there: Sequence[tuple[int, Hashable]], ours: Iterable[tuple[Ref, Hashable]]) -> list[tuple[Ref, int]]:
    """Each message that is there answers for one of ours; what has no key answers for none."""
    free: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for uid, known_by in there:
        if known_by is not None:
            free[known_by].append(uid)
    left = sum(map(len, free.values()))
    found: list[tuple[Ref, int]] = []
    for ref, known_by in ours if left else ():
        if known_by is not None and free.get(known_by):
            found.append((ref, free[known_by].popleft()))
            left -= 1
            if not left:
                break
    return found


def open_source(session: Session, ledger: Ledger, index: int) -> Session:
    """EXAMINE one source folder of the plan.

    Raises:
        SourceFolderGone: or it was given up.
        SourceFolderFailed
        PlanOutdated: its UIDVALIDITY changed.
    """
    if index in ledger.closed_sources:
        raise SourceFolderGone(index)
    source = ledger.plan.sources[index]
    try:
        selected = session.examine(source.wire)
    except FolderGone as error:
        raise SourceFolderGone(index) from error
    except FolderRefused as error:
        raise SourceFolderFailed(index, error) from error
    if selected.uidvalidity != source.uidvalidity:
        raise PlanOutdated
    return session


def by_source(refs: Iterable[Ref]) -> list[tuple[int, list[int]]]:
    """UIDs in their order, grouped by source folder."""
    groups: dict[int, list[int]] = {}
    for ref in refs:
        groups.setdefault(ref.source, []).append(ref.uid)
    return list(groups.items())
