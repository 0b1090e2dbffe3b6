"""A person's word stops a job at once; deletion leaves nothing."""

import time

from tests.acceptance.instance import Instance, Job, new_user, wait_for
from tests.mail.contents import contents
from tests.mail.corpus import Corpus
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot

SLOW_MBPS = 8


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
    job = instance.request(source, destination, bandwidth_limit_mbps=SLOW_MBPS)
    job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")
    path = job.path
    assert files_with(instance, job.job_id.encode())

    assert instance.http.delete(path).status_code == 204

    for what in ("", "/breakdown", "/batches", "/failures", "/events"):
        assert instance.http.get(path + what).status_code == 404
    assert instance.http.post(f"{path}/cancel").status_code == 404
    time.sleep(2)
    arrived = contents(destination)
    wait_for(lambda: not rows_left(instance, job), 30, "the job's rows have left the files")
    assert contents(destination) == arrived


def rows_left(instance: Instance, job: Job) -> list[str]:
    """Files with the job's id other than the log, whose events hold ids only, and the tombstone itself."""
    return [name for name in files_with(instance, job.job_id.encode()) if not name.startswith("log.db")]


def files_with(instance: Instance, text: bytes) -> list[str]:
    """Every file that Mailtide wrote and that holds these bytes."""
    found: list[str] = []
    for file in instance.data.rglob("*"):
        try:
            if file.is_file() and text in file.read_bytes():
                found.append(str(file.relative_to(instance.data)))
        except FileNotFoundError:
            continue  # merged away while we looked
    return found
