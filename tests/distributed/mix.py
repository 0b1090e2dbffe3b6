"""Faults at random, several at once. `make soak` runs 20 jobs, then mix after mix, for so many minutes."""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.instance import LIVE, wait_for
from tests.distributed.cluster import READY_SECONDS, Cluster, Service
from tests.distributed.moves import SLOW_MBPS, Move
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka

AT_ONCE = 4  # jobs
FAULTS = 5  # in one mix
WITHIN_SECONDS = 15.0  # they begin

Step = tuple[float, Callable[[], object]]  # seconds after the first fault


def chosen(cluster: Cluster, chance: random.Random) -> list[Step]:
    """Each fault is on something else. Steps, as what is started ends with the thread that started it."""
    steps: list[Step] = []
    for service in chance.sample(cluster.services, FAULTS - 1):
        begin = chance.uniform(0, WITHIN_SECONDS)
        end = begin + chance.uniform(0.5, 15)
        fault = chance.choice(["kill", "stop", "freeze" if service.kind == "copier" else "kill"])
        steps.append((begin, getattr(service, fault)))
        steps.append((end, service.thaw if fault == "freeze" else service.begin))
    begin, seconds = chance.uniform(0, WITHIN_SECONDS), chance.uniform(1, 10)
    if chance.random() < 0.5:
        steps += [(begin, cluster.kafka.stop), (begin + seconds, cluster.kafka.start)]
    else:
        steps += [(begin, cluster.clickhouse.kill), (begin + seconds, cluster.clickhouse.start)]
    return sorted(steps, key=lambda step: step[0])


def back(service: Service) -> None:
    """As Kubernetes does: a process that ended, because it lost its place in the log, is started again."""

    def is_ready() -> bool:
        assert service.process
        if service.process.poll() is not None:
            service.begin()
        return service.is_ready()

    wait_for(is_ready, READY_SECONDS, f"{service.name} is back")


def mix(cluster: Cluster, chance: random.Random) -> None:
    """Jobs run, faults strike; the jobs complete and are equal."""
    moves = [Move(cluster, *cluster.long_accounts(), SLOW_MBPS) for _ in range(AT_ONCE)]
    begun = time.monotonic()
    for at, step in chosen(cluster, chance):
        time.sleep(max(0.0, begun + at - time.monotonic()))
        step()
    for service in cluster.services:
        back(service)
    for move in moves:
        if move.wait(lambda _: True, READY_SECONDS)["state"] in LIVE:  # on a slow machine the way back took long
            move.hurry()
    for move in moves:
        move.arrives()


def main() -> None:
    minutes = float(sys.argv[1])
    with (
        tempfile.TemporaryDirectory() as directory,
        Kafka() as kafka,
        Dovecot() as dovecot,
        Cluster(Path(directory), kafka, dovecot) as cluster,
    ):
        begun = time.monotonic()
        moves = [Move(cluster, *cluster.accounts(200), 50) for _ in range(20)]
        for move in moves:
            move.arrives(600)
        print(f"20 jobs at once: {time.monotonic() - begun:.0f} s", flush=True)
        while time.monotonic() < begun + minutes * 60:
            seed = random.randrange(1 << 32)
            print(f"mix {seed}", flush=True)
            mix(cluster, random.Random(seed))


if __name__ == "__main__":
    main()
