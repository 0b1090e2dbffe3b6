"""Copy one folder: settle doubt, read the tail, fetch and append what remains, audit. COPYING.md is its specification.

Whatever breaks, it begins again from the ledger: what is delivered is never sent again.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from libs.contracts.accounts import Side
from libs.contracts.reasons import Reason
from libs.mailbox.errors import (
    AppendUnconfirmed,
    ConnectionLost,
    FolderFailing,
    FolderGone,
    FolderRefused,
    MailboxBusy,
    MailboxError,
)
from libs.mailbox.port import Session
from libs.mailbox.sides import SideFailed
from services.copier.appender import Appender
from services.copier.audit import Findings, audit
from services.copier.batch_size import BatchSize
from services.copier.connections import Connections, stop_when_full
from services.copier.doubt import Doubt, settle
from services.copier.hold import Hold
from services.copier.large import open_large
from services.copier.learning import Learning
from services.copier.ledger import Ledger, Ref
from services.copier.losses import Losses
from services.copier.reader import Batch, Reader
from services.copier.tail import PlanOutdated, SourceFolderFailed, SourceFolderGone, Tail

FRUITLESS_TRIES = 20  # in a row whose connection broke before anything was settled; they take about 6 minutes
BROKEN_TRIES = 3  # of a folder that a server answers with nonsense, a refusal, or an error of its own
LOST = (ConnectionLost, AppendUnconfirmed)
LOST_EACH_TIME: dict[Side, Reason] = {"source": Reason.MESSAGE_UNREADABLE, "destination": Reason.MESSAGE_REFUSED}
LOST_TEXT = "The server ended the connection each time this message was asked for or sent."


class FolderCopy:
    def __init__(
        self,
        ledger: Ledger,
        connections: Connections,
        hold: Hold,
        *,
        doubt: Doubt | None,
        late_commit_seconds: float,
        pace: Callable[[int], None],
        learning: Learning,
        store_acks: Callable[[], None],
    ) -> None:
        """`doubt` is the one this folder already has; `pace(bytes)` waits as the bandwidth limit wants."""
        self._ledger = ledger
        self._plan = ledger.plan
        self._connections = connections
        self._hold = hold
        self._late_commit_seconds = late_commit_seconds
        self._reader: Reader | None = None
        self._batch_size = BatchSize()
        self._learning = learning
        self._resent: set[Ref] = set()
        self._losses = Losses()
        self._tail = Tail(ledger, self._tail_source, learning.behaviour)
        self._appender = Appender(
            ledger, self._tail, connections, hold, pace, self._batch_size, learning, self._losses, store_acks
        )
        self._appender.doubt = doubt

    @property
    def doubt(self) -> Doubt | None:
        """What was sent and not answered."""
        return self._appender.doubt

    @property
    def recovered(self) -> int:
        """Messages that were sent, found not to have landed, and delivered then (COPYING rule 19)."""
        return sum(ref in self._ledger.delivered for ref in self._resent)

    def run(self, *, deep: bool) -> Findings:
        """Everything of the plan is delivered, failed or gone when it returns.

        Raises:
            Stopped: at a message boundary; an open `doubt` stays.
            PlanOutdated: the folder must be planned again.
            SideLost: an account can't be opened any more.
        """
        broken = fruitless = 0
        failed_sources = Counter[int]()
        settled = self._ledger.totals()
        while True:
            try:
                self._copy()
                return audit(self._ledger, self._tail, self._destination(), self._learning.behaviour, deep=deep)
            except SourceFolderGone as gone:
                self._stop_reader()
                for ref in self._ledger.remaining():
                    if ref.source == gone.index:
                        self._ledger.gone(ref, datetime.now(UTC), Reason.FOLDER_GONE)
                self._learning.source_gone(gone.index)
            except SourceFolderFailed as failed:
                self._stop_reader()
                failed_sources[failed.index] += 1
                if failed_sources[failed.index] < BROKEN_TRIES:
                    self._connections.lost("source", failed.error)
                elif self.doubt is not None:  # what was sent of it can't be recognised
                    self._fail_rest(failed.error)
                    return Findings(level="size")
                else:
                    self._connections.reset("source")
                    self._close_source(failed)
            except SideFailed as failed:
                self._stop_reader()
                broken += not _passes(failed.error)
                fruitless = fruitless + 1 if isinstance(failed.error, LOST) and settled == self._ledger.totals() else 0
                settled = self._ledger.totals()
                if broken == BROKEN_TRIES or fruitless == FRUITLESS_TRIES:
                    self._fail_rest(failed.error)
                    return Findings(level="size")
                self._connections.lost(failed.side, failed.error)
            finally:
                self._stop_reader()

    # ---- one attempt

    def _copy(self) -> None:
        if not self._plan.destination_uidvalidity:
            self._create()
            return
        self._settle_unopened()
        if self._plan.survives == "none" and self._plan.boundary > 1:
            self._fail_rest(MailboxError(Reason.UNCONFIRMED))  # nobody can tell what of it is there already
            return
        if self.doubt is not None:
            self._resent |= set(
                settle(
                    self.doubt,
                    self._ledger,
                    self._tail,
                    self._learning,
                    lambda: self._connections.fresh("destination"),
                    self._hold,
                    self._late_commit_seconds,
                )
            )
            self._appender.doubt = None
        self._settle_given_up()
        if not (remaining := self._ledger.remaining()):
            return
        put_off = self._losses.put_off
        begun = False
        for refs in ([ref for ref in remaining if ref not in put_off], [ref for ref in remaining if ref in put_off]):
            if refs:
                self._copy_all(refs, begun=begun)
                begun = True

    def _copy_all(self, refs: Sequence[Ref], *, begun: bool) -> None:
        self._reader = Reader(
            self._ledger,
            refs,
            lambda: self._connections.get("source"),
            partial(open_large, self._ledger, self._connections),
            self._batch_size,
            self._losses,
        )
        self._reader.start()  # it fetches while the tail is looked at; what is found there is not appended again
        if not begun:
            self._appender.begin()
        for batch in self._reader.batches():
            self._hold.check()
            self._settle_unread(batch)
            self._appender.append_all(batch)
        self._stop_reader()

    def _create(self) -> None:
        """The scanner could not make or open the folder. Try once more: the refusal is each message's reason."""
        try:
            self._destination().create(self._plan.destination_wire)
            self._destination().examine(self._plan.destination_wire)
        except FolderFailing as error:
            raise SideFailed("destination", error) from error
        except FolderRefused as error:
            stop_when_full(error)
            self._fail_rest(error)
        except MailboxError as error:
            raise SideFailed("destination", error) from error
        else:
            raise PlanOutdated

    # ---- what will not be delivered

    def _settle_unopened(self) -> None:
        """The scanner could not open these source folders. Try once more: the refusal is the folder's reason."""
        for ref in self._ledger.remaining():
            if ref.uid:
                continue
            try:
                self._open_again(self._plan.sources[ref.source].wire)
            except FolderGone:
                self._ledger.gone(ref, datetime.now(UTC))
            except FolderRefused as error:
                self._fail(ref, error, 0)
            except MailboxError as error:
                raise SideFailed("source", error) from error
            else:
                raise PlanOutdated

    def _open_again(self, wire: str) -> None:
        for _ in range(BROKEN_TRIES - 1):
            try:
                self._connections.get("source").examine(wire)
            except FolderFailing as error:
                self._connections.lost("source", error)
            else:
                return
        self._connections.get("source").examine(wire)

    def _settle_given_up(self) -> None:
        for ref, side in self._losses.given_up.items():
            if not self._ledger.is_settled(ref):
                self._ledger.fail(ref, LOST_EACH_TIME[side], LOST_TEXT, 0, datetime.now(UTC))

    def _settle_unread(self, batch: Batch) -> None:
        for ref in batch.gone:
            self._ledger.gone(ref, datetime.now(UTC))
        for ref, error in batch.unreadable:
            self._ledger.fail(ref, Reason.MESSAGE_UNREADABLE, error.server_text, 0, datetime.now(UTC))

    def _close_source(self, failed: SourceFolderFailed) -> None:
        """The other source folders of this destination folder go on."""
        for ref in self._ledger.remaining():
            if ref.source == failed.index:
                self._fail(ref, failed.error, 0)
        self._ledger.closed_sources.add(failed.index)

    def _fail_rest(self, error: MailboxError) -> None:
        for ref in self._ledger.remaining():
            self._fail(ref, error, 0)

    def _fail(self, ref: Ref, error: MailboxError, size: int) -> None:
        self._ledger.fail(ref, error.reason, error.server_text, size, datetime.now(UTC))

    # ---- connections

    def _destination(self) -> Session:
        return self._connections.get("destination")

    def _tail_source(self) -> Session:
        """While the reader streams, its connection is not free."""
        return self._connections.get("source" if self._reader is None else "tail")

    def _stop_reader(self) -> None:
        """A reader that has not finished is in the middle of an answer: its connection can't be used again."""
        reader, self._reader = self._reader, None
        if reader is not None and not reader.finished:
            self._connections.reset("source")
            reader.close()


def _passes(error: MailboxError) -> bool:
    """Whether trying again is no attempt that failed: the connection broke, or the server asked for patience."""
    if isinstance(error, MailboxBusy):
        return error.asked or error.reason != Reason.BUSY
    return isinstance(error, LOST)
