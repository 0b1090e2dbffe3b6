"""The reader: fetches what remains, in order, and says what it could not get."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from libs.contracts.reasons import Reason
from libs.mailbox.errors import ConnectionLost, MailboxBusy, ProtocolBroken
from libs.mailbox.port import Body, LargeMessage, Message, Session
from libs.mailbox.sides import SideFailed
from services.copier import reader as module
from services.copier.batch_size import FEWEST_ITEMS, FIRST_ITEMS, MOST_ITEMS, BatchSize
from services.copier.ledger import Ledger, Ref
from services.copier.losses import Losses
from services.copier.reader import BATCH_BYTES, Batch, Reader
from services.copier.tail import PlanOutdated, SourceFolderFailed
from tests.mail.model import MailboxModel, mail
from tests.mail.model_session import ModelSession
from tests.mail.trouble import Busy, Lost
from tests.unit.plans import plan_of, sessions, whole


def reader_of(ledger: Ledger, session: Callable[[], Session], size: BatchSize | None = None) -> Reader:
    def open_large(ref: Ref) -> Body:
        return session().body(ref.uid)

    reader = Reader(ledger, ledger.remaining(), session, open_large, size or BatchSize(), Losses())
    reader.start()
    return reader


def read(model: MailboxModel, ledger: Ledger) -> list[Batch]:
    reader = reader_of(ledger, sessions(model))
    found = list(reader.batches())
    assert reader.finished
    return found


def refs(batches: list[Batch]) -> list[Ref]:
    return [Ref(batch.source, one.uid) for batch in batches for one in batch.messages]


def test_everything_comes_in_order_folder_by_folder() -> None:
    model = MailboxModel()
    model.put("INBOX", *(mail(number) for number in range(1_300)))
    model.put("Sent", mail("a"), mail("b"))
    ledger = Ledger(plan_of(whole(model, "INBOX", "Sent")))

    batches = read(model, ledger)

    assert refs(batches) == list(ledger.order())
    assert max(len(batch.messages) for batch in batches) == FIRST_ITEMS
    assert [one.body for one in batches[-1].messages] == [mail("a"), mail("b")]


def test_a_batch_is_full_before_the_message_that_would_overfill_it() -> None:
    model = MailboxModel()
    third = BATCH_BYTES // 3
    model.put("INBOX", *(mail(number, size=third) for number in range(4)), mail("huge", size=BATCH_BYTES))

    batches = read(model, Ledger(plan_of(whole(model, "INBOX"))))

    assert [len(batch.messages) for batch in batches] == [2, 2, 1]
    assert all(batch.bytes <= BATCH_BYTES for batch in batches[:2])


def test_only_what_remains_is_read() -> None:
    model = MailboxModel()
    model.put("INBOX", *(mail(number) for number in range(6)))
    ledger = Ledger(plan_of(whole(model, "INBOX")))
    ledger.deliver([Ref(0, 1), Ref(0, 4)], [1, 1], 1, [10, 11])

    assert [ref.uid for ref in refs(read(model, ledger))] == [2, 3, 5, 6]


def test_what_is_no_longer_there_is_gone() -> None:
    model = MailboxModel()
    model.put("INBOX", *(mail(number) for number in range(4)))
    ledger = Ledger(plan_of(whole(model, "INBOX")))
    model.expunge("INBOX", [1, 3])

    (batch,) = read(model, ledger)

    assert batch.gone == [Ref(0, 1), Ref(0, 3)]
    assert [one.uid for one in batch.messages] == [2, 4]


def test_a_message_the_server_does_not_hand_out_is_found_and_the_others_come_once() -> None:
    model = MailboxModel()
    model.put("INBOX", *(mail(number) for number in range(5)))
    model.unreadable.add(mail(2))
    ledger = Ledger(plan_of(whole(model, "INBOX")))
    model.expunge("INBOX", [5])

    (batch,) = read(model, ledger)

    assert [one.uid for one in batch.messages] == [1, 2, 4]
    assert [(ref.uid, error.reason) for ref, error in batch.unreadable] == [(3, Reason.MESSAGE_UNREADABLE)]
    assert batch.gone == [Ref(0, 5)]


def test_batches_stay_small_where_messages_are_asked_for_one_by_one() -> None:
    model = MailboxModel()
    model.put("INBOX", mail("bad"), *(mail(number, size=BATCH_BYTES // 3) for number in range(6)))
    model.unreadable.add(mail("bad"))

    batches = read(model, Ledger(plan_of(whole(model, "INBOX"))))

    assert [len(batch.messages) for batch in batches] == [2, 2, 2]
    assert all(batch.bytes <= BATCH_BYTES for batch in batches)


@pytest.mark.parametrize(("fault", "error"), [(Lost(), ConnectionLost), (Busy(), MailboxBusy)])
def test_a_source_that_fails_is_said_to_be_the_source(fault: Lost | Busy, error: type[Exception]) -> None:
    model = MailboxModel()
    model.put("INBOX", mail(1))
    model.at("fetch", 1, fault)
    reader = reader_of(Ledger(plan_of(whole(model, "INBOX"))), sessions(model))

    with pytest.raises(SideFailed) as failed:
        list(reader.batches())

    assert failed.value.side == "source"
    assert isinstance(failed.value.error, error)
    assert not reader.finished


class Nonsense(ModelSession):
    """Its server answers with what is not IMAP; then the connection is over."""

    def fetch(self, uids: str) -> itertools.chain[Message]:
        self._alive()
        self.reset()
        raise ProtocolBroken(Reason.PROTOCOL)


def test_an_answer_that_is_not_imap_is_told_as_such_and_of_its_folder() -> None:
    model = MailboxModel()
    model.put("INBOX", mail(1))
    session = Nonsense(model)
    reader = reader_of(Ledger(plan_of(whole(model, "INBOX"))), lambda: session)

    with pytest.raises(SourceFolderFailed) as failed:
        list(reader.batches())

    assert (failed.value.index, type(failed.value.error)) == (0, ProtocolBroken)


def test_a_source_folder_that_is_another_one_outdates_the_plan() -> None:
    model = MailboxModel()
    model.put("INBOX", mail(1))
    ledger = Ledger(plan_of(whole(model, "INBOX")))
    model.renumber("INBOX")

    with pytest.raises(PlanOutdated):
        list(reader_of(ledger, sessions(model)).batches())


def test_it_reads_no_more_than_two_batches_ahead_and_ends_when_it_is_closed() -> None:
    model = MailboxModel()
    model.put("INBOX", *(mail(number) for number in range(FIRST_ITEMS * 8)))
    session = model.connect()
    reader = reader_of(Ledger(plan_of(whole(model, "INBOX"))), lambda: session)
    batches = reader.batches()

    next(batches)
    session.reset()
    reader.close()

    assert module.QUEUED_BATCHES == 2
    assert not reader._thread.is_alive()
    assert not reader.finished


def test_a_large_message_is_not_read_but_handed_over_alone_and_in_its_place() -> None:
    model = MailboxModel()
    model.put("INBOX", mail(1), mail(2), mail("large", size=3_000_000), mail(4))
    (source,) = whole(model, "INBOX")

    batches = read(model, Ledger(plan_of([replace(source, large="3")])))

    assert [one.uid for batch in batches for one in batch.messages] == [1, 2, 3, 4]
    (large,) = (one for batch in batches for one in batch.messages if isinstance(one, LargeMessage))
    assert large.size == len(mail("large", size=3_000_000))
    assert b"".join(large.open().pieces) == mail("large", size=3_000_000)


def test_batches_grow_while_the_server_is_quick_and_shrink_when_it_is_slow() -> None:
    size = BatchSize()

    size.took(FIRST_ITEMS - 1, 0.1)  # not full: it says nothing
    assert size.items == FIRST_ITEMS
    for _ in range(9):
        size.took(size.items, 0.1)
    assert size.items == MOST_ITEMS
    size.took(size.items, 1.0)
    assert size.items == MOST_ITEMS
    for _ in range(9):
        size.took(size.items, 3.0)
    assert size.items == FEWEST_ITEMS
