"""What only the embedded log promises: one process, no trace of old records, clear refusals."""

import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from libs.contracts.commands import StartJob
from libs.contracts.ids import JobId
from libs.contracts.topics import COMMANDS, Topic
from libs.eventlog import open_log
from libs.eventlog.consume import Delivery
from libs.eventlog.port import LogInUse, LogRefused, LogUnavailable
from libs.eventlog.sqlite import SqliteEventLog, partition_of
from libs.eventlog.sqlite_file import Place
from libs.eventlog.worker import WorkerNotStarted
from tests.contract.eventlog_groups import PATIENCE, WEEK, Group, Taken, batcher, taker

ROOT = Path(__file__).parents[2]
KEY = "one key"
HERE = Place(COMMANDS.name, partition_of(KEY.encode(), COMMANDS.partitions))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteEventLog]:
    opened = SqliteEventLog(path, WEEK)
    yield opened
    opened.close()


def fill(log: SqliteEventLog, count: int, job_id: str = "j") -> None:
    log.append_all(COMMANDS, [(KEY, StartJob(job_id=JobId(f"{job_id}{number}"))) for number in range(count)])


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def child(code: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


# One process.

SECOND = """
import sys; from datetime import timedelta; from libs.eventlog import open_log; from libs.eventlog.port import LogInUse
try:
    open_log(sys.argv[1], timedelta(days=7))
except LogInUse as error:
    print(error)
"""


def test_a_second_process_is_refused_with_one_sentence(log: SqliteEventLog, path: Path):
    told = child(SECOND, f"sqlite:///{path}").strip()

    assert told.startswith("This data directory is in use by another Mailtide process: ")
    assert told.count(".") == 1
    assert "\n" not in told


def test_a_second_log_in_the_same_process_is_refused_too(log: SqliteEventLog, path: Path):
    with pytest.raises(LogInUse):
        SqliteEventLog(path, WEEK)
    fill(log, 1)


def test_a_log_that_was_closed_can_be_opened_again(path: Path):
    for _ in range(3):
        opened = SqliteEventLog(path, WEEK)
        fill(opened, 1)
        opened.close()
        opened.close()


def test_a_new_log_makes_its_directory_and_nobody_else_may_read_it(tmp_path: Path):
    opened = open_log(f"sqlite:///{tmp_path}/a/b/log.db", WEEK)
    opened.append(COMMANDS, KEY, StartJob(job_id=JobId("j")))

    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "a" / "b").iterdir()} == {0o600}
    opened.close()


@pytest.mark.parametrize(
    "url", ["kafka://", "kafka://secret", "kafka://u:secret@h:1", "sqlite://", "sqlite:///", "postgres://secret@h/db"]
)
def test_another_url_is_refused_without_repeating_it(url: str):
    with pytest.raises(LogRefused, match=r"^it is not the URL of a log.*: write ") as refused:
        open_log(url, WEEK)
    assert "secret" not in str(refused.value)


# Partitions and offsets.


def test_a_key_keeps_its_partition_in_every_version():
    keys = [b"", b"j1", b"one key", "Ünïcode".encode(), b"0123456789abcdef0123456789abcdef"]
    assert [partition_of(key, 12) for key in keys] == [0, 4, 4, 0, 10]


def test_no_offset_is_used_twice_even_if_retention_removed_everything(path: Path):
    opened = SqliteEventLog(path, WEEK)
    fill(opened, 5)
    opened.close()
    for ends_before in (5, 6):
        opened = SqliteEventLog(path, timedelta(milliseconds=1))
        eventually(lambda log=opened: log.read([(HERE, 0)], 10) == [[]])
        opened.close()
        opened = SqliteEventLog(path, WEEK)
        assert opened.end(HERE) == ends_before
        fill(opened, 1)
        assert [record.offset for record in opened.read([(HERE, 0)], 10)[0]] == [ends_before]
        opened.close()


