"""Plan one destination folder: list both sides, drop what is there already, make the folder (COPYING rules 1 to 4).

Reads with EXAMINE only; the destination folder is the one thing it creates, and a dry run does not even that.
"""

from array import array
from collections.abc import Collection, Container, Hashable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from libs.contracts import uidset
from libs.contracts.ids import PlanId
from libs.contracts.jobs import JobOptions
from libs.contracts.reasons import Reason
from libs.contracts.survives import Survives
from libs.mailbox.digests import digests
from libs.mailbox.errors import FolderFailing, FolderGone, FolderRefused
from libs.mailbox.port import LARGE, Listed, Selected, Session
from libs.mailbox.recognise import key
from libs.mailbox.sides import at
from libs.readmodel.rows import FailureRow, FolderRow, NoticeRow, PlanRow, PlanSource
from services.scanner.accounts import Both
from services.scanner.earlier import SourceMessage
from services.scanner.everything import only_there
from services.scanner.filters import kept
from services.scanner.matching import At, Matching, Ref, Undecided, decide
from services.scanner.naming import INBOX
from services.scanner.preflight import gone_warning, keyword_warning, name_warning, size_warning
from services.scanner.unidentified import Unidentified

PORTION = 10_000  # messages whose bytes are compared in one go
GONE = 0  # the UIDVALIDITY of a source folder that is no longer there
NOT_CREATED = 0  # the destination's UIDVALIDITY in a plan whose folder the server would not create


@dataclass(slots=True)
class Counted:
    """How many messages, and their bytes."""

    items: int = 0
    bytes: int = 0

    def add(self, listed: Listed) -> None:
        self.items += 1
        self.bytes += listed.size


@dataclass(slots=True)
class Source:
    """One source folder: what of it is to be copied."""

    wire: str
    others: tuple[str, ...] = ()  # folders whose mail this one shows too: it is left out
    uidvalidity: int = GONE
    itself: bool = False  # it can't be opened, or made at the destination: the copier says why
    uidnext: int = 0
    exists: int = 0
    listed: int = 0
    uids: "array[int]" = field(default_factory=lambda: array("L"))  # 8 bytes a message: folders may be large
    large: list[int] = field(default_factory=list[int])
    refused: list[Listed] = field(default_factory=list[Listed])  # of the UIDs: above the destination's APPENDLIMIT
    keywords: frozenset[str] = frozenset()

    def add(self, listed: Listed, limit: int | None) -> None:
        self.uids.append(listed.uid)
        if limit is not None and listed.size > limit:
            self.refused.append(listed)
        elif listed.size > LARGE:
            self.large.append(listed.uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The destination folder after CREATE, if it was sent; the server's words when it would not make it."""

    uidvalidity: int = NOT_CREATED
    uidnext: int = 0  # 0: the server did not say
    exists: int = 0
    refusal: str | None = None
    failing: bool = False  # it was an error of the server's own, which may pass

    @classmethod
    def of(cls, selected: Selected) -> "Made":
        return cls(uidvalidity=selected.uidvalidity, uidnext=selected.uidnext or 0, exists=selected.exists)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the messages of it that need not be sent to be refused, and what is to be said of the folder."""

    row: PlanRow
    refused: list[FailureRow]
    quota: bool  # the destination has told how much room is left, or that there is no limit
    notices: list[NoticeRow]
    misnamed: bool = False  # the destination refused to make a folder of this name

    @classmethod
    def nothing(cls, row: PlanRow) -> "Planned":
        """Nothing is to be said of it."""
        return cls(row, refused=[], quota=False, notices=[])


def plan(
    folder: FolderRow,
    options: JobOptions,
    both: Both,
    *,
    plan_id: PlanId,
    number: int,
    now: datetime,
    delivered: Collection[SourceMessage] = (),
    survives: Survives = "bytes",
    previous: PlanRow | None = None,
    unidentified: Unidentified | None = None,
) -> Planned:
    """`delivered` is left out, whether or not the destination still holds it. `survives`: what the destination
    keeps of a message; `previous`: the plan that this one replaces; `unidentified` is kept from one attempt to the
    next. A dry run makes no folder.

    Raises:
        SideFailed: one of the accounts could not be read.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="scanner-aside") as aside:
        return _plan(
            folder,
            options,
            both,
            aside,
            plan_id=plan_id,
            number=number,
            now=now,
            delivered=delivered,
            survives=survives,
            previous=previous,
            unidentified=unidentified or Unidentified(),
        )


