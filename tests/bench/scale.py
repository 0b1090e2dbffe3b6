"""What one large folder, or one large message, costs a whole job: seconds of each phase, and memory above idle.

`python -m tests.bench.scale [MESSAGES …]`; 0 stands for one message of 300 MB.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from libs.contracts.accounts import Account
from tests.acceptance.instance import LIVE, Instance, new_user
from tests.bench.big_folder import small_messages, write_inbox
from tests.servers.dovecot import Dovecot

MEGABYTE = 1 << 20
LARGE_MESSAGE = 300 * MEGABYTE
COUNTS = (20_000, 200_000, 0)
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one job. The phases follow one another where there is one folder."""

    planning: float  # seconds from POST until the folder is planned
    copying: float  # until nothing remains
    ending: float  # audit, outcome
    peak: int  # bytes of resident memory, at most
    above_idle: int  # the same, less what the process held before

    @property
    def seconds(self) -> float:
        return self.planning + self.copying + self.ending


def run(instance: Instance, source: Account, destination: Account, *, seconds: float = 900, **options: Any) -> Figures:
    """A job from POST to `completed`."""
    idle = memory(instance, "VmRSS")
    reset_peak(instance)
    begun = time.monotonic()
    job = instance.request(source, destination, **options)
    planned = copied = None
    while True:
        view = job.get()
        now = time.monotonic() - begun
        if planned is None and view["folders_total"] and view["folders_planned"] == view["folders_total"]:
            planned = now
        if copied is None and planned is not None and view["items_remaining"] == 0:
            copied = now
        if view["state"] not in LIVE:
            break
        assert now < seconds, view
        time.sleep(LOOK_SECONDS)
    assert view["state"] == "completed", view
    assert planned is not None
    assert copied is not None
    peak = memory(instance, "VmHWM")
    return Figures(planning=planned, copying=copied - planned, ending=now - copied, peak=peak, above_idle=peak - idle)


def both(one: Dovecot, other: Dovecot) -> dict[str, str]:
    """Settings that let an instance reach two servers."""
    ca_file = one.directory / "both.pem"
    ca_file.write_text(one.ca_file.read_text() + other.ca_file.read_text())
    ports = (one.imap_port, one.imaps_port, other.imap_port, other.imaps_port)
    return {"TLS_CA_FILE": str(ca_file), "ALLOW_PORTS": ",".join(map(str, ports))}


def memory(instance: Instance, which: str) -> int:
    """A line of /proc/…/status, in bytes."""
    assert instance.process
    for line in Path(f"/proc/{instance.process.pid}/status").read_text().splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(which)


def reset_peak(instance: Instance) -> None:
    """VmHWM counts from here (proc(5), clear_refs)."""
    assert instance.process
    Path(f"/proc/{instance.process.pid}/clear_refs").write_text("5")


def jobs(counts: Iterable[int]) -> Iterator[tuple[int, str, Figures]]:
    """Of each number of messages: the first job, and a second one with nothing to do, each pair in a new instance."""
    with Dovecot() as server, Dovecot() as other:
        for count in counts:
            source, destination = server.account(new_user()), other.account(new_user())
            write_inbox(server, source.username, small_messages(count) if count else [_large_message()])
            with (
                TemporaryDirectory(dir="/dev/shm", prefix="mailtide-scale-") as directory,
                Instance(Path(directory), server, both(server, other)) as instance,
            ):
                for what in ("first", "again"):
                    yield count, what, run(instance, source, destination)


def measured(counts: Sequence[int] = COUNTS) -> str:
    """A table, and how the cost grows from the first of the counts to the second."""
    lines = [
        "### Large folders on tmpfs, TLS: one folder of 300-byte messages, or one message of 300 MB",
        "",
        "| | planned, s | copied, s | ended, s | whole, s | peak above idle, MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    seconds: dict[tuple[int, str], float] = {}
    for count, what, figures in jobs(counts):
        seconds[count, what] = figures.seconds
        name = f"{count:,} messages" if count else "300 MB"
        lines.append(
            f"| {name}, {what} | {figures.planning:.2f} | {figures.copying:.2f} | {figures.ending:.2f} "
            f"| {figures.seconds:.2f} | {figures.above_idle / MEGABYTE:.0f} |"
        )
    if len(counts) < 2:
        return "\n".join(lines)
    few, many = counts[:2]
    grown = {what: seconds[many, what] / seconds[few, what] for what in ("first", "again")}
    lines += [
        "",
        f"From {few:,} to {many:,}: {grown['first']:.1f} times the seconds, again {grown['again']:.1f} times.",
    ]
    return "\n".join(lines)


def _large_message() -> bytes:
    return b"Subject: large\r\n\r\n" + os.urandom(LARGE_MESSAGE // 2).hex().encode()


if __name__ == "__main__":
    print(measured([int(word) for word in sys.argv[1:]] or COUNTS))
