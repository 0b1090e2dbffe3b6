"""Jobs of the real scanner and copier between two accounts of a real server, through proxies that fail as scheduled."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from libs.contracts import topics
from libs.contracts.accounts import Account
from libs.contracts.codec import Message
from libs.contracts.events import FoldersListed
from libs.contracts.ids import JobId
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.port import Session
from tests.integration.conftest import LOOPBACK
from tests.mail.contents import Kept, contents, difference
from tests.mail.corpus import Mail
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot
from tests.servers.fault_proxy import FaultProxies
from tests.servers.faults import Fault, Script
from tests.unit.world import World

LOOK_SECONDS = 0.05
MOMENTS = ("write", "written", "append to the log", "appended to the log")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds. `FULL` are those of production."""

    late: float = 35.0  # within which a server commits an append
    patience: float = 60.0  # with an operation that moves no byte
    login: float = 12.0
    job: float = 1200.0  # until a job must have ended

    def scaled(self, by: float) -> Self:
        # A login takes what it takes: on a busy machine more than a twentieth of 12 s.
        return type(self)(self.late / by, self.patience / by, max(self.login / by, 3.0), max(self.job / by, 90.0))


FULL = Times()
TWENTIETH = FULL.scaled(20)


@dataclass(frozen=True, slots=True)
class Kill:
    """kill -9 around the `nth` write to the store or append to the log."""

    moment: str
    nth: int

    def __str__(self) -> str:
        return f"kill -9 at {self.moment} #{self.nth}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Mail on both sides, and all that goes wrong while it is copied."""

    source_mail: tuple[Mail, ...]
    destination_mail: tuple[Mail, ...] = ()
    source: tuple[Fault, ...] = ()
    destination: tuple[Fault, ...] = ()
    kills: tuple[Kill, ...] = ()
    hidden: frozenset[str] = frozenset()  # capabilities of the destination
    times: Times = TWENTIETH
    from_the_start: bool = False  # the connections' trouble begins at first contact

    def __str__(self) -> str:
        faults = {"source": self.source, "destination": self.destination, "kills": self.kills}
        said = [f"{name}: {', '.join(map(str, those))}" for name, those in faults.items() if those]
        hidden = [f"without {' '.join(sorted(self.hidden))}"] if self.hidden else []
        return "; ".join(hidden + said)


@dataclass(slots=True)
class Result:
    """`wrong` is empty when all of it held. `latest`: seconds from a client's end to the commit of its append."""

    wrong: list[str] = field(default_factory=list[str])
    happened: int = 0  # faults and kills
    latest: float = 0.0
    seconds: float = 0.0


class FaultWorld(World):
    """One job; `run_schedule` makes it."""

    def __init__(self, dovecot: Dovecot, user: str, times: Times) -> None:
        super().__init__(late=times.late)
        self._dovecot = dovecot
        self._user = user
        self._times = times
        self.ports: dict[str, int] = {}
        self.log.follow(topics.PROGRESS, self._on_progress)
        self.on_contact: Callable[[], None] = lambda: None

    def real(self, side: str) -> Account:
        """The account without a proxy before it."""
        return self._dovecot.account(f"{self._user}-{side}", security="plain")

    def account(self, host: str) -> Account:
        side = host.partition(".")[0]
        return self._dovecot.account(f"{self._user}-{side}", security="plain", port=self.ports[side])

    def connect(self, account: Account) -> Session:
        policy = ConnectPolicy(
            allow_networks=[LOOPBACK],
            allow_ports=[account.port],
            allow_plain=True,
            patience=self._times.patience,
        )
        return connect(account, policy, deadline_seconds=self._times.login)

    def _on_progress(self, message: Message) -> None:
        if isinstance(message, FoldersListed):
            self.on_contact()

    def finish(self, job: JobId, *, seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_finished(job):
            if not self.processes or self.process.dead:
                self.start()
            if time.monotonic() > deadline:
                raise AssertionError(f"not finished: {self.counts(job)}")
            with self.log.changed:
                self.log.changed.wait(LOOK_SECONDS)


def run_schedule(schedule: Schedule, dovecot: Dovecot, proxies: FaultProxies, user: str) -> Result:
    """One job from its request to its end, and both accounts looked at afterwards."""
    world = FaultWorld(dovecot, user, schedule.times)
    killed: list[Kill] = []
    scripts = {
        side: Script(faults=faults, hidden=hidden, kill=world.kill)
        for side, faults, hidden in (
            ("source", schedule.source, frozenset[str]()),
            ("destination", schedule.destination, schedule.hidden),
        )
    }
    begun = time.monotonic()
    result = Result()
    append(world.real("source"), schedule.source_mail)
    append(world.real("destination"), schedule.destination_mail)
    before = {side: contents(world.real(side)) for side in scripts}
    with ExitStack() as stack:
        for side, script in scripts.items():
            world.ports[side] = stack.enter_context(proxies.opened(script, dovecot.imap_port))

        def arm() -> None:
            for script in scripts.values():
                script.arm()

        # Whoever does not answer at first contact ends the job, as it should: most trouble begins after it.
        if schedule.from_the_start:
            arm()
        world.on_contact = arm
        for kill in schedule.kills:
            world.at(kill.moment, kill.nth, partial(_kill, world, kill, killed))
        job = world.request()
        try:
            world.finish(job, seconds=schedule.times.job)
        except AssertionError as error:
            result.wrong.append(str(error))
        world.close()
    result.seconds = time.monotonic() - begun
    result.happened = sum(len(script.happened) for script in scripts.values()) + len(killed)
    result.latest = max(script.latest for script in scripts.values())
    result.wrong += list(_wrong(world, job, before))
    return result


def _kill(world: FaultWorld, kill: Kill, killed: list[Kill]) -> None:
    killed.append(kill)
    world.kill()


def _wrong(world: FaultWorld, job: JobId, before: dict[str, Counter[Kept]]) -> Iterable[str]:
    """What does not hold at the end."""
    source, destination = contents(world.real("source")), contents(world.real("destination"))
    if told := difference(before["source"], source):
        yield f"the source has changed: {told}"
    expected = merged(before["source"]) | merged(before["destination"])
    if told := difference(expected, merged(destination)):
        yield f"the destination: {told}"
    for failed in world.scan_failures(job):
        yield f"scan failed: {failed.reason}"
    if failures := world.failures() + world.failures("gone") + world.failures("noted"):
        yield f"listed: {[(row.outcome, str(row.reason), row.uid) for row in failures]}"
    events = world.progress(job)
    counts = [world.counts(job, events[:number]) for number in range(1, len(events) + 1)]
    if not counts or counts[-1].settled != counts[-1].total or counts[-1].total != source.total():
        yield f"the counters do not reconcile: {counts[-1:]}, at the source {source.total()}"
    audits = world.audits(job).values()
    verified = sum(one.verified for one in audits)
    if not counts or verified != counts[-1].completed or any(one.surplus for one in audits):
        yield f"the audit: {verified} verified, surplus {[one.surplus for one in audits]}, {counts[-1:]}"
    if any(one.settled > one.total for one in counts):
        yield "a snapshot settles more than its total"
    if [one.settled for one in counts] != sorted(one.settled for one in counts):
        yield f"the counters fell: {[one.settled for one in counts]}"


def merged(kept: Counter[Kept]) -> Counter[Kept]:
    """With the folders that are one at the destination (COPYING rule 1) as one."""
    merged: Counter[Kept] = Counter()
    for one, count in kept.items():
        merged[one._replace(folder=one.folder.casefold())] += count
    return merged
