"""kill -9 at any moment loses nothing and doubles nothing, and nobody has to do anything (promise 1)."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.acceptance.instance import Instance, Job, new_user
from tests.mail.contents import contents, difference
from tests.mail.corpus import Corpus
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot

SLOW_MBPS = 2  # so that a job outlives its kills, however slowly the process starts again
FAST_MBPS = 10_000


@pytest.mark.timeout(600)
def test_ten_kills_at_random_moments_lose_nothing_and_double_nothing(dovecot: Dovecot, tmp_path: Path) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=3_000, median_bytes=5_000, sigma=1.2, large=4))
    chance = random.Random()

    with Instance(tmp_path, dovecot) as instance:
        job = instance.request(source, destination, bandwidth_limit_mbps=SLOW_MBPS)
        with watched(job):
            for _ in range(10):
                time.sleep(chance.uniform(0.05, 5))
                instance.kill()
                instance.start()
            assert job.view()["items_remaining"] != 0, "the job was over before all kills: make it slower"
            assert (
                instance.http.patch(f"{job.path}/limits", json={"bandwidth_limit_mbps": FAST_MBPS}).status_code == 202
            )
            view = job.wait_for_end(180)

    assert difference(contents(source), contents(destination)) == ""
    assert (view["state"], view["items_failed"], view["progress_percent"]) == ("completed", 0, 100)
    assert view["items_total"] == 3_000


@pytest.mark.timeout(300)
def test_a_kill_with_the_default_of_35_seconds_for_late_commits(dovecot: Dovecot, tmp_path: Path) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=1_000, median_bytes=5_000, sigma=1.2))

    with Instance(tmp_path, dovecot, {"LATE_COMMIT_SECONDS": "35"}) as instance:
        job = instance.request(source, destination, bandwidth_limit_mbps=SLOW_MBPS)
        with watched(job):
            job.wait(lambda view: view["items_completed"] > 0, 60, "messages arrive")
            instance.kill()
            instance.start()
            assert (
                instance.http.patch(f"{job.path}/limits", json={"bandwidth_limit_mbps": FAST_MBPS}).status_code == 202
            )
            view = job.wait_for_end(120)

    assert difference(contents(source), contents(destination)) == ""
    assert (view["state"], view["items_completed"]) == ("completed", 1_000)


@contextmanager
def watched(job: Job) -> Iterator[None]:
    """Look at the job all the time, as a page does: `Job.view` fails on a snapshot that does not reconcile."""
    failed: list[BaseException] = []
    over = threading.Event()

    def watch() -> None:
        with httpx2.Client(base_url=job.instance.url, timeout=10) as http:
            while not over.wait(0.1) and not failed:
                try:
                    job.view(http)
                except httpx2.TransportError:
                    continue  # killed: that is what this is about
                except AssertionError as error:
                    failed.append(error)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed, failed[0]
    assert len(job.seen) > 5
