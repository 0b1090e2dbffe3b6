"""What is appended is soon seen, whoever watches (`make bench-pipeline` measures it with ten times the jobs)."""

from pathlib import Path

from tests.bench.pipeline.event_to_browser import measure, quantile
from tests.bench.pipeline.stage import staged
from tests.distributed.cluster import Cluster
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka

JOBS, STREAMS, SECONDS = 100, 50, 8.0
AGE_SECONDS = 5.0  # 2.5 is the target on a quiet machine, for 1,000 jobs
READS = 1.3  # a second; one each, and one more whenever an order was given


def test_a_hundred_jobs_are_read_once_a_second_for_all_who_watch_and_seen_soon(
    kafka: Kafka, dovecot: Dovecot, tmp_path: Path
) -> None:
    with staged(Cluster(tmp_path, kafka, dovecot)) as stage:
        figures = measure(stage, JOBS, streams=STREAMS, fleets=1, seconds=SECONDS)

    assert len(figures.seen.jobs.ages) > STREAMS
    assert len(figures.seen.fleet.ages) > JOBS
    assert quantile(figures.seen.jobs.ages, 0.95) < AGE_SECONDS
    assert quantile(figures.seen.fleet.ages, 0.95) < AGE_SECONDS
    assert figures.reads < READS
    assert figures.lags[-1] < JOBS * AGE_SECONDS
