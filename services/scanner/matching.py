"""Which source messages the destination holds already (COPYING rule 4). Pure, and count-aware.

A message's identity is its Message-ID, the digest of its main headers and its
size. One member on each side is a match. Where either side has several, or
always for `verify: "deep"`, the bytes decide; the caller brings their digests.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from libs.mailbox.port import Listed


@dataclass(frozen=True, slots=True)
class At:
    """A source message: which of the plan's source folders, and its listing."""

    source: int
    listed: Listed


@dataclass(slots=True)
class Comparison:
    """What identity alone says."""

    absent: list[At] = field(default_factory=list[At])
    present: list[At] = field(default_factory=list[At])
    # classes whose bytes must be compared
    undecided: list[tuple[list[At], list[Listed]]] = field(default_factory=list[tuple[list[At], list[Listed]]])


def identity(listed: Listed) -> Hashable:
    return listed.message_id, listed.header_digest, listed.size


def compare(source: Iterable[At], destination: Iterable[Listed], *, deep: bool) -> Comparison:
    held: defaultdict[Hashable, list[Listed]] = defaultdict(list)
    for listed in destination:
        held[identity(listed)].append(listed)
    classes: defaultdict[Hashable, list[At]] = defaultdict(list)
    result = Comparison()
    for at in source:
        if identity(at.listed) in held:
            classes[identity(at.listed)].append(at)
        else:
            result.absent.append(at)
    for key, members in classes.items():
        if len(members) == 1 and len(held[key]) == 1 and not deep:
            result.present.extend(members)
        else:
            result.undecided.append((members, held[key]))
    return result


def decide(
    members: Sequence[At],
    held: Sequence[Listed],
    source_bytes: Mapping[tuple[int, int], bytes],
    destination_bytes: Mapping[int, bytes],
) -> tuple[list[At], list[At]]:
    """Split one undecided class into (present, absent).

    `source_bytes` maps (source, UID) and `destination_bytes` UID to a digest of
    the bytes; a message without one is gone. Each held message answers for one
    source message; among equal ones the same INTERNALDATE is taken first.
    """
    free: defaultdict[bytes, list[Listed]] = defaultdict(list)
    for listed in held:
        if listed.uid in destination_bytes:
            free[destination_bytes[listed.uid]].append(listed)
    present: list[At] = []
    absent: list[At] = []
    undated: list[At] = []
    for at in members:
        twins = free.get(source_bytes.get((at.source, at.listed.uid), b""), [])
        twin = next((twin for twin in twins if twin.internaldate == at.listed.internaldate), None)
        if twin is None:
            undated.append(at)
        else:
            twins.remove(twin)
            present.append(at)
    for at in undated:
        twins = free.get(source_bytes.get((at.source, at.listed.uid), b""), [])
        if twins:
            twins.pop()
            present.append(at)
        else:
            absent.append(at)
    return present, absent
