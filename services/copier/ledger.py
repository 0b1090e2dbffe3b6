"""What is known of one plan: delivered, failed, gone, remaining. Pure, and safe to read from other threads.

It is rebuilt from the stored acks and failures, so its totals after a crash
are those that were reported before, or higher.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from libs.contracts import uidset
from libs.contracts.reasons import Reason
from libs.readmodel.rows import AckRow, FailureRow, PlanRow


class Ref(NamedTuple):
    """A source message of the plan: which of its source folders, and the UID there."""

    source: int
    uid: int


@dataclass(frozen=True, slots=True)
class Totals:
    completed: int
    skipped: int
    failed: int
    bytes_completed: int


@dataclass(slots=True)
class Delivered:
    """Where a source message is at the destination, as far as the server said."""

    uid: int | None  # None without UIDPLUS
    size: int | None  # bytes sent; None when an earlier process sent it


@dataclass(slots=True)
class Unflushed:
    """Rows that are not stored yet."""

    acks: list[AckRow] = field(default_factory=list[AckRow])
    failures: list[FailureRow] = field(default_factory=list[FailureRow])


class Ledger:
    def __init__(
        self, plan: PlanRow, acks: Sequence[AckRow] = (), failures: Sequence[FailureRow] = (), *, run: int = 1
    ) -> None:
        """`run`: of the job. What failed in an earlier one is tried again, unless it may be there already."""
        self.plan = plan
        self._run = run
        self.delivered: dict[Ref, Delivered] = {}
        self.fragile: dict[Ref, bytes] = {}  # sha256 of what was sent and may be changed in secret
        self.headers: dict[Ref, bytes] = {}  # of the header, where that alone may be
        self.foreign: set[int] = set()  # destination UIDs in the tail that are nobody's of ours
        self.closed_sources: set[int] = set()  # source folders that can't be read any more
        self._failed: dict[Ref, FailureRow] = {}
        self._tried_again: dict[Ref, FailureRow] = {}  # failed in an earlier run
        self._gone: set[Ref] = set()
        self._bytes = 0
        self._uidvalidity: int | None = None  # under which the first message was delivered
        self._unflushed = Unflushed()
        self._lock = threading.Lock()
        self._order: list[Ref] | None = None
        for ack in acks:
            self._deliver(ack, [Ref(ack.source, uid) for uid in uidset.decode(ack.source_uids)], sizes=None)
        for failure in failures:
            self._note(failure)

    # ---- reading

    def is_planned_folder(self, uidvalidity: int) -> bool:
        """Whether a destination folder with this UIDVALIDITY is the one of the plan (COPYING rule 18).

        One that was empty then may get another with its first message (Courier does): that of the first ack holds.
        """
        if not self.delivered and self.plan.boundary == 1:
            return True
        return uidvalidity == (self._uidvalidity or self.plan.destination_uidvalidity)

    def order(self) -> Sequence[Ref]:
        """Every message of the plan in source order."""
        if self._order is None:
            self._order = [
                Ref(index, uid)
                for index, source in enumerate(self.plan.sources)
                for uid in chain((0,) if source.itself else (), uidset.decode(source.uids))
            ]
        return self._order

    def remaining(self) -> list[Ref]:
        """The plan − delivered − failed − gone, in source order (COPYING rule 13)."""
        return [
            ref
            for ref in self.order()
            if ref not in self.delivered and ref not in self._failed and ref not in self._gone
        ]

    def unconfirmed(self) -> list[Ref]:
        """Sent, never confirmed, and not safe to send again."""
        return [ref for ref, row in self._failed.items() if row.reason is Reason.UNCONFIRMED]

    def delivered_uids(self) -> dict[int, Ref]:
        return {one.uid: ref for ref, one in self.delivered.items() if one.uid is not None}

    def delivered_unnamed(self) -> list[Ref]:
        """Delivered without the server saying under which UID."""
        return [ref for ref, one in self.delivered.items() if one.uid is None]

    def name(self, ref: Ref, uid: int) -> None:
        """Learn under which UID a delivered message is."""
        self.delivered[ref].uid = uid

    def is_settled(self, ref: Ref) -> bool:
        return ref in self.delivered or ref in self._failed or ref in self._gone

    def totals(self) -> Totals:
        with self._lock:
            return self._totals()

    def _totals(self) -> Totals:
        return Totals(
            completed=len(self.delivered),
            skipped=len(self._gone),
            failed=len(self._failed),
            bytes_completed=self._bytes,
        )

    # ---- writing

    def deliver(
        self, refs: Sequence[Ref], sizes: Sequence[int], uidvalidity: int | None, uids: Sequence[int] | None
    ) -> None:
        """These messages, all of one source folder, are at the destination."""
        ack = AckRow(
            job_id=self.plan.job_id,
            plan_id=self.plan.plan_id,
            source=refs[0].source,
            first_uid=refs[0].uid,
            source_uids=uidset.encode(ref.uid for ref in refs),
            destination_uidvalidity=uidvalidity,
            destination_uids=uidset.encode(uids or ()),
            items=len(refs),
            bytes=sum(sizes),
        )
        with self._lock:
            self._deliver(ack, refs, sizes)
            self._unflushed.acks.append(ack)

    def fail(self, ref: Ref, reason: Reason, server_text: str, size: int, now: datetime) -> None:
        self._record(ref, "failed", reason, server_text, size, now)

    def gone(self, ref: Ref, now: datetime, reason: Reason = Reason.MESSAGE_UNREADABLE) -> None:
        """No longer at the source (COPYING rule 18)."""
        self._record(ref, "gone", reason, "", 0, now)

    def note(
        self, ref: Ref, reason: Reason, now: datetime, server_text: str = "", left_out: tuple[str, ...] = ()
    ) -> None:
        """Delivered, but something is to be said of it; no total changes."""
        self._record(ref, "noted", reason, server_text, self.delivered[ref].size or 0, now, left_out)

    def take_unflushed(self) -> tuple[Unflushed, Totals]:
        """The rows to store, and the totals that are true once they are stored."""
        with self._lock:
            unflushed, self._unflushed = self._unflushed, Unflushed()
            return unflushed, self._totals()

    def give_back(self, unflushed: Unflushed) -> None:
        """They could not be stored: before what came after them."""
        with self._lock:
            self._unflushed.acks[:0] = unflushed.acks
            self._unflushed.failures[:0] = unflushed.failures

    def _record(
        self,
        ref: Ref,
        outcome: str,
        reason: Reason,
        server_text: str,
        size: int,
        now: datetime,
        left_out: tuple[str, ...] = (),
    ) -> None:
        row = FailureRow(
            job_id=self.plan.job_id,
            folder_id=self.plan.folder_id,
            plan_id=self.plan.plan_id,
            source=ref.source,
            source_uidvalidity=self.plan.sources[ref.source].uidvalidity,
            uid=ref.uid,
            outcome=outcome,  # type: ignore[arg-type]
            reason=reason,
            server_text=server_text,
            bytes=size,
            happened_at=now,
            run=self._run,
            left_out=left_out,
        )
        with self._lock:
            self._note(row)
            self._unflushed.failures.append(row)

    def _deliver(self, ack: AckRow, refs: Sequence[Ref], sizes: Sequence[int] | None) -> None:
        self._uidvalidity = self._uidvalidity or ack.destination_uidvalidity
        unknown = [None] * len(refs)
        uids = list(uidset.decode(ack.destination_uids)) or unknown
        for ref, uid, size in zip(refs, uids, sizes or unknown, strict=True):
            self.delivered[ref] = Delivered(uid, size)
            if self._failed or self._tried_again:
                self._take_back(self._failed.pop(ref, None) or self._tried_again.pop(ref, None))
        self._gone.difference_update(refs)
        self._bytes += ack.bytes

    def _take_back(self, failure: FailureRow | None) -> None:
        if failure is not None:
            self._unflushed.failures.append(replace(failure, outcome="recovered"))

    def _note(self, row: FailureRow) -> None:
        ref = Ref(row.source, row.uid)
        if ref in self.delivered:
            if row.outcome == "failed":
                self._take_back(row)
        elif row.outcome == "failed":
            earlier = row.run < self._run and row.reason is not Reason.UNCONFIRMED
            (self._tried_again if earlier else self._failed)[ref] = row
        elif row.outcome == "gone":
            self._gone.add(ref)