def test_a_group_reads_on_after_retention_removed_what_it_had_not_read(path: Path):
    opened = SqliteEventLog(path, WEEK)
    fill(opened, 10)
    taken = Taken()
    with Group(taker(opened, COMMANDS, taken.add)):
        for delivery in taken.wait(10)[:4]:
            delivery.done()
    opened.close()
    opened = SqliteEventLog(path, timedelta(milliseconds=1))
    eventually(lambda: opened.read([(HERE, 0)], 10) == [[]])
    opened.close()

    opened = SqliteEventLog(path, WEEK)
    fill(opened, 3, "k")
    for expected in (["k0", "k1", "k2"], ["k2"]):
        taken = Taken()
        with Group(taker(opened, COMMANDS, taken.add)):
            for delivery in taken.wait(len(expected))[:2]:
                delivery.done()
        assert taken.jobs == expected
    opened.close()


def test_partitions_that_a_topic_no_longer_has_are_still_read(log: SqliteEventLog):
    def topic(partitions: int) -> Topic:
        return Topic(name="mailtide.test", key="job_id", partitions=partitions)

    log.append_all(topic(12), [(str(number), StartJob(job_id=JobId("j"))) for number in range(40)])
    taken = Taken()
    with Group(taker(log, topic(3), taken.add)):
        taken.wait(40)


# Retention.


def copies(directory: Path, canary: bytes) -> int:
    return sum(file.read_bytes().count(canary) for file in directory.iterdir())


def test_retention_leaves_no_copy_in_the_files_of_a_log_that_is_opened(path: Path):
    opened = SqliteEventLog(path, WEEK)
    fill(opened, 3000, "canary")
    opened.close()
    assert copies(path.parent, b"canary") >= 3000

    opened = SqliteEventLog(path, timedelta(milliseconds=1))
    eventually(lambda: copies(path.parent, b"canary") == 0)
    fill(opened, 1)
    opened.close()


def test_retention_leaves_no_copy_in_the_files_of_a_log_that_is_open(path: Path):
    opened = SqliteEventLog(path, timedelta(seconds=1))
    taken = Taken()
    with Group(taker(opened, COMMANDS, taken.add)):
        fill(opened, 200, "canary")
        taken.wait(200)
        assert copies(path.parent, b"canary") >= 200
        eventually(lambda: copies(path.parent, b"canary") == 0)
        fill(opened, 1, "young")
        taken.wait(201)
        assert copies(path.parent, b"young") >= 1
    opened.close()


def test_retention_overwrites_what_a_killed_process_left(path: Path):
    code = """
import os, sys; from datetime import timedelta; from libs.eventlog import open_log
from libs.contracts.topics import COMMANDS; from libs.contracts.commands import StartJob
open_log(sys.argv[1], timedelta(days=7)).append_all(COMMANDS, [(str(n), StartJob(job_id="canary")) for n in range(500)])
print("appended", flush=True); os.kill(os.getpid(), 9)
"""
    killed = subprocess.run([sys.executable, "-c", code, f"sqlite:///{path}"], cwd=ROOT, capture_output=True, text=True)
    assert killed.stdout == "appended\n"
    assert copies(path.parent, b"canary") >= 500

    opened = SqliteEventLog(path, timedelta(milliseconds=1))
    eventually(lambda: copies(path.parent, b"canary") == 0)
    opened.close()


# What goes wrong.

DISK_FULL = """
import resource, sys; from datetime import timedelta; from libs.eventlog import open_log
from libs.contracts.topics import COMMANDS; from libs.contracts.commands import StartJob
from libs.eventlog.port import LogUnavailable
log = open_log(sys.argv[1], timedelta(days=7))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
confirmed = 0
try:
    while True:
        log.append(COMMANDS, "key", StartJob(job_id=f"{confirmed}" + "x" * 5000))
        confirmed += 1
except LogUnavailable:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.append(COMMANDS, "key", StartJob(job_id=f"{confirmed}"))
log.close()
print(confirmed + 1)
"""


