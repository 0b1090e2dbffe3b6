"""Copy one folder: settle doubt, read the tail, fetch and append what remains, audit. COPYING.md is its specification.

Whatever breaks, it begins again from the ledger: what is delivered is never sent again.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from libs.contracts.reasons import Reason
from libs.mailbox.errors import (
    AppendRefused,
    AppendUnconfirmed,
    ConnectionLost,
    FolderGone,
    FolderRefused,
    MailboxBusy,
    MailboxError,
)
from libs.mailbox.port import Appended, Message, Session
from libs.mailbox.sides import SideFailed, at
from services.copier.audit import Findings, audit
from services.copier.connections import Connections
from services.copier.doubt import Doubt, settle
from services.copier.hold import Hold
from services.copier.ledger import Ledger, Ref
from services.copier.reader import Batch, Reader
from services.copier.tail import PlanOutdated, Tail

BROKEN_TRIES = 3  # of a folder that a server answers with nonsense or a refusal


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
    ) -> None:
        """`doubt` is the one this folder already has; `pace(bytes)` waits as the bandwidth limit wants."""
        self.doubt = doubt
        self._ledger = ledger
        self._plan = ledger.plan
        self._connections = connections
        self._hold = hold
        self._late_commit_seconds = late_commit_seconds
        self._pace = pace
        self._reader: Reader | None = None
        self._tail = Tail(ledger, self._tail_source)

    def run(self, *, deep: bool) -> Findings:
        """Everything of the plan is delivered, failed or gone when it returns.

        Raises:
            Stopped: at a message boundary; an open `doubt` stays.
            PlanOutdated: the folder must be planned again.
            SideLost: an account can't be opened any more.
        """
        broken = 0
        while True:
            try:
                self._copy()
                return audit(self._ledger, self._tail, self._destination(), self._tail_source, deep=deep)
            except SideFailed as failed:
                self._stop_reader()
                broken += not isinstance(failed.error, ConnectionLost | MailboxBusy | AppendUnconfirmed)
                if broken == BROKEN_TRIES:
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
        if self.doubt is not None:
            settle(
                self.doubt,
                self._ledger,
                self._tail,
                lambda: self._connections.fresh("destination"),
                self._hold,
                self._late_commit_seconds,
            )
            self.doubt = None
        if not self._ledger.remaining():
            return
        destination = self._destination()
        expected = self._uidnext(destination)
        self._tail.read(destination)
        self._reader = Reader(self._ledger, lambda: self._connections.get("source"))
        for batch in self._reader.batches():
            self._hold.check()
            self._settle_unread(batch)
            expected = self._append_all(batch, expected)
        self._stop_reader()

    def _create(self) -> None:
        """The scanner could not make the folder. Try once more: the server's refusal is each message's reason."""
        try:
            self._destination().create(self._plan.destination_wire)
        except FolderRefused as error:
            self._fail_rest(error)
        except MailboxError as error:
            raise SideFailed("destination", error) from error
        else:
            raise PlanOutdated

    def _append_all(self, batch: Batch, expected: int | None) -> int | None:
        """Append a batch, and where it is refused its halves, left before right (COPYING rule 10)."""
        whole = batch.messages
        parts = [whole] if self._destination().multiappend else [[message] for message in reversed(whole)]
        while parts:
            part = [one for one in parts.pop() if not self._ledger.is_settled(Ref(batch.source, one.uid))]
            if not part:
                continue
            self._hold.check()
            self._pace(sum(len(one.body) for one in part))
            try:
                appended = self._append(batch.source, part)
            except AppendRefused as refused:
                if refused.try_create:
                    raise PlanOutdated from refused
                if refused.connection_closed:
                    self._connections.reset("destination")
                if len(part) == 1:
                    self._fail(Ref(batch.source, part[0].uid), refused, len(part[0].body))
                else:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                continue
            expected = self._acknowledge(batch.source, part, appended, expected)
        return expected

    def _append(self, source: int, messages: Sequence[Message]) -> Appended:
        try:
            return self._destination().append(self._plan.destination_wire, messages, self._hold.gate)
        except AppendRefused:
            raise
        except AppendUnconfirmed as error:
            self.doubt = Doubt(plan_id=self._plan.plan_id, sent=[Ref(source, message.uid) for message in messages])
            raise SideFailed("destination", error) from error
        except MailboxError as error:
            raise SideFailed("destination", error) from error

    def _acknowledge(
        self, source: int, messages: Sequence[Message], appended: Appended, expected: int | None
    ) -> int | None:
        """Write the ack, and look into the gap when others have written too (COPYING rule 9); the next expected UID."""
        if appended.uidvalidity not in (None, self._plan.destination_uidvalidity):
            raise PlanOutdated
        refs = [Ref(source, message.uid) for message in messages]
        self._ledger.deliver(refs, [len(one.body) for one in messages], appended.uidvalidity, appended.uids)
        self._connections.working()
        destination = self._destination()
        if appended.uids is None:
            uidnext = self._uidnext(destination)
            if expected is not None and uidnext != expected + len(messages):
                self._tail.read(destination)
            return uidnext
        last = appended.uids[-1]
        if expected is None or appended.uids[0] > expected or last - appended.uids[0] + 1 != len(messages):
            self._tail.read(destination, first=expected, last=last)
        return last + 1

    def _uidnext(self, destination: Session) -> int | None:
        with at("destination"):
            try:
                return destination.status(self._plan.destination_wire).uidnext
            except FolderGone as error:
                raise PlanOutdated from error

    # ---- what will not be delivered

    def _settle_unread(self, batch: Batch) -> None:
        for ref in batch.gone:
            self._ledger.gone(ref, datetime.now(UTC))
        for ref, error in batch.unreadable:
            self._ledger.fail(ref, Reason.MESSAGE_UNREADABLE, error.server_text, 0, datetime.now(UTC))

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
