"""The tail of a destination folder: which of what arrived there is ours."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.copier.ledger import Ledger, Ref
from services.copier.tail import PlanOutdated, Tail
from tests.mail.model import MailboxModel, mail
from tests.unit.plans import plan_of, sessions, whole


class Setting:
    """A plan to copy everything of the source's INBOX into the destination's."""

    def __init__(self, *source: object, there: tuple[object, ...] = ()) -> None:
        self.source, self.destination = MailboxModel(), MailboxModel()
        self.source.put("INBOX", *map(mail, source))
        held = self.destination.put("INBOX", *map(mail, there))
        self.ledger = Ledger(
            plan_of(
                whole(self.source, "INBOX"),
                destination_uidvalidity=self.destination.folders["INBOX"].uidvalidity,
                boundary=max(held, default=0) + 1,
            )
        )
        self.tail = Tail(self.ledger, sessions(self.source))

    def read(self, **uids: int) -> list[int]:
        return [ref.uid for ref in self.tail.read(self.destination.connect(), **uids)]


def test_what_arrived_is_found_by_its_bytes_in_source_order() -> None:
    here = Setting("a", "b", "c", "d")
    here.destination.put("INBOX", mail("c"), mail("theirs"), mail("b"))

    assert here.read() == [2, 3]
    assert here.ledger.delivered_uids() == {1: Ref(0, 3), 3: Ref(0, 2)}
    assert here.ledger.foreign == {2}


def test_what_lies_below_the_boundary_is_not_looked_at() -> None:
    here = Setting("a", there=("a",))

    assert here.read() == []
    assert here.ledger.foreign == set()


def test_what_is_known_is_read_once() -> None:
    here = Setting("a", "b")
    here.destination.put("INBOX", mail("a"), mail("theirs"))
    here.read()
    fetched = here.destination.operations["fetch"], here.source.operations["fetch"]

    assert here.read() == []
    assert (here.destination.operations["fetch"], here.source.operations["fetch"]) == fetched


def test_a_range_looks_at_that_range_alone() -> None:
    here = Setting("a", "b", "c")
    here.destination.put("INBOX", mail("a"), mail("b"), mail("c"))

    assert here.read(first=2, last=2) == [2]


def test_a_message_delivered_without_a_uid_is_recognised_first_and_is_not_new() -> None:
    here = Setting("twin", "twin")
    here.ledger.deliver([Ref(0, 2)], [1], None, None)
    here.destination.put("INBOX", mail("twin"))

    assert here.read() == []
    assert here.ledger.delivered_uids() == {1: Ref(0, 2)}
    assert here.ledger.remaining() == [Ref(0, 1)]


def test_a_message_of_the_same_size_with_other_bytes_is_nobodys() -> None:
    here = Setting("aa")
    here.destination.put("INBOX", mail("bb"))

    assert here.read() == []


def test_a_source_message_that_is_gone_is_not_matched() -> None:
    here = Setting("a", "b")
    here.source.expunge("INBOX", [1])
    here.destination.put("INBOX", mail("a"), mail("b"))

    assert here.read() == [2]


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_message_that_a_server_does_not_hand_out_keeps_nobody_from_the_others(side: str) -> None:
    here = Setting("a1", "b1", "c1")
    here.destination.put("INBOX", mail("b1"), mail("c1"), mail("x1"))
    getattr(here, side).unreadable.add(mail("a1" if side == "source" else "x1"))

    assert here.read() == [2, 3]


def test_what_came_from_a_source_folder_that_is_gone_is_nobodys() -> None:
    here = Setting("a")
    here.destination.put("INBOX", mail("a"))
    here.source.remove_folder("INBOX")

    assert here.read() == []


@pytest.mark.parametrize(
    ("side", "change"), [("source", "renumber"), ("destination", "renumber"), ("destination", "remove_folder")]
)
def test_another_folder_on_either_side_outdates_the_plan(side: str, change: str) -> None:
    here = Setting("a", "b")
    here.ledger.deliver([Ref(0, 1)], [1], here.ledger.plan.destination_uidvalidity, [1])
    here.destination.put("INBOX", mail("a"), mail("b"))
    getattr(getattr(here, side), change)("INBOX")

    with pytest.raises(PlanOutdated):
        here.read()


@given(
    source=st.lists(st.integers(0, 3), max_size=10),
    acked=st.sets(st.integers(1, 10)),
    arrived=st.lists(st.integers(0, 5), max_size=10),
)
def test_as_many_are_found_as_arrived_and_are_still_to_come_never_more(
    source: list[int], acked: set[int], arrived: list[int]
) -> None:
    """Equal messages may lie on both sides of what is acked (COPYING rule 13)."""
    here = Setting(*source)
    for uid in sorted(acked):
        if uid <= len(source):
            (landed,) = here.destination.put("INBOX", mail(source[uid - 1]))
            here.ledger.deliver([Ref(0, uid)], [1], here.ledger.plan.destination_uidvalidity, [landed])
    remaining = Counter(source[ref.uid - 1] for ref in here.ledger.remaining())
    here.destination.put("INBOX", *map(mail, arrived))

    found = Counter(source[uid - 1] for uid in here.read())

    assert found == remaining & Counter(arrived)
    assert here.read() == []
