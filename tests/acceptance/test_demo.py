"""`mailtide demo` on this machine, as a person starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

DEMO = [sys.executable, "-m", "services.cli", "demo"]


def environment(temporary: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), **more}


def test_the_demo_moves_a_mailbox_and_its_verdict_is_right(tmp_path: Path) -> None:
    done = subprocess.run(
        DEMO, env=environment(tmp_path, DEMO_EXIT="1"), capture_output=True, text=True, timeout=200, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "493 messages are at the destination exactly once" in done.stdout
    assert "Page:    http://127.0.0.1:" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_demo_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    heeds = ["env", "--default-signal=INT", *DEMO]  # a shell makes what it starts in the background ignore it
    demo = subprocess.Popen(heeds, env=environment(tmp_path), stdout=subprocess.PIPE, text=True, bufsize=1)
    assert demo.stdout
    for line in demo.stdout:
        if "Moving" in line:
            break
    started = children(demo.pid)

    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=30)

    assert len(started) == 3
    assert demo.returncode == 130
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
    assert list(tmp_path.iterdir()) == []


def children(pid: int) -> list[int]:
    """Two mail servers and Mailtide."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
