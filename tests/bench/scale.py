"""What one large folder costs a whole job: seconds of each phase, and memory above idle.

`python -m tests.bench.scale [MESSAGES …]`
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from libs.contracts.accounts import Account
from tests.acceptance.instance import LIVE, Instance, new_user
from tests.bench.big_folder import small_messages, write_inbox
from tests.servers.dovecot import Dovecot

MEGABYTE = 1 << 20
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


def show(what: str, figures: Figures) -> None:
    print(
        f"{what:26} {figures.planning:9.2f} {figures.copying:9.2f} {figures.ending:9.2f} {figures.seconds:9.2f} "
        f"{figures.peak / MEGABYTE:9.0f} {figures.above_idle / MEGABYTE:11.0f}",
        flush=True,
    )


def main(counts: list[int]) -> None:
    print(f"{'':26} {'planning':>9} {'copying':>9} {'ending':>9} {'whole':>9} {'peak, MB':>9} {'above idle':>11}")
    for storage in ("maildir", "sdbox"):
        with Dovecot() as server, Dovecot(settings=f"mail_location = {storage}:~/mail") as other:
            for count in counts:
                folder = (
                    small_messages(count)
                    if count
                    else [b"Subject: large\r\n\r\n" + os.urandom(300 << 20).hex().encode()[: 300 << 20]]
                )
                source, destination = server.account(new_user()), other.account(new_user())
                write_inbox(server, source.username, folder)
                with (
                    TemporaryDirectory(dir="/dev/shm") as directory,
                    Instance(Path(directory), server, both(server, other)) as instance,
                ):
                    for what in ("first", "again"):
                        show(f"{count:7,} {storage}, {what}", run(instance, source, destination))


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [20_000, 200_000])
