"""Plan one destination folder: list both sides, drop what is there already, make the folder (COPYING rules 1 to 4).

Reads with EXAMINE only; the destination folder is the one thing it creates.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from libs.contracts import uidset
from libs.contracts.ids import PlanId
from libs.contracts.jobs import JobOptions
from libs.mailbox.digests import digests
from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.port import LARGE, Listed, Selected, Session
from libs.mailbox.sides import at
from libs.readmodel.rows import FolderRow, PlanRow, PlanSource
from services.scanner.accounts import Both
from services.scanner.filters import kept
from services.scanner.matching import At, compare, decide

NOT_CREATED = 0  # the destination's UIDVALIDITY in a plan whose folder the server would not create


@dataclass(slots=True)
class Destination:
    """What the destination folder holds before the plan."""

    listed: list[Listed] = field(default_factory=list[Listed])
    selected: Selected | None = None  # None: there is no such folder yet

    @property
    def boundary(self) -> int:
        """B: the highest UID seen + 1, never UIDNEXT (COPYING rule 2)."""
        return max((listed.uid for listed in self.listed), default=0) + 1


def plan(folder: FolderRow, options: JobOptions, both: Both, *, plan_id: PlanId, number: int) -> PlanRow:
    """
    Raises:
        SideFailed: one of the accounts could not be read.
    """
    source, destination = both.source, both.destination
    with at("destination"):
        held = list_destination(destination, folder.destination_wire)
    folders_only = options.mode == "folders_only"
    listing = [] if folders_only else list(list_source(source, folder.source_wires, identity=bool(held.listed)))
    candidates = [At(index, listed) for index, _, all_listed in listing for listed in all_listed]
    wanted = [candidate for candidate in candidates if kept(candidate.listed, options)]
    to_copy = absent(folder, wanted, held, both, deep=options.verify == "deep")
    with at("destination"):
        uidvalidity = held.selected.uidvalidity if held.selected else create(destination, folder.destination_wire)
    copied_bytes = sum(candidate.listed.size for candidate in to_copy)
    by_source: dict[int, list[int]] = {}
    for candidate in to_copy:
        by_source.setdefault(candidate.source, []).append(candidate.listed.uid)
    return PlanRow(
        job_id=folder.job_id,
        folder_id=folder.folder_id,
        plan_id=plan_id,
        number=number,
        destination_wire=folder.destination_wire,
        destination_uidvalidity=uidvalidity,
        boundary=held.boundary,
        sources=tuple(
            PlanSource(
                wire=folder.source_wires[index],
                uidvalidity=selected.uidvalidity,
                uids=uidset.encode(sorted(by_source.get(index, ()))),
                large=uidset.encode(
                    one.listed.uid for one in to_copy if one.source == index and one.listed.size > LARGE
                ),
            )
            for index, selected, _ in listing
        ),
        items=len(to_copy),
        bytes=copied_bytes,
        skipped_present=len(wanted) - len(to_copy),
        skipped_filtered=len(candidates) - len(wanted),
        bytes_skipped=sum(candidate.listed.size for candidate in candidates) - copied_bytes,
    )


def list_destination(session: Session, wire: str) -> Destination:
    try:
        selected = session.examine(wire)
    except FolderGone:
        return Destination()
    listed = list(session.listing(identity=True)) if selected.exists else []
    session.unselect()
    return Destination(listed=listed, selected=selected)


def list_source(
    session: Session, wires: Iterable[str], *, identity: bool
) -> Iterable[tuple[int, Selected, list[Listed]]]:
    """(index, EXAMINE, listing) of each source folder; one that is gone is left out."""
    for index, wire in enumerate(wires):
        with at("source"):
            try:
                selected = session.examine(wire)
            except FolderGone:
                selected, listed = Selected(uidvalidity=0, uidnext=None, exists=0), []
            else:
                listed = sorted(session.listing(identity=identity), key=lambda one: one.uid) if selected.exists else []
        yield index, selected, listed


def absent(folder: FolderRow, wanted: list[At], held: Destination, both: Both, *, deep: bool) -> list[At]:
    """The wanted messages that the destination does not hold, in source order."""
    if not held.listed:
        return wanted
    comparison = compare(wanted, held.listed, deep=deep)
    result = comparison.absent
    if comparison.undecided:
        with at("source"):
            source_bytes = source_digests(both.source, folder.source_wires, comparison.undecided)
        with at("destination"):
            both.destination.examine(folder.destination_wire)
            uids = sorted(listed.uid for _, twins in comparison.undecided for listed in twins)
            destination_bytes = dict(digests(both.destination, uids))
            both.destination.unselect()
        for members, twins in comparison.undecided:
            result.extend(decide(members, twins, source_bytes, destination_bytes)[1])
    return sorted(result, key=lambda one: (one.source, one.listed.uid))


def source_digests(
    session: Session, wires: tuple[str, ...], undecided: list[tuple[list[At], list[Listed]]]
) -> dict[tuple[int, int], bytes]:
    by_source: dict[int, list[int]] = {}
    for members, _ in undecided:
        for member in members:
            by_source.setdefault(member.source, []).append(member.listed.uid)
    result: dict[tuple[int, int], bytes] = {}
    for index, uids in by_source.items():
        session.examine(wires[index])
        result.update(((index, uid), digest) for uid, digest in digests(session, sorted(uids)))
    return result


def create(session: Session, wire: str) -> int:
    """Make the folder and return its UIDVALIDITY, or `NOT_CREATED`: the copier will say why, message by message."""
    try:
        session.create(wire)
        uidvalidity = session.examine(wire).uidvalidity
    except (FolderRefused, FolderGone):
        return NOT_CREATED
    session.unselect()
    return uidvalidity
