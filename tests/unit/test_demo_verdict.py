"""The demo's verdict is right only when nothing but the refused message is missing."""

from collections import Counter
from datetime import UTC, datetime

from services.demo import sample
from services.demo.verdict import Kept, Verdict, compare, to_be_refused


def kept(name: str, *flags: str) -> Kept:
    return Kept("INBOX", name, frozenset(flags), datetime(2024, 1, 1, tzinfo=UTC))


REFUSED = Counter({kept("setup"): 1})
SOURCE = Counter({kept("one"): 2, kept("two", "\\Seen"): 1}) + REFUSED


def verdict(destination: Counter[Kept], listed: int = 1) -> Verdict:
    return compare(SOURCE, destination, REFUSED, listed=listed)


def test_all_but_the_refused_message_is_right() -> None:
    assert verdict(SOURCE - REFUSED).right
    assert verdict(SOURCE - REFUSED).equal == 3


def test_a_missing_a_doubled_and_a_changed_message_are_not_right() -> None:
    arrived = SOURCE - REFUSED

    assert not verdict(arrived - Counter({kept("one"): 1})).right
    assert not verdict(arrived + Counter({kept("one"): 1})).right
    assert not verdict(arrived - Counter({kept("two", "\\Seen"): 1}) + Counter({kept("two"): 1})).right


def test_a_refused_message_that_arrived_or_is_not_listed_is_not_right() -> None:
    assert not verdict(SOURCE).right
    assert not verdict(SOURCE - REFUSED, listed=0).right


def test_the_sample_mailbox_is_the_same_every_time_and_holds_one_message_to_be_refused() -> None:
    assert list(sample.mails()) == list(sample.mails())
    assert to_be_refused().total() == 1
