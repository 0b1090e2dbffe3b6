"""Many open streams in one process, and how late what they show is."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urlsplit

from tests.bench.pipeline.copiers import SECOND
from tests.bench.pipeline.live_jobs import LiveJob

LONGEST_LINE = 1 << 25  # bytes: the first snapshot of the fleet is one line
# The first count of bytes after a job's id is that of the job.
SHOWN = re.compile(rb'"job_id":"([^"]+)".*?"bytes_completed":(\d+)')


@dataclass(slots=True)
class Seen:
    """Of one kind of stream, while it counted."""

    ages: list[float] = field(default_factory=list[float])  # seconds from when a batch was due to when it was shown
    gaps: list[float] = field(default_factory=list[float])  # seconds between two messages of one stream
    streams: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Browsers:
    jobs: Seen
    fleet: Seen


async def watch(
    url: str, token: str, jobs: Sequence[LiveJob], *, fleets: int, after: float, seconds: float
) -> Browsers:
    """One stream for each of `jobs`, and `fleets` of all jobs; counted is what comes after `after` seconds."""
    begin = time.time() + after
    end = begin + seconds
    seen = Browsers(Seen(streams=len(jobs)), Seen(streams=fleets))
    streams = [_stream(url, f"/api/jobs/{job.key}/events", "", seen.jobs, begin, end) for job in jobs]
    streams += [_stream(url, "/api/jobs/events", token, seen.fleet, begin, end) for _ in range(fleets)]
    await asyncio.gather(*streams)
    return seen


async def _stream(url: str, path: str, token: str, seen: Seen, begin: float, end: float) -> None:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=LONGEST_LINE)
    head = f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(head.encode())
    status = await reader.readline()
    assert b" 200 " in status, status
    shown: dict[bytes, int] = {}
    times: list[float] = []
    try:
        async with asyncio.timeout(end - time.time()):
            async for line in reader:
                if line.startswith(b"data: "):
                    now = time.time()
                    ages = [age for found in SHOWN.finditer(line) for age in _ages(shown, found, now)]
                    if now >= begin:
                        times.append(now)
                        seen.ages += ages
                        seen.bytes += len(line)
    except TimeoutError:
        seen.gaps += [later - earlier for earlier, later in pairwise(times)]
    finally:
        writer.close()


def _ages(shown: dict[bytes, int], found: re.Match[bytes], now: float) -> list[float]:
    """Of every batch that is shown now and was not before; batches of a job are a second apart."""
    job_id, newest = found[1], int(found[2])
    before = shown.get(job_id)
    shown[job_id] = newest
    return [now - due / SECOND for due in range(newest, before, -SECOND)] if before else []
