"""A copier that freezes in the middle of an append, and another one that takes its place (COPYING rule 7)."""

import multiprocessing
import os
import signal
import threading
import time
from itertools import count

import pytest

from libs.contracts import topics
from libs.contracts.commands import CopyFolder
from tests.integration.fault_schedules import awkward_mail
from tests.integration.fault_world import TWENTIETH, FaultWorld
from tests.integration.frozen_copier import FENCED, Group, run, serve
from tests.mail.contents import contents, difference
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot
from tests.servers.fault_proxy import FaultProxies
from tests.servers.faults import Fault, Script

numbers = count()
# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class NoLease:
    taken_over = 0.0
    lost = False

    def holds(self) -> bool:
        return False


@pytest.mark.parametrize("hidden", [{"LITERAL+"}, {"LITERAL+", "MULTIAPPEND"}])
@pytest.mark.timeout(120)
def test_rule_7_a_copier_that_wakes_after_another_took_over_commits_nothing_more(
    dovecot: Dovecot, hidden: set[str]
) -> None:
    world = FaultWorld(dovecot, f"frozen{next(numbers)}", TWENTIETH)
    mails = [mail for mail in awkward_mail() if mail.folder == "INBOX"]
    append(world.real("source"), mails)
    group, frozen = Group(), threading.Event()

    def freeze() -> None:
        """Whatever the server answers to the announcement of the message finds all threads stopped."""
        assert child.pid
        os.kill(child.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        frozen.set()

    script = Script((Fault("append_head", "delay", kill=True),), frozenset(hidden), kill=freeze)
    with (
        FaultProxies() as proxies,
        proxies.opened(Script(), dovecot.imap_port) as plain,
        proxies.opened(script, dovecot.imap_port) as failing,
    ):
        world.ports = {"source": plain, "destination": failing}
        world.lease = lambda _partition: NoLease()  # it scans, and leaves the copying to others
        job = world.request()
        world.start()
        items = lambda: [one for one in world.log.read(topics.WORK_ITEMS) if isinstance(one, CopyFolder)]  # noqa: E731
        world.wait_for(lambda: bool(items()))
        world.kill()

        script.arm()
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        child = multiprocessing.get_context("spawn").Process(
            target=run, args=(theirs, items()[0], (plain, failing), TWENTIETH.late), daemon=True
        )
        targets = {"store": world.store, "vault": world.vault, "group": group, "log": world.log}
        threading.Thread(target=serve, args=(ours, targets), daemon=True).start()
        child.start()
        theirs.close()
        assert frozen.wait(30), "it was not frozen"
        assert child.pid
        try:
            while not group.expired:
                time.sleep(0.05)
            world.lease = None
            world.start()
            world.finish(job)
        finally:
            os.kill(child.pid, signal.SIGCONT)
        child.join(60)
        world.close()

    assert child.exitcode == FENCED
    assert difference(contents(world.real("source")), contents(world.real("destination"))) == ""
    counts = world.counts(job)
    assert (counts.completed, counts.total, counts.failed) == (len(mails), len(mails), 0)
