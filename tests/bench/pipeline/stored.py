"""What the api's answers cost when 10 million batches are stored, beside those of a store without any."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2

from libs.readmodel.database import Database
from tests.acceptance.instance import wait_for
from tests.bench.pipeline.event_to_browser import quantile
from tests.bench.pipeline.live_jobs import live_jobs, write
from tests.bench.pipeline.stage import Stage

JOBS, BATCHES = 1_000, 10_000_000
ASKED, WARM = 300, 15
MERGED_SECONDS = 60.0

# One batch a second of each job, newest first.
INSERT = f"""
INSERT INTO batches (job_id, at, offset, items, bytes, seconds, updated_at, version)
SELECT concat('j', leftPad(lower(hex(number % {JOBS})), 24, '0')) AS job_id,
    {{until:DateTime64(6, 'UTC')}} - toIntervalSecond(intDiv(number, {JOBS})) AS at, number, 1, 5000, 1, at, number
FROM numbers({{count:UInt64}})
"""
MINUTE = timedelta(seconds=60)
MERGES = "SELECT count() AS n FROM system.merges WHERE table = 'batches'"


@dataclass(frozen=True, slots=True)
class Answers:
    """Seconds each."""

    job: Sequence[float]
    active: Sequence[float]


def measure(stage: Stage) -> None:
    """A store with one job, with many that have reported for a minute, and with the history of hours as well."""
    jobs = live_jobs(JOBS)
    write(stage.model, jobs[:1], datetime.now(UTC))
    alone = _asked(stage, 1)
    print(f"one live job: {_told(alone)}", flush=True)
    database = Database(stage.cluster.clickhouse.url)
    write(stage.model, jobs, datetime.now(UTC))
    _report(database)
    many = _asked(stage, JOBS)
    print(f"{JOBS:,} live jobs: {_told(many)}", flush=True)
    database.execute("TRUNCATE TABLE batches")  # or the last minute would be merged with hours that came after it
    begun = time.monotonic()
    database.execute(INSERT, until=datetime.now(UTC) - MINUTE, count=BATCHES)
    wait_for(lambda: not database.rows(MERGES)[0]["n"], MERGED_SECONDS, "the parts are merged")
    print(f"{BATCHES:,} batches: stored and merged within {time.monotonic() - begun:.0f} s", flush=True)
    _report(database)
    full = _asked(stage, JOBS)
    database.close()
    print(f"{JOBS:,} live jobs and {BATCHES:,} batches: {_told(full)}", flush=True)
    print(f"the job, beside a store of one: {_ratios(full.job, alone.job)}")
    print(f"the active jobs, beside a store of one: {_ratios(full.active, alone.active)}")
    print(f"the active jobs, beside as many without history: {_ratios(full.active, many.active)}", flush=True)


def _report(database: Database) -> None:
    """As if every job had reported in each second of the last minute, and went on for one."""
    database.execute(INSERT, until=datetime.now(UTC) + MINUTE, count=2 * JOBS * MINUTE // timedelta(seconds=1))


def _asked(stage: Stage, count: int) -> Answers:
    jobs = live_jobs(count)
    with httpx2.Client(base_url=stage.api.url, timeout=60, headers={"Authorization": f"Bearer {stage.token}"}) as http:

        def seconds(path: str) -> float:
            begun = time.perf_counter()
            answer = http.get(path)
            assert answer.status_code == 200, answer.text
            return time.perf_counter() - begun

        return Answers(
            job=_each(ASKED, lambda number: seconds(f"/api/jobs/{jobs[number * 37 % count].key}")),
            active=_each(ASKED, lambda _: seconds("/api/jobs?state=active")),
        )


def _each(count: int, asked: Callable[[int], float]) -> list[float]:
    for number in range(WARM):
        asked(number)
    return [asked(number) for number in range(count)]


def _told(answers: Answers) -> str:
    return "; ".join(
        f"{name} p50 {quantile(each, 0.5) * 1000:.0f} ms, p99 {quantile(each, 0.99) * 1000:.0f} ms"
        for name, each in (("job", answers.job), ("active jobs", answers.active))
    )


def _ratios(full: Sequence[float], empty: Sequence[float]) -> str:
    return ", ".join(
        f"p{part:.0%}"[:-1] + f" {quantile(full, part) / quantile(empty, part):.2f}" for part in (0.5, 0.99)
    )
