"""A person's word stops a job at once; deletion leaves nothing."""

import contextlib
import os
import time
from pathlib import Path

from tests.acceptance.instance import Instance, Job, new_user, wait_for
from tests.mail.contents import contents
from tests.mail.corpus import Corpus
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot

SLOW_MBPS = 8
NAME = "Kanarienvogels Umzug"


def test_after_a_cancellation_nothing_more_arrives(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=800, median_bytes=8_000, sigma=1))
    job = instance.request(source, destination, bandwidth_limit_mbps=SLOW_MBPS)
    job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")

    assert instance.http.post(f"{job.path}/cancel").status_code == 202
    time.sleep(2)  # what an append may take that was past its gate; nothing may be committed later
    arrived = contents(destination)
    view = job.wait_for_end(15)
    time.sleep(3)

    assert contents(destination) == arrived
    assert arrived
    assert not arrived - contents(source)
    assert view["state"] == "cancelled"
    assert 0 < view["items_completed"] == arrived.total() < 800


def test_after_a_pause_nothing_arrives_until_it_is_resumed(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=400, median_bytes=8_000, sigma=1))
    job = instance.request(source, destination, bandwidth_limit_mbps=SLOW_MBPS)
    job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")

    assert instance.http.post(f"{job.path}/pause").status_code == 202
    job.wait(lambda view: view["state"] == "paused", 5, "the job is paused")
    time.sleep(2)
    arrived = contents(destination).total()
    time.sleep(2)
    assert contents(destination).total() == arrived < 400

    changed = instance.http.patch(f"{job.path}/limits", json={"bandwidth_limit_mbps": 10_000})
    assert changed.status_code == 202
    assert instance.http.post(f"{job.path}/resume").status_code == 202
    view = job.wait_for_end(60)

    assert view["state"] == "completed"
    assert contents(destination) == contents(source)


def test_a_deleted_job_is_gone_at_once_and_soon_from_the_files(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=800, median_bytes=8_000, sigma=1))
    job = instance.request(source, destination, name=NAME, bandwidth_limit_mbps=SLOW_MBPS)
    job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")
    path = job.path
    assert files_with(instance, NAME.encode()), "what is looked for can be found, or this test proves nothing"
    assert len(rows_left(instance, job)) > 1

    assert instance.http.delete(path).status_code == 204

    for what in ("", "/breakdown", "/batches", "/failures", "/events"):
        assert instance.http.get(path + what).status_code == 404
    assert instance.http.post(f"{path}/cancel").status_code == 404
    time.sleep(2)
    arrived = contents(destination)
    wait_for(lambda: len(rows_left(instance, job)) == 1, 30, "only the tombstone is left in the files")
    assert not files_with(instance, NAME.encode())
    assert contents(destination) == arrived


def rows_left(instance: Instance, job: Job) -> set[str]:
    """The tables whose files hold the job's id. Left out: the log, and ClickHouse's note of which id was deleted."""
    files = [Path(name) for name in files_with(instance, job.job_id.encode())]
    return {file.parts[3] for file in files if file.parts[0] == "clickhouse" and not file.match("mutation_*.txt")}


def files_with(instance: Instance, text: bytes) -> list[str]:
    """Every file that Mailtide wrote and that holds these bytes."""
    found: list[str] = []
    for directory, _, names in os.walk(instance.data):  # it passes over what is merged away while we look
        for file in (Path(directory, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                if text in file.read_bytes():
                    found.append(str(file.relative_to(instance.data)))
    return found