def test_a_full_disk_is_said_and_an_append_works_again_once_there_is_room(path: Path):
    confirmed = int(child(DISK_FULL, f"sqlite:///{path}"))

    opened = SqliteEventLog(path, WEEK)
    taken = Taken()
    with Group(taker(opened, COMMANDS, taken.add)):
        taken.wait(confirmed)
    opened.close()
    assert [int(re.sub("x", "", job)) for job in taken.jobs] == list(range(confirmed))


def test_a_file_that_a_stranger_locks_is_said_and_an_append_works_again_afterwards(log: SqliteEventLog, path: Path):
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogUnavailable):
        fill(log, 1)
    stranger.execute("ROLLBACK")
    stranger.close()

    fill(log, 1)
    assert log.end(HERE) == 1


def test_a_file_that_is_not_a_log_is_refused(path: Path):
    path.write_bytes(b"not a database" * 1000)
    for _ in range(2):  # the lock is given back
        with pytest.raises(LogUnavailable):
            SqliteEventLog(path, WEEK)


def test_a_directory_that_cannot_be_written_is_refused(path: Path):
    path.write_bytes(b"")
    with pytest.raises(LogUnavailable):
        SqliteEventLog(path / "log.db", WEEK)


def test_a_closed_log_takes_nothing(path: Path):
    opened = SqliteEventLog(path, WEEK)
    opened.close()
    with pytest.raises(LogUnavailable):
        fill(opened, 1)


def test_a_worker_whose_log_is_gone_does_not_start(path: Path):
    opened = SqliteEventLog(path, WEEK)
    worker = taker(opened, COMMANDS, lambda _: None)
    opened.close()
    with pytest.raises(WorkerNotStarted), Group(worker):
        pass


def test_a_worker_that_cannot_commit_dies(path: Path):
    opened = SqliteEventLog(path, WEEK)
    taken = Taken()
    worker = taker(opened, COMMANDS, taken.add)
    with Group(worker) as group:
        fill(opened, 1)
        taken.wait(1)
        opened.close()
        taken.deliveries[0].done()
        group.run(worker.wait_until_dead())


def test_a_record_that_cannot_be_read_is_passed_over(log: SqliteEventLog, path: Path):
    fill(log, 3)
    stranger = sqlite3.connect(path)
    stranger.execute("""UPDATE records SET headers = '{"ce_type": "mailtide.StartJob.v9"}' WHERE offset = 0""")
    stranger.execute("UPDATE records SET value = '[]' WHERE offset = 1")
    stranger.commit()
    stranger.close()

    log.close()
    reopened = SqliteEventLog(path, WEEK)
    taken = Taken()
    with Group(taker(reopened, COMMANDS, taken.add)):
        taken.wait(1)[0].done()
    assert taken.jobs == ["j2"]
    assert reopened.committed("mailtide-copier") == {HERE: 3}
    reopened.close()


# Memory and commits of a worker.


def test_what_is_done_is_committed_while_the_worker_runs(log: SqliteEventLog):
    with Group(taker(log, COMMANDS, Delivery.done)):
        fill(log, 5)
        eventually(lambda: log.committed("mailtide-copier") == {HERE: 5})


def test_what_waits_for_a_slow_batch_is_bounded(log: SqliteEventLog):
    log.append_all(COMMANDS, [(str(number), StartJob(job_id=JobId("j"))) for number in range(7000)])
    go_on, applied = threading.Event(), Taken()

    def apply(deliveries: list[Delivery]) -> None:
        assert go_on.wait(PATIENCE)
        applied.add(*deliveries)

    worker = batcher(log, COMMANDS, apply)
    with Group(worker):
        consumer = worker.app.consumer
        read: list[int] = []

        def reads_no_more() -> bool:
            read.append(sum(consumer._positions.values()))
            return len(read) > 30 and len(set(read[-30:])) == 1

        eventually(reads_no_more)
        assert 2000 <= read[-1] <= 2000 + 4096
        go_on.set()
        applied.wait(7000)