def _plan(
    folder: FolderRow,
    options: JobOptions,
    both: Both,
    aside: Executor,
    *,
    plan_id: PlanId,
    number: int,
    now: datetime,
    delivered: Collection[SourceMessage],
    survives: Survives,
    previous: PlanRow | None,
    unidentified: Unidentified,
) -> Planned:
    """`aside`, one thread: while one side is read it opens the first source folder, then makes the destination's."""
    matching = Matching(survives)
    dry_run = options.mode == "dry_run"
    sources = [Source(wire) for wire in folder.source_wires] if options.mode != "folders_only" else []
    opening = aside.submit(open_source, both.source, sources[0]) if sources else None
    with at("destination"):
        selected, boundary, held = list_destination(both.destination, folder.destination_wire, matching, unidentified)
        limit = both.destination.append_limit(folder.destination_wire if selected else INBOX)
    making = None if selected or dry_run else aside.submit(create, both.destination, folder)
    if sources:
        sources[-1].others = folder.less_wires
    listed, wanted, copied = Counted(), Counted(), Counted()

    def copy(source: Source, one: Listed) -> None:
        if (source.wire, source.uidvalidity, one.uid) not in delivered:
            copied.add(one)
            source.add(one, limit)

    for index, source in enumerate(sources):
        found = opening.result() if opening and not index else open_source(both.source, source)
        for one in list_source(both.source, source, unidentified, identity=bool(matching)) if found else ():
            listed.add(one)
            source.listed += 1
            if not kept(one, options):
                continue
            wanted.add(one)
            if not matching.claim(index, one):
                copy(source, one)
    deep = options.verify == "deep" and survives == "bytes"
    undecided = chain(matching.undecided(deep=deep), near(folder, matching, both))
    for one in absent(folder, undecided, both, by_bytes=survives == "bytes"):
        copy(sources[one.source], one.listed)
    gone = [source.wire for source in sources if source.uidvalidity == GONE and not source.itself]
    made = making.result() if making else Made.of(selected) if selected else Made()
    if folder.subscribe and made.uidvalidity != NOT_CREATED and not dry_run:
        with at("destination"):
            both.destination.subscribe(folder.destination_wire)
    unopened = sum(source.itself for source in sources)
    if made.uidvalidity == NOT_CREATED and not dry_run and not (copied.items or unopened):
        sources, unopened = [Source(folder.source_wires[0], itself=True)], 1
    bytes_sent = copied.bytes - sum(one.size for source in sources for one in source.refused)
    row = PlanRow(
        job_id=folder.job_id,
        folder_id=folder.folder_id,
        plan_id=plan_id,
        number=number,
        destination_wire=folder.destination_wire,
        destination_uidvalidity=made.uidvalidity,
        destination_uidnext=made.uidnext if made.exists == held else 0,
        destination_exists=held,
        boundary=boundary,
        sources=tuple(
            PlanSource(
                wire=source.wire,
                uidvalidity=source.uidvalidity,
                uids=uidset.encode(sorted(source.uids)),
                large=uidset.encode(sorted(source.large)),
                uidnext=source.uidnext if source.listed == source.exists else 0,
                exists=source.exists,
                itself=source.itself,
            )
            for source in sources
        ),
        items=copied.items + unopened,
        bytes=bytes_sent,
        skipped_present=wanted.items - copied.items,
        skipped_filtered=listed.items - wanted.items,
        bytes_skipped=listed.bytes - bytes_sent,
        skipped_gone=_planned_before(previous, gone),
        survives=survives,
    )
    names = dict(zip(folder.source_wires, folder.source_names, strict=True))
    keywords = [keyword for source in sources for keyword in source.keywords]
    said = {
        "size": size_warning(folder.destination_name, sum(len(source.refused) for source in sources), limit),
        "gone": gone_warning([names[wire] for wire in gone]),
        "name": name_warning(folder.destination_name, made.refusal, copied.items),
        "keywords": keyword_warning(folder.destination_name, keywords, selected),
    }
    return Planned(
        row=row,
        refused=[_refused(row, index, one, now) for index, source in enumerate(sources) for one in source.refused],
        quota="QUOTA" in both.destination.capabilities,
        # A later plan of the folder also takes back what an earlier one said.
        notices=[
            NoticeRow(job_id=folder.job_id, folder_id=folder.folder_id, kind=kind, text=text)
            for kind, text in said.items()
            if text or number > 1
        ],
        misnamed=made.refusal is not None and not made.failing,
    )


def _refused(row: PlanRow, index: int, listed: Listed, now: datetime) -> FailureRow:
    return FailureRow(
        job_id=row.job_id,
        folder_id=row.folder_id,
        plan_id=row.plan_id,
        source=index,
        source_uidvalidity=row.sources[index].uidvalidity,
        uid=listed.uid,
        outcome="failed",
        reason=Reason.MESSAGE_TOO_LARGE,
        server_text="",
        bytes=listed.size,
        happened_at=now,
    )


