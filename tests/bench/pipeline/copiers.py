"""Simulated copiers: `python -m tests.bench.pipeline.copiers KAFKA_URL JOBS SECONDS` reports each job once a second.

A batch's `bytes_completed` is the time it was due to be appended, in microseconds since 1970: whoever sees it in a job
view knows how late it comes, the lateness of an overloaded broker included.
"""

import sys
import time
from datetime import timedelta

from libs.contracts.events import Delta, ProgressBatch
from libs.contracts.topics import PROGRESS
from libs.eventlog import open_log
from tests.bench.pipeline.live_jobs import WORKER, LiveJob, live_jobs, plan_id

SECOND = 1_000_000  # bytes a second, and microseconds in one
TURNS = 20  # a second; in each of them its part of the jobs reports


def report(url: str, count: int, seconds: float) -> None:
    jobs = live_jobs(count)
    log = open_log(url, timedelta(days=7))
    begun = time.time_ns() // 1_000
    for turn in range(int(seconds * TURNS)):
        due = begun + turn * SECOND // TURNS
        time.sleep(max(0.0, due / SECOND - time.time()))
        batches = [(job.job_id, batch(job, due, turn // TURNS + 1)) for job in jobs[turn % TURNS :: TURNS]]
        if batches:
            log.append_all(PROGRESS, batches)
    log.close()


def batch(job: LiveJob, due: int, completed: int) -> ProgressBatch:
    return ProgressBatch(
        job_id=job.job_id,
        folder_id=job.folder_id,
        plan_id=plan_id(job.job_id, int(job.folder_id)),
        worker=WORKER,
        completed=completed,
        skipped=0,
        failed=0,
        bytes_completed=due,
        delta=Delta(items=1, bytes=SECOND, seconds=1),
    )


if __name__ == "__main__":
    report(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
