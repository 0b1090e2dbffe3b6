"""The figures of all rounds as a table: medians, and ratios to the peers within each round."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.measure import Cost
from tests.mail.contents import Kept

PEERS = ("interimap", "limit")  # what the others are set against


@dataclass(frozen=True, slots=True)
class Run:
    tool: str
    round: int
    cost: Cost | None  # None: it failed
    remark: str  # how the copy differs; "equal" when it does not


def table(runs: Sequence[Run], *, messages: int | None = None, megabytes: float = 0.0) -> str:
    """Without a rate when `messages` is None: the runs did not copy the same."""
    tools = list(dict.fromkeys(run.tool for run in runs))
    peers = [peer for peer in PEERS if peer in tools]
    rounds = len({run.round for run in runs})
    columns = ["", f"wall, s (of {rounds} rounds)", "messages/s", "MB/s", "CPU, s", "peak, MB"]
    lines = [_line([*columns, *(f"wall ÷ {peer}" for peer in peers), "copy"])]
    lines.append(_line(["---"] * (len(columns) + len(peers) + 1)))
    for tool in tools:
        own = [run for run in runs if run.tool == tool]
        costs = [run.cost for run in own if run.cost]
        remarks = ", ".join(dict.fromkeys(run.remark for run in own))
        if len(own) < rounds:
            remarks += f" ({len(own)} of {rounds} rounds: hopeless)"
        if not costs:
            lines.append(_line([tool, *["–"] * (len(columns) + len(peers) - 1), remarks]))
            continue
        walls = [cost.wall for cost in costs]
        wall = median(walls)
        figures = [
            f"{wall:.2f} ({min(walls):.2f}–{max(walls):.2f})",
            f"{messages / wall:,.0f}" if messages else "–",
            f"{megabytes / wall:.1f}" if messages else "–",
            f"{median(cost.cpu for cost in costs):.2f}",
            f"{max(cost.peak_mb for cost in costs):.0f}",
        ]
        lines.append(_line([tool, *figures, *(_ratio(own, peer, runs) for peer in peers), remarks]))
    return "\n".join(lines)


def difference(source: Counter[Kept], destination: Counter[Kept]) -> str:
    """In a word how a copy differs: folder, bytes, flags and date of every message are compared."""
    if source == destination:
        return "equal"
    missing = source - destination
    by_bytes = Counter[tuple[str, str]]()
    for kept, count in (destination - source).items():
        by_bytes[kept.folder, kept.sha256] += count
    changed = 0
    for kept, count in missing.items():
        there = min(count, by_bytes[kept.folder, kept.sha256])
        by_bytes[kept.folder, kept.sha256] -= there
        changed += there
    rest = missing.total() - changed
    return (
        f"not equal: {rest:,} lack or have other bytes, {changed:,} other flags or date, "
        f"{destination.total() - source.total():+,} messages"
    )


def _ratio(own: Sequence[Run], peer: str, runs: Sequence[Run]) -> str:
    walls = {run.round: run.cost.wall for run in runs if run.tool == peer and run.cost}
    ratios = [run.cost.wall / walls[run.round] for run in own if run.cost and run.round in walls]
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else "–"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
