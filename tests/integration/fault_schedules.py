"""Random schedules of faults, each from its seed: `python -m tests.integration.fault_schedules 1000` runs so many."""

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from structlog.testing import capture_logs

from tests.integration.fault_world import FULL, MOMENTS, TWENTIETH, Kill, Result, Schedule, Times, run_schedule
from tests.mail.corpus import Mail
from tests.mail.model import mail
from tests.servers.dovecot import Dovecot
from tests.servers.fault_proxy import FaultProxies
from tests.servers.faults import OF_APPEND, PLACES, By, Fault, Place
from tests.unit.world import Killed

AT_ONCE = 24  # jobs at a time: they wait more than they work
DATES = tuple(f" {day}-Jul-2024 02:44:25 +0200" for day in range(1, 10))
FOLDERS = ("INBOX", "Sent", "Post", "post", "POST")  # the last three are one at the destination, in three batches
AWKWARD = (
    b"\r\n",
    b"no header at all",
    b"Subject: bare\r\n\r\nline\nfeeds\rand returns\n",
    b"Subject: trap\r\n\r\n) UID 1 BODY[] {12}\r\n* BYE\r\nM1 OK done\r\n",
    "Subject: Größe\r\n\r\nÜbung".encode("latin-1") * 40,
    b"Subject: long\r\n\r\n" + b"x" * 12_000,
    mail("large", size=90_000),
)
WAYS: tuple[By, ...] = ("fin", "rst")
FETCHED: tuple[Place, ...] = ("fetch_literal", "fetch_end")
SOURCE_PLACES: tuple[Place, ...] = tuple(place for place in PLACES if place not in (*OF_APPEND, "status"))


def random_schedule(seed: int, times: Times = TWENTIETH) -> Schedule:
    """Equal messages on both sides and inside a folder, one to five faults, and kills."""
    chance = random.Random(seed)
    source = [mail for folder in FOLDERS for mail in _mails(chance, folder)]
    held = [one for one in source if one.folder in ("INBOX", "Sent") and chance.random() < 0.25]
    twice = [one for one in held if chance.random() < 0.2]
    return Schedule(
        source_mail=tuple(source),
        destination_mail=tuple(sorted([*held, *twice, *_theirs(chance)], key=lambda one: one.folder)),
        source=tuple(_fault(chance, times, SOURCE_PLACES) for _ in range(chance.choice((0, 0, 1, 2)))),
        destination=_bearable(_burst(chance, times) if chance.random() < 0.2 else _scattered(chance, times), times),
        kills=tuple(Kill(chance.choice(MOMENTS), chance.randint(1, 18)) for _ in range(chance.choice((0, 0, 0, 1, 2)))),
        hidden=frozenset(
            name
            for name, share in (("UIDPLUS", 0.35), ("MULTIAPPEND", 0.5), ("LITERAL+", 0.2))
            if chance.random() < share
        ),
        times=times,
    )


def while_reading(seed: int, times: Times = TWENTIETH) -> Schedule:
    """The same mail, and two to six faults where the source hands out listings and messages."""
    chance = random.Random(f"{seed} while reading")
    count = chance.randint(2, 6)
    if chance.random() < 0.5:  # one after the other
        first, at = chance.randint(1, 4), chance.choice(FETCHED)
        source = tuple(Fault(at, by=chance.choice(WAYS), nth=first + number) for number in range(count))
    else:
        source = tuple(_fault(chance, times, FETCHED) for _ in range(count))
    return replace(random_schedule(seed, times), source=source)


def _mails(chance: random.Random, folder: str) -> Iterator[Mail]:
    """Of few kinds, so that equal ones are frequent. Bytes decide over flags and date, or no order could be told."""
    for _ in range(chance.randint(0, 7)):
        body = chance.choice(AWKWARD) if chance.random() < 0.3 else mail(chance.randrange(5), message_id=False)
        kind = len(body) % len(DATES)
        yield Mail(folder, body, ("\\Seen", "$Label1") if kind % 2 else ("\\Flagged",), DATES[kind])


def awkward_mail() -> Iterator[Mail]:
    """Each kind of message, and equal ones, in every folder."""
    for folder in FOLDERS:
        for number, body in enumerate((mail("twin"), mail("twin"), *AWKWARD)):
            yield Mail(folder, body, ("\\Seen",), DATES[number])


def _theirs(chance: random.Random) -> Iterator[Mail]:
    for number in range(chance.randrange(3)):
        yield Mail(chance.choice(("INBOX", "Archive")), mail(f"theirs{number}"), (), DATES[0])


