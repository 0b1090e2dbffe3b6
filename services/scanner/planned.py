"""What planning one folder found, and the plan that it makes. Pure."""

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime

from libs.contracts import uidset
from libs.contracts.ids import PlanId
from libs.contracts.reasons import Reason
from libs.contracts.survives import Survives
from libs.mailbox.port import Listed
from libs.readmodel.rows import FailureRow, FolderRow, NoticeRow, PlanRow
from services.scanner import preflight
from services.scanner.destination import NOT_CREATED, Held, Made
from services.scanner.source import GONE, Source


@dataclass(slots=True)
class Counted:
    """How many messages, and their bytes."""

    items: int = 0
    bytes: int = 0

    def add(self, listed: Listed) -> None:
        self.items += 1
        self.bytes += listed.size


@dataclass(slots=True)
class Found:
    sources: list[Source]
    held: Held
    made: Made
    limit: int | None  # the destination's APPENDLIMIT
    listed: Counted = field(default_factory=Counted)
    wanted: Counted = field(default_factory=Counted)
    copied: Counted = field(default_factory=Counted)

    def leave(self, index: int, one: Listed) -> None:
        """It may be there already: it is in the plan, and not sent."""
        self.copied.add(one)
        self.sources[index].leave(one)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the messages of it that have failed already, and what is to be said of the folder."""

    row: PlanRow
    failed: list[FailureRow]
    quota: bool  # the destination has told how much room is left, or that there is no limit
    notices: list[NoticeRow]
    misnamed: bool = False  # the destination refused to make a folder of this name

    @classmethod
    def nothing(cls, row: PlanRow) -> "Planned":
        """Nothing is to be said of it."""
        return cls(row, failed=[], quota=False, notices=[])


def planned(
    folder: FolderRow,
    found: Found,
    *,
    plan_id: PlanId,
    number: int,
    now: datetime,
    survives: Survives,
    previous: PlanRow | None,
    dry_run: bool,
    quota: bool,
) -> Planned:
    sources, held, made, copied = found.sources, found.held, found.made, found.copied
    gone = [source.wire for source in sources if source.uidvalidity == GONE and not source.itself]
    unopened = sum(source.itself for source in sources)
    if made.uidvalidity == NOT_CREATED and not dry_run and not (copied.items or unopened):
        sources, unopened = [Source(folder.source_wires[0], itself=True)], 1
    bytes_sent = copied.bytes - sum(source.bytes_left for source in sources)
    row = PlanRow(
        job_id=folder.job_id,
        folder_id=folder.folder_id,
        plan_id=plan_id,
        number=number,
        destination_wire=folder.destination_wire,
        destination_uidvalidity=made.uidvalidity,
        destination_uidnext=made.uidnext if made.exists == held.count else 0,
        destination_exists=held.count,
        boundary=held.boundary,
        sources=tuple(source.row for source in sources),
        items=copied.items + unopened,
        bytes=bytes_sent,
        skipped_present=found.wanted.items - copied.items,
        skipped_filtered=found.listed.items - found.wanted.items,
        bytes_skipped=found.listed.bytes - bytes_sent,
        skipped_gone=_planned_before(previous, gone),
        survives=survives,
    )
    names = dict(zip(folder.source_wires, folder.source_names, strict=True))
    refused = sum(len(source.refused) for source in sources)
    said = {
        "size": preflight.too_large(folder.destination_name, refused, found.limit),
        "gone": preflight.gone([names[wire] for wire in gone]),
        "name": preflight.refused(folder.destination_name, made.refusal, copied.items),
        "keywords": preflight.keywords_lost(
            folder.destination_name, [keyword for source in sources for keyword in source.keywords], held.selected
        ),
    }
    return Planned(
        row=row,
        failed=[
            *(_failed(row, n, one, Reason.MESSAGE_TOO_LARGE, now) for n, s in enumerate(sources) for one in s.refused),
            *(_failed(row, n, one, Reason.UNCONFIRMED, now) for n, s in enumerate(sources) for one in s.unconfirmed),
        ],
        quota=quota,
        # A later plan of the folder also takes back what an earlier one said.
        notices=[
            NoticeRow.of(folder.job_id, folder.folder_id, kind, notice)
            for kind, notice in said.items()
            if notice or number > 1
        ],
        misnamed=made.refusal is not None and not made.failing,
    )


def _failed(row: PlanRow, index: int, listed: Listed, reason: Reason, now: datetime) -> FailureRow:
    return FailureRow(
        job_id=row.job_id,
        folder_id=row.folder_id,
        plan_id=row.plan_id,
        source=index,
        source_uidvalidity=row.sources[index].uidvalidity,
        uid=listed.uid,
        outcome="failed",
        reason=reason,
        server_text="",
        bytes=listed.size,
        happened_at=now,
    )


def _planned_before(previous: PlanRow | None, wires: Container[str]) -> int:
    """Messages that the plan before this one had in these source folders: they stay in the folder's total."""
    sources = previous.sources if previous else ()
    return sum(uidset.count(source.uids) for source in sources if source.wire in wires)
