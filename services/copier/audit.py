"""What the destination holds of a plan after its last append (COPYING rule 19)."""

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Literal

from libs.contracts.reasons import Reason
from libs.contracts.survives import Survives, recognises_by_headers
from libs.mailbox.digests import digests, exact, header_digests
from libs.mailbox.port import Listed, Session
from libs.mailbox.recognise import key
from libs.mailbox.sides import at
from services.copier.behaviour import Behaviour
from services.copier.ledger import Ledger, Ref
from services.copier.tail import Tail

Level = Literal["size", "identity", "bytes"]


@dataclass(slots=True)
class Findings:
    """A delivered message that is in none of these is there, and the source no longer shows what it should be."""

    level: Level
    verified: int = 0
    removed: list[Ref] = field(default_factory=list[Ref])  # delivered, then removed by somebody else
    rewritten: list[Ref] = field(default_factory=list[Ref])  # not what was sent
    surplus: list[Ref] = field(default_factory=list[Ref])  # there once more, under a UID nobody was told
    recovered: int = 0  # sent, found not to have landed, and sent again

    def noted(self) -> list[tuple[Reason, list[Ref]]]:
        """What is to be said of messages."""
        return [
            (Reason.REMOVED_AT_DESTINATION, self.removed),
            (Reason.REWRITTEN, self.rewritten),
            (Reason.SURPLUS, self.surplus),
        ]


def audit(ledger: Ledger, tail: Tail, destination: Session, behaviour: Behaviour, *, deep: bool) -> Findings:
    """Look for every delivered message, by its UID where one is known.

    Sizes are compared, and bytes where they differ; deep, all bytes; what survives, on a server that changes mail.

    Raises:
        PlanOutdated, SideFailed
    """
    survives = behaviour.survives or "bytes"
    by_headers = recognises_by_headers(survives)
    deep = deep and not by_headers
    findings = Findings(level="identity" if by_headers else "bytes" if deep else "size")
    if ledger.unconfirmed():
        tail.read(destination)  # some may have come to light
    if not ledger.delivered:
        return findings
    if ledger.delivered_unnamed() and by_headers:
        tail.read(destination)
    first = min(min(ledger.delivered_uids(), default=ledger.plan.boundary), ledger.plan.boundary)
    if by_headers:
        listing = tail.listing(destination, first=first, identity=True)
        _compare_keys(ledger, tail, {one.uid: one for one in listing}, findings, survives)
    else:
        sizes = _sizes(tail, destination, first)
        if ledger.delivered_unnamed() and (deep or _is_one_gone(ledger, tail, sizes)):
            tail.read(destination)  # what comes after it is nobody's yet
            sizes = {uid: size for uid, size in _sizes(tail, destination, first).items() if uid in sizes}
        _compare(ledger, tail, destination, sizes, findings, deep=deep)
        _count_unnamed(ledger, tail, sizes, findings)
        findings.surplus = _surplus(ledger, tail, destination, sizes)
    return findings


def _sizes(tail: Tail, destination: Session, first: int) -> dict[int, int]:
    """A number a message: folders may be large."""
    return {one.uid: one.size for one in tail.listing(destination, first=first)}


def _unknown(ledger: Ledger, held: Iterable[int]) -> list[int]:
    """What is ours or a stranger's: it arrived since the plan, nobody said what it is, and no bytes were compared."""
    named = ledger.delivered_uids()
    return [uid for uid in held if uid >= ledger.plan.boundary and uid not in named and uid not in ledger.foreign]


def _is_one_gone(ledger: Ledger, tail: Tail, held: Iterable[int]) -> bool:
    """Whether fewer are there than were sent, and than others have written unseen: the bytes tell then which one is
    gone, and that no stranger of its size answers for it."""
    boundary, unnamed = ledger.plan.boundary, len(ledger.delivered_unnamed())
    accounted = unnamed + sum(uid >= boundary for uid in (*ledger.delivered_uids(), *ledger.foreign))
    strangers = max(0, tail.assigned - boundary - accounted)
    return len(_unknown(ledger, held)) < unnamed + strangers


def _present(ledger: Ledger, held: Container[int], findings: Findings) -> list[Ref]:
    """The delivered messages that are there under the UID that was told; others were removed."""
    findings.removed = [ref for ref, one in ledger.delivered.items() if one.uid is not None and one.uid not in held]
    return [ref for ref, one in ledger.delivered.items() if one.uid is not None and one.uid in held]


def _compare_keys(ledger: Ledger, tail: Tail, held: dict[int, Listed], findings: Findings, survives: Survives) -> None:
    there, sources = _present(ledger, held, findings), tail.sources(identity=True)
    for ref in there if survives != "none" else ():
        if ref in sources:
            same = key(sources[ref], survives) == key(held[_uid(ledger, ref)], survives)
            findings.verified += same
            if not same:
                findings.rewritten.append(ref)


