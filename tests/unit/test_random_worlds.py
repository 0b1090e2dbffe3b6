"""All rules of COPYING at once: random worlds in which many things go wrong."""

import random
from collections import Counter

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused
from tests.mail.model import DATE, Kept, MailboxModel, mail
from tests.mail.trouble import Busy, Do, Lost, LostAfterCrlf, Operation
from tests.unit.world import LATE_SECONDS, World

# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class Trouble:
    """A random world and what goes wrong in it, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.world = World(destination=MailboxModel(uidplus=chance.random() < 0.7, multiappend=chance.random() < 0.5))
        self.source, self.destination = self.world.source, self.world.destination
        self.foreign: list[bytes] = []
        self.renumbered = chance.random() < 0.2
        for wire in ("INBOX", "Sent"):
            self.source.put(wire, *self.mails(8), flags=["\\Seen"])
        self.there = self.mails(4)
        self.destination.put("INBOX", *self.there, flags=["\\Seen"])
        self.refused = self.mails(1)
        refusal = AppendRefused(Reason.MESSAGE_REFUSED, "NO", connection_closed=chance.random() < 0.5)
        self.destination.refused.update((body, refusal) for body in self.refused)
        # At first contact a job fails, as it should: the servers' trouble begins with the first append.
        self.destination.at("append", 1, Do(self.begin))
        for _ in range(chance.randrange(3)):
            moment = chance.choice(["write", "written", "append to the log", "appended to the log"])
            self.world.at(moment, chance.randrange(1, 16), self.world.kill)

    def mails(self, most: int) -> list[bytes]:
        """Of few names, so that equal messages are frequent."""
        return [mail(self.chance.randrange(6)) for _ in range(self.chance.randrange(most + 1))]

    def begin(self) -> None:
        for _ in range(self.chance.randrange(2, 7)):
            self.chance.choice(
                [self.lose, self.kill_past_the_crlf, self.break_something, self.meddle, self.break_the_source]
            )()
        if self.renumbered:
            self.destination.at("append", self.number(), Do(lambda: self.destination.renumber("INBOX")))

    def number(self) -> int:
        return self.chance.choice([1, 1, 1, 2, 2, 3, 5, 8])

    def late(self) -> float | None:
        return self.chance.choice([0.0, 0.1, LATE_SECONDS * 0.9, None])

    def lose(self) -> None:
        self.destination.at("append", self.number(), self.chance.choice([Lost(), Busy(), LostAfterCrlf(self.late())]))

    def kill_past_the_crlf(self) -> None:
        number = self.number()
        self.destination.at("append", number, Do(lambda: self.destination.at("committing", 1, Do(self.world.kill))))
        self.destination.at("append", number, LostAfterCrlf(self.late()))

    def break_something(self) -> None:
        operation: Operation = self.chance.choice(["examine", "status", "listing", "fetch"])
        self.destination.at(operation, self.number(), self.chance.choice([Lost(), Busy()]))

    def break_the_source(self) -> None:
        operation: Operation = self.chance.choice(["examine", "listing", "fetch"])
        self.source.at(operation, self.number(), self.chance.choice([Lost(), Busy(), Do(self.world.kill)]))

    def meddle(self) -> None:
        actions = [self.world.kill, self.write, self.cut_the_source, self.lose_writes, self.lose_appends_to_the_log]
        operation: Operation = self.chance.choice(["append", "committing", "committed", "connect", "examine"])
        self.destination.at(operation, self.number(), Do(self.chance.choice(actions)))

    def write(self) -> None:
        self.foreign.append(mail(f"foreign{len(self.foreign)}"))
        self.destination.put("INBOX", self.foreign[-1])

    def cut_the_source(self) -> None:
        for session in self.source.sessions:
            session.reset()

    def lose_writes(self) -> None:
        self.world.store.unavailable = 2

    def lose_appends_to_the_log(self) -> None:
        self.world.log.unavailable = 1

    def expected(self) -> Counter[Kept]:
        """Nothing of the destination's is gone, nothing of the source's is missing or there too often."""
        copied = Counter(
            {kept: count for kept, count in self.source.contents().items() if kept.body not in self.refused}
        )
        held = Counter(Kept("INBOX", body, frozenset({"\\Seen"}), DATE) for body in self.there)
        written = Counter(Kept("INBOX", body, frozenset(), DATE) for body in self.foreign)
        return (copied | held) + written


@settings(max_examples=40, deadline=None, derandomize=True, phases=[Phase.generate], database=None)
@given(st.integers(0, 2**32))
def test_whatever_fails_every_message_arrives_exactly_once_and_is_counted(seed: int) -> None:
    trouble = Trouble(seed)
    world = trouble.world
    with capture_logs() as logs:
        job = world.run(seconds=40)
        world.close()

    expected, found = trouble.expected(), trouble.destination.contents()
    assert (expected - found, found - expected) == (Counter(), Counter())
    assert world.scan_failures(job) == []
    counts, source = world.counts(job), trouble.source.contents()
    assert counts.settled == counts.total == source.total()
    assert counts.failed == (source - found).total()
    if not trouble.renumbered:
        events = world.progress(job)
        settled = [world.counts(job, events[:number]).settled for number in range(1, len(events) + 1)]
        assert settled == sorted(settled)
    assert [one for one in logs if one["log_level"] == "error"] == []
