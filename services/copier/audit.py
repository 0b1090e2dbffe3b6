"""What the destination holds of a plan after its last append (COPYING rule 19)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from libs.mailbox.digests import digests, exact
from libs.mailbox.port import Session
from libs.mailbox.sides import at
from services.copier.ledger import Ledger, Ref
from services.copier.tail import Tail, by_source, open_source

Level = Literal["size", "bytes"]


@dataclass(slots=True)
class Findings:
    level: Level
    verified: int = 0
    removed: list[Ref] = field(default_factory=list[Ref])  # delivered, then removed by somebody else
    rewritten: list[Ref] = field(default_factory=list[Ref])  # not what was sent


def audit(ledger: Ledger, tail: Tail, destination: Session, source: Callable[[], Session], *, deep: bool) -> Findings:
    """Look for every delivered message by its UID; without UIDPLUS, by the sizes in the tail, or (deep) by the bytes.

    Raises:
        PlanOutdated, SideFailed
    """
    findings = Findings(level="bytes" if deep else "size")
    if not ledger.delivered:
        return findings
    if deep and ledger.delivered_unnamed():
        tail.read(destination)
    sizes = _sent_sizes(ledger, tail)
    named = ledger.delivered_uids()
    first = min(named, default=ledger.plan.boundary)
    held = {one.uid: one.size for one in tail.listing(destination, first=min(first, ledger.plan.boundary))}
    unnamed_sizes = Counter(size for uid, size in held.items() if uid not in named)
    equal: list[Ref] = []
    for ref, delivered in ledger.delivered.items():
        size = sizes.get(ref)
        if delivered.uid is None:
            if size is not None and unnamed_sizes[size] > 0:
                unnamed_sizes[size] -= 1
                (findings.rewritten if deep else equal).append(ref)
            else:
                findings.removed.append(ref)
        elif delivered.uid not in held:
            findings.removed.append(ref)
        elif size is not None and held[delivered.uid] != size:
            findings.rewritten.append(ref)
        else:
            equal.append(ref)
    if deep:
        with at("destination"):
            there = dict(digests(destination, sorted(named), exact))
        different = _different(ledger, equal, there, source)
    else:
        different = _changed_in_secret(ledger, equal, destination)
    findings.rewritten.extend(different)
    findings.verified = len(equal) - len(different)
    with at("destination"):
        destination.unselect()
    return findings


def _sent_sizes(ledger: Ledger, tail: Tail) -> dict[Ref, int]:
    """Bytes of each delivered message: as sent by us, or as the source lists it."""
    sizes = {ref: one.size for ref, one in ledger.delivered.items() if one.size is not None}
    if len(sizes) < len(ledger.delivered):
        listed = tail.sizes()
        sizes.update((ref, listed[ref]) for ref in ledger.delivered if ref not in sizes and ref in listed)
    return sizes


def _changed_in_secret(ledger: Ledger, refs: list[Ref], destination: Session) -> list[Ref]:
    """Those that servers change without changing the size, and that this one has changed."""
    uids = {ref: ledger.delivered[ref].uid for ref in refs if ref in ledger.fragile}
    with at("destination"):
        there = dict(digests(destination, sorted(uid for uid in uids.values() if uid is not None), exact))
    return [ref for ref, uid in uids.items() if uid in there and there[uid] != ledger.fragile[ref]]


def _different(ledger: Ledger, refs: list[Ref], there: dict[int, bytes], source: Callable[[], Session]) -> list[Ref]:
    """Those whose bytes at the source, read once more, are not those at the destination."""
    different: list[Ref] = []
    for index, uids in by_source(refs):
        with at("source"):
            session = open_source(source(), ledger, index)
            for source_uid, digest in digests(session, uids, exact):
                ref = Ref(index, source_uid)
                uid = ledger.delivered[ref].uid
                if uid is not None and there.get(uid) != digest:
                    different.append(ref)
    return different
