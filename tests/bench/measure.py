"""What a run of a program took: wall clock, CPU and memory, with all its child processes."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    wall: float  # seconds
    cpu: float  # seconds, user and system
    peak_mb: float  # resident, the sum of the processes
    output: bytes = b""


class Failed(Exception):
    """A program ended with an error; its last words."""


def run(command: Sequence[str], *, given: bytes = b"", seconds: float = 1800) -> Cost:
    """Run a program to its end.

    Raises:
        Failed: its status is not 0, or it took longer than `seconds`.
    """
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    before = os.times()
    with memory(process.pid) as peak:
        try:
            output, _ = process.communicate(given, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            raise Failed(f"took longer than {seconds:.0f} s") from error
    wall, after = time.monotonic() - begun, os.times()
    if process.returncode:
        raise Failed(output.decode(errors="replace")[-500:])
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall=wall, cpu=cpu, peak_mb=peak[0], output=output)


@contextlib.contextmanager
def memory(pid: int) -> Generator[list[float]]:
    """The peak in MB of a process and its children, as far as it is seen every 50 ms: the list's one number."""
    peak = [resident_mb(pid)]
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            peak[0] = max(peak[0], resident_mb(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def resident_mb(pid: int) -> float:
    pages = 0
    for one in [pid, *_children(pid)]:
        with contextlib.suppress(OSError, IndexError):
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return pages * PAGE_MB


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
            found += [int(child) for child in children]
    return found + [deeper for child in found for deeper in _children(child)]
