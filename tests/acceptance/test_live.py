"""The stream of a job: prompt, at most one snapshot a second, only forward, and then its end."""

import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.acceptance.instance import Instance, Job, check, new_user
from tests.mail.corpus import Corpus
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot


def slow_job(instance: Instance, dovecot: Dovecot, mbps: float) -> Job:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=500, median_bytes=6_000, sigma=1))
    return instance.request(source, destination, bandwidth_limit_mbps=mbps)


def test_snapshots_come_each_second_reconcile_and_end(instance: Instance, dovecot: Dovecot) -> None:
    job = slow_job(instance, dovecot, mbps=8)

    begun, times = time.monotonic(), list[float]()
    before: dict[str, Any] | None = None
    names: list[str] = []
    for name, data in job.events():
        names.append(name)
        if name == "snapshot":
            times.append(time.monotonic())
            check(data["job"], before)
            before = data["job"]

    assert times[0] - begun < 1
    assert len(times) >= 3
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.9
    assert names[-1] == "end"
    assert before
    assert (before["state"], before["progress_percent"]) == ("completed", 100)


def test_the_end_of_a_job_is_told_within_a_second(instance: Instance, dovecot: Dovecot) -> None:
    """An ended job's stream tells its last snapshot and ends."""
    job = slow_job(instance, dovecot, mbps=1000)
    job.wait_for_end()

    begun = time.monotonic()
    names = [name for name, _ in job.events()]

    assert names == ["snapshot", "end"]
    assert time.monotonic() - begun < 1


def test_sigterm_ends_the_process_with_open_streams_and_the_job_goes_on_later(dovecot: Dovecot, tmp_path: Path) -> None:
    with Instance(tmp_path, dovecot) as instance:
        job = slow_job(instance, dovecot, mbps=3)
        opened = threading.Semaphore(0)

        def follow() -> None:
            for _ in job.events():
                opened.release()

        threads = [threading.Thread(target=follow, daemon=True) for _ in range(5)]
        for thread in threads:
            thread.start()
            assert opened.acquire(timeout=5)
        job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")

        seconds = instance.stop(10)
        for thread in threads:
            thread.join(2)
            assert not thread.is_alive()
        instance.start()
        begun = time.monotonic()
        view = job.wait_for_end(60)

    assert seconds < 10
    assert view["state"] == "completed"
    assert view["items_completed"] == 500
    assert time.monotonic() - begun < 60
