"""What an open stream costs one api."""

from tests.bench.measure import resident_mb
from tests.bench.pipeline.event_to_browser import measure, told
from tests.bench.pipeline.stage import Stage

JOBS, STREAMS, SECONDS = 1_000, 500, 15


def run(stage: Stage) -> None:
    few = measure(stage, JOBS, streams=1, fleets=0, seconds=SECONDS)
    print(told(few), flush=True)
    memory = resident_mb(stage.api.pid)
    many = measure(stage, JOBS, streams=STREAMS, fleets=0, seconds=SECONDS)
    print(told(many), flush=True)
    cpu = (many.cores["api"] - few.cores["api"]) / (STREAMS - 1)
    kilobytes = (many.api_mb - memory) * 1_000 / (STREAMS - 1)
    print(f"a stream costs the api {cpu * 1_000:.2f} ms of CPU a second and {kilobytes:.0f} KB")
