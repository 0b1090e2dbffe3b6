"""The reader: fetches what remains, in source order, ahead of the writer by two batches."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

from libs.contracts import uidset
from libs.mailbox.errors import ConnectionLost, MailboxBusy, MailboxError, MessageTooLarge, ProtocolBroken
from libs.mailbox.port import AnyMessage, Body, LargeMessage, Session
from libs.mailbox.sides import SideFailed
from services.copier.batch_size import BatchSize
from services.copier.ledger import Ledger, Ref
from services.copier.losses import Losses
from services.copier.tail import SourceFolderFailed, by_source, open_source

BATCH_BYTES = 8 * 1024 * 1024
QUEUED_BATCHES = 2
ENDED = (ConnectionLost, MailboxBusy, ProtocolBroken)  # the connection is of no more use


@dataclass(slots=True)
class Batch:
    """Messages of one source folder in its order, and what was found to be missing there."""

    source: int
    messages: list[AnyMessage] = field(default_factory=list[AnyMessage])
    gone: list[Ref] = field(default_factory=list[Ref])
    unreadable: list[tuple[Ref, MailboxError]] = field(default_factory=list[tuple[Ref, MailboxError]])
    bytes: int = 0


class Reader:
    """Runs in its own thread from `start` to the last batch, or until it is closed."""

    def __init__(
        self,
        ledger: Ledger,
        refs: Sequence[Ref],
        session: Callable[[], Session],
        open_large: Callable[[Ref], Body],
        size: BatchSize,
        losses: Losses,
    ) -> None:
        """`refs` in source order; `open_large` is called by who appends, while the reader reads ahead."""
        self._ledger = ledger
        self._refs = refs
        self._losses = losses
        self._session = session
        self._open_large = open_large
        self._size = size
        self._queue: queue.Queue[Batch | BaseException | None] = queue.Queue(QUEUED_BATCHES)
        self._closed = threading.Event()
        self.finished = False  # everything was handed over
        self._thread = threading.Thread(target=self._run, name="copier-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def batches(self) -> Iterator[Batch]:
        """After `start`.

        Raises:
            SideFailed: the source failed; begin again with what remains.
            SourceFolderFailed
            PlanOutdated: a source folder is another one.
        """
        while True:
            item = self._queue.get()
            if item is None:
                self.finished = True
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """The source connection must have been reset, or the reader must be done."""
        self._closed.set()
        while self._thread.is_alive():
            try:
                self._queue.get_nowait()
            except queue.Empty:
                self._thread.join(0.01)

    def _run(self) -> None:
        try:
            for index, uids in by_source(self._refs):
                try:
                    self._read_folder(index, uids)
                except ProtocolBroken as error:
                    raise SourceFolderFailed(index, error) from error
            self._put(None)
        except MailboxError as error:
            self._put(SideFailed("source", error))
        except BaseException as error:  # noqa: BLE001 - it is raised again in the writer
            self._put(error)

    def _read_folder(self, index: int, uids: list[int]) -> None:
        session = open_source(self._session(), self._ledger, index)
        batch = Batch(index)
        large = set(uidset.decode(self._ledger.plan.sources[index].large))
        suspects = self._losses.suspects(index)

        def together(uid: int) -> tuple[bool, int]:
            """Large ones apart, and each one at which the connection was lost."""
            return uid in large, uid if uid in suspects else 0

        for (are_large, _), run in groupby(uids, key=together):
            for chunk in uidset.chunks(run):
                missing = set(uidset.decode(chunk))
                try:
                    for message in self._large(session, index, missing) if are_large else session.fetch(chunk):
                        batch = self._add(batch, message)
                        missing.discard(message.uid)
                except ENDED as error:
                    if missing and isinstance(error, ConnectionLost):
                        self._losses.lost("source", [Ref(index, min(missing))])
                    self._put(batch)
                    raise
                except MailboxError:
                    open_source(session, self._ledger, index)  # not because the folder is gone
                    batch = self._read_one_by_one(session, batch, sorted(missing))
                    missing.clear()
                batch.gone.extend(Ref(index, uid) for uid in sorted(missing))
                if self._closed.is_set():
                    return
        self._put(batch)

    def _read_one_by_one(self, session: Session, batch: Batch, uids: list[int]) -> Batch:
        """The server refused to hand out one of these: find out which; the batch to go on with."""
        for uid in uids:
            found = False
            try:
                try:
                    messages = list(session.fetch(str(uid)))
                except MessageTooLarge:  # larger than the server said
                    messages = self._large(session, batch.source, [uid])
                for message in messages:
                    batch = self._add(batch, message)
                    found = True
            except ENDED as error:
                if isinstance(error, ConnectionLost):
                    self._losses.lost("source", [Ref(batch.source, uid)])
                raise
            except MailboxError as error:
                batch.unreadable.append((Ref(batch.source, uid), error))
            else:
                if not found:
                    batch.gone.append(Ref(batch.source, uid))
        return batch

    def _large(self, session: Session, index: int, uids: Iterable[int]) -> list[LargeMessage]:
        wanted = uidset.encode(sorted(uids))
        flags = session.flags(wanted)
        return [
            LargeMessage(
                one.uid, flags[one.uid], one.internaldate, one.size, partial(self._open_large, Ref(index, one.uid))
            )
            for one in session.listing(wanted, identity=False)
            if one.uid in flags
        ]

    def _add(self, batch: Batch, message: AnyMessage) -> Batch:
        """The batch to go on with: a full one is handed over before the message that would overfill it."""
        size = message.size
        full = len(batch.messages) >= self._size.items or batch.bytes + size > BATCH_BYTES
        if batch.messages and full:
            self._put(batch)
            batch = Batch(batch.source)
        batch.messages.append(message)
        batch.bytes += size
        return batch

    def _put(self, item: Batch | BaseException | None) -> None:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            else:
                return
