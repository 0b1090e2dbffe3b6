"""From the append of a ProgressBatch to the snapshot that shows it, and what each process needs for it."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.bench.measure import resident_mb
from tests.bench.pipeline.browsers import Browsers, Seen, watch
from tests.bench.pipeline.live_jobs import live_jobs, write
from tests.bench.pipeline.stage import Cpu, Stage

WARM_SECONDS = 8.0
LOOKS = 10  # at the lag, while it is measured


@dataclass(frozen=True, slots=True)
class Figures:
    jobs: int
    seen: Browsers
    lags: Sequence[int]
    cores: dict[str, float]
    api_mb: float  # resident, while all streams are open
    reads: float  # of the watched jobs by the api, a second


def measure(stage: Stage, jobs: int, *, streams: int, fleets: int, seconds: float) -> Figures:
    """`jobs` live jobs that report once a second, of which `streams` are watched, and all of them by `fleets`."""
    living = live_jobs(jobs)
    write(stage.model, living, datetime.now(UTC))
    with stage.copiers(jobs, WARM_SECONDS + seconds + 5) as copiers:
        return asyncio.run(_measured(stage, jobs, streams, fleets, seconds, copiers))


async def _measured(stage: Stage, jobs: int, streams: int, fleets: int, seconds: float, copiers: int) -> Figures:
    living = live_jobs(jobs)
    watched = living[:: max(1, jobs // streams)][:streams] if streams else []
    watching = asyncio.create_task(
        watch(stage.api.url, stage.token, watched, fleets=fleets, after=WARM_SECONDS, seconds=seconds)
    )
    await asyncio.sleep(WARM_SECONDS)
    cpu = Cpu({**stage.pids(), "copiers": copiers, "browsers": os.getpid()})
    reads, begun = await asyncio.to_thread(stage.reads), time.monotonic()
    lags: list[int] = []
    for _ in range(LOOKS):
        await asyncio.sleep(seconds / LOOKS)
        lags.append(await asyncio.to_thread(stage.lag))
    cores, api_mb = cpu.cores(), resident_mb(stage.api.pid)
    reads_a_second = (await asyncio.to_thread(stage.reads) - reads) / (time.monotonic() - begun)
    return Figures(jobs, await watching, lags, cores, api_mb, reads_a_second)


def told(figures: Figures) -> str:
    lags = ", ".join(f"{lag:,}" for lag in figures.lags)
    lines = [f"{figures.jobs:,} jobs; the api reads {figures.reads:.2f} times a second; lag {lags} events"]
    for name, seen in (("job", figures.seen.jobs), ("fleet", figures.seen.fleet)):
        if seen.streams:
            lines.append(f"  {seen.streams} {name} streams: {_told(seen)}")
    total = sum(figures.cores.values())
    each = ", ".join(f"{name} {cores:.2f}" for name, cores in figures.cores.items())
    return "\n".join([*lines, f"  cores: {each}; together {total:.2f}"])


def _told(seen: Seen) -> str:
    return (
        f"event to browser p50 {quantile(seen.ages, 0.5):.2f} s, p95 {quantile(seen.ages, 0.95):.2f} s, "
        f"p99 {quantile(seen.ages, 0.99):.2f} s ({len(seen.ages):,} events); "
        f"between snapshots p50 {quantile(seen.gaps, 0.5):.2f} s, p99 {quantile(seen.gaps, 0.99):.2f} s, "
        f"longest {max(seen.gaps, default=0):.2f} s"
    )


def quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")