def _scattered(chance: random.Random, times: Times) -> tuple[Fault, ...]:
    return tuple(
        _fault(chance, times, OF_APPEND if chance.random() < 0.7 else PLACES) for _ in range(chance.randint(1, 3))
    )


def _burst(chance: random.Random, times: Times) -> tuple[Fault, ...]:
    """The same again and again. A message whose append is lost five times in a row is given up, so not so often."""
    fault = _fault(chance, times, OF_APPEND)
    first = chance.choice((1, 1, 2, 4))
    return tuple(replace(fault, nth=first + number, kill=False) for number in range(chance.randint(2, 4)))


def _bearable(faults: tuple[Fault, ...], times: Times) -> tuple[Fault, ...]:
    """Delays of one append add up; with a client that is killed meanwhile, its commit may come no later than `late`."""
    longest = times.late * 30 / 35
    delays = sum(fault.seconds for fault in faults if fault.act == "delay")
    if delays <= longest:
        return faults
    return tuple(
        replace(fault, seconds=fault.seconds * longest / delays) if fault.act == "delay" else fault for fault in faults
    )


def _fault(chance: random.Random, times: Times, places: tuple[Place, ...]) -> Fault:
    at = chance.choice(places)
    by = chance.choice(("fin", "rst"))
    nth = chance.choice((1, 1, 1, 2, 2, 3, 4, 6, 8))
    kill = chance.random() < 0.2
    # What the client has sent may wait no longer than a server may take for its commit.
    held = chance.uniform(0.1 / 35, 30 / 35) * times.late
    if at == "append_crlf" and chance.random() < 0.6:
        return Fault(at, "late", by, nth, held, kill)
    act = chance.choice(("cut", "cut", "cut", "delay", "stall"))
    if act == "delay":
        return Fault(at, "delay", by, nth, held, kill)
    if act == "stall":
        return Fault(at, "stall", by, nth, times.patience * 1.1)
    return Fault(at, "cut", by, nth, kill=kill)


@dataclass(frozen=True, slots=True)
class Ran:
    seed: int
    schedule: Schedule
    result: Result

    @property
    def void(self) -> bool:
        """The machine was so busy that the server came later than any server is allowed to."""
        return self.result.latest > 0.95 * self.schedule.times.late

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.schedule}\n  " + "\n  ".join(self.result.wrong)


def run_many(
    seeds: Iterable[int],
    dovecot: Dovecot,
    *,
    times: Times = TWENTIETH,
    at_once: int = AT_ONCE,
    make: Callable[[int, Times], Schedule] = random_schedule,
) -> list[Ran]:
    """All of them, many at a time. A schedule that turned out void is run once more."""
    with FaultProxies() as proxies, ThreadPoolExecutor(at_once) as pool:

        def run(seed: int) -> Ran:
            schedule = make(seed, times)
            ran = Ran(seed, schedule, run_schedule(schedule, dovecot, proxies, f"seed{seed}"))
            if ran.void:
                ran = Ran(seed, schedule, run_schedule(schedule, dovecot, proxies, f"again{seed}"))
            return ran

        return list(pool.map(run, seeds))


_say = threading.excepthook


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("count", type=int)
    options.add_argument("--first", type=int, default=1, help="the first seed")
    options.add_argument("--full", action="store_true", help="times as in production, not a twentieth of them")
    options.add_argument("--while-reading", action="store_true", help="more faults where the source is read")
    options.add_argument("--at-once", type=int, default=AT_ONCE)
    asked = options.parse_args()
    threading.excepthook = lambda ended: None if isinstance(ended.exc_value, Killed) else _say(ended)
    failed = void = happened = 0
    begun = time.monotonic()
    for first in range(asked.first, asked.first + asked.count, 100):
        seeds = range(first, min(first + 100, asked.first + asked.count))
        # A server of its own for each hundred: what a job leaves behind is gone with it.
        with Dovecot(special=False, ssl="no") as dovecot, capture_logs() as logs:
            times = FULL if asked.full else TWENTIETH
            make = while_reading if asked.while_reading else random_schedule
            ran = run_many(seeds, dovecot, times=times, at_once=asked.at_once, make=make)
        structlog.reset_defaults()
        for one in ran:
            happened += one.result.happened
            void += one.void
            if one.result.wrong and not one.void:
                failed += 1
                print(one)
        for line in (line for line in logs if line["log_level"] == "error"):
            failed += 1
            print(f"seeds {seeds}: {line}")
        done = seeds[-1] - asked.first + 1
        print(
            f"{datetime.now(UTC):%F %T} seeds {asked.first}-{seeds[-1]}: {done} schedules, {happened} faults, "
            f"{failed} failed, {void} void, {time.monotonic() - begun:.0f} s",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