def _planned_before(previous: PlanRow | None, wires: Container[str]) -> int:
    """Messages that the plan before this one had in these source folders: they stay in the folder's total."""
    sources = previous.sources if previous else ()
    return sum(uidset.count(source.uids) for source in sources if source.wire in wires)


def list_destination(
    session: Session, wire: str, matching: Matching, unidentified: Unidentified
) -> tuple[Selected | None, int, int]:
    """EXAMINE, B: the highest UID seen + 1 (COPYING rule 2), and how many it holds.

    None: no such folder yet, or none that can be opened, so that another name is tried.
    """
    try:
        selected = session.examine(wire)
    except (FolderGone, FolderRefused):
        return None, 1, 0
    highest = count = 0
    if selected.exists:
        unidentified.find(session, "destination", wire)
        for listed in unidentified.listing(session, "destination", wire):
            highest = max(highest, listed.uid)
            count += 1
            matching.hold(listed)
    session.unselect()
    return selected, highest + 1, count


def open_source(session: Session, source: Source) -> bool:
    """Whether there is anything to be listed in a source folder, which is open then."""
    with at("source"):
        try:
            selected = session.examine(source.wire)
        except FolderGone:
            return False
        except FolderRefused:
            source.itself = True
            return False
    source.uidvalidity, source.uidnext, source.exists = selected.uidvalidity, selected.uidnext or 0, selected.exists
    source.keywords = selected.keywords
    return selected.exists > 0


def list_source(session: Session, source: Source, unidentified: Unidentified, *, identity: bool) -> Iterator[Listed]:
    """The listing of the source folder that is open."""
    with at("source"):
        if not (identity or source.others):
            yield from session.listing(identity=False)
            return
        unidentified.find(session, "source", source.wire)
        if source.others:
            listed = list(unidentified.listing(session, "source", source.wire))
            yield from only_there(session, source.wire, source.others, listed)
        else:
            yield from unidentified.listing(session, "source", source.wire)


def near(folder: FolderRow, matching: Matching, both: Both) -> Iterator[Undecided]:
    """What differs from a message at the destination in its size alone: the bytes will tell."""
    if not matching.near:
        return
    held: dict[Hashable, list[int]] = {}
    with at("destination"):
        both.destination.examine(folder.destination_wire)
        for listed in both.destination.listing(identity=True):
            headers = key(listed, "headers")
            if headers in matching.near:
                held.setdefault(headers, []).append(listed.uid)
        both.destination.unselect()
    for headers, members in matching.near.items():
        yield Undecided(members, held.get(headers, []))


def absent(folder: FolderRow, undecided: Iterable[Undecided], both: Both, *, by_bytes: bool) -> Iterator[At]:
    """Those whose bytes the destination does not hold; where it keeps no bytes, those beyond as many as it holds."""
    for portion in portions(undecided):
        members: dict[int, list[int]] = {}
        for ref in (ref for one in portion for ref in one.members):
            members.setdefault(ref.source, []).append(ref.uid)
        twins = [uid for one in portion for uid in one.held]
        source_listed: dict[Ref, Listed] = {}
        source_bytes: dict[tuple[int, int], bytes] = {}
        for index, uids in members.items():
            with at("source"):
                both.source.examine(folder.source_wires[index])
                source_listed.update((Ref(index, uid), one) for uid, one in listings(both.source, uids).items())
                known = digests(both.source, sorted(uids)) if by_bytes else ((uid, b"") for uid in uids)
                source_bytes.update(((index, uid), digest) for uid, digest in known)
        with at("destination"):
            both.destination.examine(folder.destination_wire)
            held = listings(both.destination, twins)
            held_bytes = dict(digests(both.destination, sorted(twins))) if by_bytes else dict.fromkeys(held, b"")
            both.destination.unselect()
        for one in portion:
            ats = [At(ref.source, source_listed.get(ref, Listed(ref.uid, 0, ""))) for ref in one.members]
            theirs = [held[uid] for uid in one.held if uid in held]
            yield from decide(ats, theirs, source_bytes, held_bytes)[1]


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


def listings(session: Session, uids: Iterable[int]) -> dict[int, Listed]:
    """Size and date of those that are still there."""
    return {
        listed.uid: listed for chunk in uidset.chunks(sorted(uids)) for listed in session.listing(chunk, identity=False)
    }


def create(session: Session, folder: FolderRow) -> Made:
    """Make the folder. One that is refused is planned nevertheless: the copier says why, message by message."""
    with at("destination"):
        try:
            session.create(folder.destination_wire, folder.special_use or None)
            selected = session.examine(folder.destination_wire)
        except (FolderRefused, FolderGone) as error:
            return Made(refusal=error.server_text, failing=isinstance(error, FolderFailing))
        session.unselect()
        return Made.of(selected)
