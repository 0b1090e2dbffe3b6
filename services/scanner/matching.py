"""Which source messages the destination holds already (COPYING rule 4). Pure, and count-aware.

A message's identity is its Message-ID, the digest of its main headers and its
size. One member on each side is a match. Where either side has several, or
always for `verify: "deep"`, the bytes decide; the caller brings their digests.
So it is with all messages of a size of which one can't be identified.
"""

from collections import defaultdict
from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from libs.contracts.survives import Survives
from libs.mailbox import recognise
from libs.mailbox.port import Listed

IDENTITY_BYTES = 16
UID_BITS = 32


class Ref(NamedTuple):
    """A source message: which of the plan's source folders, and the UID there."""

    source: int
    uid: int


@dataclass(frozen=True, slots=True)
class At:
    """A source message whose bytes are to be compared: which of the source folders, and its listing."""

    source: int
    listed: Listed


class Undecided(NamedTuple):
    """Messages that may be one another's copies: those of the source, and UIDs at the destination."""

    members: list[Ref]
    held: list[int]


class Decided(NamedTuple):
    """`unconfirmed`: the destination may hold these, in messages whose bytes can't be compared."""

    present: list[At]
    absent: list[At]
    unconfirmed: list[At]


class Matching:
    """Both listings, one after the other, and what identity alone says.

    It keeps 150 bytes for each message of the destination, so that 200,000 stay below 40 MB.
    """

    def __init__(self, survives: Survives = "bytes", unidentified: Container[int] = ()) -> None:
        """`survives`: what of a message this destination keeps (COPYING rule 15); `unidentified`: the sizes of
        messages without identity, which count where bytes can be compared."""
        self.survives: Survives = survives
        self._unidentified: Container[int] = unidentified if survives == "bytes" else ()
        self._held_of_size: dict[int, list[int]] = {}
        self._members_of_size: dict[int, list[Ref]] = {}
        self.near: dict[Hashable, list[Ref]] = {}  # nothing like it but for the size, which may be told wrong
        self._headers: set[int] = set()
        # Destination UID; above it, once a source message has claimed it, its UID, and above that its folder + 1.
        self._held: dict[bytes, int] = {}
        self._more_held: dict[bytes, list[int]] = {}
        self._more_members: dict[bytes, list[Ref]] = {}

    def __bool__(self) -> bool:
        return bool(self._held or self._held_of_size)

    def hold(self, listed: Listed) -> None:
        """This is at the destination; all of them come before the first `claim`."""
        if listed.size in self._unidentified:
            self._held_of_size.setdefault(listed.size, []).append(listed.uid)
            return
        key = identity(listed, self.survives)
        if key is None:
            return
        if self.survives == "bytes" and listed.message_id is not None:
            self._headers.add(hash(recognise.key(listed, "headers")))
        if self._held.setdefault(key, listed.uid) != listed.uid:
            self._more_held.setdefault(key, []).append(listed.uid)

    def claim(self, source: int, listed: Listed) -> bool:
        """This is at the source. False: the destination has nothing like it."""
        if listed.size in self._unidentified:
            self._members_of_size.setdefault(listed.size, []).append(Ref(source, listed.uid))
            return listed.size in self._held_of_size
        key = identity(listed, self.survives)
        held = self._held.get(key) if key is not None else None
        if key is None or held is None:
            return listed.message_id is not None and self._is_near(source, listed)
        if held >> UID_BITS:
            self._more_members.setdefault(key, []).append(Ref(source, listed.uid))
        else:
            self._held[key] = held | (listed.uid | (source + 1) << UID_BITS) << UID_BITS
        return True

    def _is_near(self, source: int, listed: Listed) -> bool:
        headers = recognise.key(listed, "headers")
        if hash(headers) not in self._headers:
            return False
        self.near.setdefault(headers, []).append(Ref(source, listed.uid))
        return True

    def undecided(self, *, deep: bool) -> Iterator[Undecided]:
        """What was claimed and whose bytes must be compared; all else that was claimed is present."""
        shared = self._held if deep else {**self._more_held, **self._more_members}
        for key in shared:
            packed = self._held[key]
            if packed >> UID_BITS:
                yield Undecided(
                    [_claimant(packed), *self._more_members.get(key, ())],
                    [packed % (1 << UID_BITS), *self._more_held.get(key, ())],
                )
        for size, held in self._held_of_size.items():
            if size in self._members_of_size:
                yield Undecided(self._members_of_size[size], held)


def identity(listed: Listed, survives: Survives) -> bytes | None:
    """None: nothing tells this message from others."""
    name = (listed.message_id or "").encode("utf-8", "surrogateescape")
    match survives:
        case "bytes" | "size":
            key = b"%d %b %b" % (listed.size, listed.header_digest, name)
        case "headers":
            key = listed.header_digest + name
        case "message_id":
            key = name
        case "none":
            key = b""
    if not key:
        return None
    return blake2b(key, digest_size=IDENTITY_BYTES).digest()


def _claimant(packed: int) -> Ref:
    source, uid = divmod(packed >> UID_BITS, 1 << UID_BITS)
    return Ref(source - 1, uid)


def decide(
    members: Sequence[At],
    held: Sequence[Listed],
    source_bytes: Mapping[tuple[int, int], bytes],
    destination_bytes: Mapping[int, bytes],
) -> Decided:
    """Split one undecided class; `source_bytes` maps (source, UID), `destination_bytes` UID to a digest of the bytes.

    Each held message answers for one source message; among equal ones the same INTERNALDATE is taken first. One
    without digest is there and not handed out: it may be a copy of any other that is not decided.
    """
    free: defaultdict[bytes, list[Listed]] = defaultdict(list)
    for listed in held:
        if listed.uid in destination_bytes:
            free[destination_bytes[listed.uid]].append(listed)
    decided, undated, unread = Decided([], [], []), list[At](), list[At]()
    for at in members:
        digest = source_bytes.get((at.source, at.listed.uid))
        if digest is None:
            unread.append(at)
        elif (twin := _of_date(at, free.get(digest, []))) is not None:
            free[digest].remove(twin)
            decided.present.append(at)
        else:
            undated.append(at)
    for at in undated:
        twins = free.get(source_bytes[at.source, at.listed.uid], [])
        if twins:
            twins.pop()
            decided.present.append(at)
        else:
            decided.absent.append(at)
    silent = [listed for listed in held if listed.uid not in destination_bytes]
    while silent and decided.absent:
        pair = next(
            ((at, twin) for at in decided.absent if (twin := _of_date(at, silent))), (decided.absent[0], silent[0])
        )
        decided.absent.remove(pair[0])
        silent.remove(pair[1])
        decided.unconfirmed.append(pair[0])
    left = len(silent) + sum(map(len, free.values()))
    decided.unconfirmed.extend(unread[:left])
    decided.absent.extend(unread[left:])
    return decided


def _of_date(at: At, twins: Sequence[Listed]) -> Listed | None:
    return next((twin for twin in twins if twin.internaldate == at.listed.internaldate), None)
