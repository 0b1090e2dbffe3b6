"""Whole processes behind failing connections: kill -9 at each class of bytes; a process that freezes."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from tests.acceptance.instance import LIVE, Instance, Job, new_user, wait_for
from tests.acceptance.test_kill import watched
from tests.integration.fault_schedules import awkward_mail, random_schedule
from tests.integration.fault_world import Schedule, Times, merged
from tests.mail.contents import Kept, contents, difference
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot
from tests.servers.fault_proxy import FaultProxies
from tests.servers.faults import Fault, Place, Script

LATE = 3.0  # seconds within which the server behind the proxy commits an append
MAILS = tuple(mail for mail in awkward_mail() if mail.folder in ("INBOX", "Sent"))
FIRST_SEED, RANDOM = 500_015, 10


def killed_at(*faults: Fault, source: tuple[Fault, ...] = (), without: tuple[str, ...] = ()) -> Schedule:
    return Schedule(source_mail=MAILS, source=source, destination=faults, hidden=frozenset(without))


def killed_while(*places: Place) -> tuple[Fault, ...]:
    return tuple(Fault(place, kill=True) for place in places)


KILLS = {
    "at first contact with the source": killed_at(source=killed_while("greeting", "login", "list")),
    "at first contact with the destination": killed_at(*killed_while("login", "list")),
    "while the source is listed": killed_at(source=killed_while("examine", "listing")),
    "while the destination is looked at": killed_at(*killed_while("examine", "status"), without=("UIDPLUS",)),
    "while messages are read": killed_at(source=killed_while("fetch_literal", "fetch_end")),
    "before a message": killed_at(*killed_while("append_head"), without=("LITERAL+",)),
    "the commit comes after the restart": killed_at(Fault("append_crlf", "late", seconds=0.7 * LATE, kill=True)),
    "and again, one message at a time and without UIDs": killed_at(
        *(Fault("append_crlf", "late", nth=nth, seconds=0.5 * LATE, kill=True) for nth in (1, 3)),
        without=("UIDPLUS", "MULTIAPPEND"),
    ),
    "inside a message": killed_at(Fault("append_literal", nth=2, kill=True), without=("MULTIAPPEND",)),
    "before the answer": killed_at(Fault("append_answer", by="fin", nth=2, kill=True), without=("UIDPLUS",)),
    "after the answer, before it is reported": killed_at(
        Fault("append_answered", nth=4, kill=True), without=("MULTIAPPEND",)
    ),
    "after the last byte": killed_at(
        Fault("append_sent", kill=True), Fault("append_sent", nth=2), without=("LITERAL+",)
    ),
}


def at_random(seed: int) -> Schedule:
    """What a schedule has of faults that no first contact meets, and that are over within a minute. The first of each
    side kills. Kills between two bytes are `test_kill.py`'s."""
    schedule = random_schedule(seed, Times(late=LATE))

    def kept(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        those = [one for one in faults if one.at.startswith(("append", "fetch")) and one.act != "stall"]
        return tuple(replace(one, kill=one.kill or number == 0) for number, one in enumerate(those))

    return replace(schedule, source=kept(schedule.source), destination=kept(schedule.destination), kills=())


@pytest.fixture
def proxies() -> Iterator[FaultProxies]:
    with FaultProxies() as running:
        yield running


@contextmanager
def restarting(instance: Instance) -> Iterator[Callable[[], None]]:
    """What kills the process; it is started again as often as it was killed."""
    killed, over = threading.Event(), threading.Event()
    changing = threading.Lock()

    def kill() -> None:
        with changing:
            instance.kill()
            killed.set()

    def start_again() -> None:
        while not over.is_set():
            if killed.wait(0.1):
                with changing:
                    killed.clear()
                    instance.start()

    thread = threading.Thread(target=start_again)
    thread.start()
    try:
        yield kill
    finally:
        over.set()
        thread.join()


@pytest.mark.timeout(300)
def test_kill_9_at_each_class_of_bytes_while_many_jobs_run_loses_nothing_and_doubles_nothing(
    dovecot: Dovecot, proxies: FaultProxies, tmp_path: Path
) -> None:
    happened = run_all(KILLS, dovecot, proxies, tmp_path)

    for name, schedule in KILLS.items():
        assert happened[name] == [*schedule.source, *schedule.destination], name


@pytest.mark.timeout(300)
def test_random_faults_and_kills_of_whole_processes_lose_nothing_and_double_nothing(
    dovecot: Dovecot, proxies: FaultProxies, tmp_path: Path
) -> None:
    schedules = {f"seed {seed}": at_random(seed) for seed in range(FIRST_SEED, FIRST_SEED + RANDOM)}

    happened = [fault for faults in run_all(schedules, dovecot, proxies, tmp_path).values() for fault in faults]

    planned = sum(len(one.source) + len(one.destination) for one in schedules.values())
    assert len(happened) >= planned / 2, "too little went wrong to prove anything"
    assert sum(fault.kill for fault in happened) >= RANDOM / 2, "too few kills to prove anything"


def run_all(
    schedules: Mapping[str, Schedule], dovecot: Dovecot, proxies: FaultProxies, directory: Path
) -> dict[str, list[Fault]]:
    """All as jobs of one process, which is killed by any of them; what happened to each, at its source first."""
    accounts = {name: (dovecot.account(new_user()), dovecot.account(new_user())) for name in schedules}
    expected: dict[str, Counter[Kept]] = {}
    for name, (source, destination) in accounts.items():
        append(source, schedules[name].source_mail)
        append(destination, schedules[name].destination_mail)
        expected[name] = merged(contents(source)) | merged(contents(destination))
    scripts = {
        name: (Script(faults=one.source), Script(faults=one.destination, hidden=one.hidden))
        for name, one in schedules.items()
    }
    requested = threading.Event()
    with ExitStack() as stack:
        ports = {
            name: [
                stack.enter_context(proxies.opened(script, dovecot.imap_port, certificate=dovecot.certificate))
                for script in both
            ]
            for name, both in scripts.items()
        }
        allowed = ",".join(str(port) for both in ports.values() for port in both)
        settings = {"ALLOW_PORTS": allowed, "LATE_COMMIT_SECONDS": str(LATE)}
        instance = stack.enter_context(Instance(directory, dovecot, settings))
        kill = stack.enter_context(restarting(instance))
        for script in chain.from_iterable(scripts.values()):
            script.kill = lambda: (requested.wait(60), kill())
            script.arm()
        jobs = {
            name: instance.request(
                *(one.model_copy(update={"port": port}) for one, port in zip(both, ports[name], strict=True))
            )
            for name, both in accounts.items()
        }
        requested.set()
        for job in jobs.values():
            stack.enter_context(watched(job))
        ended = {name: await_end(job, 250) for name, job in jobs.items()}

    for name, (source, destination) in accounts.items():
        assert difference(expected[name], merged(contents(destination))) == "", f"{name}: {schedules[name]}"
        view = ended[name]
        assert (view["state"], view["items_failed"]) == ("completed", 0), f"{name}: {schedules[name]}"
        assert view["items_total"] == contents(source).total()
    return {name: [*source.happened, *destination.happened] for name, (source, destination) in scripts.items()}


def await_end(job: Job, seconds: float) -> dict[str, object]:
    """As the thread that watches the job has seen it: the process may be away at any moment."""
    wait_for(lambda: job.seen and job.seen[-1]["state"] not in LIVE, seconds, "the job has ended")
    return job.seen[-1]


@pytest.mark.parametrize("at", ["append_head", "append_answer"])
def test_a_frozen_process_keeps_others_out_and_goes_on_when_it_wakes(
    dovecot: Dovecot, proxies: FaultProxies, tmp_path: Path, at: Place
) -> None:
    """SIGSTOP in the middle of an append (COPYING rule 7): the lock on the log is held by who sleeps, too."""
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    append(source, MAILS)
    frozen, woken = threading.Event(), threading.Event()

    def freeze() -> None:
        assert instance.process
        instance.process.send_signal(signal.SIGSTOP)
        frozen.set()
        woken.wait(60)

    script = Script((Fault(at, "delay", kill=True),), frozenset({"LITERAL+"}), kill=freeze)
    script.arm()
    with proxies.opened(script, dovecot.imap_port, certificate=dovecot.certificate) as port:
        settings = {"ALLOW_PORTS": f"{dovecot.imaps_port},{port}"}
        with Instance(tmp_path, dovecot, settings) as instance:
            job = instance.request(source, destination.model_copy(update={"port": port}))
            assert frozen.wait(30)

            with pytest.raises(AssertionError, match="another Mailtide is running on this directory"):
                Instance(tmp_path, dovecot, settings).start()

            assert instance.process
            instance.process.send_signal(signal.SIGCONT)
            woken.set()
            view = job.wait_for_end(60)

    assert difference(contents(source), contents(destination)) == ""
    assert (view["state"], view["items_completed"]) == ("completed", len(MAILS))
