"""`make bench-pipeline`: the parts of it, or those that are named."""

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tests.bench.pipeline import stored, streams, throughput
from tests.bench.pipeline.event_to_browser import measure, told
from tests.bench.pipeline.stage import stage


def _growth() -> None:
    """Every job of ten, and a tenth of more, is watched; so is the fleet."""
    with stage() as running:
        for jobs in (10, 100, 1_000):
            print(told(measure(running, jobs, streams=max(10, jobs // 10), fleets=1, seconds=15)), flush=True)


def _streams() -> None:
    with stage() as running:
        streams.run(running)


def _stored() -> None:
    with stage() as running:
        stored.measure(running)


PARTS: Mapping[str, Callable[[], None]] = {
    "throughput": throughput.main,
    "growth": _growth,
    "streams": _streams,
    "stored": _stored,
}


def main() -> None:
    for name in sys.argv[1:] or PARTS:
        others = os.getloadavg()[0]
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {name}; load before {others:.1f}", flush=True)
        PARTS[name]()


if __name__ == "__main__":
    main()
