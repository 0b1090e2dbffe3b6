"""Append batches in their order, and find out which message a server refuses (COPYING rules 9, 10 and 16)."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from libs.contracts.accounts import Side
from libs.contracts.reasons import Reason
from libs.mailbox.digests import exact, fragile
from libs.mailbox.errors import (
    AppendRefused,
    AppendUnconfirmed,
    ConnectionLost,
    FetchRefused,
    FolderGone,
    MailboxBusy,
    MailboxError,
)
from libs.mailbox.port import AnyMessage, Appended, Message, Session
from libs.mailbox.sides import SideFailed, at
from services.copier.amend import Amended, amend
from services.copier.batch_size import BatchSize
from services.copier.behaviour import look
from services.copier.connections import Connections, stop_when_full
from services.copier.doubt import Doubt
from services.copier.hold import Hold
from services.copier.learning import Learning
from services.copier.ledger import Ledger, Ref
from services.copier.losses import Losses
from services.copier.reader import Batch
from services.copier.tail import PlanOutdated, Tail


class Appender:
    """The appends of one folder. `doubt` is set when one was not answered."""

    def __init__(
        self,
        ledger: Ledger,
        tail: Tail,
        connections: Connections,
        hold: Hold,
        pace: Callable[[int], None],
        batch_size: BatchSize,
        learning: Learning,
        losses: Losses,
        store_acks: Callable[[], None],
    ) -> None:
        self.doubt: Doubt | None = None
        self._ledger = ledger
        self._plan = ledger.plan
        self._tail = tail
        self._connections = connections
        self._hold = hold
        self._pace = pace
        self._batch_size = batch_size
        self._learning = learning
        self._store_acks = store_acks
        self._sampled = False
        self._suspect: Ref | None = None  # one up to this is refused
        self._losses = losses
        self._mark: int | None = None  # without UIDPLUS: what STATUS told last

    def begin(self) -> None:
        """Look at the tail before the first append (COPYING rule 9)."""
        destination = self._destination()
        if not destination.uidplus:
            self._mark = self._status(destination)
        self._tail.read(destination)

    def append_all(self, batch: Batch) -> None:
        """Everything of the batch is settled when it returns.

        A refused append is halved until its first refused message is alone: what comes before it is
        delivered on the way, what comes after it goes on whole. So one message that is refused costs
        log2(batch) + 2 more commands, and one for each thing that is tried with it.
        """
        source = batch.source
        while pending := [one for one in batch.messages if not self._ledger.is_settled(Ref(source, one.uid))]:
            self._hold.check()
            part = pending[: self._most(source, pending)]
            if len(part) == 1:
                self._append_one(source, part[0])
                continue
            try:
                self._append(source, part)
            except AppendRefused:
                self._suspect = Ref(source, part[-1].uid)

    def _most(self, source: int, pending: Sequence[AnyMessage]) -> int:
        """How many messages may be in the next append: half of those that are known to hold one that is refused."""
        if not self._destination().multiappend:
            return 1
        if self._suspect is not None and self._suspect.source == source:
            for number, message in enumerate(pending, 1):
                if message.uid == self._suspect.uid:
                    return max(1, number // 2)
        return len(pending)

    def _append_one(self, source: int, message: AnyMessage) -> None:
        ref = Ref(source, message.uid)
        amended: list[Amended] = []
        first: AppendRefused | None = None
        while True:
            try:
                self._append(source, [amended[-1].message if amended else message])
            except SideFailed as failed:
                if not isinstance(failed.error, FetchRefused):
                    raise
                self._fail(ref, failed.error, message)  # the source does not hand out this large one
                return
            except AppendRefused as refused:
                first = first or refused
                attempt = amend(amended[-1].message if amended else message, refused)
                if attempt is None:
                    stop_when_full(first)
                    self._fail(ref, first, message)
                    return
                amended.append(attempt)
            else:
                break
        if amended and first:
            left_out = tuple(name for one in amended for name in one.left_out)
            self._ledger.note(ref, amended[0].reason, datetime.now(UTC), first.server_text, left_out)

    # ---- one command

    def _append(self, source: int, messages: Sequence[AnyMessage]) -> None:
        """
        Raises:
            AppendRefused: none of them was stored, and the server is ready for the next append.
        """
        self._pace(sum(one.size for one in messages))
        refs = [Ref(source, message.uid) for message in messages]
        begun = time.monotonic()
        try:
            appended = self._destination().append(self._plan.destination_wire, messages, self._hold.gate)
        except AppendRefused as refused:
            if refused.try_create:
                raise PlanOutdated from refused
            if refused.connection_closed:
                self._connections.reset("destination")
            raise
        except AppendUnconfirmed as error:
            if not (isinstance(error.__cause__, MailboxBusy) and error.__cause__.asked):
                self._count_loss("destination", refs)
            base = max(self._tail.assigned, self._mark or 0)
            self.doubt = Doubt(plan_id=self._plan.plan_id, sent=refs, base=base)
            raise SideFailed("destination", error) from error
        except MailboxError as error:
            if isinstance(error, ConnectionLost):
                self._count_loss("destination", refs)
            raise SideFailed("destination", error) from error
        except SideFailed as failed:  # a large message was read meanwhile
            if isinstance(failed.error, ConnectionLost):
                self._count_loss(failed.side, refs)
            raise
        self._batch_size.took(len(messages), time.monotonic() - begun)
        self._acknowledge(refs, [one.size for one in messages], appended)
        self._sample(messages, refs)
        for ref, message in zip(refs, messages, strict=True):
            if isinstance(message, Message) and (part := fragile(message.body)):
                whole = len(part) == len(message.body)
                (self._ledger.fragile if whole else self._ledger.headers)[ref] = exact((part,))
        if self._learning.behaviour.distrusted:
            self._store_acks()  # so that never more than one append is in doubt

    def _sample(self, messages: Sequence[AnyMessage], refs: Sequence[Ref]) -> None:
        """After the first append look at what became of it: by what a message is recognised here, and whether it stays.

        Once for an account, and once more for a folder in which more is to come.
        """
        if self._sampled:
            return
        self._sampled = True
        if self._learning.behaviour.survives is not None and len(self._ledger.delivered) >= self._plan.items:
            return
        destination = self._destination()
        uids = [self._ledger.delivered[ref].uid for ref in refs]
        named = [uid for uid in uids if uid is not None]
        first, last = (min(named), max(named)) if named else (None, None)
        listed = list(self._tail.listing(destination, first=first, last=last))
        if not named:  # they are the last ones, unless others have written too
            known = self._ledger.delivered_uids()
            strangers = [one.uid for one in listed if one.uid not in known and one.uid not in self._ledger.foreign]
            uids = list(strangers) if len(strangers) == len(refs) else uids
        seen = look(destination, listed, messages, uids)
        with at("destination"):
            destination.unselect()
        self._learning.saw(seen, len(refs))

    def _count_loss(self, side: Side, refs: Sequence[Ref]) -> None:
        if self._losses.lost(side, refs) or self._suspect in refs:
            self._suspect = refs[-1]

    def _acknowledge(self, refs: Sequence[Ref], sizes: Sequence[int], appended: Appended) -> None:
        """Write the ack, and look into the gap when others have written too (COPYING rule 9)."""
        if appended.uidvalidity is not None and not self._ledger.is_planned_folder(appended.uidvalidity):
            raise PlanOutdated
        self._ledger.deliver(refs, sizes, appended.uidvalidity, appended.uids)
        self._connections.working()
        destination = self._destination()
        if appended.uids is None:
            self._look_after_unnamed(destination, len(refs))
            return
        expected = self._tail.next_uid
        new: list[int] = []
        for ref, uid in zip(refs, appended.uids, strict=True):
            if uid < expected or (new and uid <= new[-1]):
                self._ledger.note(ref, Reason.MERGED, datetime.now(UTC))  # an old message answers for it
            else:
                new.append(uid)
        if not new:
            return
        if new[0] > expected or new[-1] - new[0] + 1 != len(new):
            self._tail.read(destination, first=expected, last=new[-1])
        self._tail.next_uid = new[-1] + 1

    def _look_after_unnamed(self, destination: Session, appended: int) -> None:
        """Nobody said under which UIDs they are: STATUS says whether others have written too."""
        before, self._mark = self._mark, self._status(destination)
        if before is None or self._mark != before + appended:
            self._tail.read(destination)

    def _status(self, destination: Session) -> int:
        """UIDNEXT, or without it the number of messages: both grow by what is appended.

        Raises:
            PlanOutdated: the folder is another one.
        """
        with at("destination"):
            try:
                status = destination.status(self._plan.destination_wire)
            except FolderGone as error:
                raise PlanOutdated from error
        if status.uidvalidity is not None and not self._ledger.is_planned_folder(status.uidvalidity):
            raise PlanOutdated
        return status.messages if status.uidnext is None else status.uidnext

    def _fail(self, ref: Ref, error: MailboxError, message: AnyMessage) -> None:
        self._ledger.fail(ref, error.reason, error.server_text, message.size, datetime.now(UTC))

    def _destination(self) -> Session:
        return self._connections.get("destination")
