"""A second run with nothing to do, beside a bare listing of UID and size on both sides."""

import ipaddress
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from libs.contracts.accounts import Account
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.port import Session
from tests.acceptance.instance import Instance
from tests.bench.measure import Failed
from tests.bench.tools import job

ANY_SIZE = 1_000_000_000  # bytes: leaves nothing out, but is another option, so that what is remembered says nothing


def measured(mailtide: Instance, source: Account, destination: Account, ca_file: Path, rounds: int) -> str:
    """A table of medians; the two accounts hold the same, put there by a job of this Mailtide."""
    policy = ConnectPolicy(
        allow_networks=(ipaddress.ip_network("127.0.0.0/8"),),
        allow_ports=(source.port, destination.port),
        allow_plain=True,
        tls_ca_file=ca_file,
    )
    sessions = [connect(account, policy=policy) for account in (source, destination)]
    ways: dict[str, Callable[[], float]] = {
        "bare listing of both sides: UID, size, date, flags": partial(_read, sessions, identity=False),
        "both sides with what recognises a message": partial(_read, sessions, identity=True),
        "second job, folders unchanged": partial(_job, mailtide, source, destination),
        "second job, folders listed": partial(_job, mailtide, source, destination, max_item_bytes=ANY_SIZE),
    }
    walls: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            walls[name].append(way())
    for session in sessions:
        session.close()
    bare = walls[next(iter(ways))]
    lines = ["| | wall, s | ÷ bare listing |", "| --- | --- | --- |"]
    for name, found in walls.items():
        ratio = median(one / other for one, other in zip(found, bare, strict=True))
        lines.append(f"| {name} | {median(found):.2f} | {ratio:.1f} |")
    return "\n".join(lines)


def _read(sessions: list[Session], *, identity: bool) -> float:
    begun = time.monotonic()
    for session in sessions:
        for folder in session.folders():
            if folder.selectable:
                session.examine(folder.wire)
                for _ in session.listing(identity=identity):
                    pass
    return time.monotonic() - begun


def _job(mailtide: Instance, source: Account, destination: Account, **options: int) -> float:
    cost, view = job(mailtide, source, destination, **options)
    if view["items_completed"]:
        raise Failed("there was something to do")
    return cost.wall