def _compare(
    ledger: Ledger, tail: Tail, destination: Session, held: dict[int, int], findings: Findings, *, deep: bool
) -> None:
    """By the sizes, and the headers that may be changed in secret; by the bytes those that differ (a server may tell
    wrong sizes), and deep all."""
    sizes = _sent_sizes(ledger, tail)
    known = [ref for ref in _present(ledger, held, findings) if ref in sizes]
    other = {ref for ref in known if sizes[ref] != held[_uid(ledger, ref)]}
    if not deep:
        other |= _other_headers(ledger, destination, set(known) - other)
    equal = [ref for ref in known if ref not in other]
    doubtful = known if deep else [ref for ref in known if ref in other]
    sent = {} if deep else {ref: ledger.fragile[ref] for ref in equal if ref in ledger.fragile}
    sent.update(tail.digests_at_source(sorted(doubtful), exact))
    with at("destination"):
        stored = dict(digests(destination, sorted({_uid(ledger, ref) for ref in sent}), exact))
    compared = {ref for ref in sent if _uid(ledger, ref) in stored}
    differing = {ref for ref in compared if sent[ref] != stored[_uid(ledger, ref)]}
    if not deep:  # its size or header is another, and the source has nothing more to compare it with
        differing.update(ref for ref in doubtful if ref not in compared)
    findings.rewritten += [ref for ref in known if ref in differing]
    verified = compared if deep else [*equal, *(ref for ref in doubtful if ref in compared)]
    findings.verified += sum(ref not in differing for ref in verified)


def _other_headers(ledger: Ledger, destination: Session, refs: Iterable[Ref]) -> set[Ref]:
    """Those whose header a server may change in secret, and that has not come back as it was sent."""
    sent = {_uid(ledger, ref): ref for ref in refs if ref in ledger.headers}
    with at("destination"):
        stored = dict(header_digests(destination, sorted(sent)))
    return {ref for uid, ref in sent.items() if stored.get(uid, ledger.headers[ref]) != ledger.headers[ref]}


def _uid(ledger: Ledger, ref: Ref) -> int:
    return ledger.delivered[ref].uid or 0


def _count_unnamed(ledger: Ledger, tail: Tail, held: dict[int, int], findings: Findings) -> None:
    """Without UIDPLUS: of each size there are as many as were sent, not counting those whose bytes nobody sent."""
    unnamed = ledger.delivered_unnamed()
    if not unnamed:
        return
    sizes = _sent_sizes(ledger, tail)
    free = Counter(held[uid] for uid in _unknown(ledger, held))
    for ref in unnamed:
        size = sizes.get(ref)
        if size is None or free[size] == 0:
            findings.removed.append(ref)
        else:
            free[size] -= 1
            findings.verified += 1


def _surplus(ledger: Ledger, tail: Tail, destination: Session, held: dict[int, int]) -> list[Ref]:
    """Delivered messages that lie in the tail once more than they were delivered."""
    named, sizes = ledger.delivered_uids(), _sent_sizes(ledger, tail)
    tail_only = {uid: size for uid, size in held.items() if uid >= ledger.plan.boundary and uid not in named}
    if not tail_only:
        return []
    unnamed = Counter(sizes.get(ref) for ref in ledger.delivered_unnamed())
    ours = set(sizes.values())
    free = Counter(tail_only.values())
    suspects = [uid for uid, size in tail_only.items() if size in ours and free[size] > unnamed[size]]
    if not suspects:
        return []
    suspected = {tail_only[uid] for uid in suspects}
    with at("destination"):
        strangers = Counter(digest for _, digest in digests(destination, sorted(suspects)))
    result: list[Ref] = []
    for ref, digest in tail.digests_at_source(sorted(ref for ref in ledger.delivered if sizes.get(ref) in suspected)):
        if strangers[digest] > 0:
            strangers[digest] -= 1
            if ledger.delivered[ref].uid is not None:  # otherwise it is the one that was delivered
                result.append(ref)
    return result


def _sent_sizes(ledger: Ledger, tail: Tail) -> dict[Ref, int]:
    """Bytes of each delivered message: as sent by us, or as the source lists it."""
    sizes = {ref: one.size for ref, one in ledger.delivered.items() if one.size is not None}
    if len(sizes) < len(ledger.delivered):
        listed = tail.sources(identity=False)
        sizes.update((ref, listed[ref].size) for ref in ledger.delivered if ref not in sizes and ref in listed)
    return sizes
