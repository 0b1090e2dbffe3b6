"""The demo's verdict is right only when nothing but the refused message is missing."""

from collections import Counter
from datetime import UTC, datetime

from services.demo import sample
from services.demo.verdict import Kept, compare, to_be_refused


def kept(name: str, *flags: str) -> Kept:
    return Kept("INBOX", name, frozenset(flags), datetime(2024, 1, 1, tzinfo=UTC))


REFUSED = Counter({kept("setup"): 1})
SOURCE = Counter({kept("one"): 2, kept("two", "\\Seen"): 1}) + REFUSED


def test_all_but_the_refused_message_is_right() -> None:
    verdict = compare(SOURCE, SOURCE - REFUSED, REFUSED)

    assert verdict.right
    assert verdict.equal == 3


def test_a_missing_a_doubled_and_a_changed_message_are_not_right() -> None:
    arrived = SOURCE - REFUSED

    assert not compare(SOURCE, arrived - Counter({kept("one"): 1}), REFUSED).right
    assert not compare(SOURCE, arrived + Counter({kept("one"): 1}), REFUSED).right
    assert not compare(SOURCE, arrived - Counter({kept("two", "\\Seen"): 1}) + Counter({kept("two"): 1}), REFUSED).right


def test_a_refused_message_that_arrived_is_not_right() -> None:
    assert not compare(SOURCE, SOURCE, REFUSED).right


def test_the_sample_mailbox_is_the_same_every_time_and_holds_one_message_to_be_refused() -> None:
    assert list(sample.mails()) == list(sample.mails())
    assert to_be_refused().total() == 1
